"""Stored turns as the transcript shows them: with words for states, speeds and errors."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.chats.model import Turn
from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages
from desktop.common.wording import Language, format_number
from desktop.library.model import GUIDE_NAME
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.words import tokens_per_s

_SHORTEST_S = 0.1

# Answers from outside the window are stored with the name that the file gives itself.
GUIDE_NAME_IN_FILE = "Hausgeist Guide"


def display_name(model: str) -> str:
    """How a model of the library is called in the window; the guide has a name in words."""
    if model in (GUIDE_NAME, GUIDE_NAME_IN_FILE):
        return QCoreApplication.translate("Models", "Hausgeist guide")
    return model


def view_turn(turn: Turn, messages: Messages, *, mark: str = "", notice: str = "") -> ViewTurn:
    """One stored turn with its words."""
    if turn.role == "user":
        return ViewTurn(turn.id, "user", turn.text, mark=mark, can_edit=True)
    error = ""
    if turn.state == "failed":
        failure = HausgeistError(turn.error_kind or "internal")
        failure.params = turn.error_params
        error = messages.error(failure)
    return ViewTurn(
        turn.id,
        turn.role,
        turn.text,
        author="Hausgeist",
        detail=display_name(turn.model),
        footer=_footer(turn, messages.language),
        state=turn.state,
        error=error,
        notice=notice or _notice(turn),
        mark=mark,
        can_regenerate=turn.state != "streaming",
    )


def _notice(turn: Turn) -> str:
    if turn.state == "stopped":
        return QCoreApplication.translate("Transcript", "Stopped")
    if turn.state == "interrupted":
        return QCoreApplication.translate(
            "Transcript", "Hausgeist was closed while this was being written."
        )
    return ""


def _footer(turn: Turn, language: Language) -> str:
    parts = []
    if turn.seconds is not None and turn.seconds > 0:
        digits = 1 if turn.seconds < 10 else 0
        below = "< " if turn.seconds < _SHORTEST_S else ""
        shown = format_number(max(turn.seconds, _SHORTEST_S), language, digits)
        parts.append(f"{below}{shown} s")
    if turn.tokens_per_s:
        parts.append(tokens_per_s(turn.tokens_per_s, language))
    return " · ".join(parts)
