"""Names from strangers, and what is written down beside a file."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.errors import HubError
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.places import keep_origin, origin_of_file, place_of, repo_folder

MODELS = Path("/models")

HOSTILE = (
    "../m.gguf", "a/../../m.gguf", "/etc/m.gguf", "C:/m.gguf", "a\\..\\m.gguf", "CON.gguf",
    "aux/m.gguf", "m.gguf:stream", "m.gguf.", "m.gguf ", " m.gguf", "a\nb.gguf", "a\0.gguf",
    "a\u202egpj.gguf", "a\ud800.gguf", "x" * 300 + ".gguf", "d/" * 250 + "m.gguf", ".hidden.gguf",
    "a//b.gguf", "./m.gguf", "", "COM1", "lpt9.gguf", "a?.gguf", "a*.gguf", 'a".gguf',
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_refused(name: str) -> None:
    with pytest.raises(HubError, match="hub_unsafe_name"):
        place_of(MODELS, name)


@given(st.text(max_size=60))
def test_nothing_leaves_the_folder(name: str) -> None:
    try:
        place = place_of(MODELS, name)
    except HubError:
        return
    assert place.is_relative_to(MODELS)
    assert ".." not in place.parts
    assert len(place.parts) > len(MODELS.parts)


def test_twins_get_places_of_their_own() -> None:
    composed, decomposed = "\u00e4.gguf", unicodedata.normalize("NFD", "\u00e4.gguf")
    for names in (["m.gguf", "M.gguf", "M.GGUF"], [composed, decomposed, "\u00c4.gguf"]):
        places = [str(place_of(MODELS, name, names)) for name in names]
        folded = {unicodedata.normalize("NFC", place).casefold() for place in places}
        assert len(folded) == len(names)
        assert (
            sum(place == str(MODELS / name) for place, name in zip(places, names, strict=True)) == 1
        )


def test_the_folder() -> None:
    assert repo_folder(MODELS, "Org/Name-GGUF") == MODELS / "Org" / "Name-GGUF"
    assert repo_folder(MODELS, "Org/Name", "feature/x") == MODELS / "Org" / "Name@feature--x"
    for repo in ("../x", "a/..", "a", "a/b/c", "/a/b", "CON/../x"):
        with pytest.raises(HubError):
            repo_folder(MODELS, repo)


def test_origin(tmp_path: Path) -> None:
    place = tmp_path / "m.gguf"
    place.write_bytes(b"data")
    identity = Identity("a/b", "m.gguf", "c" * 40, 4, "5" * 64)
    assert origin_of_file(place) is None
    keep_origin(place, identity, "5" * 64, is_verified=True)
    known = origin_of_file(place)
    assert known is not None
    assert (known.repo, known.sha256, known.is_verified) == ("a/b", "5" * 64, True)
    place.write_bytes(b"other data")
    assert origin_of_file(place) is None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"repo": 1}', b"\xff"])
def test_a_damaged_origin_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.gguf").write_bytes(b"data")
    (tmp_path / ".m.gguf.origin.json").write_bytes(data)
    assert origin_of_file(tmp_path / "m.gguf") is None
