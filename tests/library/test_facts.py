"""What is read out of a model's files: abilities, licence, context, projector, origin."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from desktop.common.errors import ModelFileError
from desktop.gguf.reader import read_header
from desktop.library.abilities import abilities_of
from desktop.library.library import Library
from desktop.library.origin import Origin, from_text, origin_beside, to_text
from desktop.library.projectors import projector_beside
from tests.fit.projectors import write_siglip
from tests.gguf_files import LlamaShape

SHAPE = LlamaShape()
NOTE = {
    "repo": "org/repo",
    "path": "m.gguf",
    "commit": "c" * 40,
    "sha256": "A" * 64,
    "is_verified": True,
    "size_bytes": 5,
    "mtime_ns": 6,
}


@pytest.mark.parametrize(
    ("architecture", "more", "abilities"),
    [
        ("llama", {}, ()),
        ("llama", {"tokenizer__chat_template": "{% if tools %}{{ tools }}{% endif %}"}, ("tools",)),
        ("qwen3", {"tokenizer__chat_template": "<think>\n\n</think>"}, ("reasoning",)),
        (
            "gpt-oss",
            {"tokenizer__chat_template": "<|channel|>analysis {{ message.tool_calls }}"},
            ("tools", "reasoning"),
        ),
        ("nomic-bert", {"tokenizer__chat_template": "{{ tools }}"}, ("embedding",)),
        ("gemma-embedding", {}, ("embedding",)),
        ("qwen3", {"qwen3__pooling_type": 3}, ("embedding",)),
        ("llama", {"llama__pooling_type": 0}, ()),
        ("llama", {"tokenizer__chat_template": "toolstation"}, ()),
    ],
)
def test_abilities(
    tmp_path: Path, architecture: str, more: dict[str, object], abilities: tuple[str, ...]
) -> None:
    shape = SHAPE.with_(architecture=architecture)
    path = tmp_path / "m.gguf"
    header = read_header(shape.write(path, **more))  # type: ignore[arg-type]
    assert abilities_of(header, has_projector=False) == abilities
    if "embedding" not in abilities:
        assert abilities_of(header, has_projector=True) == ("vision", *abilities)


def test_the_projector_that_fits_is_found(tmp_path: Path) -> None:
    header = read_header(SHAPE.write(tmp_path / "gemma-3-Q4_K_M.gguf"))
    assert projector_beside(header) is None
    write_siglip(tmp_path / "mmproj-other.gguf", layers=1, language_width=512)
    (tmp_path / "mmproj-broken.gguf").write_bytes(b"GGUF")
    SHAPE.write(tmp_path / "mmproj-liar.gguf")
    assert projector_beside(header) is None
    right = write_siglip(
        tmp_path / "mmproj-gemma-3-f16.gguf", layers=1, language_width=SHAPE.embedding
    )
    write_siglip(tmp_path / "mmproj-gemma-3-bf16.gguf", layers=1, language_width=SHAPE.embedding)
    (tmp_path / "mmproj-gemma-3-bf16.gguf").rename(tmp_path / "mmproj-another-bf16.gguf")
    assert projector_beside(header) == right


def test_everything_is_in_the_list(library: Library, drive: Path) -> None:
    write_siglip(drive / "mmproj.gguf", layers=1, language_width=SHAPE.embedding)
    path = SHAPE.write(drive / "m.gguf", general__license="apache-2.0")
    model = library.add(path)
    assert (model.context_tokens, model.licence) == (2048, "apache-2.0")
    assert (model.abilities, model.projector) == (("vision",), drive / "mmproj.gguf")
    assert model.origin == Origin("file", str(drive), "m.gguf")
    assert library.list()[1] == model


def test_news_of_a_known_model_are_taken_up(library: Library, drive: Path) -> None:
    path = SHAPE.write(drive / "m.gguf")
    library.add(path)
    eyes = write_siglip(drive / "eyes.gguf", layers=1, language_width=SHAPE.embedding)
    origin = Origin("ollama", "llava:7b", sha256="d" * 64, is_verified=True)
    model = library.add(path, origin=origin, projector=eyes, name="other")
    assert (model.name, model.origin, model.projector) == ("Test-Q4_K_M", origin, eyes)
    assert model.abilities == ("vision",)
    assert library.hashes(model.name) == ("d" * 64,)
    again = library.add(path)
    assert (again.origin, library.hashes(model.name)) == (origin, ("d" * 64,))


def test_what_is_said_of_a_copy_is_not_said_of_the_model(library: Library, drive: Path) -> None:
    path = SHAPE.write(drive / "m.gguf")
    first = library.add(path, source="copy")
    twin = drive / "blob"
    twin.write_bytes(path.read_bytes())
    assert library.add(twin, origin=Origin("ollama", "llama3:8b")) == first
    assert library.duplicates(first.name) == (twin,)


def test_a_model_that_is_ours_now_stands_at_our_place(library: Library, drive: Path) -> None:
    theirs = SHAPE.write(drive / "blob")
    library.rename(library.add(theirs, origin=Origin("ollama", "x")).name, "Mein")
    ours = drive / "ours.gguf"
    ours.write_bytes(theirs.read_bytes())
    model = library.add(ours, source="copy", origin=Origin("hub", "o/r"))
    assert (model.name, model.path, model.source) == ("Mein", ours, "copy")
    assert model.origin == Origin("hub", "o/r")
    assert len(library.list()) == 2


def test_what_a_download_wrote_beside_its_file(tmp_path: Path) -> None:
    place, note = tmp_path / "m.gguf", tmp_path / ".m.gguf.origin.json"
    assert origin_beside(place) is None
    note.write_text(json.dumps(NOTE))
    expected = Origin("hub", "org/repo", "m.gguf", "c" * 40, "a" * 64, is_verified=True)
    assert origin_beside(place) == expected
    for wrong in ("", "[]", "{}", "[" * 100_000, json.dumps(NOTE | {"repo": 5}), "\0" * 10):
        note.write_text(wrong)
        assert origin_beside(place) is None
    note.write_text(json.dumps(NOTE | {"sha256": "../../etc"}))
    assert origin_beside(place) == Origin(
        "hub", "org/repo", "m.gguf", "c" * 40, "", is_verified=True
    )


def test_an_origin_in_the_index() -> None:
    origin = Origin("pack", "Größe\udcfc", "f", "c", "e" * 64, is_verified=True)
    assert from_text(to_text(origin)) == origin
    assert to_text(None) == ""
    for wrong in ("", "{", "[]", '{"kind": "moon"}', '{"kind": "hub", "where": 5}'):
        assert from_text(wrong) is None


def test_a_copy_of_what_is_damaged_is_not_kept(library: Library, drive: Path) -> None:
    path = SHAPE.write(drive / "blob")
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    ours = drive / "ours"
    with pytest.raises(ModelFileError) as caught:
        library.add(path, copy_to=ours, origin=Origin("ollama", "x", sha256="f" * 64))
    assert (caught.value.kind, caught.value.params["path"]) == ("hash_wrong", str(path))
    assert list(ours.iterdir()) == []
    assert len(library.list()) == 1
    model = library.add(path, copy_to=ours, origin=Origin("ollama", "x", sha256=right))
    assert model.origin == Origin("ollama", "x", sha256=right, is_verified=True)
    assert library.hashes(model.name) == (right,)


def test_a_hash_moves_along_with_its_file(library: Library, drive: Path) -> None:
    path = SHAPE.write(drive / "a.gguf")
    name = library.add(path).name
    library.know_hashes(name, ("a" * 64,))
    path.rename(drive / "b.gguf")
    assert library.add(drive / "b.gguf").name == name
    assert library.hashes(name) == ("a" * 64,)
