"""Ctrl+C and SIGTERM while something runs in a thread of its own."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from desktop.cli.interrupts import Interrupts, TerminatedError
from desktop.common.errors import CancelledError
from desktop.engine.cancel import CancelToken
from desktop.engine.process import Child

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
WAIT_S = 20.0


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_the_result_and_the_error_of_the_work_come_back() -> None:
    with Interrupts() as interrupts:
        assert interrupts.run(lambda _token: 7) == 7

        def broken(_token: CancelToken) -> None:
            raise ValueError("x")

        with pytest.raises(ValueError, match="x"):
            interrupts.run(broken)


def test_the_first_ctrl_c_asks_the_work_to_stop() -> None:
    def work(token: CancelToken) -> None:
        send(signal.SIGINT)
        while not token.cancelled:
            threading.Event().wait(0.001)
        token.raise_if_cancelled()

    with Interrupts() as interrupts, pytest.raises(CancelledError):
        interrupts.run(work)


def test_a_ctrl_c_that_came_too_late_is_not_forgotten() -> None:
    discarded: list[str] = []

    def deaf(token: CancelToken) -> str:
        send(signal.SIGINT)
        while not token.cancelled:
            threading.Event().wait(0.001)
        return "opened"

    with Interrupts() as interrupts:
        assert interrupts.run(deaf) == "opened"
        with pytest.raises(CancelledError):
            interrupts.run(deaf, discard=discarded.append)
    assert discarded == ["opened"]


def test_the_second_ctrl_c_leaves() -> None:
    let_go = threading.Event()

    def stubborn(token: CancelToken) -> None:
        send(signal.SIGINT)
        while not token.cancelled:
            let_go.wait(0.001)
        send(signal.SIGINT)
        let_go.wait(0.2)  # does not listen

    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        interrupts.run(stubborn)


def test_terminate_cancels_the_work_and_carries_the_exit_code() -> None:
    seen = threading.Event()

    def work(token: CancelToken) -> None:
        send(signal.SIGTERM)
        while not token.cancelled:
            threading.Event().wait(0.001)
        seen.set()

    with Interrupts() as interrupts, pytest.raises(TerminatedError) as caught:
        interrupts.run(work)
    assert caught.value.exit_code == 143
    assert seen.wait(WAIT_S)


def test_ctrl_c_while_nothing_runs_is_an_ordinary_one() -> None:
    def wait() -> None:
        send(signal.SIGINT)
        threading.Event().wait(WAIT_S)

    with Interrupts(), pytest.raises(KeyboardInterrupt):
        wait()


def test_the_handlers_before_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_terminals_ctrl_c_does_not_reach_the_engines_children() -> None:
    """It goes to the whole group; a template child that died of it broke the next answer."""
    with Child("template") as child:
        assert os.getpgid(child.pid) != os.getpgrp()
