"""The child's job behind `Pictures`: strangers' pictures become pixels, their sounds samples.

The decoders (stb_image and miniaudio, in libmtmd) have had their share of memory errors, and a
file of some bytes may want gigabytes: both end with this process.
"""

from __future__ import annotations

import base64
import ctypes
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from desktop.common.errors import RequestError
from desktop.engine.child_limits import limit_memory
from desktop.engine.hearing import open_ears
from desktop.engine.llama import mtmd_bindings
from desktop.engine.media.image_header import image_head

MEMORY_LIMIT_BYTES = 3 << 30
PIECE_BYTES = 3 << 19
"""Divisible by 3, so that pieces of base64 have no padding; small, so that turning one into
bytes holds Python's lock for a millisecond or two."""
_NOWHERE = b"/nonexistent"


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    limit_memory(MEMORY_LIMIT_BYTES)
    lib = mtmd_bindings()
    log = lib.llama_cpp.llama_log_callback(lambda _level, _text, _data: None)
    lib.mtmd_helper_log_set(log, ctypes.c_void_p(0))
    ears: Any = None
    for order in messages:
        data = b"".join(base64.b64decode(next(messages)["piece"]) for _ in range(order["pieces"]))
        width = height = 0
        try:
            if order["kind"] == "audio":
                ears = ears or open_ears(lib)
                raw = hear(lib, ears, data)
            else:
                width, height, raw = decode(lib, data)
        except RequestError as error:
            answer({"error": error.kind, "detail": error.detail})
            continue
        answer({"width": width, "height": height, "pieces": -(-len(raw) // PIECE_BYTES)})
        for start in range(0, len(raw), PIECE_BYTES):
            piece = raw[start : start + PIECE_BYTES]
            answer({"piece": base64.b64encode(piece).decode("ascii")})


def decode(lib: Any, data: bytes) -> tuple[int, int, bytes]:
    """Width, height and RGB of a picture, upright. Raises RequestError("bad_media")."""
    head = image_head(data)
    options = lib.mtmd_helper_init_opt_default()
    if head.format != "webp" or not shutil.which("ffmpeg"):
        # What is no picture would be tried as a film, by a program from anywhere on the path.
        options.video_params.ffmpeg_bin_dir = _NOWHERE
    buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
    decoded = lib.mtmd_helper_bitmap_init_from_buf_wrapper
    made = decoded(None, buffer, len(data), 0, options)
    if not made.bitmap or made.video_ctx:
        raise RequestError("bad_media", detail=f"not decoded: {head.format}")
    try:
        width, height = lib.mtmd_bitmap_get_nx(made.bitmap), lib.mtmd_bitmap_get_ny(made.bitmap)
        size = lib.mtmd_bitmap_get_n_bytes(made.bitmap)
        if size != 3 * width * height:
            raise RequestError("bad_media", detail=f"{size} bytes for {width} x {height}")
        pixels = ctypes.string_at(lib.mtmd_bitmap_get_data(made.bitmap), size)
    finally:
        lib.mtmd_bitmap_free(made.bitmap)
    return upright(width, height, pixels, head.orientation)


def hear(lib: Any, ears: Any, data: bytes) -> bytes:
    """Samples of a sound, floats, `RATE` a second. Raises RequestError("bad_media")."""
    if not ears:
        raise RequestError("bad_media", detail="no ears")
    buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
    options = lib.mtmd_helper_init_opt_default()
    options.video_params.ffmpeg_bin_dir = _NOWHERE
    made = lib.mtmd_helper_bitmap_init_from_buf_wrapper(ears, buffer, len(data), 0, options)
    if not made.bitmap or made.video_ctx:
        raise RequestError("bad_media", detail="not decoded")
    try:
        if not lib.mtmd_bitmap_is_audio(made.bitmap):
            raise RequestError("bad_media", detail="no sound")
        size = lib.mtmd_bitmap_get_n_bytes(made.bitmap)
        return ctypes.string_at(lib.mtmd_bitmap_get_data(made.bitmap), size)
    finally:
        lib.mtmd_bitmap_free(made.bitmap)


def upright(width: int, height: int, pixels: bytes, orientation: int) -> tuple[int, int, bytes]:
    """Turned and mirrored as EXIF's `orientation` says (TIFF 6.0, section 8)."""
    if orientation == 1:
        return width, height, pixels
    # Imported for such pictures alone: it takes longer than decoding a small one.
    import numpy as np

    picture = np.frombuffer(pixels, dtype=np.uint8).reshape(height, width, 3)
    if orientation >= 5:
        picture = picture.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return picture.shape[1], picture.shape[0], picture.tobytes()
