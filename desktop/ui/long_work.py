"""Minutes of work that a page begins and that go on behind everything else."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.common.wording import format_duration
from desktop.ui.notice import Action
from desktop.ui.session import Session
from desktop.ui.works import Works


class LongWork(QObject):
    """What `Works` runs, and what is told of it; `use_wanted`: somebody wants to chat with the
    model of that name."""

    ended = Signal()
    use_wanted = Signal(str)

    def __init__(self, session: Session, works: Works) -> None:
        super().__init__()
        self._session = session
        self._works = works

    def _chat_with(self, name: str) -> Action:
        return Action(self.tr("Chat with it"), partial(self.use_wanted.emit, name))

    def _with_time(self, words: str, left_s: float | None) -> str:
        """`words` with the time that is left, once it is known."""
        if left_s is None:
            return words
        left = format_duration(left_s, self._session.language)
        return words + " · " + self.tr("{time} left").format(time=left)
