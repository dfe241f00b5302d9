"""From what somebody asks to what the engine's thread can work on; in the asker's own thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from desktop.common.errors import RequestError
from desktop.engine.batcher import check_length
from desktop.engine.chat import Chat, Rendered
from desktop.engine.chat_fit import fit_chat
from desktop.engine.chat_format import ChatFormat
from desktop.engine.loaded import Loaded
from desktop.engine.prepared import Prepared
from desktop.engine.request import MAX_STOP_STRINGS, Request
from desktop.engine.vocabulary import Vocabulary

_CHARACTERS_PER_TOKEN = 32
_SAMPLE_TOKENS = 4096

Reading = Callable[[], AbstractContextManager[Loaded]]
"""Lends the open model to a caller's thread. Raises EngineError when it is closed."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A chat as a prompt; `tokens` is empty where `prompt_tokens` is only an estimate."""

    rendered: Rendered
    tokens: list[int]
    prompt_tokens: int


class Preparer:
    """Renders, fits and splits prompts for one open model; for any thread."""

    def __init__(self, reading: Reading, chat_format: ChatFormat, context_tokens: int) -> None:
        self._reading = reading
        self._format = chat_format
        self._context_tokens = context_tokens

    def prepare(self, request: Request) -> Prepared:
        """Raises RequestError, TemplateError, EngineError when closed."""
        request.check()
        if request.chat is not None:
            return self._prepare_chat(request, request.chat)
        with self._reading() as loaded:
            vocabulary = loaded.vocabulary
            if request.parts:
                tokens = _mixed(vocabulary, request.parts)
                self._check_length(len(tokens))
                text = vocabulary.text(tokens) if request.echo else ""
                return Prepared(request, tokens, text, request.stop)
            tokens, count = split(vocabulary, request.prompt, self._context_tokens)
        self._check_length(count)
        return Prepared(request, tokens, request.prompt, request.stop)

    def render(self, chat: Chat) -> Rendered:
        """The chat as a prompt, cut to the context where it allows that. Raises as `prepare`."""
        if chat.overflow != "drop_oldest":
            return self._format.render(chat)
        fitted = fit_chat(chat, self._context_tokens, self._write)
        return replace(
            fitted.written.rendered, left_out=fitted.left_out, first_kept=fitted.first_kept
        )

    def _prepare_chat(self, request: Request, chat: Chat) -> Prepared:
        left_out: tuple[int, ...] = ()
        first_kept = 0
        if chat.overflow == "drop_oldest":
            fitted = fit_chat(chat, self._context_tokens, self._write)
            written, left_out, first_kept = fitted.written, fitted.left_out, fitted.first_kept
        else:
            written = self._write(chat)
            self._check_length(written.prompt_tokens)
        rendered = written.rendered
        stop = tuple(dict.fromkeys((*request.stop, *rendered.stop)))[:MAX_STOP_STRINGS]
        return Prepared(
            # The prompt stands in the request, for whoever shows or logs what is running.
            replace(request, prompt=rendered.prompt),
            written.tokens,
            rendered.prompt,
            stop,
            left_out=left_out,
            first_kept=first_kept,
        )

    def _write(self, chat: Chat) -> _Written:
        rendered = self._format.render(chat)
        with self._reading() as loaded:
            tokens, count = split(loaded.vocabulary, rendered.prompt, self._context_tokens)
        return _Written(rendered, tokens, count)

    def _check_length(self, prompt_tokens: int) -> None:
        check_length(prompt_tokens, self._context_tokens)


def split(vocabulary: Vocabulary, text: str, context_tokens: int) -> tuple[list[int], int]:
    """The tokens of a prompt and their count; none and an estimate where it is far too long."""
    usual_characters = max(context_tokens, _SAMPLE_TOKENS) * _CHARACTERS_PER_TOKEN
    if len(text) > usual_characters:
        # Megabytes too much: a share of it tells how much, without minutes of splitting.
        sample = text[: _SAMPLE_TOKENS * _CHARACTERS_PER_TOKEN]
        share = len(vocabulary.tokenize(sample)) * len(text) // len(sample)
        if share >= context_tokens:
            return [], share
    tokens = vocabulary.tokenize(text)
    return tokens, len(tokens)


def _mixed(vocabulary: Vocabulary, parts: tuple[int | str, ...]) -> list[int]:
    """Tokens and texts in turn; a text at the front gets what the model wants before any."""
    tokens: list[int] = []
    for number, part in enumerate(parts):
        if isinstance(part, str):
            tokens += vocabulary.tokenize(part, add_special=number == 0)
        elif 0 <= part < vocabulary.size:
            tokens.append(part)
        else:
            raise RequestError("bad_request", name="parts")
    return tokens
