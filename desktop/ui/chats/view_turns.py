"""Stored turns as the transcript shows them: with words for states, speeds and errors."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.chats.model import Turn
from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages
from desktop.common.wording import format_number
from desktop.ui.model_names import display_name
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.words import tokens_per_s

_SHORTEST_S = 0.1


def view_turn(turn: Turn, messages: Messages, *, mark: str = "", notice: str = "") -> ViewTurn:
    """One stored turn with its words."""
    return TurnWords(messages).view(turn, mark=mark, notice=notice)


class TurnWords:
    """Puts turns into words; a long chat has few different ones, each is said once."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._language = messages.language
        self._names: dict[str, str] = {}
        self._times: dict[float, str] = {}
        self._speeds: dict[float, str] = {}

    def view(self, turn: Turn, *, mark: str = "", notice: str = "") -> ViewTurn:
        """One stored turn with its words."""
        if turn.role == "user":
            return ViewTurn(turn.id, "user", turn.text, mark=mark, can_edit=True)
        error = ""
        if turn.state == "failed":
            failure = HausgeistError(turn.error_kind or "internal")
            failure.params = turn.error_params
            error = self._messages.error(failure)
        name = self._names.get(turn.model)
        if name is None:
            name = self._names[turn.model] = display_name(turn.model)
        return ViewTurn(
            turn.id,
            turn.role,
            turn.text,
            author="Hausgeist",
            detail=name,
            footer=self._footer(turn),
            state=turn.state,
            error=error,
            notice=notice or _notice(turn),
            mark=mark,
            can_regenerate=turn.state != "streaming",
        )

    def _footer(self, turn: Turn) -> str:
        time = self._time(turn.seconds) if turn.seconds and turn.seconds > 0 else ""
        speed = self._speed(turn.tokens_per_s) if turn.tokens_per_s else ""
        return f"{time} · {speed}" if time and speed else time or speed

    def _time(self, seconds: float) -> str:
        key = _as_shown(seconds)
        said = self._times.get(key)
        if said is None:
            shown = format_number(max(key, _SHORTEST_S), self._language, 1 if key < 10 else 0)
            said = self._times[key] = f"{shown} s" if key else f"< {shown} s"
        return said

    def _speed(self, speed: float) -> str:
        key = _as_shown(speed)
        said = self._speeds.get(key)
        if said is None:
            said = self._speeds[key] = tokens_per_s(key, self._language)
        return said


def _as_shown(value: float) -> float:
    """With one digit below ten, as a whole number above."""
    return round(value, 1) if value < 10 else float(round(value))


def _notice(turn: Turn) -> str:
    if turn.state == "stopped":
        return QCoreApplication.translate("Transcript", "Stopped")
    if turn.state == "interrupted":
        return QCoreApplication.translate(
            "Transcript", "Hausgeist was closed while this was being written."
        )
    return ""
