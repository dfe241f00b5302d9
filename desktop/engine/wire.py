"""What goes over the pipe to an engine in a child process: frames of pickled plain data.

The child holds llama.cpp, drivers and what other machines send it, and so may be taken over. What
it writes is therefore read with a list of what may be made of it: the dataclasses that engines
speak in, paths and arrays of numbers. Anything else is nonsense, and nonsense ends the child.
"""

from __future__ import annotations

import array
import dataclasses
import io
import pickle
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from types import MappingProxyType, ModuleType
from typing import IO, Any

from desktop.engine import (
    chat,
    constraint,
    device_usage,
    embedding,
    events,
    extras,
    isolated_words,
    keeping,
    memory_now,
    request,
    sampling,
)
from desktop.engine import engine as engine_words
from desktop.fit import types as fit_types

MOST_FRAME_BYTES = 1 << 30
"""Far beyond what a request with images or a batch of vectors holds."""

_LENGTH = struct.Struct(">I")
_WORDS: tuple[ModuleType, ...] = (
    chat,
    constraint,
    device_usage,
    embedding,
    engine_words,
    events,
    extras,
    fit_types,
    isolated_words,
    keeping,
    memory_now,
    request,
    sampling,
)


class NonsenseError(Exception):
    """Bytes that no engine of ours has written."""


def encode(message: object) -> bytes:
    """One frame: its length in four bytes, then the message. Raises NonsenseError for one that
    holds what cannot be sent, or is too long."""
    out = io.BytesIO()
    out.write(_LENGTH.pack(0))
    try:
        _Pickler(out, protocol=pickle.HIGHEST_PROTOCOL).dump(message)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise NonsenseError(f"not to be sent: {error}") from error
    frame = out.getbuffer()
    length = len(frame) - _LENGTH.size
    if length > MOST_FRAME_BYTES:
        raise NonsenseError(f"a frame of {length} bytes")
    _LENGTH.pack_into(frame, 0, length)
    return bytes(frame)


def read(source: IO[bytes]) -> Any:
    """The next message. Raises EOFError at the end, in the middle of a frame too, and
    NonsenseError."""
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size))
    if length > MOST_FRAME_BYTES:
        raise NonsenseError(f"a frame of {length} bytes")
    return decode(_exactly(source, length))


def decode(data: bytes) -> Any:
    """The message in `data`. Raises NonsenseError."""
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except NonsenseError:
        raise
    except (
        pickle.UnpicklingError,
        ArithmeticError,
        AttributeError,
        EOFError,
        ImportError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise NonsenseError(f"{type(error).__name__}: {error}") from error


def _exactly(source: IO[bytes], length: int) -> bytes:
    data = source.read(length)
    if len(data) < length:
        raise EOFError
    return data


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, PurePath):
            return _path, (str(value),)
        if isinstance(value, MappingProxyType):
            return dict, (dict(value),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _KNOWN.get((module, name))
        if found is None:
            raise NonsenseError(f"{module}.{name}")
        return found


def _path(text: str) -> Path:
    return Path(text)


def _known(modules: Iterable[ModuleType]) -> Mapping[tuple[str, str], Any]:
    """All that a message may consist of, beside numbers, texts, bytes and their collections."""
    # How an array of numbers is put together again, by its own word for it.
    rebuild: Any = array.array("f").__reduce_ex__(pickle.HIGHEST_PROTOCOL)[0]
    known: dict[tuple[str, str], Any] = {
        (__name__, _path.__name__): _path,
        ("builtins", "dict"): dict,
        ("builtins", "frozenset"): frozenset,
        ("builtins", "set"): set,
        ("array", "array"): array.array,
        (rebuild.__module__, rebuild.__name__): rebuild,
    }
    for module in modules:
        for name, value in vars(module).items():
            if (
                isinstance(value, type)
                and dataclasses.is_dataclass(value)
                and value.__module__ == module.__name__
            ):
                known[module.__name__, name] = value
    return known


_KNOWN = _known(_WORDS)
