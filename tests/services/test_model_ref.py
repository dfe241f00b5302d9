from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import ModelFileError, UsageError
from desktop.library.library import Library
from desktop.library.origin import Origin
from desktop.services.model_ref import RefKind, find_fetched, parse, resolve


@pytest.fixture
def library(tiny_model: Path) -> Iterator[Library]:
    opened = Library.in_memory(tiny_model)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("guide", "guide"),
        ("model.gguf", "path"),
        ("MODEL.GGUF", "path"),
        ("./model", "path"),
        ("~/m.gguf", "path"),
        ("/a/b", "path"),
        (r"C:\models\m.gguf", "path"),
        ("C:/models/m.gguf", "path"),
        ("folder/m.gguf", "path"),
        ("Llama 3 8B", "name"),
        ("org/repo:Q4_K_M", "hub"),
        ("org/repo:file-00001-of-00002.gguf", "hub"),
    ],
)
def test_kinds(text: str, kind: RefKind) -> None:
    assert parse(text).kind == kind


def test_the_guide(library: Library, tiny_model: Path) -> None:
    found = resolve("guide", library)
    assert found.is_guide
    assert found.path == tiny_model


def test_a_path_in_and_out_of_the_library(
    library: Library, tiny_model: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "Mein Modell.gguf"
    copy.write_bytes(tiny_model.read_bytes()[:-1] + b"x")
    outside = resolve(str(copy), library)
    assert (outside.name, outside.entry) == ("Mein Modell", None)
    model = library.add(copy)
    inside = resolve(str(copy), library)
    assert inside.entry == model
    assert resolve(model.name, library) == inside
    assert resolve(model.name.upper(), library) == inside


def test_a_file_without_the_usual_ending(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert resolve("model.bin", library).path == Path("model.bin")


def test_a_missing_path_resolves_and_reading_it_tells(library: Library) -> None:
    assert resolve("nowhere/m.gguf", library).path == Path("nowhere/m.gguf")


def test_unknown_names(library: Library) -> None:
    with pytest.raises(ModelFileError, match="unknown_model"):
        resolve("no such model", library)
    with pytest.raises(ModelFileError, match="unknown_model"):
        resolve("", library)  # not the current folder
    with pytest.raises(UsageError, match="hub_not_yet"):
        resolve("org/repo:Q4_K_M", library)
    with pytest.raises(UsageError, match="hub_not_yet"):
        resolve("https://example.org/model.gguf", library)


def test_a_model_of_the_hub_is_known_by_what_it_says_of_itself(
    library: Library, tiny_model: Path, tmp_path: Path
) -> None:
    """Wherever it was moved to, and whatever its file is called by now."""
    moved = tmp_path / "elsewhere" / "renamed.gguf"
    moved.parent.mkdir()
    moved.write_bytes(tiny_model.read_bytes()[:-1] + b"x")
    origin = Origin("hub", "maker/Tiny-GGUF", "sub/Tiny-Q4_K_M.gguf", "c" * 40)
    model = library.add(moved, origin=origin)
    for text in ("maker/Tiny-GGUF:Q4_K_M", "Maker/Tiny-GGUF:sub/Tiny-Q4_K_M.gguf"):
        assert resolve(text, library).entry == model
    for text in ("maker/Tiny-GGUF:Q8_0", "other/Tiny-GGUF:Q4_K_M", "maker/Tiny-GGUF@v2:Q4_K_M"):
        assert find_fetched(text, library.list()) is None
