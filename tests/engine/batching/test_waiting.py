"""Who gets the next sequence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.engine.answer_text import AnswerText
from desktop.engine.batching.waiting import WaitingLine
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.slot import Task


def _task(name: str, arrival: int, client: str = "", priority: int = 0) -> Task:
    request = Request(name, client=client, priority=priority)
    return Task(Prepared(request, [1]), [1], arrival, 0.0, AnswerText())


def _served(line: WaitingLine) -> list[str]:
    names = []
    while line:
        task = line[0]
        line.take(task)
        names.append(task.request.id)
    return names


def test_fifty_requests_of_one_client_let_anothers_first_pass() -> None:
    line = WaitingLine()
    for number in range(50):
        line.put(_task(f"many {number}", number, "many"))
    for _ in range(10):
        line.take(line[0])
    line.put(_task("one", 60, "one"))
    line.put(_task("two", 61, "one"))
    assert _served(line)[:4] == ["one", "many 10", "two", "many 11"]


def test_a_chat_is_a_client_of_its_own_where_no_client_is_named() -> None:
    line = WaitingLine()
    for number in range(3):
        task = Request(f"a{number}", conversation="a")
        line.put(Task(Prepared(task, [1]), [1], number, 0.0, AnswerText()))
    line.put(Task(Prepared(Request("b", conversation="b"), [1]), [1], 9, 0.0, AnswerText()))
    assert _served(line) == ["a0", "b", "a1", "a2"]


def test_priority_comes_before_every_turn() -> None:
    line = WaitingLine()
    line.put(_task("api", 1, "api"))
    line.put(_task("window", 2, "window", priority=1))
    assert _served(line) == ["window", "api"]


def test_who_gave_up_a_place_is_the_next_of_its_client() -> None:
    line = WaitingLine()
    tasks = [_task(f"{number}", number, "one") for number in range(4)]
    for task in tasks:
        line.put(task)
    first = line[0]
    line.take(first)
    line.put(first)
    assert _served(line) == ["0", "1", "2", "3"]


def test_who_has_rested_has_saved_up_nothing() -> None:
    line = WaitingLine()
    for number in range(20):
        line.put(_task(f"busy {number}", number, "busy"))
        if number >= 10:
            line.take(line[0])
    for number in range(5):
        line.put(_task(f"late {number}", 30 + number, "late"))
    served = _served(line)
    assert [name.split()[0] for name in served[:8]].count("late") <= 5
    assert served[1].startswith("late") or served[0].startswith("late")
    assert served[2].startswith("busy") or served[1].startswith("busy")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), max_size=40))
def test_nobody_is_lost_and_each_client_keeps_its_order(asked: list[tuple[str, int]]) -> None:
    line = WaitingLine()
    for number, (client, priority) in enumerate(asked):
        line.put(_task(f"{client}{priority}{number:03}", number, client, priority))
    served = _served(line)
    assert sorted(served) == sorted(f"{c}{p}{n:03}" for n, (c, p) in enumerate(asked))
    for beginning in ("a0", "a1", "b0", "b1", "c0", "c1"):
        own = [name for name in served if name.startswith(beginning)]
        assert own == sorted(own)
