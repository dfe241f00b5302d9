"""Images and sounds as a part of a prompt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaChunk:
    """One image or sound of a prompt.

    `ids` stand in the prompt's tokens, one a position, all negative and made from the content's
    hash; `cells` is what it takes of the cache.
    """

    ids: tuple[int, ...]
    cells: int
    digest: bytes
