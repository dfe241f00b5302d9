"""The words that the transcript itself shows or speaks, in the language of the window."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

from desktop.ui.transcript.turns import ViewTurn


def copy() -> str:
    return QCoreApplication.translate("Transcript", "Copy")


def copied() -> str:
    return QCoreApplication.translate("Transcript", "Copied")


def copy_code() -> str:
    return QCoreApplication.translate("Transcript", "Copy code")


def regenerate() -> str:
    return QCoreApplication.translate("Transcript", "Answer again")


def edit() -> str:
    return QCoreApplication.translate("Transcript", "Edit")


def retry() -> str:
    return QCoreApplication.translate("Transcript", "Try again")


def copy_message() -> str:
    return QCoreApplication.translate("Transcript", "Copy whole message")


def copy_link() -> str:
    return QCoreApplication.translate("Transcript", "Copy address of link")


def open_link() -> str:
    return QCoreApplication.translate("Transcript", "Open link")


def leaving() -> str:
    return QCoreApplication.translate(
        "Transcript", "Open this address in your browser? It leads to the internet."
    )


def stay() -> str:
    return QCoreApplication.translate("Transcript", "Stay here")


def select_all() -> str:
    return QCoreApplication.translate("Transcript", "Select all")


def to_end() -> str:
    return QCoreApplication.translate("Transcript", "To the end")


def conversation() -> str:
    return QCoreApplication.translate("Transcript", "Conversation")


def code() -> str:
    return QCoreApplication.translate("Transcript", "Code")


def you() -> str:
    return QCoreApplication.translate("Transcript", "You")


def reading(fraction: float | None) -> str:
    """What is shown until the first word of an answer; `fraction` of the prompt read, if known."""
    if fraction is None:
        return QCoreApplication.translate("Transcript", "Thinking …")
    percent = QLocale().toString(round(100 * fraction))
    return QCoreApplication.translate("Transcript", "Reading … {percent} %").format(percent=percent)


def speaker(turn: ViewTurn) -> str:
    """Who wrote a message, for a screen reader."""
    return turn.author or (you() if turn.role == "user" else "Hausgeist")
