"""Models that several share: loaded once, kept while used, unloaded for room or when idle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import CancelledError, EngineError, LoadError, UsageError
from desktop.engine.cancel import CancelToken
from desktop.engine.events import Failed
from desktop.engine.request import Request
from desktop.fit.types import DeviceMemory, FitReport, ModelSummary, Speed, Wish
from desktop.services.held_memory import HeldMemory
from desktop.services.history_records import HeldBytes
from desktop.services.model_pool import ModelPool
from desktop.services.open_progress import Opened, OpenedModel
from tests.services.fake_engine import FakeEngine, plan

GIB = 1 << 30


class Watched(FakeEngine):
    """Tells when it is closed."""

    def __init__(self, name: str, on_close: Callable[[str], None]) -> None:
        super().__init__(name=name)
        self._on_close = on_close
        self.is_dead = False

    @property
    def alive(self) -> bool:
        return not self.is_dead

    def close(self) -> None:
        self._on_close(self.info.name)


@dataclass
class Stage:
    """A computer with so much memory, and models of so many GiB each."""

    free_gib: int = 100
    sizes: dict[str, int] = field(default_factory=dict)
    now: list[float] = field(default_factory=lambda: [0.0])
    idle_s: float = 0.0
    held: HeldMemory = field(default_factory=HeldMemory)
    loaded: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    engines: dict[str, Watched] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    gate: threading.Event | None = None
    opening: threading.Event = field(default_factory=threading.Event)

    def open(
        self,
        ref: str,
        wish: Wish,
        *,
        cancel: CancelToken | None = None,
        make_room: Callable[[FitReport], None] | None = None,
        **_more: Any,
    ) -> Opened:
        assert cancel is not None
        assert make_room is not None
        self.opening.set()
        if self.gate is not None:
            assert self.gate.wait(5)
        cancel.raise_if_cancelled()
        if self.errors:
            raise self.errors.pop(0)
        self.wishes.append(wish)
        size = self.sizes.get(ref, 1) * GIB
        make_room(self._report(size))
        self.loaded.append(ref)
        holder = f"{ref}-{len(self.loaded)}"
        self.held.hold(holder, [HeldBytes("CPU", 0, size, 0, 0)], mapped=False)
        engine = self.engines[ref] = Watched(ref, lambda name: self._closed(name, holder))
        return OpenedModel(ref, engine, self._report(size), holder=holder)

    def _closed(self, name: str, holder: str) -> None:
        self.closed.append(name)
        self.held.release(holder)

    def _report(self, size: int) -> FitReport:
        ours = self.held.by_device().get("CPU", 0)
        available = self.free_gib * GIB - ours
        row = DeviceMemory(
            "CPU", 0, size, 0, self.free_gib * GIB, available + ours, ours_bytes=ours
        )
        summary = ModelSummary("m", "llama", "Q4_0", 1, 1, 1)
        return FitReport(
            summary, plan(), (row,), "cpu", Speed(None, None, "predicted"), "header", "k", {}
        )


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def pool(stage: Stage) -> Iterator[ModelPool]:
    made = ModelPool(
        stage,
        stage.held,
        key_of=lambda ref: ref.lower(),
        idle_s=lambda: stage.idle_s,
        clock=lambda: stage.now[0],
    )
    yield made
    made.close()


def test_two_share_one_load(stage: Stage, pool: ModelPool) -> None:
    first, second = pool.open("a", Wish()), pool.open("A", Wish())
    assert stage.loaded == ["a"]
    first.engine.close()
    first.engine.close()
    assert stage.closed == []
    stream = second.engine.submit(Request("r", "hello"))
    assert not stream.inbox.ended
    end = first.engine.submit(Request("late", "hello")).get(1)
    assert isinstance(end, Failed)
    assert end.kind == "engine_closed"


def test_what_was_given_back_is_there_for_the_next(stage: Stage, pool: ModelPool) -> None:
    pool.open("a", Wish()).engine.close()
    pool.open("b", Wish()).engine.close()
    pool.open("a", Wish())
    assert stage.loaded == ["a", "b"]
    assert [model.opened.name for model in pool.loaded()] == ["a", "b"]


def test_another_wish_opens_anew_unless_it_is_used(stage: Stage, pool: ModelPool) -> None:
    lease = pool.open("a", Wish(context=4096))
    pool.open("a", Wish(context=8192)).engine.close()
    assert stage.loaded == ["a"]  # shared as it is
    lease.engine.close()
    pool.open("a", Wish(context=8192)).engine.close()
    assert stage.closed == ["a"]
    assert [wish.context for wish in stage.wishes] == [4096, 8192]
    pool.open("a", Wish(context=8192), fresh=True)
    assert stage.loaded == ["a", "a", "a"]


def test_room_is_made_by_the_longest_unused(stage: Stage, pool: ModelPool) -> None:
    stage.free_gib, stage.sizes = 10, {"a": 3, "b": 3, "c": 3, "d": 4}
    for number, ref in enumerate("abc"):
        stage.now[0] = number
        pool.open(ref, Wish()).engine.close()
    assert stage.closed == []
    stage.now[0] = 3.0
    pool.open("a", Wish()).engine.close()  # used again
    pool.open("d", Wish())
    assert stage.closed == ["b"]


def test_what_is_used_never_makes_room(stage: Stage, pool: ModelPool) -> None:
    stage.free_gib, stage.sizes = 10, {"leased": 4, "answering": 4, "new": 9}
    pool.open("leased", Wish())
    other = pool.open("answering", Wish())
    stream = other.engine.submit(Request("r", "hello"))
    other.engine.close()
    assert stage.held.by_device(idle_only=True) == {"CPU": 4 * GIB}
    pool.open("new", Wish())
    assert stage.closed == []
    stage.engines["answering"].next_turn().play(["yes"])
    stream.collect(5)
    pool.open("newer", Wish())
    assert stage.closed == ["answering"]


def test_idle_models_go_but_for_the_last_used(stage: Stage) -> None:
    gone = threading.Event()
    stage.idle_s = 60.0
    pool = ModelPool(
        stage, stage.held, key_of=str, idle_s=lambda: stage.idle_s, clock=lambda: stage.now[0]
    )
    for number, ref in enumerate("ab"):
        stage.now[0] = float(number)
        pool.open(ref, Wish()).engine.close()
    close = stage.engines["a"].close

    def closing() -> None:
        close()
        gone.set()

    stage.engines["a"].close = closing  # type: ignore[method-assign]
    stage.now[0] = 1000.0
    pool.open("c", Wish()).engine.close()  # and the watch looks again
    assert gone.wait(5)
    pool.close()
    assert stage.closed[0] == "a"
    assert "c" not in stage.closed[:2]


def test_a_dead_engine_is_not_handed_out(stage: Stage, pool: ModelPool) -> None:
    lease = pool.open("a", Wish())
    stage.engines["a"].is_dead = True
    pool.open("a", Wish())
    assert stage.loaded == ["a", "a"]
    lease.engine.close()  # of one that is gone already
    assert [model.leases for model in pool.loaded()] == [1]


def test_a_failed_load_leaves_nothing(stage: Stage, pool: ModelPool) -> None:
    stage.errors = [LoadError("load_failed")]
    with pytest.raises(LoadError):
        pool.open("a", Wish())
    assert pool.loaded() == ()
    pool.open("a", Wish())
    assert stage.loaded == ["a"]


def test_who_waits_may_go_and_the_next_one_loads(stage: Stage, pool: ModelPool) -> None:
    stage.gate = threading.Event()
    first_token, ends = CancelToken(), []

    def first() -> None:
        try:
            pool.open("a", Wish(), cancel=first_token)
        except CancelledError:
            ends.append("first")

    worker = threading.Thread(target=first)
    worker.start()
    assert stage.opening.wait(5)
    impatient = CancelToken()
    impatient.cancel()
    with pytest.raises(CancelledError):
        pool.open("a", Wish(), cancel=impatient)
    first_token.cancel()
    stage.gate.set()
    worker.join(5)
    assert ends == ["first"]
    assert pool.open("a", Wish()).name == "a"


def test_a_file_that_is_to_go_is_let_go(stage: Stage, pool: ModelPool) -> None:
    lease = pool.open("a", Wish())
    assert not pool.let_go("a")
    lease.engine.close()
    assert pool.let_go("a")
    assert stage.closed == ["a"]
    assert pool.let_go("never opened")


def test_a_reference_that_means_nothing_is_no_model(stage: Stage) -> None:
    def key_of(ref: str) -> str:
        raise UsageError("unknown_model", model=ref)

    pool = ModelPool(stage, stage.held, key_of=key_of, idle_s=lambda: 0.0)
    with pytest.raises(UsageError):
        pool.open("a", Wish())
    assert pool.let_go("a")
    pool.close()


def test_closed_is_closed(stage: Stage, pool: ModelPool) -> None:
    pool.open("a", Wish())
    pool.open("b", Wish()).engine.close()
    pool.close()
    pool.close()
    assert sorted(stage.closed) == ["a", "b"]
    with pytest.raises(EngineError) as caught:
        pool.open("a", Wish())
    assert caught.value.kind == "engine_closed"


def test_many_threads_never_lose_count(stage: Stage, pool: ModelPool, tmp_path: Path) -> None:
    del tmp_path
    stage.free_gib, stage.sizes = 4, {"a": 2, "b": 2, "c": 2}
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for step in range(40):
                ref = "abc"[(seed + step) % 3]
                opened = pool.open(ref, Wish())
                assert opened.name == ref
                opened.engine.close()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert all(model.leases == 0 for model in pool.loaded())
    assert len(stage.loaded) - len(stage.closed) == len(pool.loaded())
    assert stage.held.by_device(idle_only=True) == stage.held.by_device()


def test_plans_count_only_what_may_go(stage: Stage, pool: ModelPool) -> None:
    stage.sizes = {"a": 2, "b": 3}
    pool.open("a", Wish())
    pool.open("b", Wish()).engine.close()
    assert stage.held.by_device() == {"CPU": 5 * GIB}
    assert stage.held.by_device(idle_only=True) == {"CPU": 3 * GIB}
