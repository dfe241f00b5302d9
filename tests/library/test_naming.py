from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.gguf.reader import read_header
from desktop.library.naming import MAX_CHARACTERS, clean, clean_title, file_names, name_of, unique
from tests.gguf_files import LlamaShape, write_split

SHAPE = LlamaShape()


@pytest.mark.parametrize(
    ("own", "file", "name"),
    [
        ("Qwen3 4B Instruct", "x.gguf", "Qwen3-4B-Instruct-Q4_K_M"),
        ("Apertus 8B q4_k_m", "x.gguf", "Apertus-8B-q4_k_m"),
        ("Größe: \tÜ/bung.gguf", "x.gguf", "Größe-Ü-bung-Q4_K_M"),
        ("", "My File.v2-Q4_0.gguf", "My-File.v2-Q4_0"),
        ("Model", "good-name.gguf", "good-name"),
        ("7", "good-name.gguf", "good-name"),
        ("  ", "...gguf", "model"),
    ],
)
def test_names(tmp_path: Path, own: str, file: str, name: str) -> None:
    path = SHAPE.write(tmp_path / file, general__name=own)
    assert name_of(read_header(path)) == name


def test_a_split_model_without_a_name_is_called_without_its_number(tmp_path: Path) -> None:
    metadata = SHAPE.metadata(general__name="")
    tensors = SHAPE.tensors()
    first = write_split(tmp_path / "huge.gguf", metadata, [tensors[:3], tensors[3:]])
    assert name_of(read_header(first)) == "huge"


@given(st.text(max_size=300))
def test_a_clean_name_is_one_safe_word(text: str) -> None:
    word = clean(text)
    assert len(word) <= MAX_CHARACTERS
    assert not set(word) & set(" /\\:\"'\t\n\0")
    assert not word.startswith(("-", "."))
    assert clean(word) == word
    word.encode("utf-8")


def test_the_first_free_number_is_taken() -> None:
    taken = {"a", "a-2", "a-4"}
    assert unique("a", taken.__contains__) == "a-3"
    assert unique("b", taken.__contains__) == "b"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  For   letters ", "For letters"),
        ("Mein: Größtes", "Mein-Größtes"),
        ("a / b", "a-b"),
        ("tab\tand\nline", "tab and line"),
        (" . - ", ""),
        ("bell\x07", "bell"),
        ("My model.GGUF", "My model"),
        ("x" * 79 + " y", "x" * 79),
        ("\udcff", ""),
    ],
)
def test_a_name_that_a_person_gave_keeps_its_blanks(text: str, name: str) -> None:
    assert clean_title(text) == name


@pytest.mark.parametrize(
    ("parts", "name", "copies"),
    [
        (["sha256-abc"], "llama3.2-3b", ["llama3.2-3b.gguf"]),
        (["sha256-abc"], "con", ["model.gguf"]),  # a device under Windows
        (["My Model.GGUF"], "other", ["My Model.GGUF"]),
        (["a-1.gguf", "a-2.gguf"], "other", ["a-1.gguf", "a-2.gguf"]),
    ],
)
def test_what_copies_are_called(parts: list[str], name: str, copies: list[str]) -> None:
    assert file_names([Path(part) for part in parts], name) == copies
