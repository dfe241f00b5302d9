"""What other programs keep on this computer: looked for once, offered without insisting."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.import_stores import FoundStore

LANE = "stores"

STORE_NAMES = {
    "ollama": "Ollama",
    "lmstudio": "LM Studio",
    "jan": "Jan",
    "gpt4all": "GPT4All",
    "huggingface": "Hugging Face",
    "llamacpp": "llama.cpp",
}


class Others(QObject):
    """`found` is None until somebody has looked."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._looking = False
        self.found: tuple[FoundStore, ...] | None = None
        self.error: HausgeistError | None = None

    @property
    def new(self) -> tuple[FoundStore, ...]:
        """The stores with models that are not in the library yet."""
        return tuple(store for store in self.found or () if store.new)

    @property
    def worth_a_word(self) -> bool:
        """Whether there is something that nobody has said "not now" to."""
        return bool(self.new) and self._session.settings.found_elsewhere != self._digest()

    def look(self) -> None:
        """Look (again), in the background."""
        services = self._session.services
        if services is None or self._looking:
            return
        self._looking = True
        self._session.bridge.run(LANE, services.store_importer.found, self._know, self._fail)

    def look_once(self) -> None:
        """Look unless that was done."""
        if self.found is None:
            self.look()

    def not_now(self) -> None:
        """Say no more of what is there now; of something new, yes."""
        self._session.change(found_elsewhere=self._digest())
        self.changed.emit()

    def _know(self, found: tuple[FoundStore, ...]) -> None:
        self._looking = False
        self.found, self.error = found, None
        self.changed.emit()

    def _fail(self, error: HausgeistError) -> None:
        """Nobody asked for it, so nobody is told before they do."""
        self._looking = False
        self.error = error
        self.changed.emit()

    def _digest(self) -> str:
        names = sorted(f"{store.store}/{model.name}" for store in self.new for model in store.new)
        return hashlib.blake2b("\n".join(names).encode(), digest_size=8).hexdigest()
