"""Pictures and sounds inside a prompt, as the engine's thread sees them.

Text is one token a position; a picture takes positions too, and cells of the cache, which for some
models (M-RoPE) are more than its positions. In a list of tokens each position of it is a negative
number made from the content's hash, so that two prompts with the same picture share its prefix.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from desktop.common.errors import HausgeistError
from desktop.engine.chat import Media, MediaKind


class Encoding(Protocol):
    """What the projector makes of one chunk; made in a thread of its own."""

    def begin(self) -> None:
        """Ask for it; a second call, or one after it is there, does nothing."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it is there, or has failed."""
        ...

    @property
    def error(self) -> HausgeistError | None: ...

    def wait(self, timeout_s: float) -> bool:
        """Wait for `ready`."""
        ...

    def release(self) -> None:
        """It is read: let it go. Whoever wants it again begins again."""
        ...


@dataclass(frozen=True, slots=True)
class MediaChunk:
    """A piece of a picture or a sound: `ids` stand for it in the list of tokens, one a position.

    It takes `cells` of the cache. `whole`: it must be read in one step, since its parts look at
    each other both ways.
    """

    kind: MediaKind
    ids: tuple[int, ...]
    cells: int
    encoding: Encoding = field(compare=False, repr=False)
    whole: bool = False

    @property
    def extra_cells(self) -> int:
        """Cells beyond one a position."""
        return self.cells - len(self.ids)


class _Read:
    """In the place of an encoding that nobody will ask for any more."""

    ready = True
    error: HausgeistError | None = None

    def begin(self) -> None:
        """Nobody wants it."""

    def wait(self, timeout_s: float) -> bool:  # noqa: ARG002
        return True

    def release(self) -> None:
        """There is nothing to let go."""


_READ = _Read()


@dataclass(frozen=True, slots=True)
class MediaTokens:
    """One picture or sound as a part of a prompt: `tokens` that the model wants around it among
    the ids of its `chunks`, which are in their order."""

    tokens: tuple[int, ...]
    chunks: tuple[MediaChunk, ...]


class MediaReader(Protocol):
    """What a model with a projector makes of media; for any thread, and quick: it only counts."""

    def read(self, media: Media) -> MediaTokens:
        """Raises RequestError: no_vision, no_audio, bad_media and what the limits say."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """Where a chunk lies in a list of tokens: positions `start` to `end`, the last not included."""

    start: int
    end: int
    chunk: MediaChunk


def content_ids(key: bytes, positions: int) -> tuple[int, ...]:
    """`positions` negative 32-bit numbers that only the content of `key` has.

    31 bits each from SHAKE-256: not even somebody who tries finds two contents that share a run.
    """
    raw = hashlib.shake_256(key).digest(4 * positions)
    return tuple(number | -(1 << 31) for number in struct.unpack(f"<{positions}i", raw))


def spans(tokens: Sequence[int], chunks: Iterable[MediaChunk]) -> tuple[Span, ...]:
    """Where `chunks`, in their order, lie in `tokens`.

    Raises ValueError where the two do not belong together.
    """
    found: list[Span] = []
    place = 0
    for chunk in chunks:
        while place < len(tokens) and tokens[place] >= 0:
            place += 1
        end = place + len(chunk.ids)
        if tuple(tokens[place:end]) != chunk.ids:
            raise ValueError("the tokens hold other media")
        found.append(Span(place, end, chunk))
        place = end
    return tuple(found)


def places_alone(parts: Iterable[Span]) -> tuple[Span, ...]:
    """Where they lie, without the pictures themselves: for a sequence that holds them read."""
    return tuple(replace(part, chunk=replace(part.chunk, encoding=_READ)) for part in parts)


def whole_chunks(kept: int, parts: Iterable[Span]) -> int:
    """At most `kept` positions, such that no chunk is cut: its cells are there all or none."""
    for part in parts:
        if part.start < kept < part.end:
            return part.start
    return kept


def chunk_at(position: int, parts: Iterable[Span]) -> MediaChunk | None:
    """The chunk that begins at `position`."""
    return next((part.chunk for part in parts if part.start == position), None)


def cells(positions: int, parts: Iterable[Span]) -> int:
    """Cells of the cache that the first `positions` take."""
    return positions + sum(part.chunk.extra_cells for part in parts if part.end <= positions)
