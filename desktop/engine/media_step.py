"""Reads a picture or a sound into a sequence: the engine's thread, one step at a time."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.engine.media import MediaChunk
from desktop.engine.model import Context


@dataclass(frozen=True, slots=True)
class MediaTurn:
    """What one step did: llama_decode's `code`, and how many cells of the chunk are read now.

    `done`: all of them. `place` is where the logits of the last cell lie, -1 without any.
    """

    code: int
    cells: int
    done: bool
    place: int = -1


class MediaStep:
    """Decodes chunks whose encoding is ready, as many cells a step as the context takes at once.

    The caller keeps the count of cells of a chunk that is not done; a step that fails or is
    aborted (`code` not 0) left nothing of itself behind. Where somebody removes the chunk's
    positions from the sequence, the count is 0 again.
    """

    def run(
        self,
        context: Context,
        sequence: int,
        position: int,
        chunk: MediaChunk,
        cells: int = 0,
        *,
        output: bool = False,
    ) -> MediaTurn:
        """Read on after `cells` of `chunk`, whose first position is `position`.

        `chunk.encoding` must be ready and without an error. `output` asks for the logits of the
        last cell.
        """
        raise NotImplementedError
