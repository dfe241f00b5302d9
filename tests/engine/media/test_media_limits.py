"""Headers of pictures and sound, and those that lie."""

from __future__ import annotations

import random
import struct
import time
from array import array
from contextlib import closing

import pytest

from desktop.common.errors import RequestError
from desktop.engine.chat import Media
from desktop.engine.media.audio_header import audio_head
from desktop.engine.media.image_header import image_head
from desktop.engine.media.image_job import upright
from desktop.engine.media.media_limits import (
    MAX_FILE_BYTES,
    MAX_MEDIA,
    check_count,
    checked_audio,
    checked_image,
)
from desktop.engine.media.pictures import Pictures
from tests.tiny_projector import png, png_of, wav

BOMB = png_of(struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0), bytes(1000))


def bmp(width: int, height: int) -> bytes:
    row = bytes(range(3 * width)) + bytes(-3 * width % 4)
    body = row * height
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + head + body


def jpeg_head(width: int, height: int, orientation: int = 0) -> bytes:
    """A JPEG's markers up to its first frame; no picture behind it."""
    parts = [b"\xff\xd8"]
    if orientation:
        tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
        body = b"Exif\0\0" + tiff
        parts.append(b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body)
    parts.append(b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9))
    return b"".join(parts)


def flac_head(rate: int, samples: int, channels: int = 1) -> bytes:
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | samples
    return b"fLaC\x80\0\0\x22" + bytes(10) + packed.to_bytes(8, "big") + bytes(16)


def mp3(frames: int) -> bytes:
    """Silent frames: MPEG 1, layer 3, 64 kbit/s, 32 kHz, mono."""
    size = 144 * 64_000 // 32_000
    return b"".join(b"\xff\xfb\x58\xc0" + bytes(size - 4) for _ in range(frames))


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(30, 20), (30, 20)),
        (bmp(5, 7), (5, 7)),
        (bmp(5, -7), (5, 7)),
        (b"GIF89a" + struct.pack("<HH", 9, 4) + bytes(20), (9, 4)),
        (jpeg_head(640, 480), (640, 480)),
        (jpeg_head(640, 480, 6), (480, 640)),
        (jpeg_head(640, 480, 3), (640, 480)),
        (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x27\0\0\x13\0\0", (40, 20)),
    ],
)
def test_the_size_is_in_the_header(data: bytes, size: tuple[int, int]) -> None:
    head = image_head(data)
    assert (head.width, head.height) == size


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (BOMB, "image_size"),
        (png(1, 1), "image_size"),
        (png(1000, 3), "image_size"),
        (b"", "media_format"),
        (b"hello, this is a text", "media_format"),
        (b"%PDF-1.7", "media_format"),
        (wav(0.1), "media_format"),
        (b"\x89PNG\r\n\x1a\n", "bad_media"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "bad_media"),
        (b"\xff\xd8", "bad_media"),
        (b"\xff\xd8\xff\xe1\x00\x02" * 3000, "bad_media"),
        (b"\xff\xd8" + b"\xff" * 100_000, "bad_media"),
        (jpeg_head(0, 10), "bad_media"),
        (jpeg_head(60_000, 60_000), "image_size"),
        (b"BM" + bytes(40), "bad_media"),
        (b"RIFF\0\0\0\0WEBPVP9 " + bytes(40), "bad_media"),
    ],
)
def test_what_is_no_usable_picture_is_told_before_it_is_decoded(data: bytes, kind: str) -> None:
    with pytest.raises(RequestError) as caught:
        checked_image(data)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (wav(1.5), 1.5),
        (wav(1.5, rate=8000), 1.5),
        (flac_head(44_100, 44_100 * 7), 7.0),
        (mp3(100), 100 * 1152 / 32_000),
        (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + mp3(100), 100 * 1152 / 32_000),
    ],
)
def test_the_length_is_in_the_header(data: bytes, seconds: float) -> None:
    assert audio_head(data).seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (flac_head(48_000, (1 << 36) - 1), "audio_too_long"),
        (flac_head(48_000, 0), "bad_media"),
        (flac_head(1, 100_000), "bad_media"),
        (wav(0.5, rate=100), "bad_media"),
        (mp3(60_000), "audio_too_long"),
        (b"RIFF\0\0\0\0WAVE" + bytes(40), "bad_media"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "bad_media"),
        (b"\xff" * 1_000_000, "bad_media"),
        (b"ID3" * 400_000, "bad_media"),
        (png(4, 4), "media_format"),
        (b"", "media_format"),
    ],
)
def test_what_is_no_usable_sound_is_told_before_it_is_decoded(data: bytes, kind: str) -> None:
    started = time.perf_counter()
    with pytest.raises(RequestError) as caught:
        checked_audio(data)
    assert caught.value.kind == kind
    assert time.perf_counter() - started < 5.0


