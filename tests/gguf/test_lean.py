"""Copies without words: nothing but the vocabulary is missing, and the tokenizer is kept apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.gguf.lean import can_be_lean, write_lean
from desktop.gguf.reader import read_header
from desktop.gguf.values import ArrayRef
from tests.gguf_files import F32, I32, STRING, Array, LlamaShape, write_gguf, write_split

WORDS = 9_000
SHAPE = LlamaShape(layers=3, vocab=WORDS)


def _metadata(**more: object) -> dict[str, object]:
    return SHAPE.metadata(
        llama__vocab_size=WORDS + 64,  # padded, as some converters have it: the list decides
        tokenizer__ggml__pre="gpt-2",
        tokenizer__ggml__token_type=Array(I32, [1] * WORDS),
        tokenizer__ggml__merges=Array(STRING, [f"a{n} b" for n in range(WORDS)]),
        tokenizer__chat_template="{{ messages }}",
        **more,
    )


def test_all_but_the_words_is_there(tmp_path: Path) -> None:
    source = read_header(write_gguf(tmp_path / "m.gguf", _metadata(), SHAPE.tensors()))
    assert can_be_lean(source)
    (tmp_path / "lean").mkdir()
    lean = read_header(write_lean(source, tmp_path / "lean").model)
    assert lean.complete
    assert lean.tensors == source.tensors
    assert lean.data_offset < source.data_offset / 10
    assert lean.metadata["tokenizer.ggml.model"] == "no_vocab"
    assert lean.vocab_size == WORDS
    assert "tokenizer.ggml.tokens" not in lean.metadata
    untouched = {key: value for key, value in source.metadata.items() if "tokenizer" not in key}
    untouched["llama.vocab_size"] = WORDS
    assert untouched.items() <= lean.metadata.items()


def test_the_tokenizer_keeps_its_settings_and_first_words(tmp_path: Path) -> None:
    more = {"tokenizer__ggml__eos_token_id": 7, "tokenizer__ggml__scores": Array(F32, [0.5] * 9)}
    source = read_header(write_gguf(tmp_path / "m.gguf", _metadata(**more), SHAPE.tensors()))
    (tmp_path / "lean").mkdir()
    tokenizer = read_header(write_lean(source, tmp_path / "lean").tokenizer)
    assert tokenizer.tensors == ()
    assert tokenizer.text("tokenizer.ggml.pre") == "gpt-2"
    assert tokenizer.integer("tokenizer.ggml.eos_token_id") == 7
    words, types = (tokenizer.metadata[f"tokenizer.ggml.{key}"] for key in ("tokens", "token_type"))
    assert isinstance(words, tuple)
    assert isinstance(types, tuple)
    assert words[:2] == ("t0", "t1")
    assert len(words) == len(types) == 256
    # Fewer scores than words is an error of llama.cpp, and must stay one.
    assert tokenizer.metadata["tokenizer.ggml.scores"] == (0.5,) * 9


def test_a_split_model(tmp_path: Path) -> None:
    tensors = SHAPE.tensors()
    first = write_split(
        tmp_path / "m.gguf", _metadata(), [tensors[:9], tensors[9:15], tensors[15:]]
    )
    source = read_header(first)
    (tmp_path / "lean").mkdir()
    lean = read_header(write_lean(source, tmp_path / "lean").model)
    assert lean.complete
    assert lean.tensors == source.tensors
    assert len(lean.paths) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"tokenizer.ggml.model": "rwkv"},  # needs the words of all bytes
        {"tokenizer.ggml.tokens": Array(STRING, ["few"])},
        {"tokenizer.ggml.tokens": Array(I32, [1] * WORDS)},
    ],
)
def test_what_is_left_as_it_is(change: dict[str, object], tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", _metadata() | change, SHAPE.tensors())
    assert not can_be_lean(read_header(path))


def test_a_word_longer_than_any_window(tmp_path: Path) -> None:
    words = Array(STRING, ["x" * 100_000, *(f"t{n}" for n in range(WORDS - 1))])
    metadata = _metadata() | {"tokenizer.ggml.tokens": words}
    source = read_header(write_gguf(tmp_path / "m.gguf", metadata, SHAPE.tensors()))
    assert isinstance(source.metadata["tokenizer.ggml.tokens"], ArrayRef)
    (tmp_path / "lean").mkdir()
    tokenizer = read_header(write_lean(source, tmp_path / "lean").tokenizer)
    kept = tokenizer.metadata["tokenizer.ggml.tokens"]
    assert isinstance(kept, tuple)
    assert [len(str(word)) for word in kept[:2]] == [100_000, 2]
