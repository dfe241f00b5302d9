"""Making a smaller version of a model: minutes of work that go on behind everything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from desktop.common.wording import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.ui.long_work import LongWork
from desktop.ui.notice import Toast
from desktop.ui.works import Work

if TYPE_CHECKING:
    from desktop.services.quantize import QuantizationProgress, QuantizedModel
    from desktop.services.quantize_plan import QuantizationPlan


class Shrinking(LongWork):
    """One after the other; the original is never touched."""

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
        text = self.tr("{what}: {percent} %").format(what=words, percent=percent)
        work.words = self._with_time(text, progress.left_s)

    def _stopped(self) -> None:
        self._session.tell(Toast(self.tr("Stopped. The model is as it was; nothing was left.")))

    def _done(self, made: QuantizedModel) -> None:
        self.ended.emit()
        size = format_bytes(made.file_bytes, self._session.language)
        words = self.tr("“{name}” is in your models: {size}.")
        told = words.format(name=made.model.name, size=size)
        self._session.tell(Toast(told, self._chat_with(made.model.name)))
