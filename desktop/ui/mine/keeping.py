"""The folders of models: which there are, where new ones go, and moving models between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.common.storage import storage_error
from desktop.common.wording import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.ui.notice import Banner, Toast
from desktop.ui.session import Session
from desktop.ui.works import Work, Works

if TYPE_CHECKING:
    from desktop.library.folders import ModelFolder
    from desktop.services.model_places import ModelPlaces
    from desktop.services.move_models import MovedModel, MoveProgress
    from desktop.services.wiring import Services

ASK_LANE = "folders"
CHANGE_LANE = "settings"
"""The settings' own: whoever writes that file waits for the other."""


class Keeping(QObject):
    """`folders` as they were when last asked, the first is where new models go."""

    changed = Signal()
    moved = Signal()

    def __init__(self, session: Session, works: Works) -> None:
        super().__init__()
        self._session = session
        self._works = works
        self.folders: tuple[ModelFolder, ...] = ()

    @property
    def free_bytes(self) -> int | None:
        """What is free where new models go; None while nobody knows."""
        return self.folders[0].free_bytes if self.folders else None

    @property
    def moving(self) -> bool:
        return self._works.of("move") is not None

    def ask(self) -> None:
        """Ask the disks how the folders are; a drive that sleeps answers after seconds."""
        services = self._session.services
        if services is not None:
            self._session.bridge.run(
                ASK_LANE, services.places.all, self._know, self._session.tell_error
            )

    def choose_main(self, path: Path) -> None:
        """New models go there from now on."""
        self._change(lambda places: places.choose_main(path))

    def add(self, path: Path) -> None:
        """Know the models in a folder, too."""
        self._change(lambda places: places.add(path))

    def remove(self, path: Path) -> None:
        """Look no longer into a folder; its files stay."""
        self._change(lambda places: places.remove(path))

    def move(self, names: Sequence[str], target: Path, words: str) -> None:
        """Move models into a folder, which is one of ours from then on; one move at a time."""
        services = self._session.services
        if services is None or not names:
            return
        if self.moving:
            self._session.tell(Toast(self.tr("Models are being moved already.")))
            return

        def know(places: ModelPlaces) -> None:
            target.mkdir(parents=True, exist_ok=True)
            places.add(target)

        self._change(know, lambda: self._start(services, names, target, words))

    def _start(self, services: Services, names: Sequence[str], target: Path, words: str) -> None:
        mover = services.mover

        def run(tell: Callable[[object], None], token: CancelToken) -> tuple[MovedModel, ...]:
            return mover.move(names, target, tell, token)

        self._works.start(
            Work("move", str(target), words),
            run,
            self._moved,
            show=self._show,
            failed=self._failed,
            stopped=self._stopped,
        )

    def _change(
        self, change: Callable[[ModelPlaces], object], then: Callable[[], None] | None = None
    ) -> None:
        services = self._session.services
        if services is None:
            return
        places = services.places

        def run() -> None:
            try:
                change(places)
            except OSError as error:
                raise storage_error(error, places.main()) from error

        def done(_nothing: None) -> None:
            # The file was written beside the session, whose copy must not undo that.
            self._adopt(services)
            services.library_watch.look_now()
            self.ask()
            if then is not None:
                then()

        self._session.bridge.run(CHANGE_LANE, run, done, self._session.tell_error)

    def _adopt(self, services: Services) -> None:
        written = services.settings_store.load()
        session = self._session
        session.settings = replace(
            session.settings,
            models_folder=written.models_folder,
            more_folders=written.more_folders,
        )

    def _know(self, folders: tuple[ModelFolder, ...]) -> None:
        if folders != self.folders:
            self.folders = folders
            self.changed.emit()

    def _show(self, work: Work, progress: MoveProgress) -> None:
        language = self._session.language
        words = self.tr("Moving “{name}” ({number} of {count}): {done} of {total}")
        work.words = words.format(
            name=progress.name,
            number=progress.number,
            count=progress.count,
            done=format_bytes(progress.done_bytes, language),
            total=format_bytes(progress.total_bytes, language),
        )
        work.fraction = progress.fraction

    def _end(self) -> None:
        self.moved.emit()
        self.ask()

    def _stopped(self) -> None:
        self._end()
        words = self.tr("Moving was stopped. What was moved already stays where it is now.")
        self._session.tell(Toast(words))

    def _failed(self, error: HausgeistError) -> None:
        self._end()
        self._session.tell_error(error)

    def _moved(self, models: tuple[MovedModel, ...]) -> None:
        self._end()
        errors = [self._session.messages.error(one.error) for one in models if one.error]
        if errors:
            self._session.tell(Banner("move", "\n".join(errors[:3]), "bad"))
        kept = [one.name for one in models if one.kept_original]
        if kept:
            words = self.tr("The original of {names} stays where it was: it is in use or not ours.")
            self._session.tell(Banner("move.kept", words.format(names=", ".join(kept)), "info"))
        good = [one for one in models if one.model is not None]
        if good:
            self._session.tell(Toast(self.tr("%n model(s) were moved.", "", len(good))))
