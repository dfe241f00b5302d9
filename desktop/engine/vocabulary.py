"""Text to tokens and back, for one loaded model."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from desktop.common.errors import RequestError
from desktop.engine.candidates import Candidates
from desktop.engine.long_runs import cut_long_runs
from desktop.engine.model import Model
from desktop.engine.sampler_chain import Breakers
from desktop.engine.token_table import TokenTable

_USUAL_PIECE_BYTES = 256


class Vocabulary:
    """The model's tokenizer, for any thread while the model is open."""

    def __init__(self, model: Model) -> None:
        self._llama = model.llama
        self._lib: Any = model.llama.lib
        self._vocab = model.vocab
        self.size: int = self._lib.llama_vocab_n_tokens(self._vocab)
        self.adds_bos = bool(self._lib.llama_vocab_get_add_bos(self._vocab))
        self._split_by_regex = (
            self._lib.llama_vocab_type(self._vocab) == self._lib.LLAMA_VOCAB_TYPE_BPE
        )
        self._bos: int = self._lib.llama_vocab_bos(self._vocab)
        self._pieces: dict[int, tuple[bytes, bool]] = {}
        self._table: TokenTable | None = None
        self._candidates: Candidates | None = None
        self.breakers = Breakers(self._lib)
        self._lock = threading.Lock()

    def tokenize(self, text: str, *, add_special: bool = True, special: bool = True) -> list[int]:
        """Tokens of `text`; with `special`, the names of control tokens in it count as such.

        Characters in a row without a break are split in portions of `LONGEST_RUN`.

        `add_special` puts the beginning-of-text token before it, where the model wants one.
        """
        pieces = cut_long_runs(text) if self._split_by_regex else [text]
        if len(pieces) == 1:
            return self._split(text, add_special=add_special, special=special)
        tokens = [self._bos] if add_special and self.adds_bos else []
        for piece in pieces:
            tokens += self._split(piece, add_special=False, special=special)
        return tokens

    def text(self, tokens: Sequence[int], *, special: bool = True) -> str:
        """What `tokens` say, with the names of control tokens unless `special` is False.

        Raises RequestError("bad_request") for a number that is no token.
        """
        if not all(0 <= token < self.size for token in tokens):
            raise RequestError("bad_request", name="tokens")
        raw = b"".join(self._read(token, special=special) for token in tokens)
        return raw.decode("utf-8", "replace")

    def piece(self, token: int) -> tuple[bytes, bool]:
        """The bytes that `token` writes, and whether it ends the answer; control tokens write none.

        `token` must be below `size`: llama.cpp dies of others.
        """
        known = self._pieces.get(token)
        if known is None:
            known = (self._read(token, special=False), self.ends_answer(token))
            self._pieces[token] = known
        return known

    def all_tokens(self) -> Iterator[tuple[bytes, bool, bool]]:
        """For each token its bytes, whether it ends the answer, and whether it is a control token
        (whose bytes are those of its name)."""
        vocab, lib = self._vocab, self._lib
        read, ends = lib.llama_token_to_piece, lib.llama_vocab_is_eog
        buffer = ctypes.create_string_buffer(_USUAL_PIECE_BYTES)
        at, room = ctypes.addressof(buffer), len(buffer)
        for token in range(self.size):
            length = read(vocab, token, buffer, room, 0, False)  # noqa: FBT003
            if length > 0:
                yield ctypes.string_at(at, length), ends(vocab, token), False
            else:  # none of the usual ones: nothing to write, or very much
                control = self.is_control(token)
                yield self._read(token, special=control), ends(vocab, token), control

    def candidates(self) -> Candidates:
        """Room for all tokens with their logits; for the engine's thread alone."""
        if self._candidates is None:
            self._candidates = Candidates(self._llama, self.size)
        return self._candidates

    @property
    def handle(self) -> Any:
        """llama.cpp's."""
        return self._vocab

    def table(self) -> TokenTable:
        """What every token writes, in order; made at the first call (0.3 s for 128,000)."""
        with self._lock:
            if self._table is None:
                self._table = TokenTable(self.all_tokens())
            return self._table

    def special_text(self, token: int) -> str:
        """How `token` is written in a prompt; empty for none."""
        if not 0 <= token < self.size:
            return ""
        return self._read(token, special=True).decode("utf-8", "replace")

    @property
    def bos_text(self) -> str:
        return self.special_text(self._bos)

    @property
    def eos_text(self) -> str:
        return self.special_text(self._lib.llama_vocab_eos(self._vocab))

    @property
    def first_token(self) -> int:
        """A token that any text may begin with, for trying the model out."""
        return self._bos if 0 <= self._bos < self.size else 0

    def single_token(self, text: str) -> int | None:
        """The control token that `text` is, or None where it is ordinary text."""
        tokens = self.tokenize(text, add_special=False)
        return tokens[0] if len(tokens) == 1 and self.is_control(tokens[0]) else None

    def is_control(self, token: int) -> bool:
        return bool(self._lib.llama_vocab_is_control(self._vocab, token))

    def _split(self, text: str, *, add_special: bool, special: bool) -> list[int]:
        # A lone surrogate (half of a pasted emoji) is no text: "?" stands for it.
        raw = text.encode("utf-8", "replace")
        # ctypes makes a class for every length of an array: few lengths, few classes.
        room = 1 << (len(raw) + 8).bit_length()
        while True:
            tokens = (ctypes.c_int32 * room)()
            count: int = self._lib.llama_tokenize(
                self._vocab, raw, len(raw), tokens, room, add_special, special
            )
            if count >= 0:
                return tokens[:count]
            room = -count

    def ends_answer(self, token: int) -> bool:
        """Whether the vocabulary itself counts `token` as the end of an answer."""
        return bool(self._lib.llama_vocab_is_eog(self._vocab, token))

    def _read(self, token: int, *, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(_USUAL_PIECE_BYTES)
        read = self._lib.llama_token_to_piece
        length = read(self._vocab, token, buffer, len(buffer), 0, special)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = read(self._vocab, token, buffer, len(buffer), 0, special)
        return buffer.raw[: max(length, 0)]
