"""What the window gives the transcript to show: plain data, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant", "system"]
State = Literal["complete", "streaming", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class ViewTurn:
    """One message as it is shown. All strings but `text` are translated words for a person.

    `text` is Markdown for the assistant and shown as typed for the user. `detail` stands small
    beside the author (the model), `footer` at the right below ("24 s · 9 tokens/s"), `error` is
    the sentence of a failed turn, `notice` one of a turn that ended early, `mark` a divider above
    the turn ("older messages were left out here").
    """

    id: int
    role: Role
    text: str
    author: str = ""
    detail: str = ""
    footer: str = ""
    state: State = "complete"
    error: str = ""
    notice: str = ""
    mark: str = ""
    can_regenerate: bool = False
    can_edit: bool = False
