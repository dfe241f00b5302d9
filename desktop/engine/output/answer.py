"""The parser of one answer: reasoning, text and calls, in whatever order they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desktop.engine.chat import Tool
from desktop.engine.constraint import Gate
from desktop.engine.events import Reasoning, Text, ToolCallPart
from desktop.engine.output.calls import CallFormat
from desktop.engine.output.output_format import OutputFormat
from desktop.engine.output.parser import Piece
from desktop.engine.output.source import Reading, Source, Words
from desktop.engine.output.stopped_text import StoppedText
from desktop.engine.output.telling import CallTeller, new_call_id


def answer_parser(
    request_id: str,
    output: OutputFormat,
    gate: Gate | None = None,
    tools: Sequence[Tool] = (),
    *,
    parallel: bool = True,
    prompt_end: str = "",
    stop: Sequence[str] = (),
    new_id: Callable[[], str] = new_call_id,
) -> AnswerParser:
    """A parser for one answer.

    `tools` are those that may be called: none for an answer that is all text. `prompt_end` is
    the prompt or its end, which may have written the first words of the answer's framing.
    `stop` strings end the answer where they stand in its text, not in reasoning or calls.
    """
    calls = CallTeller(request_id, tools, parallel=parallel, new_id=new_id)
    primer = output.calls.primer if prompt_end.endswith(output.calls.primer) else ""
    return AnswerParser(request_id, output, gate, calls, primer, stop)


class AnswerParser:
    """See `OutputParser`."""

    def __init__(
        self,
        request_id: str,
        output: OutputFormat,
        gate: Gate | None,
        calls: CallTeller,
        primer: str = "",
        stop: Sequence[str] = (),
    ) -> None:
        self._source = Source()
        self._text = StoppedText(request_id, stop)
        self._calls = calls
        channels = output.channels
        if channels is not None:
            reasons = gate is not None and gate.is_open
            self._reader = channels.read_messages(self._source, calls, request_id, reasons=reasons)
        else:
            answer = _Answer(request_id, self._source, output, gate, calls)
            self._reader = answer.read()
        self.wants_stop = False
        self.framing = (*output.framing, *((gate.open, gate.close) if gate else ()))
        if primer:
            self.feed(primer)

    @property
    def called(self) -> bool:
        return self._calls.count > 0

    @property
    def stop_string(self) -> str:
        return self._text.found

    def feed(self, text: str) -> Sequence[Piece]:
        if self.wants_stop:
            return ()
        self._source.add(text)
        return self._run()

    def finish(self) -> Sequence[Piece]:
        self._source.end()
        if self.wants_stop:
            return ()
        pieces = self._run()
        if not self.wants_stop:
            for piece in self._text.end():
                _join(pieces, piece)
        return pieces

    def _run(self) -> list[Piece]:
        """All pieces that the text so far gives; those of one kind in a row as one."""
        pieces: list[Piece] = []
        for piece in self._reader:
            if piece is None:
                break
            for told in self._text.pass_on(piece):
                _join(pieces, told)
            if self._calls.full or self._text.found:
                self.wants_stop = True
                break
        return pieces


def _join(pieces: list[Piece], piece: Piece) -> None:
    last = pieces[-1] if pieces else None
    if isinstance(piece, ToolCallPart):
        if isinstance(last, ToolCallPart) and last.index == piece.index and not piece.id:
            arguments = last.arguments + piece.arguments
            pieces[-1] = ToolCallPart(last.request_id, last.index, last.id, last.name, arguments)
        elif piece.id or piece.arguments:
            pieces.append(piece)
        return
    if not piece.text:
        return
    if isinstance(last, Text) and isinstance(piece, Text):
        pieces[-1] = Text(last.request_id, last.text + piece.text)
    elif isinstance(last, Reasoning) and isinstance(piece, Reasoning):
        pieces[-1] = Reasoning(last.request_id, last.text + piece.text)
    else:
        pieces.append(piece)


class _Flow:
    """Words on their way out. White space next to framing is part of the framing."""

    def __init__(self, tell: Callable[[str], Piece], *, trimmed: bool) -> None:
        self._tell = tell
        self._space = ""
        self._trims = trimmed
        self.blank = True

    def say(self, text: str) -> Reading[None]:
        """Hand on `text`; white space at its end waits for what comes behind it."""
        text = self._space + text
        if self._trims:
            text = text.lstrip()
        words = text.rstrip()
        self._space = text[len(words) :]
        if words:
            self._trims = self.blank = False
            yield self._tell(words)

    def framed(self) -> None:
        """Framing stands here: the white space before and behind it goes."""
        self._space = ""
        self._trims = self.blank = True

    def end(self) -> Reading[None]:
        """Nothing follows: the white space at the end was the model's own."""
        if self._space:
            yield self._tell(self._space)


