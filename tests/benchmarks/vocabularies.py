"""Vocabularies in the sizes of real models, for models that are made up: one place for all."""

from __future__ import annotations

import itertools

import gguf

from tests.gguf_files import I32, STRING, Array
from tests.tiny_models import CHATML, MERGES, SPECIALS, byte_characters


def words(size: int, pattern: str = "Ġw{}") -> tuple[list[str], list[int], list[str]]:
    """Words, their types (GGUF's codes) and the words that are made up: all bytes come first."""
    pieces = [*byte_characters(), *(merge.replace(" ", "") for merge in MERGES), *SPECIALS]
    normal, control = int(gguf.TokenType.NORMAL), int(gguf.TokenType.CONTROL)
    kinds = [normal] * (len(pieces) - len(SPECIALS)) + [control] * len(SPECIALS)
    made = [pattern.format(number) for number in range(size - len(pieces))]
    return pieces + made, kinds + [normal] * len(made), made


def add_words(writer: gguf.GGUFWriter, size: int) -> None:
    """A tokenizer of `size` words with few merges, and a chat template."""
    pieces, kinds, _ = words(size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(pieces)
    writer.add_token_types(kinds)
    writer.add_token_merges(list(MERGES))
    writer.add_eos_token_id(pieces.index("<|im_end|>"))
    writer.add_chat_template(CHATML)


def tokenizer(size: int, merges: int) -> dict[str, object]:
    """Metadata as real ones have it: words of the usual length, and as many merges as are said."""
    pieces, kinds, made = words(size, "Ġw{:06d}")
    joins = itertools.islice(itertools.cycle(made), merges - len(MERGES))
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": Array(STRING, pieces),
        "tokenizer.ggml.token_type": Array(I32, kinds),
        "tokenizer.ggml.merges": Array(STRING, [*MERGES, *(f"Ġw {word[2:]}" for word in joins)]),
        "tokenizer.ggml.eos_token_id": pieces.index("<|im_end|>"),
    }
