"""How much of pictures and sound one request may bring."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from desktop.common.errors import RequestError
from desktop.engine.chat import Media
from desktop.engine.media.audio_header import AudioHead, audio_head
from desktop.engine.media.image_header import ImageHead, image_head

MAX_MEDIA = 64
MAX_FILE_BYTES = 64 << 20
MAX_REQUEST_BYTES = 256 << 20
MAX_PIXELS = 50_000_000
MAX_SIDE = 30_000
MAX_RATIO = 100
"""Longer strips than this: some projectors divide by what is left of the short side."""
MIN_SIDE = 2
MAX_AUDIO_S = 1800.0


def check_count(media: Iterable[Media]) -> None:
    """Raise RequestError: too_many_media, media_too_large, bad_request for what is no bytes."""
    count = total = 0
    for one in media:
        if not isinstance(one.data, bytes):
            raise RequestError("bad_request", name="media")
        count, total = count + 1, total + len(one.data)
        if len(one.data) > MAX_FILE_BYTES:
            raise RequestError("media_too_large", size=len(one.data), limit=MAX_FILE_BYTES)
    if count > MAX_MEDIA:
        raise RequestError("too_many_media", count=count, limit=MAX_MEDIA)
    if total > MAX_REQUEST_BYTES:
        raise RequestError("media_too_large", size=total, limit=MAX_REQUEST_BYTES)


def checked_image(data: bytes) -> ImageHead:
    """Raises RequestError: media_format, bad_media, image_size."""
    head = image_head(data)
    if head.format == "webp" and not shutil.which("ffmpeg"):
        raise RequestError("media_format")  # libmtmd leaves these to that program
    short, long = sorted((head.width, head.height))
    pixels = head.width * head.height
    if not (short >= MIN_SIDE and long <= MAX_SIDE and pixels <= MAX_PIXELS):
        raise RequestError("image_size", width=head.width, height=head.height)
    if long > MAX_RATIO * short:
        raise RequestError("image_size", width=head.width, height=head.height)
    return head


def checked_audio(data: bytes) -> AudioHead:
    """Raises RequestError: media_format, bad_media, audio_too_long."""
    head = audio_head(data)
    if head.seconds > MAX_AUDIO_S:
        raise RequestError("audio_too_long", seconds=round(head.seconds), limit=int(MAX_AUDIO_S))
    return head
