"""A queue of downloads whose jobs do what the test tells them, on a clock that it turns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.common.errors import CancelledError, HausgeistError
from desktop.hub.policy import PUBLIC_HUB
from desktop.hub.refs import parse_ref
from desktop.hub.transfer.transfer import TransferProgress
from desktop.services.downloads import Downloads
from desktop.services.downloads_entry import Download
from desktop.services.fetch_model import FetchedModel
from desktop.services.fetch_wish import FetchWish, FoundModel

TIMEOUT_S = 20.0


class ScriptedJob:
    """Runs until it is told how to end."""

    def __init__(self, text: str, folder: Path, wish: FetchWish) -> None:
        self.text = text
        self.folder = folder
        assert wish.on_progress is not None
        assert wish.on_found is not None
        assert wish.limit is not None
        self.with_projector = wish.with_projector
        self.on_progress = wish.on_progress
        self.on_found = wish.on_found
        self.limit = wish.limit
        self.began = threading.Event()
        self.ended = threading.Event()
        self.was_cancelled = False
        self._outcome: FetchedModel | HausgeistError | None = None
        self._go = threading.Event()

    def run(self) -> FetchedModel:
        self.began.set()
        assert self._go.wait(TIMEOUT_S), "nobody ended it"
        self.ended.set()
        assert self._outcome is not None
        if isinstance(self._outcome, HausgeistError):
            raise self._outcome
        return self._outcome

    def stop(self) -> None:
        self._end(CancelledError())

    def cancel(self) -> None:
        self.was_cancelled = True
        self.stop()

    def found(self, *names: str, total_bytes: int = 1000) -> None:
        files = tuple(self.folder / name for name in names)
        self.on_found(FoundModel("Found", files, total_bytes))

    def tell(self, done_bytes: int, **more: Any) -> None:
        values: dict[str, Any] = {
            "state": "running",
            "done_bytes": done_bytes,
            "total_bytes": 1000,
            "bytes_per_s": 100.0,
            "received_bytes": done_bytes,
        }
        self.on_progress(TransferProgress(**(values | more)))

    def fail(self, error: HausgeistError) -> None:
        self._end(error)

    def succeed(self, problem: HausgeistError | None = None) -> None:
        path = self.folder / "model.gguf"
        self._end(
            FetchedModel(path, "00", is_verified=True, file_bytes=1000, files=(path,),
                         received_bytes=1000, commit="c", model=None, problem=problem)
        )  # fmt: skip

    def _end(self, outcome: FetchedModel | HausgeistError) -> None:
        if not self._go.is_set():
            self._outcome = outcome
            self._go.set()


class ScriptedFetcher:
    """Remembers its jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: list[ScriptedJob] = []

    def key(self, reference: str) -> str:
        return str(parse_ref(reference, PUBLIC_HUB))

    def needs_network(self, reference: str) -> bool:
        return not reference.startswith("share")

    def job(self, text: str, wish: FetchWish) -> ScriptedJob:
        made = ScriptedJob(text, wish.folder or self.folder, wish)
        self.jobs.append(made)
        return made

    def running(self) -> list[str]:
        return [job.text for job in self.jobs if job.began.is_set() and not job.ended.is_set()]


@dataclass
class Yard:
    """The queue and all that it stands on."""

    path: Path
    fetcher: ScriptedFetcher
    now: list[float] = field(default_factory=lambda: [1000.0])
    wall: list[float] = field(default_factory=lambda: [5000.0])
    offline: list[HausgeistError] = field(default_factory=list)
    metered: list[bool] = field(default_factory=lambda: [False])
    room: list[int] = field(default_factory=lambda: [1 << 40])
    told: list[tuple[Download, ...]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    opened: list[Downloads] = field(default_factory=list)

    def queue(self, **more: Any) -> Downloads:
        """Another run of the app on the same file."""
        made = Downloads(
            self.fetcher,
            self.path,
            require_online=self._require_online,
            is_metered=lambda: self.metered[0],
            free=lambda _: self.room[0],
            clock=lambda: self.now[0],
            wall=lambda: self.wall[0],
            **more,
        )
        made.subscribe(self._listen)
        made.start()
        self.opened.append(made)
        return made

    def pass_time(self, seconds: float) -> None:
        """On the queue's clocks; it looks again within a second of real time."""
        self.now[0] += seconds
        self.wall[0] += seconds

    def until(self, queue: Downloads, **states: str) -> None:
        """Wait until the downloads have these states, by the part of the reference before "/"."""
        self.until_true(lambda: all(self.state(queue, name) == s for name, s in states.items()))

    def until_true(self, condition: Callable[[], object]) -> None:
        with self.news:
            assert self.news.wait_for(condition, TIMEOUT_S), [one[-3:] for one in self.told[-1:]]

    def state(self, queue: Downloads, name: str) -> str:
        for entry in queue.all():
            if entry.reference.startswith(f"{name}/"):
                return entry.state
        return ""

    def id(self, queue: Downloads, name: str) -> str:
        return next(e.id for e in queue.all() if e.reference.startswith(f"{name}/"))

    def job(self, name: str) -> ScriptedJob:
        """The newest one for that model, once it runs."""
        found = [job for job in self.fetcher.jobs if job.text.startswith(f"{name}/")][-1]
        assert found.began.wait(TIMEOUT_S)
        return found

    def _listen(self, queue: tuple[Download, ...]) -> None:
        with self.news:
            self.told.append(queue)
            self.news.notify_all()

    def _require_online(self) -> None:
        if self.offline:
            raise self.offline[0]
