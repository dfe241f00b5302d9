"""Signatures: those of the real minisign are understood, and ours are what it expects."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from desktop.common.errors import PackError, UsageError
from desktop.library.packs.minisign import (
    new_key,
    parse_public_key,
    parse_signature,
    read_public_key,
    read_secret_key,
    trusted_comment,
    verify,
    write_keys,
)

# The published test vectors of the program's author, over the four bytes "test".
KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
HASHED = b"""untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1633700835\tfile:test\tprehashed
wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==
"""
LEGACY = b"""untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==
"""


@pytest.mark.parametrize("file", [HASHED, LEGACY])
def test_the_real_programs_signatures_are_understood(file: bytes) -> None:
    key, signature = parse_public_key(KEY), parse_signature(file, "x")
    assert key.number == signature.number == "E7620F1842B4E81F"
    assert verify(b"test", signature, key)
    assert not verify(b"Test", signature, key)


def test_a_changed_comment_is_no_signature() -> None:
    changed = HASHED.replace(b"file:test", b"file:best")
    assert not verify(b"test", parse_signature(changed, "x"), parse_public_key(KEY))


def test_windows_line_ends_do_no_harm() -> None:
    signature = parse_signature(HASHED.replace(b"\n", b"\r\n"), "x")
    assert verify(b"test", signature, parse_public_key(KEY))


@pytest.mark.parametrize("password", ["", "correct horse"])
def test_keys_written_are_keys_read(tmp_path: Path, password: str) -> None:
    key = new_key()
    public_path = write_keys(key, tmp_path / "office.key", password)
    again = read_secret_key(tmp_path / "office.key", password)
    assert again == key
    assert read_public_key(str(public_path)) == key.public
    assert (tmp_path / "office.key").stat().st_mode & 0o077 == 0
    signature = parse_signature(again.sign(b"data", trusted_comment("index.json", 1.0)), "x")
    assert signature.comment == "timestamp:1\tfile:index.json\thashed"
    assert verify(b"data", signature, key.public)
    assert not verify(b"data", signature, new_key().public)


def test_another_key_of_the_same_number_signs_nothing(tmp_path: Path) -> None:
    ours, theirs = new_key(), new_key()
    forged = parse_signature(
        type(theirs)(ours.number_bytes, theirs.seed).sign(b"data", trusted_comment("x", 1.0)), "x"
    )
    assert forged.number == ours.public.number
    assert not verify(b"data", forged, ours.public)


def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    write_keys(new_key(), tmp_path / "office.key", "right")
    for password in ("wrong", ""):
        with pytest.raises(UsageError) as caught:
            read_secret_key(tmp_path / "office.key", password)
        assert caught.value.kind == "sign_key_password"


def test_keys_are_never_written_over(tmp_path: Path) -> None:
    write_keys(new_key(), tmp_path / "office.key")
    before = (tmp_path / "office.key").read_bytes()
    with pytest.raises(UsageError) as caught:
        write_keys(new_key(), tmp_path / "office.key")
    assert caught.value.kind == "key_exists"
    assert (tmp_path / "office.key").read_bytes() == before


@pytest.mark.parametrize(
    "text", ["", "RW", KEY[:-4], KEY + "\n" + KEY, "€" * 60, base64.b64encode(b"XX" * 21).decode()]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_public_key(text)
    assert caught.value.kind == "bad_public_key"


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n\n\n", b"\xff" * 400, HASHED[:120], b"x" * 100_000, HASHED.replace(b"RUQ", b"AAA")],
)
def test_what_is_no_signature_is_refused(data: bytes) -> None:
    with pytest.raises(PackError) as caught:
        parse_signature(data, "x")
    assert caught.value.kind == "pack_bad_signature"


@pytest.mark.parametrize("data", [b"", b"untrusted comment: x\nAAAA\n", b"\x00" * 9000])
def test_what_is_no_secret_key_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_secret_key(tmp_path / "key", "x")
    assert caught.value.kind == "sign_key_unreadable"
