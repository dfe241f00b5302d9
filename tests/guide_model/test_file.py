"""The file in resources: its size, what it says of itself, and its vocabulary."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import gguf
import jinja2
import pytest
from guide_model.bpe import SPECIAL, Tokenizer
from guide_model.corpus import Corpus
from guide_model.dialogue import Maker

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def reader(guide_file: Path) -> gguf.GGUFReader:
    return gguf.GGUFReader(guide_file)


def value(reader: gguf.GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    assert field is not None, key
    return field.contents()


@pytest.fixture(scope="module")
def tokenizer(reader: gguf.GGUFReader) -> Tokenizer:
    merges = value(reader, "tokenizer.ggml.merges")
    return Tokenizer([tuple(merge.split(" ")) for merge in merges])


def test_it_is_small(guide_file: Path) -> None:
    assert guide_file.stat().st_size <= 16 * MEGABYTE


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("general.architecture", "llama"),
        ("general.name", "Hausgeist Guide"),
        ("general.author", "Hausgeist"),
        ("general.license", "MIT"),
        ("general.languages", ["de", "en"]),
        ("general.file_type", int(gguf.LlamaFileType.MOSTLY_Q8_0)),
        ("llama.context_length", 2048),
        ("tokenizer.ggml.model", "gpt2"),
        ("tokenizer.ggml.pre", "gpt-2"),
    ],
)
def test_it_says_what_it_is(reader: gguf.GGUFReader, key: str, expected: object) -> None:
    assert value(reader, key) == expected


def test_it_recommends_a_low_temperature(reader: gguf.GGUFReader) -> None:
    assert 0.0 < value(reader, "general.sampling.temp") <= 0.3


def test_matrices_are_q8_0_and_the_output_is_tied(reader: gguf.GGUFReader) -> None:
    names = {tensor.name for tensor in reader.tensors}
    assert "output.weight" not in names
    for tensor in reader.tensors:
        matrix = len(tensor.shape) == 2
        wanted = gguf.GGMLQuantizationType.Q8_0 if matrix else gguf.GGMLQuantizationType.F32
        assert tensor.tensor_type == wanted, tensor.name


def test_the_vocabulary_is_ours(reader: gguf.GGUFReader, tokenizer: Tokenizer) -> None:
    assert value(reader, "tokenizer.ggml.tokens") == tokenizer.tokens
    assert 4000 <= len(tokenizer.tokens) <= 8192
    assert value(reader, "tokenizer.ggml.eos_token_id") == tokenizer.stop
    for token in SPECIAL:
        kind = value(reader, "tokenizer.ggml.token_type")[tokenizer.ids[token]]
        assert kind == gguf.TokenType.CONTROL


def test_text_survives_the_vocabulary(tokenizer: Tokenizer, book: Corpus) -> None:
    texts = ["", " ", "a  b\n\n c\t", "naïve „Grüße“ – 日本語 🎉", "don't", "1234 ½", "\x00\xff"]
    for chat in islice(Maker(book, 3).chats(), 200):
        texts += [text for turn in chat.turns for text in (turn.asked, turn.answer)]
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_chat_template_is_chatml(reader: gguf.GGUFReader) -> None:
    template = jinja2.Environment().from_string(value(reader, "tokenizer.chat_template"))
    messages = [{"role": "user", "content": "Hallo"}]
    assert template.render(messages=messages, add_generation_prompt=True) == (
        "<|im_start|>user\nHallo<|im_end|>\n<|im_start|>assistant\n"
    )
