"""Is a model still what it was? Every byte is read and compared, in the background."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.wording import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.ui.model_names import display_name
from desktop.ui.notice import Banner, Toast
from desktop.ui.session import Session
from desktop.ui.works import Work, Works

if TYPE_CHECKING:
    from desktop.services.verify import Verification


class Verifying(QObject):
    """One model after the other; `ended` when something may have become known."""

    ended = Signal()

    def __init__(self, session: Session, works: Works) -> None:
        super().__init__()
        self._session = session
        self._works = works

    def begin(self, name: str) -> None:
        """Verify a model of the library, unless that is under way."""
        services = self._session.services
        if services is None or self._works.of("verify", name) is not None:
            return
        verifier = services.verifier

        def run(tell: Callable[[object], None], token: CancelToken) -> Verification:
            return verifier.verify(name, lambda done, total: tell((done, total)), token)

        words = self.tr("Verifying “{name}” …").format(name=display_name(name))
        self._works.start(
            Work("verify", name, words), run, self._done, show=partial(self._show, words)
        )

    def _show(self, words: str, work: Work, progress: tuple[int, int]) -> None:
        done, total = progress
        language = self._session.language
        work.words = self.tr("{what}  {done} of {total}").format(
            what=words, done=format_bytes(done, language), total=format_bytes(total, language)
        )
        work.fraction = done / total if total else 1.0

    def _done(self, found: Verification) -> None:
        self.ended.emit()
        name = display_name(found.model)
        if found.ok is False:
            wrong = ", ".join(path.name for path in found.wrong)
            words = self.tr(
                "“{name}” is damaged: {files} is no longer what it was. Its answers may be wrong. "
                "Remove it and fetch it again."
            )
            key = f"verify.{found.model}"
            self._session.tell(Banner(key, words.format(name=name, files=wrong), "bad"))
            return
        if found.ok is None:
            words = self.tr(
                "Nobody knows what “{name}” should be. How it is now is kept, to compare it with "
                "the next time."
            )
        elif found.basis == "origin":
            words = self.tr("“{name}” is whole: every byte is as it was where it came from.")
        else:
            words = self.tr("“{name}” is whole: every byte is as it was when it came here.")
        self._session.tell(Toast(words.format(name=name)))
