"""What a picture's file says of its size, read before anybody decodes it.

A few bytes can claim a picture of billions of pixels. PNG, JPEG, GIF, BMP and WebP.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from desktop.common.errors import RequestError

_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF = b"Exif\0\0"
_ORIENTATION, _SHORT = 0x0112, 3
_MOST_SEGMENTS = 1000
_MOST_EXIF_ENTRIES = 512


@dataclass(frozen=True, slots=True)
class ImageHead:
    """`orientation` is EXIF's, 1 for upright; `width` and `height` are those of the upright
    picture, in pixels."""

    format: str
    width: int
    height: int
    orientation: int = 1


def image_head(data: bytes) -> ImageHead:
    """Raises RequestError: media_format for no picture that we know, bad_media for a broken one."""
    for magic, read in _READERS:
        if data.startswith(magic):
            try:
                head = read(data)
            except (struct.error, IndexError) as error:
                raise RequestError("bad_media", detail=str(error)) from error
            if head.width <= 0 or head.height <= 0:
                raise RequestError("bad_media", detail=f"{head.width} x {head.height}")
            return head
    raise RequestError("media_format")


def _png(data: bytes) -> ImageHead:
    if data[12:16] != b"IHDR":
        raise RequestError("bad_media", detail="no IHDR")
    width, height = struct.unpack_from(">II", data, 16)
    return ImageHead("png", width, height)


def _gif(data: bytes) -> ImageHead:
    width, height = struct.unpack_from("<HH", data, 6)
    return ImageHead("gif", width, height)


def _bmp(data: bytes) -> ImageHead:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return ImageHead("bmp", width, abs(height))


def _webp(data: bytes) -> ImageHead:
    if data[8:12] != b"WEBP":
        raise RequestError("media_format")
    kind = data[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise RequestError("bad_media", detail="no VP8")
    return ImageHead("webp", width, height)


def _jpeg(data: bytes) -> ImageHead:
    place, orientation = 2, 1
    for _ in range(_MOST_SEGMENTS):
        if data[place] != 0xFF:
            break
        marker = data[place + 1]
        if marker == 0xFF:  # padding
            place += 1
            continue
        if marker in _JPEG_STANDALONE:
            place += 2
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            if orientation >= 5:
                width, height = height, width
            return ImageHead("jpeg", width, height, orientation)
        if marker == 0xE1 and data[place + 4 : place + 10] == _EXIF:
            orientation = _exif_orientation(data[place + 10 : place + 2 + length])
        place += 2 + length
    raise RequestError("bad_media", detail="no frame")


def _exif_orientation(block: bytes) -> int:
    """The entry of the first list of a TIFF block; 1 where there is none or it makes no sense."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for entry in range(min(count, _MOST_EXIF_ENTRIES)):
            tag, kind = struct.unpack_from(order + "HH", block, start + 2 + 12 * entry)
            if tag == _ORIENTATION and kind == _SHORT:
                (value,) = struct.unpack_from(order + "H", block, start + 10 + 12 * entry)
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


_READERS: tuple[tuple[bytes, Callable[[bytes], ImageHead]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8", _jpeg),
    (b"GIF87a", _gif),
    (b"GIF89a", _gif),
    (b"BM", _bmp),
    (b"RIFF", _webp),
)
