"""Work that takes a while: queued by kind, stopped, failed, told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from desktop.common.errors import HausgeistError, StorageError
from desktop.engine.cancel import CancelToken
from desktop.ui.works import Work
from tests.ui.conftest import Driven

Tell = Callable[[object], None]


def test_a_work_is_shown_until_it_ends(driven: Driven) -> None:
    works = driven.desk.house.shelf.works
    go_on = threading.Event()
    results: list[int] = []

    def run(tell: Tell, _token: CancelToken) -> int:
        tell(0.5)
        assert go_on.wait(5)
        return 7

    def show(work: Work, progress: float) -> None:
        work.fraction = progress

    work = works.start(Work("pack", "a", "Packing"), run, results.append, show=show)
    assert works.of("pack") is work
    assert works.of("pack", "b") is None
    driven.until(lambda: work.fraction == 0.5)
    go_on.set()
    driven.until(lambda: results == [7])
    assert works.all == ()


def test_a_queued_work_can_be_stopped_before_it_begins(driven: Driven) -> None:
    works = driven.desk.house.shelf.works
    go_on = threading.Event()
    told: list[str] = []

    def wait(_tell: Tell, _token: CancelToken) -> None:
        assert go_on.wait(5)

    def never(_tell: Tell, _token: CancelToken) -> None:
        told.append("began")

    def show(_work: Work, _progress: object) -> None:
        told.append("shown")

    works.start(Work("verify", "a", "A"), wait, lambda _: told.append("a"), show=show)
    second = works.start(
        Work("verify", "b", "B"),
        never,
        lambda _: told.append("b"),
        show=show,
        stopped=lambda: told.append("stopped"),
    )
    second.cancel()
    assert second.stopping
    go_on.set()
    driven.until(lambda: works.all == ())
    assert told == ["a", "stopped"]


def test_a_failure_is_told_or_handed_over(driven: Driven) -> None:
    works = driven.desk.house.shelf.works
    failures: list[HausgeistError] = []
    ended: list[None] = []

    def fail(_tell: Tell, _token: CancelToken) -> None:
        raise StorageError("disk_full", path="/models")

    def show(_work: Work, _progress: object) -> None:
        raise AssertionError("it tells no progress")

    works.start(Work("move", "", ""), fail, ended.append, show=show, failed=failures.append)
    driven.until(lambda: failures)
    assert failures[0].kind == "disk_full"
    assert driven.window.banners.texts == []
    works.start(Work("move", "", ""), fail, ended.append, show=show)
    driven.until(lambda: driven.window.banners.texts)
    assert works.all == ()
    assert ended == []
