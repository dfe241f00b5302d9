"""Server-sent events, as servers really write them."""

from __future__ import annotations

import codecs

MOST_EVENT_CHARACTERS = 32 << 20
"""One event may carry a whole answer, with the chances of its tokens; not more than this."""


class EventTooLongError(ValueError):
    """A line, or an event of many lines, that never ends."""


class SseReader:
    """`feed` gives the data of each event that is complete; `finish` what stands last.

    Lines end with CR, LF or both, wherever the bytes were cut; comments (servers keep a line
    alive with them), ids, names and unknown fields are passed over. A body of bare JSON lines (or
    one document, from a server that does not stream) is taken line by line, too.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []
        self._line_characters = 0
        self._data: list[str] = []
        self._data_characters = 0
        self._bare: list[str] = []
        self._after_return = False
        self._first = True

    def feed(self, piece: bytes) -> list[str]:
        """Raises EventTooLongError."""
        return self._read(self._decoder.decode(piece))

    def finish(self) -> list[str]:
        """What an end without an empty line left behind: some servers close at once."""
        found = self._read(self._decoder.decode(b"", final=True))
        if self._line:
            self._end_line(found)
        self._end_event(found)
        return found

    def _read(self, text: str) -> list[str]:
        if not text:
            return []
        if self._first:
            self._first = False
            text = text.removeprefix("\ufeff")
        if self._after_return:
            text = text.removeprefix("\n")
        self._after_return = text.endswith("\r")
        found: list[str] = []
        *ended, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in ended:
            self._add(line)
            self._end_line(found)
        self._add(rest)
        return found

    def _add(self, text: str) -> None:
        if not text:
            return
        self._line.append(text)
        self._line_characters += len(text)
        if self._line_characters + self._data_characters > MOST_EVENT_CHARACTERS:
            raise EventTooLongError

    def _end_line(self, found: list[str]) -> None:
        line = "".join(self._line)
        self._line, self._line_characters = [], 0
        if not line:
            self._end_event(found)
            return
        name, colon, value = line.partition(":")
        if colon and not name:
            return  # a comment
        if name == "data":
            value = value.removeprefix(" ")
            self._data.append(value)
            self._data_characters += len(value) + 1
        elif line[0] in "{[" or self._bare:
            self._bare.append(line)
            self._data_characters += len(line) + 1
            if len(self._bare) == 1 and line.rstrip()[-1] in "}]":
                self._end_event(found)  # a line, a document; one of many lines ends with the body

    def _end_event(self, found: list[str]) -> None:
        if self._bare:
            found.append("\n".join(self._bare))
        elif self._data:
            found.append("\n".join(self._data))
        self._data, self._bare, self._data_characters = [], [], 0
