"""Answers in channels, as gpt-oss' "harmony" has them, and formats that address each message.

An answer is a row of messages: a header (who is addressed, which channel), `<|message|>`, a body
and a word that ends it. "analysis", or what a model says to itself, is reasoning; what is
addressed to a tool is a call; all else is for the user.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.events import Reasoning, Text
from desktop.engine.output.calls import CallFormat
from desktop.engine.output.instructions import EXAMPLE, tool_instructions
from desktop.engine.output.json_text import pass_value
from desktop.engine.output.parser import Piece
from desktop.engine.output.source import Reading, Source, Words
from desktop.engine.output.telling import CallTeller

START, CHANNEL, MESSAGE, CONSTRAIN = "<|start|>", "<|channel|>", "<|message|>", "<|constrain|>"
ENDS = ("<|end|>", "<|call|>", "<|return|>", "<|eom|>", "<|eot|>")
_NAMESPACE = "functions."
_LONGEST_HEADER = 512
_HEADER = re.compile(
    r"(?:<\|start\|>)?(?:assistant)? ?(?:to=(?P<to>[^\s<]+))? ?"
    r"(?:<\|channel\|> ?(?P<channel>\w+) ?(?:to=(?P<later_to>[^\s<]+))?)?"
    r" ?(?:(?:<\|constrain\|>)? ?\w+)? ?"
)
_NAME_END = r"(?=[\s<]|$)"
_BEGINNINGS = (START, CHANNEL, "to=", "assistant")
_BODY_ENDS = Words((*ENDS, START))
_INNER = (f"{CHANNEL}analysis", "self")


@dataclass(frozen=True)
class ChannelCalls:
    """`inner` is how a call's body is written where that is not the arguments alone.

    `channelled`: messages name a channel; otherwise only whom they address.
    """

    channelled: bool = True
    inner: CallFormat | None = None
    namespace: str = _NAMESPACE
    primer: str = ""
    only_first: bool = False
    triggers: tuple[str, ...] = ()
    family: str = "channels"

    @property
    def framing(self) -> tuple[str, ...]:
        inner = self.inner.framing if self.inner is not None else ()
        return (START, CHANNEL, MESSAGE, CONSTRAIN, *ENDS, *inner)

    def headers(self, name: str) -> tuple[str, ...]:
        """What may introduce a call of the tool, as the template writes it first."""
        to = f"to={self.namespace}{name}"
        if not self.channelled:
            return (f" {to}{MESSAGE}",)
        return (
            f" {to}{CHANNEL}commentary json{MESSAGE}",
            f"{CHANNEL}commentary {to} {CONSTRAIN}json{MESSAGE}",
        )

    def write(self, calls: Sequence[ToolCall]) -> str:
        parts: list[str] = []
        for call in calls:
            body = (
                (call.arguments.strip() or "{}") if self.inner is None else self.inner.write([call])
            )
            end = ENDS[1] if self.channelled else ENDS[4]
            parts.append(self.headers(call.name)[0] + body + end)
        return f"{START}assistant".join(parts)

    def instructions(self, tools: Sequence[Tool]) -> str:
        return tool_instructions(tools, self.write([EXAMPLE]))

    def read(self, source: Source, calls: CallTeller) -> Reading[bool]:  # noqa: ARG002
        """Calls are messages here: `read_messages` reads the whole answer."""
        yield from ()
        return False

    def read_messages(
        self, source: Source, calls: CallTeller, request_id: str, *, reasons: bool = False
    ) -> Reading[None]:
        """The whole answer, from behind the prompt's own ``<|start|>assistant``.

        With `reasons` the prompt has begun a message of reasoning.
        """
        if reasons:
            yield from _pass_body(source, lambda text: Reasoning(request_id, text))
        while not (yield from source.over()):
            place = source.place
            header = yield from self._header(source, calls.names)
            if header is None:
                source.back(place)
                # A word that only looks like a header's is text, and must be read here.
                if (yield from source.take(START)):
                    yield Text(request_id, START)
                yield from _pass_body(source, lambda text: Text(request_id, text))
                continue
            if header in calls.names:
                yield from self._call(source, calls, header)
            elif header in _INNER:
                yield from _pass_body(source, lambda text: Reasoning(request_id, text))
            else:
                yield from _pass_body(source, lambda text: Text(request_id, text))
            source.cut()

    def _header(self, source: Source, names: Collection[str]) -> Reading[str | None]:
        """The tool or whom else the message addresses, or its channel; None for no header."""
        yield from source.space()
        place = source.place
        if not (yield from source.take_any(_BEGINNINGS)):
            return None
        source.back(place)
        # A header is one line, unless a tool's own name has several.
        lines = any("\n" in name for name in names)
        end = Words((MESSAGE,) if lines else (MESSAGE, "\n"))
        length = 0
        while True:
            portion, word = yield from source.take_until(end)
            length += len(portion)
            if length > _LONGEST_HEADER or word == "\n" or not (portion or word):
                return None
            if word == MESSAGE:
                header = source.since(place)
                yield from source.take(MESSAGE)
                return self._addressed(header, names)

    def _addressed(self, header: str, names: Collection[str]) -> str | None:
        """Names may hold what ends a word, so those that are offered are looked for first."""
        behind = header.partition("to=")[2].removeprefix(self.namespace)
        fitting = [name for name in names if re.match(re.escape(name) + _NAME_END, behind)]
        if fitting:
            return max(fitting, key=len)
        match = _HEADER.fullmatch(" ".join(header.split()))
        if match is None:
            return None
        return match["to"] or match["later_to"] or f"{CHANNEL}{match['channel'] or ''}"

    def _call(self, source: Source, calls: CallTeller, name: str) -> Reading[None]:
        if self.inner is not None:
            yield from source.space()
            if not (yield from self.inner.read(source, calls)):
                return
        else:
            yield calls.begin(name)
            yield from source.space()
            if (yield from source.peek()) in ("{", "["):
                yield from pass_value(source, calls.go_on)
            else:
                yield from _pass_body(source, calls.go_on)
            yield calls.end()
        yield from source.space()
        yield from source.take_any(ENDS)


def _pass_body(source: Source, tell: Callable[[str], Piece]) -> Reading[None]:
    """Hand on the words of a message, and read the word that ends it."""
    while True:
        portion, word = yield from source.take_until(_BODY_ENDS)
        if portion:
            yield tell(portion)
            source.cut()
        if word == START or not (portion or word):
            return
        if word:
            yield from source.take(word)
            return
