"""What open models have read of the chats, kept for their next turn; it goes with the chat."""

from __future__ import annotations

import logging
import shutil
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil

from desktop.common.errors import EngineError
from desktop.common.paths import Paths
from desktop.common.settings import Settings
from desktop.engine.engine import Engine
from desktop.engine.isolated import IsolatedEngine, load_isolated
from desktop.engine.keeping import Keeping
from desktop.engine.local import LocalEngine, load
from desktop.engine.states.state_files import forget_states
from desktop.services.open_load import OpenTools

STATES_FOLDER = "states"
_log = logging.getLogger(__name__)
T = TypeVar("T", bound=Engine)
_SHARE_OF_MEMORY = 8
_MOST_MEMORY_BYTES = 4 << 30
_LEAST_FREE_SHARE = 4
_MOST_DISK_BYTES = 16 << 30


class KeptStates:
    """Loads models so that they keep states, within what this machine has room for.

    Files lie in `folder` where the settings allow it, in plain form like the chats themselves.
    Every method may be called by any thread.
    """

    def __init__(
        self,
        folder: Path,
        settings: Callable[[], Settings],
        *,
        memory_bytes: int,
        free_disk_bytes: Callable[[Path], int],
    ) -> None:
        """`memory_bytes` is all main memory."""
        self._folder = folder
        self._settings = settings
        self._memory_bytes = memory_bytes
        self._free_disk_bytes = free_disk_bytes
        self._lock = threading.Lock()
        self._engines: weakref.WeakSet[Engine] = weakref.WeakSet()

    @classmethod
    def of(cls, paths: Paths, settings: Callable[[], Settings]) -> Self:
        """As this machine is."""
        return cls(
            paths.cache_dir / STATES_FOLDER,
            settings,
            memory_bytes=psutil.virtual_memory().total,
            free_disk_bytes=_free_bytes,
        )

    @property
    def tools(self) -> OpenTools:
        """What opens models so."""
        return OpenTools(load=self.load, load_apart=self.load_apart)

    def keeping(self) -> Keeping:
        """For a model that is opened now."""
        memory_bytes = min(self._memory_bytes // _SHARE_OF_MEMORY, _MOST_MEMORY_BYTES)
        if not self._settings().keep_states:
            self.forget_files()
            return Keeping(memory_bytes)
        free = self._free_disk_bytes(self._folder.parent)
        disk_bytes = min(free // _LEAST_FREE_SHARE, _MOST_DISK_BYTES)
        return Keeping(memory_bytes, self._folder, disk_bytes)

    def load(self, *arguments: Any, **named: Any) -> LocalEngine:
        """As `engine.local.load`."""
        return self._known(load(*arguments, keeping=self.keeping(), **named))

    def load_apart(self, *arguments: Any, **named: Any) -> IsolatedEngine:
        """As `engine.isolated.load_isolated`."""
        return self._known(load_isolated(*arguments, keeping=self.keeping(), **named))

    def forget(self, chat_id: str) -> None:
        """A chat was deleted."""
        with self._lock:
            engines = list(self._engines)
        for engine in engines:
            try:
                engine.forget(chat_id)
            except EngineError as error:  # it is going, and takes its memory along
                _log.info("a model that is closing cannot forget a chat: %s", error)
        forget_states(self._folder, chat_id)

    def forget_files(self) -> None:
        """Nothing is to lie on the disk any more."""
        forget_states(self._folder)

    def close(self) -> None:
        """The models are closed, and may have written once more what is not wanted any longer."""
        if not self._settings().keep_states:
            self.forget_files()

    def _known(self, engine: T) -> T:
        with self._lock:
            self._engines.add(engine)
        return engine


def _free_bytes(folder: Path) -> int:
    """Of the disk below `folder`; 0 where nobody tells."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
