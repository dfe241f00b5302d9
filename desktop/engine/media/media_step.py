"""Reads a picture or a sound into a sequence: the engine's thread, one step at a time."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from desktop.engine.media.encoder import ChunkEncoding
from desktop.engine.media.media import MediaChunk
from desktop.engine.media.mtmd import Encoded
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
        most_cells: int | None = None,
    ) -> MediaTurn:
        """Read on after `cells` of `chunk`, whose first position is `position`.

        `chunk.encoding` must be ready and without an error. `output` asks for the logits of the
        last cell. `most_cells` makes for a shorter step, but not of what must be read whole.
        """
        assert isinstance(chunk.encoding, ChunkEncoding)
        encoded = chunk.encoding.encoded
        lib = context.llama.lib
        most = context.batch_tokens if chunk.whole else most_cells or context.batch_tokens
        count = min(encoded.cells - cells, context.batch_tokens, max(most, 1))
        last = cells + count == encoded.cells
        batch = _batch(lib, encoded, cells, count, position, sequence)
        if output and last:
            batch.logits[count - 1] = 1
        if chunk.whole:
            lib.llama_set_causal_attn(context.handle, 0)
        try:
            code: int = lib.llama_decode(context.handle, batch)
        finally:
            if chunk.whole:
                lib.llama_set_causal_attn(context.handle, 1)
        if code != 0:
            return MediaTurn(code, cells, done=False)
        if last:
            chunk.encoding.release()
        return MediaTurn(0, cells + count, last, count - 1 if output and last else -1)


def _batch(lib: Any, encoded: Encoded, start: int, count: int, position: int, sequence: int) -> Any:
    """llama.cpp's struct for `count` cells of `encoded`; it keeps its arrays alive."""
    width = encoded.width * ctypes.sizeof(ctypes.c_float)
    values = ctypes.addressof(encoded.values) + start * width
    positions: list[int] = []
    for places, moving in zip(encoded.places, encoded.moving, strict=True):
        part = slice(start, start + count)
        positions += [
            place + move * position for place, move in zip(places[part], moving[part], strict=True)
        ]
    one = (ctypes.c_int32 * 1)(sequence)
    arrays: dict[str, Any] = {
        "pos": (ctypes.c_int32 * len(positions))(*positions),
        "n_seq_id": (ctypes.c_int32 * count)(*([1] * count)),
        "seq_id": (ctypes.c_void_p * count)(*([ctypes.addressof(one)] * count)),
        "logits": (ctypes.c_int8 * count)(),
    }
    batch = lib.llama_batch()
    batch.n_tokens = count
    batch.embd = ctypes.cast(values, type(batch.embd))
    for field, array in arrays.items():
        setattr(batch, field, ctypes.cast(array, type(getattr(batch, field))))
    batch.kept = (one, arrays, encoded)
    return batch
