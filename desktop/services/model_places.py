"""The folders in which models lie: choose them, and know which are there."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from desktop.common.errors import StorageError, UsageError
from desktop.common.paths import Paths
from desktop.common.settings import Settings, SettingsStore
from desktop.common.storage import free_bytes, storage_error
from desktop.library.folders import (
    FolderRole,
    ModelFolder,
    drive_root,
    is_bare,
    is_present,
    is_writable,
)

__all__ = ["ModelFolder", "ModelPlaces"]

PATIENCE_S = 2.0


class ModelPlaces:
    """Reads the settings at every question, so that both fronts see one truth.

    May be called from any thread. `choose_main` and `add` ask the disk and may take as long as a
    network drive sleeps, `all` two seconds: not on the window's thread.
    """

    def __init__(
        self,
        paths: Paths,
        settings_store: SettingsStore,
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """`free` tells the bytes that are free in a folder."""
        self._paths = paths
        self._store = settings_store
        self._free = free
        self._lock = threading.Lock()
        self._looks: dict[Path, _Look] = {}

    def main(self) -> Path:
        """Where new models go; touches no disk but the settings file."""
        chosen = self._store.now().models_folder
        return Path(chosen) if chosen else self._paths.models_dir

    def for_new(self) -> Path:
        """As `main`, made where it is missing.

        Raises StorageError: models_drive_gone while its drive is not connected (a folder of that
        name on the wrong drive would be filled instead), read_only, storage.
        """
        main = self.main()
        if main.is_dir():
            return main
        root = drive_root(main)
        is_gone = root is not None and is_bare(root)
        if main != self._paths.models_dir and (is_gone or not main.parent.is_dir()):
            raise StorageError("models_drive_gone", path=str(main))
        try:
            main.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, main) from error
        return main

    def folders(self) -> tuple[Path, ...]:
        """All folders, `main` first; what was the app's own folder stays known."""
        settings = self._store.now()
        chosen = Path(settings.models_folder) if settings.models_folder else self._paths.models_dir
        more = [Path(text) for text in settings.more_folders if text]
        return tuple(dict.fromkeys([chosen, self._paths.models_dir, *more]))

    def is_ours(self, folder: Path) -> bool:
        """Whether what lies there is the app's own: removing a model there deletes its file."""
        return folder in (self.main(), self._paths.models_dir)

    def all(self, patience_s: float = PATIENCE_S) -> tuple[ModelFolder, ...]:
        """Every folder as it is now, `main` first; one that has not answered after `patience_s`
        is told as not present."""
        main, *more = self.folders()
        shown = [path for path in more if path != self._paths.models_dir or _has_files(path)]
        roles: dict[Path, FolderRole] = {main: "main", **dict.fromkeys(shown, "more")}
        looks = {path: self._start_look(path, role) for path, role in roles.items()}
        deadline = time.monotonic() + patience_s
        for look in looks.values():
            look.thread.join(max(0.0, deadline - time.monotonic()))
        return tuple(
            look.found or ModelFolder(path, roles[path], False, False, None)  # noqa: FBT003
            for path, look in looks.items()
        )

    def _start_look(self, path: Path, role: FolderRole) -> _Look:
        """Look at one folder beside the others; who asks meanwhile shares the answer, so that a
        drive that hangs holds one thread and not many."""
        with self._lock:
            look = self._looks.get(path)
            if look is None or not look.thread.is_alive():
                look = _Look(lambda: self._look(path, role))
                self._looks[path] = look
                look.thread.start()
            return look

    def choose_main(self, path: Path) -> ModelFolder:
        """New models go to `path` from now on; those that are elsewhere stay there, and known.

        Raises StorageError (read_only, disk_full, storage) where nothing can be written there.
        """
        path = path.expanduser().absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error
        if not is_writable(path):
            raise StorageError("read_only", path=str(path))
        with self._lock:
            settings = self._store.now()
            old = settings.models_folder
            more = [text for text in settings.more_folders if Path(text) != path]
            if old and Path(old) != path:
                more.append(old)
            chosen = "" if path == self._paths.models_dir else str(path)
            self._store.update(models_folder=chosen, more_folders=tuple(more))
        return self._look(path, "main")

    def add(self, path: Path) -> ModelFolder:
        """Know the models in `path`, too; raises UsageError("not_a_folder")."""
        path = path.expanduser().absolute()
        if not path.is_dir():
            raise UsageError("not_a_folder", path=str(path))
        with self._lock:
            if path not in self.folders():
                more = self._store.now().more_folders
                self._store.update(more_folders=(*more, str(path)))
        return self._look(path, "main" if path == self.main() else "more")

    def remove(self, path: Path) -> Settings:
        """Look no longer into `path`; its files stay. Raises UsageError("main_folder_stays")."""
        if path == self.main():
            raise UsageError("main_folder_stays", path=str(path))
        with self._lock:
            before = self._store.now()
            left = tuple(text for text in before.more_folders if Path(text) != path)
            return self._store.update(more_folders=left) if left != before.more_folders else before

    def _look(self, path: Path, role: FolderRole) -> ModelFolder:
        if not is_present(path):
            # The app's own folder is made when something is put into it.
            own = path == self._paths.models_dir
            free_bytes = self._left(path) if own else None
            return ModelFolder(path, role, present=own, writable=own, free_bytes=free_bytes)
        writable = is_writable(path)
        if role == "more" and not writable:
            role = "shared"
        return ModelFolder(path, role, present=True, writable=writable, free_bytes=self._left(path))

    def _left(self, path: Path) -> int | None:
        try:
            return self._free(path)
        except StorageError:
            return None


class _Look:
    """One look at one folder; `found` once it is over."""

    def __init__(self, look: Callable[[], ModelFolder]) -> None:
        self.found: ModelFolder | None = None
        self._look = look
        self.thread = threading.Thread(target=self._run, name="model-places", daemon=True)

    def _run(self) -> None:
        self.found = self._look()


def _has_files(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except OSError:
        return False
