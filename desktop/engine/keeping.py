"""Where the states of idle conversations are kept: main memory first, then files."""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import LoadError
from desktop.engine.batching.prefix_cache import WORTH_SAVING_TOKENS, PrefixCache
from desktop.engine.extras import Extras
from desktop.engine.llama import llama
from desktop.engine.prepared import Prepared
from desktop.engine.retold import common_text
from desktop.engine.slot import common_prefix
from desktop.engine.states.saved_state import SavedState
from desktop.engine.states.state_files import StateFiles, forget_states
from desktop.engine.states.states import States
from desktop.fit.types import Plan

_FORMAT = 1
_MOST_WAITING = 4
_END_S = 5.0
_SAMPLES = 256
_SAMPLE_BYTES = 4096
_HEADER_BYTES = 4 << 20
_PART = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept, and in which folder; without one nothing goes to the disk.

    `disk_bytes` counts the files of all models together.
    """

    memory_bytes: int = 2 << 30
    folder: Path | None = None
    disk_bytes: int = 8 << 30


DEFAULT_KEEPING = Keeping()


class Keeper:
    """The states of one open model. Files are written in a thread of their own, and read in the
    thread of whoever asks: the engine's thread only copies."""

    def __init__(
        self, keeping: Keeping, path: Path, plan: Plan, extras: Extras, vocab_size: int
    ) -> None:
        """Raises LoadError where a file cannot be read that has been opened already."""
        self.states = States(keeping.memory_bytes, self._spilled)
        self._vocab_size = vocab_size
        self._cache: PrefixCache | None = None
        self._folder = keeping.folder
        self._files: StateFiles | None = None
        if keeping.folder is not None:
            key = _key(path, plan, extras)
            self._files = StateFiles(keeping.folder, key, keeping.disk_bytes)
        self._writing: queue.Queue[SavedState | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._forgotten: set[str] = set()

    @property
    def on_disk(self) -> bool:
        """Whether anything is kept in files."""
        return self._files is not None

    def watch(self, cache: PrefixCache) -> None:
        """The sequences whose states it keeps."""
        self._cache = cache

    def fetch(self, prepared: Prepared) -> None:
        """Bring the conversation's state from its file into main memory, where that saves reading.

        In the caller's thread: the sequences are only looked at.
        """
        conversation = prepared.request.conversation
        cache = self._cache
        if self._files is None or cache is None:
            return
        if not conversation or conversation in self._forgotten:
            return
        file = self._files.find(conversation)
        if file is None:
            return
        held = [slot.cached for slot in cache.slots] + [one.cached for one in self.states.all()]
        there = max(common_prefix(cached, prepared.tokens) for cached in held)
        found = common_prefix(file.cached, prepared.tokens)
        if file.text and prepared.text:
            # In whatever tokens: the cache takes those that it holds for the text they write.
            same = common_text(file.text, prepared.text)
            found = max(found, len(file.cached) * same // len(file.text))
            if any(cached[:found] == file.cached[:found] for cached in held):
                return
        if found < there + WORTH_SAVING_TOKENS or not self.states.takes(file.size):
            return
        state = self._files.load(file, conversation)
        if state is not None and self._possible(state):
            self.states.put(state)

    def idle(self) -> None:
        """Nobody asks for anything: time to write what has changed."""
        if self._files is not None and self._cache is not None:
            for state in self._cache.changed():
                self._write(state)

    def close(self) -> None:
        """Write what is not in files yet, the newest first, as far as it goes quickly."""
        self.idle()
        if self._files is not None:
            for state in self.states.all():
                if not state.on_disk:
                    self._write(state)
        if self._thread is not None:
            self._thread_ends()

    def forget(self, conversation: str) -> None:
        """Keep nothing of a conversation that was deleted; in the engine's thread."""
        self._forgotten.add(conversation)
        if self._cache is not None:
            self._cache.forget(conversation)
        self.states.forget(conversation)
        if self._folder is not None:
            forget_states(self._folder, conversation)

    def _possible(self, state: SavedState) -> bool:
        """Whether its tokens are some: they may go to llama.cpp once more, which dies of others."""
        return max(state.cached + state.pending) < self._vocab_size and len(state.pending) <= 1

    def _spilled(self, state: SavedState) -> None:
        """Main memory has no room for it any more."""
        if self._files is not None and not state.on_disk:
            self._write(state)

    def _write(self, state: SavedState) -> None:
        """Hand it to the thread that writes; one that comes too fast is left out."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="states", daemon=True)
            self._thread.start()
        try:
            self._writing.put_nowait(state)
        except queue.Full:
            _log.info("a conversation's state is not written: the disk is too slow")

    def _write_all(self) -> None:
        while (state := self._writing.get()) is not None:
            if self._files is not None and state.conversation not in self._forgotten:
                state.on_disk = self._files.write(state)
                if state.conversation in self._forgotten and self._folder is not None:
                    forget_states(self._folder, state.conversation)  # deleted meanwhile

    def _thread_ends(self) -> None:
        assert self._thread is not None
        try:
            self._writing.put(None, timeout=_END_S)
        except queue.Full:
            return
        self._thread.join(_END_S)


def _key(path: Path, plan: Plan, extras: Extras) -> str:
    """What must be the same for a state to mean the same. Raises LoadError."""
    files = [path] if extras.projector is None else [path, extras.projector]
    try:
        prints = [fingerprint(file) for file in files]
    except OSError as error:
        raise LoadError("load_failed", path=str(path), detail=str(error)) from error
    settings = [plan.kv_type, plan.flash_attention]
    return json.dumps([_FORMAT, llama().version, prints, settings])


def fingerprint(path: Path) -> str:
    """A model, all its parts, by sizes, beginnings and samples from all over: in milliseconds.

    Raises OSError.
    """
    digest = hashlib.sha256()
    for part in _parts(path):
        with part.open("rb") as file:
            size = file.seek(0, 2)
            digest.update(str(size).encode())
            file.seek(0)
            digest.update(file.read(_HEADER_BYTES))
            for number in range(_SAMPLES):
                file.seek(size * number // _SAMPLES)
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _parts(path: Path) -> list[Path]:
    """The files of a split model, in order; else the one there is."""
    split = _PART.fullmatch(path.name)
    if split is None:
        return [path]
    stem, count = split[1], split[2]
    return [path.with_name(f"{stem}-{n:05}-of-{count}.gguf") for n in range(1, int(count) + 1)]
