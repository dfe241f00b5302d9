"""What goes to the clipboard: text, and for a whole message also what it looks like."""

from __future__ import annotations

from markdown_it import MarkdownIt
from PySide6.QtCore import QMimeData

from desktop.ui.transcript.clean import clean
from desktop.ui.transcript.turns import ViewTurn

_LONGEST_RICH_CHARS = 100_000
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["image", "html_block"])
)


def text_data(text: str) -> QMimeData:
    """Plain text."""
    data = QMimeData()
    data.setText(clean(text))
    return data


def message_data(turn: ViewTurn) -> QMimeData:
    """A message: its Markdown as text, and formatted for programs that take that, as mail."""
    text = clean(turn.text)
    data = text_data(text)
    if turn.role != "user" and len(text) <= _LONGEST_RICH_CHARS:
        data.setHtml(_MARKDOWN.render(text))
        data.setData("text/markdown", text.encode())
    return data
