"""The models on this disk as the window knows them: listed, judged, brought in, let go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.library.model import LibraryModel
from desktop.ui.bridge import Batch
from desktop.ui.mine.bringing import Bringing
from desktop.ui.mine.keeping import Keeping
from desktop.ui.mine.leaving import Leaving
from desktop.ui.mine.others import Others
from desktop.ui.mine.shrinking import Shrinking
from desktop.ui.mine.verdicts import Verdicts
from desktop.ui.mine.verifying import Verifying
from desktop.ui.model_session import ModelSession
from desktop.ui.packs.packing import Packing
from desktop.ui.session import Session
from desktop.ui.works import Works

if TYPE_CHECKING:
    from desktop.fit.types import FitReport
    from desktop.hardware.machine import Machine
    from desktop.services.model_details import ModelCloseUp
    from desktop.services.removal import Removal
    from desktop.services.wiring import Services

LANE = "library"


@dataclass(frozen=True, slots=True)
class SeenClosely:
    """`hashes` are what each part is to be by SHA-256, `duplicates` the same model elsewhere."""

    close_up: ModelCloseUp
    hashes: tuple[str, ...]
    duplicates: tuple[Path, ...]


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
        self._all: list[LibraryModel] = []
        self._machine: Machine | None = None
        self.works = Works(session)
        self.bringing = Bringing(session, self.works)
        self.leaving = Leaving(session, undo_ms)
        self.verifying = Verifying(session, self.works)
        self.keeping = Keeping(session, self.works)
        self.shrinking = Shrinking(session, self.works)
        self.packing = Packing(session, self.works)
        self.others = Others(session)
        self._verdicts = Verdicts(session)
        self.loaded = False
        session.ready.connect(self._begin)
        model.became_ready.connect(self._was_used)
        self.bringing.ended.connect(self.reload)
        self.bringing.imported.connect(self.imported)
        self.bringing.use_wanted.connect(self._use)
        self.leaving.left.connect(self.reload)
        self.verifying.ended.connect(self.reload)
        self.keeping.moved.connect(self.reload)
        self.shrinking.ended.connect(self.reload)
        self.packing.ended.connect(self.reload)
        self.shrinking.use_wanted.connect(self._use)
        self.packing.use_wanted.connect(self._use)
        self.bringing.ended.connect(self._look_elsewhere_again)
        self.leaving.changed.connect(self.changed)
        self._verdicts.changed.connect(self.changed)

    @property
    def models(self) -> list[LibraryModel]:
        return [model for model in self._all if model.name not in self.leaving]

    @property
    def reports(self) -> dict[str, FitReport | None]:
        """The verdicts that are known, by the models' names."""
        return self._verdicts.reports

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
        """Read the list again, and ask the folders how they are."""
        services = self._session.services
        if services is not None:
            self._session.bridge.run(
                LANE, services.models_service.list, self._listed, self._session.tell_error
            )
            self.keeping.ask()

    def look_closely(
        self,
        model: LibraryModel,
        done: Callable[[SeenClosely], None],
        failed: Callable[[HausgeistError], None],
    ) -> None:
        """Read what the details of `model` need, in the background."""
        services = self._session.services
        if services is not None:
            work = partial(_looked_closely, services, self._machine, model)
            self._session.bridge.run(LANE, work, done, failed)

    def bring_in(self, paths: list[Path], *, copy: bool = False) -> None:
        """Import files and folders; what becomes of them is told."""
        self.bringing.files(paths, copy=copy)

    def cancel_import(self) -> None:
        """Stop the import; what is in stays in."""
        self.bringing.cancel()

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

    def remove(
        self,
        name: str,
        removal: Removal | None = None,
        *,
        delete: bool | None = None,
        for_good: bool = False,
    ) -> None:
        """Take a model off the list; it is really removed when the time for undo is over."""
        if name not in self.leaving and any(model.name == name for model in self._all):
            self._model.forget(name)
            self.leaving.begin(name, removal, delete=delete, for_good=for_good)

    def finish(self) -> None:
        """The window closes: what was removed is removed now, what is under way stops."""
        self.works.finish()
        self._verdicts.finish()
        self.leaving.finish()

    def _begin(self) -> None:
        """The services are there: read the list, and notice from now on what others change."""
        services = self._session.services
        if services is not None:
            tell = partial(self._session.bridge.post, self._changed_by_others)
            services.library_watch.subscribe(tell)
            services.library_watch.start()
        self.reload()

    def _changed_by_others(self, _changes: Batch) -> None:
        self.reload()

    def _look_elsewhere_again(self) -> None:
        if self.others.found is not None:
            self.others.look()

    def _was_used(self) -> None:
        self._verdicts.forget(self._model.state.name)
        self.reload()

    def _renamed(self, name: str, new_name: str) -> None:
        self._model.renamed(name, new_name)
        self.reload()

    def _listed(self, models: list[LibraryModel]) -> None:
        self.loaded = True
        self._all = models
        self.changed.emit()
        self._judge()

    def _judge(self) -> None:
        if self._machine is not None and self.loaded:
            self._verdicts.judge(self._all, self._machine)

    def _use(self, name: str) -> None:
        self._model.choose(name)
        self.chat_wanted.emit()


def _looked_closely(
    services: Services, machine: Machine | None, model: LibraryModel
) -> SeenClosely:
    from desktop.services.model_details import look_closely  # not before the first paint
    from desktop.services.tune_records import TUNE_RECORDS_FILE, TuneRecords

    hashes = services.library.hashes(model.name)
    duplicates = services.library.duplicates(model.name)
    records = TuneRecords(services.paths.data_dir / TUNE_RECORDS_FILE)
    if machine is None:
        return SeenClosely(look_closely(model, None, records=records), hashes, duplicates)
    corrections = services.history.corrections(machine)
    ours = services.held.by_device(machine)
    close_up = look_closely(model, machine, corrections=corrections, ours=ours, records=records)
    return SeenClosely(close_up, hashes, duplicates)
