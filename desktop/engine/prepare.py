"""From what somebody asks to what the engine's thread can work on; in the asker's own thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from desktop.common.errors import RequestError, TemplateError
from desktop.engine.batching.batcher import check_length
from desktop.engine.chat import MEDIA_MARK, Chat, Rendered
from desktop.engine.grammar.grammar import grammar_for
from desktop.engine.loaded import Loaded
from desktop.engine.media.media import MediaChunk, MediaReader
from desktop.engine.media.media_limits import check_count
from desktop.engine.prepared import Prepared
from desktop.engine.request import MAX_STOP_STRINGS, Request
from desktop.engine.sampler import make_ready
from desktop.engine.templates.chat_fit import fit_chat
from desktop.engine.templates.chat_format import ChatFormat
from desktop.engine.templates.chat_wishes import ChatWishes, offers
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
    media: tuple[MediaChunk, ...] = ()


class Preparer:
    """Renders, fits and splits prompts for one open model; for any thread."""

    def __init__(
        self,
        reading: Reading,
        chat_format: ChatFormat,
        context_tokens: int,
        tool_format: ChatFormat | None = None,
    ) -> None:
        """`tool_format` is for chats with tools, where the model has a template of its own for
        them."""
        self._reading = reading
        self._plain = ChatWishes(chat_format)
        self._tooled = self._plain if tool_format is None else ChatWishes(tool_format)
        self._context_tokens = context_tokens

    def prepare(self, request: Request) -> Prepared:
        """Raises RequestError, TemplateError, EngineError when closed."""
        request.check()
        if request.chat is not None:
            prepared = self._prepare_chat(request, request.chat)
        else:
            prepared = self._prepare_text(request)
        with self._reading() as loaded:
            make_ready(
                loaded.model.llama,
                loaded.vocabulary,
                request.sampling,
                prepared.grammar,
                context_tokens=self._context_tokens,
            )
        return prepared

    def render(self, chat: Chat) -> Rendered:
        """The chat as a prompt, cut to the context where it allows that. Raises as `prepare`."""
        chat.check()
        if chat.overflow != "drop_oldest":
            return self._wishes(chat).format.render(chat)
        fitted = fit_chat(chat, self._context_tokens, self._write)
        return replace(
            fitted.written.rendered, left_out=fitted.left_out, first_kept=fitted.first_kept
        )

    def _prepare_text(self, request: Request) -> Prepared:
        with self._reading() as loaded:
            vocabulary = loaded.vocabulary
            if request.parts:
                tokens = _mixed(vocabulary, request.parts)
                count = len(tokens)
                text = vocabulary.text(tokens) if request.echo else ""
            else:
                text = request.prompt
                tokens, count = split(vocabulary, text, self._context_tokens)
        check_length(count, self._context_tokens)
        grammar = None if request.constraint is None else grammar_for(request.constraint)
        return Prepared(request, tokens, text, request.stop, grammar=grammar)

    def _prepare_chat(self, request: Request, chat: Chat) -> Prepared:
        chat.check()
        left_out: tuple[int, ...] = ()
        first_kept = 0
        if chat.overflow == "drop_oldest":
            fitted = fit_chat(chat, self._context_tokens, self._write)
            written, left_out, first_kept = fitted.written, fitted.left_out, fitted.first_kept
        else:
            written = self._write(chat)
            check_length(written.prompt_tokens, self._context_tokens)
        rendered = written.rendered
        wishes = self._wishes(chat)
        parser = wishes.parser(request, chat, rendered)
        with self._reading() as loaded:
            own = request.stop
            if parser is not None:
                # Within a call or the reasoning they end nothing: the parser looks for them.
                single = loaded.vocabulary.single_token
                own = tuple(text for text in own if single(text) is not None)
            stop = tuple(dict.fromkeys((*own, *rendered.stop)))[:MAX_STOP_STRINGS]
            bound = wishes.bound(request, chat, rendered, loaded.vocabulary)
            shown = wishes.shown(loaded.vocabulary) if parser is not None else frozenset()
        return Prepared(
            # The prompt stands in the request, for whoever shows or logs what is running.
            replace(request, prompt=rendered.prompt),
            written.tokens,
            # Marks look the same for other media: such a prompt is known by its tokens alone.
            "" if written.media else rendered.prompt,
            stop,
            grammar=bound.grammar,
            gate=bound.gate,
            budget=bound.budget,
            parser=parser,
            shown=shown,
            media=written.media,
            left_out=left_out,
            first_kept=first_kept,
        )

    def _wishes(self, chat: Chat) -> ChatWishes:
        called = any(message.tool_calls for message in chat.messages)
        return self._tooled if called or offers(chat) else self._plain

    def _write(self, chat: Chat) -> _Written:
        estimate = self._far_too_long(chat)
        check_count([media for message in chat.messages for media in message.media])
        if estimate:
            return _Written(Rendered(""), [], estimate)
        rendered = self._wishes(chat).format.render(chat)
        with self._reading() as loaded:
            vocabulary = loaded.vocabulary
            if rendered.media:
                tokens, media = _with_media(vocabulary, rendered, loaded.media)
                # A picture may take more cells of the cache than it has positions.
                extra = sum(chunk.extra_cells for chunk in media)
                return _Written(rendered, tokens, len(tokens) + extra, media)
            tokens, count = split(vocabulary, rendered.prompt, self._context_tokens)
        return _Written(rendered, tokens, count)

    def _far_too_long(self, chat: Chat) -> int:
        """An estimate of the tokens where words alone are more than can ever fit, else 0."""
        texts = [message.content for message in chat.messages]
        if sum(map(len, texts)) <= _usual_characters(self._context_tokens):
            return 0
        with self._reading() as loaded:
            tokens, count = split(loaded.vocabulary, "\n".join(texts), self._context_tokens)
        return 0 if tokens else count


def split(vocabulary: Vocabulary, text: str, context_tokens: int) -> tuple[list[int], int]:
    """The tokens of a prompt and their count; none and an estimate where it is far too long."""
    if len(text) > _usual_characters(context_tokens):
        # Megabytes too much: a share of it tells how much, without minutes of splitting.
        sample = text[: _SAMPLE_TOKENS * _CHARACTERS_PER_TOKEN]
        share = len(vocabulary.tokenize(sample)) * len(text) // len(sample)
        if share >= context_tokens:
            return [], share
    tokens = vocabulary.tokenize(text)
    return tokens, len(tokens)


def _usual_characters(context_tokens: int) -> int:
    """No usual text of so many characters fits into the context."""
    return max(context_tokens, _SAMPLE_TOKENS) * _CHARACTERS_PER_TOKEN


def _with_media(
    vocabulary: Vocabulary, rendered: Rendered, reader: MediaReader | None
) -> tuple[list[int], tuple[MediaChunk, ...]]:
    """The prompt's tokens with its images and sounds in the place of their marks."""
    if reader is None:
        raise RequestError("no_vision" if rendered.media[0].kind == "image" else "no_audio")
    texts = rendered.prompt.split(MEDIA_MARK)
    if len(texts) != len(rendered.media) + 1:
        raise TemplateError("template_refuses", reason=f"{len(rendered.media)} media")
    tokens = vocabulary.tokenize(texts[0])
    chunks: list[MediaChunk] = []
    for media, text in zip(rendered.media, texts[1:], strict=True):
        read = reader.read(media)
        tokens += read.tokens
        chunks += read.chunks
        tokens += vocabulary.tokenize(text, add_special=False)
    return tokens, tuple(chunks)


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
