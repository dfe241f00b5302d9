"""The models on this disk as the window knows them: listed, judged, brought in, let go."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.common.errors import HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.library.model import LibraryModel
from desktop.ui.model_session import ModelSession
from desktop.ui.notice import Action, Banner, Toast
from desktop.ui.session import Session
from desktop.ui.words import Counted
from desktop.ui.works import Work, Works

if TYPE_CHECKING:
    from desktop.fit.types import FitReport
    from desktop.hardware.machine import Machine
    from desktop.services.model_details import ModelCloseUp
    from desktop.services.models import ImportProgress, ImportResult, ListedModel
    from desktop.services.wiring import Services

LANE = "library"
SHOWN_FAILURES = 3


class Shelf(QObject):
    """`models` are the library's, without those whose removal may still be undone."""

    changed = Signal()
    imported = Signal(object)
    chat_wanted = Signal()
    machine_known = Signal()

    def __init__(self, session: Session, model: ModelSession, undo_ms: int) -> None:
        super().__init__()
        self._session = session
        self._model = model
        self._undo_ms = undo_ms
        self.works = Works(session)
        self._all: list[LibraryModel] = []
        self._leaving: dict[str, QTimer] = {}
        self._machine: Machine | None = None
        self.loaded = False
        self.reports: dict[str, FitReport | None] = {}
        session.ready.connect(self.reload)
        model.became_ready.connect(self.reload)

    @property
    def models(self) -> list[LibraryModel]:
        return [model for model in self._all if model.name not in self._leaving]

    @property
    def machine(self) -> Machine | None:
        """What the models are measured by; None while nobody has looked."""
        return self._machine

    @property
    def importing(self) -> bool:
        return self.works.of("import") is not None

    def report_of(self, model: LibraryModel) -> FitReport | None:
        """The verdict on this machine; None while it is not known or cannot be."""
        return self.reports.get(model.name)

    def is_judged(self, model: LibraryModel) -> bool:
        """Whether its verdict has been computed, even if there is none."""
        return model.name in self.reports

    def judge_for(self, machine: Machine) -> None:
        """The machine is known (or looked at again): say of each model how it fits."""
        self._machine = machine
        self._judge()
        self.machine_known.emit()

    def reload(self) -> None:
        """Read the list again."""
        services = self._session.services
        if services is not None:
            self._session.bridge.run(
                LANE, services.models_service.list, self._listed, self._session.tell_error
            )

    def look_closely(
        self,
        model: LibraryModel,
        done: Callable[[ModelCloseUp], None],
        failed: Callable[[HausgeistError], None],
    ) -> None:
        """Read what the details of `model` need, in the background."""
        services = self._session.services
        if services is not None:
            work = partial(_looked_closely, services, self._machine, model)
            self._session.bridge.run(LANE, work, done, failed)

    def bring_in(self, paths: list[Path], *, copy: bool = False) -> None:
        """Import files and folders; what becomes of them is told."""
        services = self._session.services
        if services is None or not paths:
            return
        if self.importing:
            self._session.tell(Toast(self.tr("An import is running already.")))
            return

        def work(tell: Callable[[object], None], token: CancelToken) -> list[ImportResult]:
            return services.models_service.import_paths(
                paths, copy=copy, progress=tell, cancel=token
            )

        self.works.start(
            Work("import", "", self.tr("Looking at the files …")),
            work,
            self._brought_in,
            show=self._show_import,
            stopped=self._import_stopped,
        )

    def cancel_import(self) -> None:
        """Stop the import; what is in stays in."""
        work = self.works.of("import")
        if work is not None:
            work.cancel()

    def rename(self, name: str, new_name: str) -> None:
        """Call a model something else."""
        services = self._session.services
        if services is not None:
            library = services.library
            self._session.bridge.run(
                LANE,
                lambda: library.rename(name, new_name),
                lambda model: self._renamed(name, model.name),
                self._session.tell_error,
            )

    def _renamed(self, name: str, new_name: str) -> None:
        self._model.renamed(name, new_name)
        self.reload()

    def remove(self, name: str) -> None:
        """Take a model off the list; it is really removed when the time for undo is over."""
        if name in self._leaving or all(m.name != name for m in self._all):
            return
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(self._undo_ms)
        timer.timeout.connect(partial(self._remove_now, name))
        timer.start()
        self._leaving[name] = timer
        self._model.forget(name)
        self.changed.emit()
        undo = Action(self.tr("Undo"), partial(self._keep, name))
        self._session.tell(Toast(self.tr("“{name}” was removed.").format(name=name), undo))

    def finish(self) -> None:
        """The window closes: what was removed is removed now."""
        self.works.finish()
        for name in list(self._leaving):
            self._remove_now(name)

    def _keep(self, name: str) -> None:
        timer = self._leaving.pop(name, None)
        if timer is not None:
            timer.stop()
            self.changed.emit()

    def _remove_now(self, name: str) -> None:
        services = self._session.services
        timer = self._leaving.get(name)
        if services is None or timer is None:
            return
        timer.stop()

        def done(_result: object) -> None:
            self._leaving.pop(name, None)
            self.reload()

        def failed(error: HausgeistError) -> None:
            self._keep(name)
            self._session.tell_error(error)

        self._session.bridge.run(LANE, lambda: services.models_service.remove(name), done, failed)

    def _listed(self, models: list[LibraryModel]) -> None:
        self.loaded = True
        self._all = models
        self.changed.emit()
        self._judge()

    def _judge(self) -> None:
        services, machine = self._session.services, self._machine
        if services is None or machine is None or not self.loaded:
            return
        self._session.bridge.run(
            LANE, partial(_judged, services, machine), self._know, self._session.tell_error
        )

    def _know(self, listed: list[ListedModel]) -> None:
        self.reports = {entry.model.name: entry.report for entry in listed}
        self.changed.emit()

    def _show_import(self, work: Work, progress: ImportProgress) -> None:
        words = self.tr("{name}: file {number} of {total}")
        work.words = words.format(
            name=progress.path.name, number=progress.done + 1, total=progress.total
        )
        work.fraction = (progress.done + progress.fraction) / max(1, progress.total)

    def _import_stopped(self) -> None:
        self.reload()
        self._session.tell(Toast(self.tr("The import was stopped.")))

    def _brought_in(self, results: list[ImportResult]) -> None:
        self.reload()
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
            use = Action(self.tr("Chat with it"), partial(self._use, good[0].name))
            self._session.tell(
                Toast(self.tr("“{name}” is in your models.").format(name=good[0].name), use)
            )
        elif good:
            self._session.tell(Toast(Counted().imported(len(good))))
        for model in good[:1]:
            self.imported.emit(model)

    def _use(self, name: str) -> None:
        self._model.choose(name)
        self.chat_wanted.emit()


def _judged(services: Services, machine: Machine) -> list[ListedModel]:
    return services.models_service.with_fit(machine)


def _looked_closely(
    services: Services, machine: Machine | None, model: LibraryModel
) -> ModelCloseUp:
    from desktop.services.model_details import look_closely  # not before the first paint

    if machine is None:
        return look_closely(model, None)
    corrections = services.history.corrections(machine)
    ours = services.held.by_device(machine)
    return look_closely(model, machine, corrections=corrections, ours=ours)
