"""libmtmd's context beside a model: what makes vectors of pictures and sound."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from desktop.common.errors import EngineError, LoadError, RequestError
from desktop.engine.chat import MediaKind
from desktop.engine.llama import mtmd_bindings
from desktop.engine.model import Model, encoded_path
from desktop.fit.types import Plan

_MARK = b"<__media__>"
_SECTIONS = 4  # of a position, where the model turns by rows and columns (M-RoPE)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A chunk as the model reads it: `width` numbers for each of its `cells`.

    `places` are the positions of its cells counted from the chunk's first one, a list for each
    section (one, or four with M-RoPE), where `moving` says 1; where it says 0 they are absolute.
    """

    values: Any
    cells: int
    width: int
    places: tuple[list[int], ...]
    moving: tuple[list[int], ...]

    @property
    def nbytes(self) -> int:
        return ctypes.sizeof(self.values)


@dataclass(frozen=True, slots=True)
class Piece:
    """What libmtmd puts into the prompt: `tokens`, or a chunk of `cells` with number `number`."""

    number: int
    tokens: tuple[int, ...] = ()
    kind: MediaKind | None = None
    cells: int = 0
    positions: int = 0
    whole: bool = False


class Split:
    """Pieces of one picture or sound, with the memory that libmtmd keeps for them."""

    def __init__(self, lib: Any, handle: Any, pieces: tuple[Piece, ...]) -> None:
        self._lib = lib
        self.handle = handle
        self.pieces = pieces

    def close(self) -> None:
        if self.handle:
            handle, self.handle = self.handle, None
            self._lib.mtmd_input_chunks_free(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class Mtmd:
    """A projector's file, loaded for one model; to be closed before it.

    `split_*` may run in any thread, `encode` in one at a time.
    """

    def __init__(self, model: Model, path: Path, plan: Plan, *, most_tokens: int = 0) -> None:
        """`most_tokens` makes pictures smaller where the projector takes any size, 0 leaves that
        to it. Raises LoadError: projector_failed, device_gone."""
        self._lib: Any = mtmd_bindings()
        self._mrope = False
        self.handle: Any = None
        engine = model.llama
        self._lib.mtmd_helper_log_set(engine.log_callback, ctypes.c_void_p(0))
        mark = engine.log.mark()
        parameters = self._parameters(model, plan, most_tokens)
        self.handle = self._lib.mtmd_init_from_file(encoded_path(path), model.handle, parameters)
        if not self.handle:
            raise LoadError("projector_failed", path=str(path), detail=engine.log.complaints(mark))
        self._mrope = bool(self._lib.mtmd_decode_use_mrope(self.handle))
        self.vision = bool(self._lib.mtmd_support_vision(self.handle))
        self.audio = bool(self._lib.mtmd_support_audio(self.handle))
        self.sample_rate: int = self._lib.mtmd_get_audio_sample_rate(self.handle)
        self.width: int = engine.lib.llama_model_n_embd_inp(model.handle)

    def split_image(self, width: int, height: int, pixels: bytes | None = None) -> Split:
        """RGB `pixels`; without them the pieces are only counted.

        Raises RequestError("bad_media").
        """
        data = None if pixels is None else (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels)
        bitmap = self._lib.mtmd_bitmap_init(width, height, data)
        return self._split(bitmap)

    def split_samples(self, samples: bytes) -> Split:
        """Floats, `sample_rate` a second. Raises RequestError("bad_media")."""
        count = len(samples) // ctypes.sizeof(ctypes.c_float)
        buffer = (ctypes.c_float * count).from_buffer_copy(samples)
        return self._split(self._lib.mtmd_bitmap_init_from_audio(count, buffer))

    def split_audio(self, data: bytes) -> Split:
        """The file of a sound, whose header must have been looked at. Raises RequestError."""
        buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
        options = self._lib.mtmd_helper_init_opt_default()
        made = self._lib.mtmd_helper_bitmap_init_from_buf_wrapper(
            self.handle, buffer, len(data), 0, options
        )
        if not made.bitmap or made.video_ctx:
            raise RequestError("bad_media", detail="not decoded")
        return self._split(made.bitmap)

    def encode(self, split: Split, piece: Piece) -> Encoded:
        """Compute a chunk; seconds on a processor. Raises EngineError("media_failed")."""
        lib = self._lib
        chunk = lib.mtmd_input_chunks_get(split.handle, piece.number)
        if lib.mtmd_encode_chunk(self.handle, chunk) != 0:
            raise EngineError("media_failed")
        count = piece.cells * self.width
        values = (ctypes.c_float * count)()
        ctypes.memmove(values, lib.mtmd_get_output_embd(self.handle), ctypes.sizeof(values))
        places, moving = self._places(chunk, piece)
        return Encoded(values, piece.cells, self.width, places, moving)

    def close(self) -> None:
        if self.handle:
            handle, self.handle = self.handle, None
            self._lib.mtmd_free(handle)

    def _parameters(self, model: Model, plan: Plan, most_tokens: int) -> Any:
        parameters = self._lib.mtmd_context_params_default()
        parameters.use_gpu = plan.gpu_layers > 0
        parameters.print_timings = False
        parameters.n_threads = plan.threads_batch or plan.threads or 1
        parameters.warmup = True  # takes its buffers now, not in the middle of an answer
        first = plan.split[0][0] if plan.split else plan.device
        if plan.gpu_layers > 0 and first:
            device = model.llama.find_device(first)
            if device is None:
                raise LoadError("device_gone", device=first)
            parameters.device = device
        if most_tokens > 0:
            parameters.image_max_tokens = most_tokens
        return parameters

    def _split(self, bitmap: Any) -> Split:
        lib = self._lib
        if not bitmap:
            raise RequestError("bad_media", detail="no bitmap")
        handle = lib.mtmd_input_chunks_init()
        split = Split(lib, handle, ())
        try:
            text = lib.mtmd_input_text(_MARK, len(_MARK), 0, 1)
            bitmaps = (ctypes.c_void_p * 1)(bitmap)
            code = lib.mtmd_tokenize(self.handle, handle, ctypes.byref(text), bitmaps, 1)
        finally:
            lib.mtmd_bitmap_free(bitmap)
        if code != 0:
            raise RequestError("bad_media", detail=f"not taken apart: {code}")
        numbers = range(lib.mtmd_input_chunks_size(handle))
        split.pieces = tuple(self._piece(handle, number) for number in numbers)
        return split

    def _piece(self, chunks: Any, number: int) -> Piece:
        lib = self._lib
        chunk = lib.mtmd_input_chunks_get(chunks, number)
        kind = lib.mtmd_input_chunk_get_type(chunk)
        if kind == lib.MTMD_INPUT_CHUNK_TYPE_TEXT:
            count = ctypes.c_size_t()
            tokens = lib.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
            return Piece(number, tuple(tokens[: count.value]))
        return Piece(
            number,
            kind="image" if kind == lib.MTMD_INPUT_CHUNK_TYPE_IMAGE else "audio",
            cells=lib.mtmd_input_chunk_get_n_tokens(chunk),
            positions=lib.mtmd_input_chunk_get_n_pos(chunk),
            whole=bool(lib.mtmd_decode_use_non_causal(self.handle, chunk)),
        )

    def _places(self, chunk: Any, piece: Piece) -> tuple[tuple[list[int], ...], ...]:
        """Positions from 0 on, and which of them move with the chunk; see `Encoded`."""
        if not self._mrope:
            return (list(range(piece.cells)),), ([1] * piece.cells,)
        if piece.kind == "audio":
            return (list(range(piece.cells)),) * _SECTIONS, ([1] * piece.cells,) * _SECTIONS
        at_0, at_1 = self._image_places(chunk, 0, piece), self._image_places(chunk, 1, piece)
        moving = tuple(
            [after - before for before, after in zip(*section, strict=True)]
            for section in zip(at_0, at_1, strict=True)
        )
        return at_0, moving

    def _image_places(self, chunk: Any, first: int, piece: Piece) -> tuple[list[int], ...]:
        """Sections in the order in which llama.cpp takes them: time, row, column, unused."""
        lib = self._lib
        found = (lib.mtmd_decoder_pos * piece.cells)()
        image = lib.mtmd_input_chunk_get_tokens_image(chunk)
        lib.mtmd_helper_image_get_decoder_pos(image, first, found)
        return (
            [one.t for one in found],
            [one.y for one in found],
            [one.x for one in found],
            [one.z for one in found],
        )
