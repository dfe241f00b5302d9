"""The bridge: in order, in frames, from any thread, and quiet after its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.common.errors import HausgeistError, RequestError
from desktop.ui.bridge import Batch, Bridge


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[Bridge]:
    assert qtbot is not None
    made = Bridge()
    yield made
    made.close()


def never(error: HausgeistError) -> None:
    raise AssertionError(error)


def test_many_posts_come_in_few_frames_and_in_order(bridge: Bridge, qtbot: QtBot) -> None:
    batches: list[list[int]] = []

    def post_all() -> None:
        for number in range(5000):
            bridge.post(batches.append, number)

    poster = threading.Thread(target=post_all)
    poster.start()
    poster.join()
    qtbot.waitUntil(lambda: sum(map(len, batches)) == 5000, timeout=5000)
    assert [n for batch in batches for n in batch] == list(range(5000))
    assert len(batches) <= 3


def test_receivers_keep_their_order_among_each_other(bridge: Bridge, qtbot: QtBot) -> None:
    heard: list[str] = []

    def first(batch: Batch) -> None:
        heard.append(f"first{batch}")

    def second(batch: Batch) -> None:
        heard.append(f"second{batch}")

    for receiver, item in ((first, 1), (first, 2), (second, 3), (first, 4)):
        bridge.post(receiver, item)
    qtbot.waitUntil(lambda: len(heard) == 3, timeout=5000)
    assert heard == ["first[1, 2]", "second[3]", "first[4]"]


def test_receiver_runs_in_the_threads_of_the_window(bridge: Bridge, qtbot: QtBot) -> None:
    names: list[str] = []
    poster = threading.Thread(
        target=lambda: bridge.post(
            lambda _batch: names.append(threading.current_thread().name), None
        )
    )
    poster.start()
    poster.join()
    qtbot.waitUntil(lambda: bool(names), timeout=5000)
    assert names == [threading.main_thread().name]


def test_what_is_posted_while_delivering_comes_later(bridge: Bridge, qtbot: QtBot) -> None:
    heard: list[int] = []

    def receive(batch: Batch) -> None:
        heard.extend(batch)
        if len(heard) < 4:
            bridge.post(receive, len(heard))

    bridge.post(receive, 0)
    qtbot.waitUntil(lambda: heard == [0, 1, 2, 3], timeout=5000)


def test_failure_of_work_reaches_its_own_handler(bridge: Bridge, qtbot: QtBot) -> None:
    failures: list[HausgeistError] = []

    def work() -> None:
        raise RequestError("empty_message")

    bridge.run("a", work, lambda _result: None, failures.append)
    qtbot.waitUntil(lambda: bool(failures), timeout=5000)
    assert failures[0].kind == "empty_message"


def test_lanes_do_not_wait_for_each_other(bridge: Bridge, qtbot: QtBot) -> None:
    gate = threading.Event()
    done: list[str] = []
    bridge.run("slow", lambda: gate.wait(10), lambda _: done.append("slow"), never)
    bridge.run("fast", lambda: None, lambda _: done.append("fast"), never)
    qtbot.waitUntil(lambda: done == ["fast"], timeout=5000)
    gate.set()
    qtbot.waitUntil(lambda: done == ["fast", "slow"], timeout=5000)


def test_nothing_is_delivered_after_the_end(qtbot: QtBot) -> None:
    bridge = Bridge()
    heard: list[int] = []
    bridge.post(heard.extend, 1)
    bridge.close()
    bridge.post(heard.extend, 2)
    bridge.flush()
    with qtbot.waitSignal(bridge.destroyed):
        bridge.deleteLater()
    assert heard == []
