"""States of conversations as files: checked by their own hash, bounded, the oldest out first."""

from __future__ import annotations

import array
import contextlib
import hashlib
import json
import logging
import os
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from desktop.engine.adapters import NO_ADAPTERS, AdapterKey
from desktop.engine.slot import Checkpoint
from desktop.engine.states.saved_state import SavedState

_MAGIC = b"HGSTATE1"
_SUFFIX = ".state"
_PARTIAL = ".part"
_STALE_S = 3600.0
_HASH_BYTES = 32
_MOST_HEADER_BYTES = 16 << 20
_MOST_TOKENS = 1 << 24
_HEAD = struct.Struct("<I")

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class StateFile:
    """What a file says of itself; the state in it is not read yet, and nothing of it is proved."""

    path: Path
    size: int
    cached: list[int]
    pending: list[int]
    text: str | None
    first: int
    checkpoint_sizes: tuple[tuple[int, int], ...]
    state_bytes: int
    adapters: AdapterKey = NO_ADAPTERS

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """Where it could go back to, without what is needed for that."""
        return [Checkpoint(length, bytearray()) for length, _ in self.checkpoint_sizes]


class StateFiles:
    """The files of one model as it is opened now. Safe from any thread, several programs too:
    files appear and vanish as a whole.

    `key` names the model, the settings that a state depends on and the engine's version.
    """

    def __init__(self, folder: Path, key: str, limit_bytes: int) -> None:
        self._folder = folder
        self._key = key
        self._limit = limit_bytes

    def write(self, state: SavedState) -> bool:
        """Keep `state` for the next start; False where it is not to be, or cannot be kept.

        Only what has a conversation's name: it is deleted with it. Adapters are named here, but
        their content is not checked, so what was computed with them is not kept.
        """
        size = state.bytes
        if not (state.conversation and state.keep_state) or state.adapters or size > self._limit:
            return False
        target = self._path(state.conversation)
        partial = target.with_suffix(f".{os.getpid()}{_PARTIAL}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(size, target)
            partial.touch(0o600)
            with partial.open("wb") as file:
                _put(file, self._key, state)
            partial.replace(target)
        except OSError as error:
            _log.warning("a conversation's state cannot be kept in a file: %s", error)
            with contextlib.suppress(OSError):
                partial.unlink()
            return False
        return True

    def find(self, conversation: str) -> StateFile | None:
        """What there is of a conversation; what cannot be it is deleted."""
        path = self._path(conversation)
        try:
            with path.open("rb") as stream:
                found = _described(stream, self._key, path)
            if found is None:
                _log.warning("a conversation's state was no such file: %s", path.name)
                path.unlink()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("a conversation's state cannot be read: %s", error)
            return None
        return found

    def load(self, file: StateFile, conversation: str) -> SavedState | None:
        """The state, if every byte of it is what was written; else the file is deleted."""
        try:
            with file.path.open("rb") as stream:
                state = _whole(stream, self._key, file, conversation)
            if state is not None:
                os.utime(file.path)
                return state
            _log.warning("a conversation's state was damaged: %s", file.path.name)
            file.path.unlink()
        except OSError as error:
            _log.warning("a conversation's state cannot be read: %s", error)
        return None

    def _path(self, conversation: str) -> Path:
        return self._folder / f"{_name(conversation)}-{_name(self._key)}{_SUFFIX}"

    def _make_room(self, size: int, target: Path) -> None:
        """Of all models' files the ones used longest ago go, and what a crash left half written."""
        found = []
        now_s = time.time()
        for entry in os.scandir(self._folder):
            with contextlib.suppress(OSError):  # deleted meanwhile
                stat = entry.stat()
                if entry.name.endswith(_PARTIAL) and now_s - stat.st_mtime > _STALE_S:
                    Path(entry.path).unlink()
                if entry.name.endswith(_SUFFIX) and entry.name != target.name:
                    found.append((stat.st_mtime_ns, stat.st_size, entry.path))
        total = size + sum(one for _, one, _ in found)
        for _, one, path in sorted(found):
            if total <= self._limit:
                break
            with contextlib.suppress(OSError):
                Path(path).unlink()
                total -= one


def forget_states(folder: Path, conversation: str = "") -> None:
    """Delete the files of one conversation, for whatever model; of all without a name."""
    beginning = f"{_name(conversation)}-" if conversation else ""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(beginning) and entry.name.endswith((_SUFFIX, _PARTIAL)):
            try:
                Path(entry.path).unlink()
            except OSError as error:
                _log.warning("a conversation's state cannot be deleted: %s", error)


def _name(text: str) -> str:
    """A file's name says nothing of whose it is."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


def _put(file: BinaryIO, key: str, state: SavedState) -> None:
    header = json.dumps(
        {
            "key": key,
            "tokens": len(state.cached),
            "pending": state.pending,
            "text": state.text,
            "first": state.first,
            "bytes": len(state.state),
            "checkpoints": [[one.length, len(one.state)] for one in state.checkpoints],
        }
    ).encode()
    parts: list[bytes | bytearray] = [
        _HEAD.pack(len(header)),
        header,
        _packed(state.cached),
        state.state,
    ]
    parts += [one.state for one in state.checkpoints]
    digest = hashlib.sha256()
    file.write(_MAGIC + bytes(_HASH_BYTES))
    for part in parts:
        digest.update(part)
        file.write(part)
    file.seek(len(_MAGIC))
    file.write(digest.digest())


def _described(stream: BinaryIO, key: str, path: Path) -> StateFile | None:
    """None where it is no file of ours, or one that was cut short."""
    start = stream.read(len(_MAGIC) + _HASH_BYTES + _HEAD.size)
    if len(start) < len(_MAGIC) + _HASH_BYTES + _HEAD.size or not start.startswith(_MAGIC):
        return None
    (length,) = _HEAD.unpack(start[-_HEAD.size :])
    if length > _MOST_HEADER_BYTES:
        return None
    try:
        header = json.loads(stream.read(length))
        file = _from_header(header, key, path, len(start) + length)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if file is None or file.size != os.fstat(stream.fileno()).st_size:
        return None
    raw = stream.read(4 * header["tokens"])
    file.cached = _unpacked(raw)
    return file


def _from_header(header: Any, key: str, path: Path, before: int) -> StateFile | None:
    """Raises ValueError, KeyError or TypeError where something is missing or not as it should."""
    tokens, size, text = header["tokens"], header["bytes"], header["text"]
    pending, first = header["pending"], header["first"]
    marks = tuple((length, room) for length, room in header["checkpoints"])
    numbers = [tokens, size, first, *pending, *(number for mark in marks for number in mark)]
    if not all(type(number) is int for number in numbers) or not isinstance(text, str | None):
        return None
    if header["key"] != key or not 0 < tokens <= _MOST_TOKENS or size < 0:
        return None
    if any(room < 0 or not 0 < length <= tokens for length, room in marks):
        return None
    whole = before + 4 * tokens + size + sum(room for _, room in marks)
    return StateFile(path, whole, [], pending, text, first, marks, size)


def _whole(
    stream: BinaryIO, key: str, described: StateFile, conversation: str
) -> SavedState | None:
    """Everything, read again and compared with the hash; None where one byte differs."""
    fresh = _described(stream, key, described.path)
    if fresh is None:
        return None
    stream.seek(len(_MAGIC))
    wanted = stream.read(_HASH_BYTES)
    digest = hashlib.sha256()
    head = fresh.size - fresh.state_bytes - sum(size for _, size in fresh.checkpoint_sizes)
    digest.update(stream.read(head - len(_MAGIC) - _HASH_BYTES))
    state = _read(stream, fresh.state_bytes, digest)
    checkpoints = [
        Checkpoint(length, _read(stream, size, digest)) for length, size in fresh.checkpoint_sizes
    ]
    if digest.digest() != wanted:
        return None
    return SavedState(
        fresh.cached,
        fresh.pending,
        fresh.text,
        conversation,
        NO_ADAPTERS,
        True,  # noqa: FBT003 - a field of the dataclass
        state,
        checkpoints,
        fresh.first,
        origin="disk",
        on_disk=True,
    )


def _read(stream: BinaryIO, size: int, digest: Any) -> bytearray:
    data = bytearray(size)
    stream.readinto(data)  # type: ignore[attr-defined]
    digest.update(data)
    return data


def _packed(tokens: list[int]) -> bytes:
    numbers = array.array("i", tokens)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _unpacked(raw: bytes) -> list[int]:
    numbers = array.array("i", raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
