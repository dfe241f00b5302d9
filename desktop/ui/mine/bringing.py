"""Bringing models in: files, folders, and what other programs keep on this computer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from desktop.common.errors import HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.ui.long_work import LongWork
from desktop.ui.notice import Banner, Toast
from desktop.ui.words import Counted
from desktop.ui.works import Work

if TYPE_CHECKING:
    from desktop.library.stores.model import StoreModel
    from desktop.services.models import ImportProgress, ImportResult

SHOWN_FAILURES = 3


class Bringing(LongWork):
    """One import at a time; `imported` tells of the first model, `ended` of the end."""

    imported = Signal(object)

    def files(self, paths: list[Path], *, copy: bool = False) -> None:
        """Import files and folders; what becomes of them is told."""
        services = self._session.services
        if services is None or not paths:
            return
        service = services.models_service

        def run(tell: Callable[[object], None], token: CancelToken) -> list[ImportResult]:
            return service.import_paths(paths, copy=copy, progress=tell, cancel=token)

        self._start(run)

    def from_stores(self, models: Sequence[StoreModel], *, copy: bool = False) -> None:
        """Take in what another program keeps, where it lies unless `copy`."""
        services = self._session.services
        if services is None or not models:
            return
        importer = services.store_importer

        def run(tell: Callable[[object], None], token: CancelToken) -> list[ImportResult]:
            return importer.take_in(models, copy=copy, progress=tell, cancel=token)

        self._start(run)

    def cancel(self) -> None:
        """Stop the import; what is in stays in."""
        work = self._works.of("import")
        if work is not None:
            work.cancel()

    def _start(
        self, run: Callable[[Callable[[object], None], CancelToken], list[ImportResult]]
    ) -> None:
        if self._works.of("import") is not None:
            self._session.tell(Toast(self.tr("An import is running already.")))
            return
        self._works.start(
            Work("import", "", self.tr("Looking at the files …")),
            run,
            self._done,
            show=self._show,
            failed=self._failed,
            stopped=self._stopped,
        )

    def _show(self, work: Work, progress: ImportProgress) -> None:
        words = self.tr("{name}: file {number} of {total}")
        work.words = words.format(
            name=progress.path.name, number=progress.done + 1, total=progress.total
        )
        work.fraction = (progress.done + progress.fraction) / max(1, progress.total)

    def _stopped(self) -> None:
        self.ended.emit()
        self._session.tell(Toast(self.tr("The import was stopped.")))

    def _failed(self, error: HausgeistError) -> None:
        self.ended.emit()
        self._session.tell_error(error)

    def _done(self, results: list[ImportResult]) -> None:
        self.ended.emit()
        good = [result.model for result in results if result.model is not None]
        errors = [result.error for result in results if result.error is not None]
        sentences = [self._session.messages.error(error) for error in errors]
        if sentences:
            more = len(sentences) - SHOWN_FAILURES
            shown = sentences[:SHOWN_FAILURES]
            if more > 0:
                shown.append(Counted().more_failed(more))
            self._session.tell(Banner("import", "\n".join(shown), "bad"))
        if len(good) == 1:
            words = self.tr("“{name}” is in your models.").format(name=good[0].name)
            self._session.tell(Toast(words, self._chat_with(good[0].name)))
        elif good:
            self._session.tell(Toast(Counted().imported(len(good))))
        for model in good[:1]:
            self.imported.emit(model)
