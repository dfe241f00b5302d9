"""What the whole window shares: settings, words, the services once they are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages
from desktop.common.paths import Paths
from desktop.common.settings import Settings, SettingsStore
from desktop.common.wording import Language
from desktop.ui.bridge import Bridge
from desktop.ui.log import log
from desktop.ui.notice import Banner, Toast

if TYPE_CHECKING:  # the services import half the house: only after the first paint
    from desktop.services.wiring import Services


class Session(QObject):
    """One run of the window. `services` is None until they are wired in the background."""

    ready = Signal()
    told = Signal(object)
    settings_changed = Signal()

    def __init__(
        self,
        bridge: Bridge,
        paths: Paths,
        store: SettingsStore,
        settings: Settings,
        messages: Messages,
    ) -> None:
        super().__init__()
        self.bridge = bridge
        self.paths = paths
        self.settings = settings
        self.messages = messages
        self.services: Services | None = None
        self._store = store

    @property
    def language(self) -> Language:
        return self.messages.language

    def tell(self, notice: Toast | Banner) -> None:
        """Show a toast or a banner."""
        self.told.emit(notice)

    def tell_error(self, error: HausgeistError) -> None:
        """Show what went wrong, in words."""
        log.warning("told: %s", error)
        self.tell(Banner(f"error.{error.kind}", self.messages.error(error), "bad"))

    def provide(self, services: Services) -> None:
        """The services are wired; whoever waited for them starts now."""
        self.services = services
        self.ready.emit()

    def change(self, **values: Any) -> None:
        """Change settings and write them down."""
        changed = replace(self.settings, **values)
        if changed == self.settings:
            return
        self.settings = changed
        self.bridge.run("settings", lambda: self._store.update(**values), _nothing, self.tell_error)
        self.settings_changed.emit()

    def when_written(self, run: Callable[[], object]) -> None:
        """Call `run` once all changes so far are in the file, where other threads read them."""

        def written(_result: object) -> None:
            run()

        self.bridge.run("settings", lambda: None, written, self.tell_error)

    def speak(self, messages: Messages) -> None:
        """Use another language from now on."""
        self.messages = messages


def _nothing(_result: object) -> None:
    """For work whose result nobody needs."""
