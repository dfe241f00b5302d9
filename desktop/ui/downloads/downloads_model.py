"""What is being fetched, as the window knows it: added, paused, moved, cancelled (or not)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.bridge import Batch
from desktop.ui.downloads.reachability import Reachability
from desktop.ui.notice import Action, Banner, Toast
from desktop.ui.session import Session

if TYPE_CHECKING:  # imported by the services: after the first paint
    from desktop.services.downloads import Downloads
    from desktop.services.downloads_entry import Download, DownloadState

COUNTDOWN_MS = 1000


class DownloadsModel(QObject):
    """Lives as long as the window's house. `entries` are the queue without those whose
    cancelling may still be undone."""

    changed = Signal()
    """One came, went, moved or took another state."""
    progressed = Signal()
    """Only figures are new."""
    arrived = Signal(object)
    """A `Download` is whole, and its model in the library."""
    chat_wanted = Signal(str)
    """Chat with the model of that name."""
    shown = Signal()
    """Somebody wants to see the downloads."""

    def __init__(self, session: Session, undo_ms: int) -> None:
        super().__init__()
        self._session = session
        self._undo_ms = undo_ms
        self._queue: tuple[Download, ...] = ()
        self._leaving: dict[str, QTimer] = {}
        self._resumed_if_kept: set[str] = set()
        self._added: set[str] = set()
        self._end: Callable[[], None] = _nothing
        self.entries: tuple[Download, ...] = ()
        self._reach = Reachability(self)
        self._countdown = QTimer(self)
        self._countdown.setInterval(COUNTDOWN_MS)
        self._countdown.timeout.connect(self._count_down)
        session.ready.connect(self._begin)
        session.settings_changed.connect(self._apply_settings)

    # For everybody

    def add(self, reference: str, *, name: str = "", with_projector: bool = True) -> None:
        """Fetch ``org/repo:FILE`` (or ``:QUANT``); what goes wrong is told. `name`: what people
        call the model."""
        downloads = self._downloads
        if downloads is None:
            return
        try:
            entry = downloads.add(reference, name=name, with_projector=with_projector)
        except HausgeistError as error:
            self._session.tell_error(error)
            return
        self._added.add(entry.id)
        self._stay(entry.id)

    def entry_of(self, reference: str) -> Download | None:
        """The download of that model; None where there is none."""
        downloads = self._downloads
        if downloads is None:
            return None
        try:
            found = downloads.find(reference)
        except HausgeistError:  # no reference to the Hub
            return None
        return None if found is None or found.id in self._leaving else found

    def is_known(self, reference: str) -> DownloadState | None:
        """How far the download of `reference` is; None where there is none."""
        found = self.entry_of(reference)
        return None if found is None else found.state

    @property
    def active(self) -> tuple[Download, ...]:
        """Those that have not ended and are not paused."""
        return tuple(e for e in self.entries if not e.is_ended and e.state != "paused")

    # For the panel

    def pause(self, id: str) -> None:
        self._do(lambda downloads: downloads.pause(id))

    def resume(self, id: str) -> None:
        self._do(lambda downloads: downloads.resume(id))

    def retry(self, id: str) -> None:
        self._do(lambda downloads: downloads.retry(id))

    def forget(self, id: str) -> None:
        self._do(lambda downloads: downloads.forget(id))

    def pause_all(self) -> None:
        self._do(lambda downloads: downloads.pause_all())

    def resume_all(self) -> None:
        self._do(lambda downloads: downloads.resume_all())

    def move(self, id: str, place: int) -> None:
        """To that place among the `entries`."""
        others = [entry.id for entry in self.entries if entry.id != id]
        everyone = [entry.id for entry in self._queue if entry.id != id]
        before = others[place] if 0 <= place < len(others) else None
        at = len(everyone) if before is None else everyone.index(before)
        self._do(lambda downloads: downloads.move(id, at))

    def cancel(self, id: str) -> None:
        """Take it off the list; what was fetched is deleted when the time for undo is over."""
        entry = next((one for one in self.entries if one.id == id), None)
        if entry is None:
            return
        if entry.state == "done" or (entry.is_ended and not entry.bytes):
            self.forget(id)
            return
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(self._undo_ms)
        timer.timeout.connect(partial(self._cancel_now, id))
        timer.start()
        self._leaving[id] = timer
        if entry.state != "paused":
            self._resumed_if_kept.add(id)
        self.pause(id)
        self._show()
        words = self.tr("The download of “{name}” was cancelled.").format(name=entry.name)
        undo = Action(self.tr("Undo"), partial(self._keep, id))
        self._session.tell(Toast(words, undo))

    def chat(self, entry: Download) -> None:
        """Chat with what has arrived."""
        if entry.model is not None:
            self.forget(entry.id)
            self.chat_wanted.emit(entry.model.name)

    def finish(self) -> None:
        """The window closes: what was cancelled is cancelled now."""
        for id in list(self._leaving):
            self._cancel_now(id)
        self._countdown.stop()
        self._end()
        self._end = _nothing

    # Inside

    @property
    def _downloads(self) -> Downloads | None:
        services = self._session.services
        return None if services is None else services.downloads

    def _do(self, call: Callable[[Downloads], None]) -> None:
        downloads = self._downloads
        if downloads is not None:
            call(downloads)

    def _begin(self) -> None:
        downloads = self._downloads
        if downloads is None:
            return
        self._end = downloads.subscribe(partial(self._session.bridge.post, self._heard))
        self._reach.back.connect(downloads.wake)
        self._apply_settings()
        self._session.bridge.run(
            "downloads", downloads.start, lambda _: self._started(downloads), _ignore
        )

    def _started(self, downloads: Downloads) -> None:
        services = self._session.services
        # A home that cannot be written is told once, by whoever began the house.
        told = () if services is None else {problem.kind for problem in services.problems}
        if downloads.problem is not None and downloads.problem.kind not in told:
            words = self._session.messages.error(downloads.problem)
            self._session.tell(Banner("downloads", words, "warn"))
        self._heard([downloads.all()])

    def _apply_settings(self) -> None:
        settings = self._session.settings
        downloads = self._downloads
        if downloads is not None:
            downloads.set_limit(settings.download_limit_bytes_per_s)
            downloads.set_unmetered_only(settings.download_unmetered_only)
            downloads.set_at_once(settings.downloads_at_once)
            downloads.wake()  # perhaps the offline switch was turned

    def _heard(self, batch: Batch) -> None:
        before = {entry.id: entry for entry in self._queue}
        self._queue = batch[-1]
        self._show()
        for entry in self._queue:
            old = before.get(entry.id)
            # What was here already may be done before it was ever seen in the queue.
            is_news = entry.id in self._added if old is None else old.state != entry.state
            if is_news and entry.id not in self._leaving:
                self._tell_end(entry)

    def _tell_end(self, entry: Download) -> None:
        if entry.state == "done":
            words = self.tr("“{name}” is here.").format(name=entry.name)
            chat = Action(self.tr("Chat now"), partial(self.chat, entry))
            self._session.tell(Toast(words, chat if entry.model is not None else None))
            self.arrived.emit(entry)
        elif entry.state == "failed":
            words = self.tr("“{name}” could not be downloaded.").format(name=entry.name)
            self._session.tell(Toast(words, Action(self.tr("Show"), self.shown.emit)))

    def _show(self) -> None:
        before = self.entries
        self.entries = tuple(entry for entry in self._queue if entry.id not in self._leaving)
        if [_shape(entry) for entry in before] != [_shape(entry) for entry in self.entries]:
            self.changed.emit()
        elif before != self.entries:
            self.progressed.emit()
        if self.active:
            self._reach.watch()
        is_counting = any(entry.retry_in_s is not None for entry in self.entries)
        if is_counting != self._countdown.isActive():
            self._countdown.start() if is_counting else self._countdown.stop()

    def _count_down(self) -> None:
        downloads = self._downloads
        if downloads is not None:
            self._heard([downloads.all()])

    def _stay(self, id: str) -> None:
        """It is wanted after all."""
        timer = self._leaving.pop(id, None)
        self._resumed_if_kept.discard(id)
        if timer is not None:
            timer.stop()
            self._show()

    def _keep(self, id: str) -> None:
        was_wanted = id in self._resumed_if_kept
        self._stay(id)
        if was_wanted:
            self.resume(id)

    def _cancel_now(self, id: str) -> None:
        timer = self._leaving.pop(id, None)
        self._resumed_if_kept.discard(id)
        if timer is not None:
            timer.stop()
            self._do(lambda downloads: downloads.cancel(id))


def _shape(entry: Download) -> tuple[object, ...]:
    """What the panel is laid out by."""
    kind = None if entry.error is None else (entry.error.kind, entry.error.params)
    return (entry.id, entry.state, entry.name, kind, entry.is_repairing, entry.total_bytes > 0)


def _nothing() -> None:
    """While nobody listens."""


def _ignore(_error: HausgeistError) -> None:
    """Starting the queue raises nothing; what was wrong stands in `problem`."""
