"""The chat at the terminal: ask, read, ask again."""

from __future__ import annotations

import contextlib
import sys

from desktop.cli.conversation import Answer, Conversation
from desktop.cli.front import Front, write_words
from desktop.cli.interrupts import Interrupts
from desktop.cli.typed import offer_line_editing, read_line
from desktop.common.errors import HausgeistError
from desktop.services.open_progress import Opened

_PROMPT = "> "
_LEAVE = ("/exit", "/quit", "/bye")


def chat(front: Front, interrupts: Interrupts, conversation: Conversation, opened: Opened) -> int:
    """Until /exit, the end of the input, or Ctrl+C while nothing is being answered."""
    with contextlib.suppress(ImportError):
        offer_line_editing()
    front.say(
        front.text(
            "cli.chat.hello_guide" if opened.is_guide else "cli.chat.hello", model=opened.name
        )
    )
    while True:
        try:
            line = _read()
        except (EOFError, KeyboardInterrupt):
            front.say()
            return 0
        word = line.strip()
        if word in _LEAVE:
            return 0
        if word == "/new":
            conversation.forget()
            front.say(front.text("cli.chat.new"))
        elif word.startswith("/") and word[1:].isalpha():
            front.say(front.text("cli.chat.help"))
        elif word:
            _answer(front, interrupts, conversation, line)


def _read() -> str:
    r"""One message; a line that ends with \ goes on with the next."""
    lines: list[str] = []
    prompt = _PROMPT
    while True:
        line = read_line(prompt)
        lines.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            return "\n".join(lines)
        prompt = ". "


def _answer(front: Front, interrupts: Interrupts, conversation: Conversation, line: str) -> None:
    try:
        answer = conversation.ask(line, interrupts, lambda piece: write_words(sys.stdout, piece))
    except HausgeistError as error:
        front.say()
        front.note(front.messages.error(error))
        return
    front.say()
    _tell(front, answer)
    front.say()


def _tell(front: Front, answer: Answer) -> None:
    if answer.left_out:
        front.note(front.text("cli.chat.left_out", turns=answer.left_out))
    if answer.reason == "length":
        front.note(front.text("cli.run.cut"))
    if answer.reason == "cancelled":
        front.note(front.text("cli.run.stopped"))
