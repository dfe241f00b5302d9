"""An engine that writes down what it does: which answers count, and its end."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from desktop.engine.chat import Chat
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.memory_now import MemoryNow
from desktop.engine.request import Request
from desktop.services.held_memory import HeldMemory
from desktop.services.history import History
from desktop.services.history_records import CloseRecord, HeldBytes, SpeedRecord
from desktop.services.recording import RecordedEngine, Recorder
from tests.services.fake_engine import FakeEngine
from tests.services.past import LAPTOP, MIB, WITH_GPU, held, load_record, plan_of

WORDS = ["a word"] * 40
LONG = "one " * 100


class Scene:
    def __init__(self, path: Path, engine: FakeEngine) -> None:
        self.recorder = Recorder(History(path), HeldMemory())
        self.now = MemoryNow(1000 * MIB, 1000 * MIB, {})
        self.engine = engine
        self.load = load_record(1, actual=(held(),))
        self.recorded = RecordedEngine(engine, self.recorder, self.load, self.now, lambda: self.now)

    def ask(self, text: str = LONG, number: int = 1) -> None:
        self.recorded.submit(Request(f"{number}", text)).collect(5.0)

    @property
    def speeds(self) -> list[SpeedRecord]:
        return [r for r in self.recorder.history.entries() if isinstance(r, SpeedRecord)]

    @property
    def end(self) -> CloseRecord:
        (found,) = [r for r in self.recorder.history.entries() if isinstance(r, CloseRecord)]
        return found


def scene(tmp_path: Path, engine: FakeEngine | None = None) -> Scene:
    return Scene(tmp_path / "history.jsonl", engine or FakeEngine([WORDS] * 9))


def test_an_answer_is_written_down(tmp_path: Path) -> None:
    stage = scene(tmp_path)
    stage.ask()
    (speed,) = stage.speeds
    assert speed.load == stage.load.id
    assert (speed.read_tokens, speed.written_tokens) == (100, 40)
    assert speed.rates.tokens_per_s == pytest.approx(50.0)
    assert speed.rates.prompt_tokens_per_s == pytest.approx(1000.0)


def test_no_word_of_it_is(tmp_path: Path) -> None:
    stage = scene(tmp_path, FakeEngine([["my secret answer"] * 40]))
    stage.ask("my secret question " * 60)
    stage.recorded.close()
    assert stage.speeds
    assert "secret" not in (tmp_path / "history.jsonl").read_text()


def test_short_prompts_and_short_answers_show_no_speed(tmp_path: Path) -> None:
    stage = scene(tmp_path, FakeEngine([["ja"], WORDS, ["ja"]]))
    stage.ask("short", 1)
    assert stage.speeds == []
    stage.ask("short", 2)
    stage.ask(LONG, 3)
    first, second = (speed.rates for speed in stage.speeds)
    assert (first.prompt_tokens_per_s, second.tokens_per_s) == (None, None)


def test_answers_at_the_same_time_slow_each_other(tmp_path: Path) -> None:
    engine = FakeEngine()
    stage = scene(tmp_path, engine)
    streams = [stage.recorded.submit(Request(name, LONG)) for name in ("a", "b")]
    for _ in streams:
        engine.next_turn().play(WORDS)
    for stream in streams:
        stream.collect(5.0)
    assert stage.speeds == []
    stream = stage.recorded.submit(Request("c", LONG))
    engine.next_turn().play(WORDS)
    stream.collect(5.0)
    assert len(stage.speeds) == 1


def test_a_reader_that_went_away_does_not_spoil_the_later_ones(tmp_path: Path) -> None:
    engine = FakeEngine()
    stage = scene(tmp_path, engine)
    stage.recorded.submit(Request("left", LONG))
    engine.next_turn().start()
    engine._open.clear()
    gc.collect()
    stream = stage.recorded.submit(Request("next", LONG))
    engine.next_turn().play(WORDS)
    stream.collect(5.0)
    assert len(stage.speeds) == 1


def test_a_failed_answer_is_no_speed(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.answers_with_failure = "engine_failed"
    stage = scene(tmp_path, engine)
    stage.ask()
    stage.recorded.close()
    assert stage.speeds == []
    assert stage.end.answers == 0


def test_the_end_tells_what_was_held_last_and_at_most(tmp_path: Path) -> None:
    stage = scene(tmp_path)
    stage.now = MemoryNow(1500 * MIB, 1000 * MIB, {})
    stage.ask()
    stage.now = MemoryNow(1200 * MIB, 1000 * MIB, {})
    stage.engine.usage = (DeviceUsage("CPU", 1, 2, 3, 4),)
    stage.recorded.close()
    stage.recorded.close()
    assert stage.engine.closed
    assert stage.end.actual == (HeldBytes("CPU", 1, 2, 3, 4),)
    assert stage.end.peak_bytes == {"CPU": 500 * MIB}
    assert stage.end.answers == 1


@pytest.mark.parametrize(("record", "grown"), [(1000, 200), (1900, 900)])
def test_the_processs_record_counts_only_where_it_was_broken_since(
    tmp_path: Path, record: int, grown: int
) -> None:
    """An earlier, larger model in the same process made 1000 MiB the record before."""
    stage = scene(tmp_path)
    stage.now = MemoryNow(1200 * MIB, record * MIB, {})
    stage.recorded.close()
    assert stage.end.peak_bytes == {"CPU": grown * MIB}


def test_an_open_model_holds_memory_until_it_is_closed(tmp_path: Path) -> None:
    stage = scene(tmp_path)
    tally = stage.recorder.held
    assert tally.by_device() == {"CPU": held().total_bytes}
    assert tally.by_device(LAPTOP) == tally.in_use() == tally.by_device()
    assert tally.by_device(WITH_GPU) == {}
    stage.recorded.close()
    assert tally.by_device() == tally.in_use() == {}


def test_a_mapped_files_pages_are_free_already() -> None:
    tally = HeldMemory()
    rows = (held("CPU"), held("CUDA0"))
    tally.hold("a", rows, mapped=True)
    assert tally.by_device()["CPU"] == held().total_bytes - held().weights_bytes
    assert tally.by_device()["CUDA0"] == held().total_bytes
    assert tally.in_use() == {"CPU": held().total_bytes, "CUDA0": held().total_bytes}
    tally.hold("b", rows[:1], mapped=False)
    assert tally.in_use()["CPU"] == 2 * held().total_bytes
    tally.release("a")
    tally.release("never there")
    assert tally.by_device() == {"CPU": held().total_bytes}


def test_the_rest_of_the_engine_is_passed_through(tmp_path: Path) -> None:
    stage = scene(tmp_path)
    assert stage.recorded.info is stage.engine.info
    assert stage.recorded.count_tokens("one two") == 2
    assert stage.recorded.render(Chat(())).prompt == "<assistant>"
    assert stage.recorded.memory_usage() is None
    assert plan_of() == stage.load.plan