def test_a_recorder_that_died_leaves_what_it_has_recorded() -> None:
    """A decoder makes room for the size that is stated there: 4 GB."""
    whole = wav(1.0)
    place = whole.index(b"data") + 4
    endless = whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :]
    head = audio_head(endless)
    assert head.seconds == pytest.approx(1.0)
    assert head.data == whole


def test_any_bytes_give_an_answer_or_a_request_error() -> None:
    chance = random.Random(11)
    samples = (png(8, 8), bmp(4, 4), jpeg_head(20, 10, 6), wav(0.1), flac_head(8000, 900), mp3(9))
    for _ in range(3000):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        raw = bytes(data[: chance.randrange(1, len(data) + 1)])
        for look in (checked_image, checked_audio):
            try:
                look(raw)
            except RequestError:
                continue


def test_a_request_brings_only_so_much() -> None:
    check_count([Media("image", b"x")] * MAX_MEDIA)
    for media, kind in (
        ([Media("image", b"x")] * (MAX_MEDIA + 1), "too_many_media"),
        ([Media("image", bytes(MAX_FILE_BYTES + 1))], "media_too_large"),
        ([Media("image", bytes(MAX_FILE_BYTES))] * 5, "media_too_large"),
        ([Media("image", "text")], "bad_request"),  # type: ignore[arg-type]
    ):
        with pytest.raises(RequestError) as caught:
            check_count(media)
        assert caught.value.kind == kind


def test_pictures_are_decoded_in_a_child() -> None:
    with closing(Pictures()) as pictures:
        for width, height in ((2, 3), (64, 48), (1500, 1000)):
            picture = pictures.decode(png(width, height))
            assert (picture.width, picture.height) == (width, height)
            assert len(picture.pixels) == 3 * width * height
            assert picture.pixels[-3:] == bytes((200, 30, 90))
            assert picture.pixels[:3] == bytes((100, 15, 45))


def test_sounds_are_decoded_in_a_child_too() -> None:
    with closing(Pictures()) as pictures:
        for rate in (16_000, 48_000):
            samples = array("f", pictures.hear(wav(0.5, rate=rate)))
            assert abs(len(samples) - 8_000) < 100
            assert 0.2 < max(samples) < 0.3
        with pytest.raises(RequestError, match="bad_media"):
            pictures.hear(b"RIFF\0\0\0\0WAVE" + bytes(100))
        assert pictures.decode(png(4, 4)).width == 4


def test_damaged_pictures_are_errors_and_the_child_goes_on() -> None:
    chance = random.Random(3)
    good = png(40, 40)
    kinds: set[str] = set()
    with closing(Pictures()) as pictures:
        for _ in range(60):
            data = bytearray(good)
            for _ in range(8):
                data[chance.randrange(40, len(data))] = chance.randrange(256)
            kinds.add(_kind_of(pictures, bytes(data[: chance.randrange(50, len(data))])))
        assert pictures.decode(good).width == 40
    assert "bad_media" in kinds
    assert kinds <= {"", "bad_media"}


def _kind_of(pictures: Pictures, data: bytes) -> str:
    try:
        pictures.decode(data)
    except RequestError as error:
        return error.kind
    return ""


def test_a_bomb_that_gets_so_far_ends_the_child_alone() -> None:
    """The header's check stands before; this is what stands behind it."""
    with closing(Pictures()) as pictures:
        with pytest.raises(RequestError, match="bad_media"):
            pictures.decode(BOMB)
        assert pictures.decode(png(4, 4)).height == 4


def test_a_child_that_hangs_is_given_up() -> None:
    with (
        closing(Pictures(timeout_s=0.0)) as pictures,
        pytest.raises(RequestError, match="too long"),
    ):
        pictures.decode(png(4, 4))


def test_after_the_end_nothing_is_decoded() -> None:
    pictures = Pictures()
    pictures.close()
    with pytest.raises(Exception, match="engine_closed"):
        pictures.decode(png(4, 4))


@pytest.mark.parametrize(
    ("orientation", "rows"),
    [
        (1, ["ab", "cd", "ef"]),
        (2, ["ba", "dc", "fe"]),
        (3, ["fe", "dc", "ba"]),
        (4, ["ef", "cd", "ab"]),
        (5, ["ace", "bdf"]),
        (6, ["eca", "fdb"]),
        (7, ["fdb", "eca"]),
        (8, ["bdf", "ace"]),
    ],
)
def test_pictures_of_a_turned_camera_stand_upright(orientation: int, rows: list[str]) -> None:
    pixels = b"".join(letter.encode() * 3 for letter in "abcdef")
    width, height, turned = upright(2, 3, pixels, orientation)
    assert (width, height) == (len(rows[0]), len(rows))
    assert turned[::3].decode() == "".join(rows)
