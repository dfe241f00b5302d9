"""How long a sound is by its own file, read before anybody decodes it: WAV, FLAC and MP3.

A few bytes can claim years of sound, or one sample a second to be made into sixteen thousand.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from desktop.common.errors import RequestError

_MOST_CHUNKS = 10_000
_MOST_TAGS = 16
_MOST_FRAMES = 4_000_000
_MOST_ASTRAY = 100_000
_RATES = range(1000, 768_001)
_MOST_CHANNELS = 64

# MPEG audio: kbit/s by (version 1?, layer) and index; Hz by version and index.
_KBITS: dict[tuple[bool, int], tuple[int, ...]] = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


@dataclass(frozen=True, slots=True)
class AudioHead:
    """`data` is the file with a size that is true: a decoder makes room for what it reads there."""

    format: str
    seconds: float
    data: bytes


def audio_head(data: bytes) -> AudioHead:
    """Raises RequestError: media_format for no sound that we know, bad_media for a broken one."""
    for fits, read in _READERS:
        if fits(data):
            try:
                return read(data)
            except (struct.error, IndexError) as error:
                raise RequestError("bad_media", detail=str(error)) from error
    raise RequestError("media_format")


def _is_wav(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def _is_flac(data: bytes) -> bool:
    return data[:4] == b"fLaC"


def _is_mp3(data: bytes) -> bool:
    return data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0)


def _wav(data: bytes) -> AudioHead:
    place, a_second = 12, 0
    for _ in range(_MOST_CHUNKS):
        name, (size,) = data[place : place + 4], struct.unpack_from("<I", data, place + 4)
        if name == b"fmt ":
            kind, channels, rate, _, block = struct.unpack_from("<HHIIH", data, place + 8)
            _check_rate(rate, channels)
            if kind not in (1, 3, 6, 7, 0xFFFE) or not channels <= block <= 8 * channels:
                raise RequestError("bad_media", detail=f"WAV of kind {kind}, block {block}")
            a_second = rate * block
        if name == b"data":
            if not a_second:
                raise RequestError("bad_media", detail="WAV without a format")
            # A recorder that died leaves a size that is not true: what is there counts.
            held = max(0, min(size, len(data) - place - 8))
            head = data[: place + 4] + struct.pack("<I", held)
            return AudioHead("wav", held / a_second, head + data[place + 8 :])
        place += 8 + size + size % 2
    raise RequestError("bad_media", detail="WAV without data")


def _flac(data: bytes) -> AudioHead:
    if data[4] & 0x7F != 0 or len(data) < 42:
        raise RequestError("bad_media", detail="FLAC without its first block")
    packed = int.from_bytes(data[18:26], "big")
    rate, channels, samples = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    _check_rate(rate, channels)
    if samples == 0:
        # The length is left out: the decoder would find none either.
        raise RequestError("bad_media", detail="FLAC without a length")
    return AudioHead("flac", samples / rate, data)


def _mp3(data: bytes) -> AudioHead:
    """Every frame's header says how long it is, in bytes and in samples."""
    place = 0
    for _ in range(_MOST_TAGS):
        if data[place : place + 3] != b"ID3":
            break
        size = 0
        for byte in data[place + 6 : place + 10]:
            size = size << 7 | byte & 0x7F
        place += 10 + size
    seconds, frames, astray = 0.0, 0, 0
    while frames < _MOST_FRAMES and astray < _MOST_ASTRAY:
        place = data.find(b"\xff", place)
        if place < 0 or place + 4 > len(data):
            break
        frame = _mpeg_frame(data[place : place + 4])
        if frame is None:
            place, astray = place + 1, astray + 1
            continue
        size, length_s = frame
        seconds, frames, place = seconds + length_s, frames + 1, place + size
    if frames == 0:
        raise RequestError("bad_media", detail="MP3 without a frame")
    return AudioHead("mp3", seconds, data)


def _mpeg_frame(head: bytes) -> tuple[int, float] | None:
    """Bytes and seconds of the frame that begins so; None for no header."""
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    kbits, hz = head[2] >> 4, head[2] >> 2 & 3
    if head[1] & 0xE0 != 0xE0 or version == 1 or layer == 4 or kbits in (0, 15) or hz == 3:
        return None
    bits, rate = 1000 * _KBITS[version == 3, layer][kbits], _HZ[version][hz]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return 4 * (12 * bits // rate + padding), 384 / rate
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * bits // rate + padding, samples / rate


def _check_rate(rate: int, channels: int) -> None:
    if rate not in _RATES or not 1 <= channels <= _MOST_CHANNELS:
        raise RequestError("bad_media", detail=f"{rate} Hz, {channels} channels")


_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], AudioHead]], ...] = (
    (_is_wav, _wav),
    (_is_flac, _flac),
    (_is_mp3, _mp3),
)