class _Answer:
    """Reasoning between two tags, calls, and text in between."""

    def __init__(
        self,
        request_id: str,
        source: Source,
        output: OutputFormat,
        gate: Gate | None,
        calls: CallTeller,
    ) -> None:
        self._request_id = request_id
        self._source = source
        self._gate = gate
        self._calls = calls
        self._format: CallFormat | None = output.calls if calls.names else None
        self._dropped = frozenset(output.dropped)
        triggers = self._format.triggers if self._format else ()
        lasting = () if self._format is None or self._format.only_first else triggers
        tags = tuple(word for word in (gate.open, gate.close) if word) if gate else ()
        self._first_words = Words((*triggers, *tags, *self._dropped))
        self._words = Words((*lasting, *tags, *self._dropped))
        strong = tuple(word for word in lasting if _is_strong(word))
        self._thought_words = Words((gate.close, *strong) if gate else ())
        self._flow = _Flow(self._text, trimmed=False)
        self._first = True

    def read(self) -> Reading[None]:
        if self._gate is not None and self._gate.is_open:
            yield from self._reason()
        source, flow = self._source, self._flow
        while True:
            source.cut()
            words = self._first_words if self._first else self._words
            portion, word = yield from source.take_until(words)
            if portion:
                yield from flow.say(portion)
                self._first = self._first and flow.blank
            elif not word:
                break
            if word and not (yield from self._framing(word)):
                yield from flow.say(source.take_scanned(1))
                self._first = self._first and flow.blank
        yield from flow.end()

    def _framing(self, word: str) -> Reading[bool]:
        """Whether `word`, which comes next, is framing: then it is read, with what it frames."""
        source, flow = self._source, self._flow
        gate = self._gate
        if gate and word == gate.open and flow.blank:
            yield from source.take(word)
            yield from self._reason()
            return True
        fitting = [dropped for dropped in self._dropped if dropped.startswith(word)]
        if gate and word == gate.close and flow.blank:
            fitting.append(word)
        if (yield from source.take_any(fitting)):
            flow.framed()
            return True
        if gate and word in (gate.open, gate.close):
            return False
        return (yield from self._call())

    def _call(self) -> Reading[bool]:
        """Read calls where they come next; otherwise nothing."""
        if self._format is None or (self._format.only_first and not self._at_beginning):
            return False
        place = self._source.place
        if (yield from self._format.read(self._source, self._calls)):
            self._flow.framed()
            self._first = False
            return True
        self._source.back(place)
        return False

    @property
    def _at_beginning(self) -> bool:
        return self._first and self._flow.blank

    def _reason(self) -> Reading[None]:
        """Reasoning up to its closing tag, or to a call whose words nobody writes by chance."""
        gate = self._gate
        assert gate is not None
        thoughts = _Flow(self._thought, trimmed=True)
        while True:
            portion, word = yield from self._source.take_until(self._thought_words)
            if portion:
                yield from thoughts.say(portion)
            elif not word:
                break
            if word == gate.close:
                yield from self._source.take(word)
                break
            if word:
                if (yield from self._call()):
                    return
                yield from thoughts.say(self._source.take_scanned(1))
        self._flow.framed()

    def _text(self, text: str) -> Piece:
        return Text(self._request_id, text)

    def _thought(self, text: str) -> Piece:
        return Reasoning(self._request_id, text)


def _is_strong(word: str) -> bool:
    """Whether a word is a token of its own, that a model does not write while it thinks aloud."""
    return any(sign in word for sign in ("<|", "|>", "｜", "[TOOL", "▁"))
