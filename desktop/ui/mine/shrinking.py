"""Making a smaller version of a model: minutes of work that go on behind everything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.wording import format_bytes, format_duration
from desktop.engine.cancel import CancelToken
from desktop.ui.notice import Action, Toast
from desktop.ui.session import Session
from desktop.ui.works import Work, Works

if TYPE_CHECKING:
    from desktop.services.quantize import QuantizationProgress, QuantizedModel
    from desktop.services.quantize_plan import QuantizationPlan


class Shrinking(QObject):
    """One after the other; the original is never touched."""

    ended = Signal()
    use_wanted = Signal(str)

    def __init__(self, session: Session, works: Works) -> None:
        super().__init__()
        self._session = session
        self._works = works

    def begin(self, name: str, plan: QuantizationPlan) -> None:
        """Make what `plan` says of the model `name`."""
        services = self._session.services
        if services is None:
            return
        quantizer = services.quantizer

        def run(tell: Callable[[object], None], token: CancelToken) -> QuantizedModel:
            return quantizer.make(plan, progress=tell, cancel=token)

        words = self.tr("Making “{name}” as {kind}").format(name=name, kind=plan.quantization)
        self._works.start(
            Work("smaller", name, words),
            run,
            self._done,
            show=partial(self._show, words),
            stopped=self._stopped,
        )

    def _show(self, words: str, work: Work, progress: QuantizationProgress) -> None:
        work.fraction = progress.fraction
        percent = round(100 * progress.fraction)
        work.words = self.tr("{what}: {percent} %").format(what=words, percent=percent)
        if progress.left_s is not None:
            left = format_duration(progress.left_s, self._session.language)
            work.words += " · " + self.tr("{time} left").format(time=left)

    def _stopped(self) -> None:
        self._session.tell(Toast(self.tr("Stopped. The model is as it was; nothing was left.")))

    def _done(self, made: QuantizedModel) -> None:
        self.ended.emit()
        size = format_bytes(made.file_bytes, self._session.language)
        words = self.tr("“{name}” is in your models: {size}.")
        use = Action(self.tr("Chat with it"), partial(self.use_wanted.emit, made.model.name))
        self._session.tell(Toast(words.format(name=made.model.name, size=size), use))
