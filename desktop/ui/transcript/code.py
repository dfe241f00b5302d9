"""Writes code into a document line by line and colours each line once, when it is whole."""

from __future__ import annotations

from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument

from desktop.ui.transcript.formats import Formats
from desktop.ui.transcript.languages import LexerShelf
from desktop.ui.transcript.lexing import LineLexer

_MAX_RUNS = 200  # a minified line is not worth more


class CodeWriter:
    """Keeps a document equal to a piece of code that grows."""

    def __init__(self, document: QTextDocument, language: str, shelf: LexerShelf) -> None:
        self._document = document
        self._language = language
        self._shelf = shelf
        self._code = ""
        self._done = 0  # characters of `code` in finished lines
        self._done_position = 0  # where the unfinished line begins in the document
        self._lexer: LineLexer | None = None
        self._waiting = False

    @property
    def can_colour(self) -> bool:
        """Whether the lexer that it waited for is ready by now."""
        return self._waiting and not self._shelf.waits_for(self._language)

    def write(self, code: str, formats: Formats) -> None:
        """Make the document show this code; cheap when it only grew."""
        if not code.startswith(self._code[: self._done]) or not self._done:
            self._restart()
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        cursor.setPosition(self._done_position)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if not self._done:
            cursor.setBlockFormat(formats.code_block)
        end = code.rfind("\n") + 1
        for line in code[self._done : end].splitlines():
            self._finished_line(cursor, line, formats)
            cursor.insertBlock(formats.code_block)
        self._done, self._done_position = end, cursor.position()
        cursor.insertText(code[end:], formats.plain_code)
        cursor.endEditBlock()
        self._code = code

    def finish(self, formats: Formats) -> None:
        """Colour the last line, when no more comes."""
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        cursor.setPosition(self._done_position)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self._finished_line(cursor, self._code[self._done :], formats)
        cursor.endEditBlock()

    def _restart(self) -> None:
        self._done = self._done_position = 0
        lexer = self._shelf.get(self._language)
        self._waiting = lexer is None and self._shelf.waits_for(self._language)
        self._lexer = LineLexer(lexer) if lexer else None

    def _finished_line(self, cursor: QTextCursor, line: str, formats: Formats) -> None:
        runs = self._lexer.line(line) if self._lexer else []
        if not runs or len(runs) > _MAX_RUNS:
            cursor.insertText(line, formats.plain_code)
            return
        pending, pending_format = "", formats.plain_code
        for kind, text in runs:
            run_format: QTextCharFormat = formats.token(kind)
            if run_format is not pending_format and text.strip():
                if pending:
                    cursor.insertText(pending, pending_format)
                pending, pending_format = text, run_format
            else:
                pending += text
        if pending:
            cursor.insertText(pending, pending_format)
