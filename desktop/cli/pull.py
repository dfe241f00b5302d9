"""`hausgeist pull MODEL`: fetch a model from the Hub, through whatever interrupts it."""

from __future__ import annotations

import json
import sys
import threading
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from desktop.cli.arguments import Arguments, real, whole
from desktop.cli.front import Front, write
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import CancelledError, HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.hub.metered import MeteredWatch
from desktop.hub.transfer.pace import RateLimit
from desktop.hub.transfer.transfer import METERED, TransferOptions, TransferProgress
from desktop.services.core import Core
from desktop.services.fetch_model import FetchedModel, ModelFetcher
from desktop.services.fetch_wish import FetchWish
from desktop.services.fit_model import fit
from desktop.services.source_fetch import SourceJob
from desktop.services.sources import Sources, is_source_reference

MAX_CONNECTIONS = 16
_MEGABYTE = 1_000_000
_FIT_S = 10.0


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL", help_key="cli.argument.hub_model")
    arguments.option("--connections", value="N", kind=whole(1, MAX_CONNECTIONS), default=4)
    speed = real(0, 100_000)
    arguments.option("--limit", value="MB", kind=speed, help_key="cli.option.limit_speed")
    arguments.switch("--unmetered-only")
    arguments.switch("--no-mmproj")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    try:
        with (
            Interrupts() as interrupts,
            open_house(front, storing=True) as core,
            StatusLine(front) as status,
        ):
            pull = _Pull(given, front, core, status)
            fetched = interrupts.run(pull.work)
            pull.settle()
    except HausgeistError as error:
        return _tell_failure(error, front)
    _tell(fetched, pull.report, front)
    return 0


class _Pull:
    """One fetch, told as it goes on."""

    def __init__(self, given: Namespace, front: Front, core: Core, status: StatusLine) -> None:
        self._front = front
        self._core = core
        self._status = status
        self._name = given.model
        self.report: FitReport | None = None
        self._fitting: threading.Thread | None = None
        self._job = self._make_job(given)

    def _make_job(self, given: Namespace) -> SourceJob:
        """What is not given is as the settings have it."""
        core, settings = self._core, self._core.settings
        limit = settings.download_limit_bytes_per_s
        if given.limit is not None:
            limit = given.limit * _MEGABYTE
        waits = given.unmetered_only or settings.download_unmetered_only
        make: Callable[[str, FetchWish], SourceJob]
        if is_source_reference(given.model):
            make = Sources.of(core).job
        else:
            network, main = core.network, core.places.main
            make = ModelFetcher(network.hub, network.headers, core.library, main).job
        wish = FetchWish(
            with_projector=not given.no_mmproj,
            options=TransferOptions(connections=given.connections),
            limit=RateLimit(limit),
            is_metered=MeteredWatch() if waits else None,
            on_progress=self._show,
            on_header=self._begin_fit,
        )
        return make(given.model, wish)

    def work(self, cancel: CancelToken) -> FetchedModel:
        self._status.show(self._front.text("cli.pull.looking", model=self._name))
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(cancel, done), daemon=True)
        watch.start()
        try:
            return self._job.run()
        finally:
            done.set()

    def _watch(self, cancel: CancelToken, done: threading.Event) -> None:
        """Ctrl+C stops the job at once; what was fetched stays."""
        while not done.wait(0.05):
            if cancel.cancelled:
                self._job.stop()
                return

    def settle(self) -> None:
        """A small file is here before it is known whether it fits."""
        if self._fitting is not None:
            self._fitting.join(_FIT_S)

    def _begin_fit(self, header: ModelHeader) -> None:
        """Whether it fits is worked out beside the download."""
        self._fitting = threading.Thread(target=self._fit, args=(header,), daemon=True)
        self._fitting.start()

    def _fit(self, header: ModelHeader) -> None:
        try:
            machine = self._core.machine_service.machine()
            lessons = self._core.history.corrections(machine)
            self.report = fit(header, machine, Wish(), try_out=False, corrections=lessons)
        except HausgeistError as error:
            if not self._front.as_json:
                self._front.note(self._front.messages.error(error))
            return
        if not self._front.as_json:
            self._status.clear()
            self._front.note(self._front.text(self.report.reason_key, **self.report.reason_params))

    def _show(self, progress: TransferProgress) -> None:
        if self._front.as_json:
            _line(
                {
                    "event": "progress",
                    "bytes": progress.done_bytes,
                    "total_bytes": progress.total_bytes,
                    "bytes_per_s": round(progress.bytes_per_s),
                    "state": progress.state,
                    "received_bytes": progress.received_bytes,
                    "free_bytes": progress.free_bytes,
                    "waits_for": progress.waits_for,
                    "wait_s": round(progress.wait_s, 1),
                }
            )
            return
        self._status.show(self._words(progress))

    def _words(self, progress: TransferProgress) -> str:
        percent = int(100 * progress.done_bytes / max(1, progress.total_bytes))
        key, more = f"cli.pull.{progress.state}", {}
        if progress.waits_for == METERED:
            key = "cli.pull.metered"
        if progress.state == "running":
            left = progress.total_bytes - progress.done_bytes
            if progress.bytes_per_s <= 0:
                key = "cli.pull.starting"
            else:
                more = {"left_s": left / progress.bytes_per_s}
        return self._front.text(
            key,
            name=self._name,
            percent=percent,
            total=progress.total_bytes,
            speed=int(progress.bytes_per_s),
            wait_s=max(1.0, progress.wait_s),
            **more,
        )


def _tell(fetched: FetchedModel, report: FitReport | None, front: Front) -> None:
    model = fetched.model
    if front.as_json:
        document: dict[str, Any] = {
            "event": "done",
            "path": str(fetched.path),
            "sha256": fetched.sha256,
            "verified": fetched.is_verified,
            "file_bytes": fetched.file_bytes,
            "files": [str(path) for path in fetched.files],
            "received_bytes": fetched.received_bytes,
            "commit": fetched.commit,
            "model": None if model is None else model.name,
            "verdict": None if report is None else report.verdict,
        }
        if fetched.problem is not None:
            document["problem"] = {
                "kind": fetched.problem.kind,
                "message": front.messages.error(fetched.problem),
            }
        _line(document)
        return
    if fetched.problem is not None:
        text = front.messages.error(fetched.problem)
        front.note(front.text("cli.pull.not_in_list", text=text))
    if model is None:
        path = str(fetched.path)
        front.say(front.text("cli.pull.file", path=path, size=fetched.file_bytes))
        return
    if fetched.received_bytes == 0:
        front.say(front.text("cli.pull.already", name=model.name))
        return
    key = "cli.pull.done" if fetched.is_verified else "cli.pull.done_unverified"
    front.say(front.text(key, name=model.name, size=fetched.file_bytes))


def _tell_failure(error: HausgeistError, front: Front) -> int:
    sentence = front.messages.error(error)
    if front.as_json:
        _line({"event": "error", "kind": error.kind, "message": sentence})
        return error.exit_code
    code = front.fail(error)
    if isinstance(error, CancelledError):
        front.note(front.text("cli.pull.kept"))
    return code


def _line(document: dict[str, Any]) -> None:
    """One of the JSON lines; a reader sees it at once."""
    write(sys.stdout, json.dumps(document, ensure_ascii=False) + "\n")
