"""The engine with its thread: streams, cancelling, closing, failing."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, EngineError, LoadError
from desktop.engine import worker as worker_module
from desktop.engine.cancel import CancelToken
from desktop.engine.chat import Chat, Message
from desktop.engine.engine import Engine
from desktop.engine.events import Failed, Finished, PromptProgress, Started, Text
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.worker import Worker
from tests.engine.conftest import OpenEngine
from tests.engine.driving import ask, check_cache, plan_for
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_models import write_tiny_model

SOON_S = 30.0
LONG = "Ein langer Text, der in mehreren Happen gelesen wird. " * 16


def _end(engine: LocalEngine, request: Request) -> Finished | Failed:
    _, end = engine.submit(request).collect(SOON_S)
    assert end is not None, "hung"
    return end


def test_events_come_in_order(open_engine: OpenEngine) -> None:
    events = list(open_engine(ubatch=64).submit(ask("1", LONG, 20)))
    assert isinstance(events[0], Started)
    assert isinstance(events[1], PromptProgress)
    assert isinstance(events[-1], Finished)
    kinds = [type(event) for event in events[1:-1]]
    assert Text in kinds
    assert PromptProgress not in kinds[kinds.index(Text) :]
    assert {event.request_id for event in events} == {"1"}


def test_events_and_requests_go_through_a_pipe(open_engine: OpenEngine) -> None:
    request = ask("1", "Hallo", 5, stop=("x",), sampling=Sampling(seed=3))
    assert pickle.loads(pickle.dumps(request)) == request
    for event in open_engine().submit(request):
        assert pickle.loads(pickle.dumps(event)) == event


def test_it_is_an_engine(open_engine: OpenEngine) -> None:
    engine: Engine = open_engine()
    assert engine.info.name == "Tiny"
    assert engine.info.architecture == "llama"
    assert engine.info.context_tokens == 1024
    assert engine.count_tokens("Grüße") == 7


def test_threads_may_submit_at_once(open_engine: OpenEngine) -> None:
    engine = open_engine(parallel=3, context=2048)
    texts: dict[int, str] = {}

    def talk(number: int) -> None:
        for turn in range(5):
            text, end = engine.submit(ask(f"{number}.{turn}", f"{number}", 20)).collect(SOON_S)
            assert isinstance(end, Finished)
            texts[number] = text

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_S)
    assert sorted(texts) == list(range(6))
    assert all(texts.values())


def test_cancel_while_writing_and_the_next_request_runs(open_engine: OpenEngine) -> None:
    engine = open_engine(context=4096)
    stream = engine.submit(ask("1", "Hallo", 3000))
    while not isinstance(stream.get(SOON_S), Text):
        pass
    stream.cancel()
    _, end = stream.collect(SOON_S)
    assert isinstance(end, Finished)
    assert end.reason == "cancelled"
    assert end.stats.completion_tokens < 3000
    assert isinstance(_end(engine, ask("2", "Hallo", 5)), Finished)


def test_cancel_aborts_a_step_in_the_middle_of_a_prompt(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    # One micro-batch for the whole prompt: only an abort inside it can end it early.
    wide = write_tiny_model(tmp_path / "wide.gguf", layers=3, width=512)
    engine = open_engine(wide, context=4096, ubatch=4096)
    stream = engine.submit(ask("1", LONG * 4, 100))
    assert isinstance(stream.get(SOON_S), Started)
    stream.cancel()
    events = list(stream)
    assert [type(event) for event in events] == [Finished]
    assert isinstance(_end(engine, ask("2", "Hallo", 5)), Finished)


@pytest.mark.parametrize("writer", [write_tiny_model, write_tiny_mamba, write_tiny_gemma2])
def test_cancelling_one_loses_nothing_of_the_others(
    open_engine: OpenEngine, tmp_path: Path, writer: Callable[..., Path]
) -> None:
    path = writer(tmp_path / "model.gguf", layers=4)
    engine = open_engine(path, context=4096, parallel=3, ubatch=512)
    other = engine.submit(ask("other", "Hallo", 400))
    for number in range(12):
        stream = engine.submit(ask(f"{number}", f"{number} {LONG}", 100))
        stream.get(SOON_S)
        stream.cancel()
        assert isinstance(stream.collect(SOON_S)[1], Finished)
    end = other.collect(SOON_S)[1]
    assert isinstance(end, Finished)
    assert end.stats.completion_tokens == 400
    assert engine._worker._loaded is not None
    check_cache(engine._worker._loaded.batcher)


def test_cancel_of_what_waits_or_has_ended(open_engine: OpenEngine) -> None:
    engine = open_engine(context=4096, parallel=1)
    running = engine.submit(ask("1", "Hallo", 2000))
    waiting = engine.submit(ask("2", "Hallo", 10))
    waiting.cancel()
    _, end = waiting.collect(SOON_S)
    assert isinstance(end, Finished)
    assert end.stats.completion_tokens == 0
    running.cancel()
    assert isinstance(running.collect(SOON_S)[1], Finished)
    running.cancel()
    assert isinstance(_end(engine, ask("3", "Hallo", 5)), Finished)


def test_close_ends_every_stream(open_engine: OpenEngine) -> None:
    engine = open_engine(context=4096, parallel=2)
    streams = [engine.submit(ask(f"{n}", "Hallo", 3000)) for n in range(4)]
    streams[0].get(SOON_S)
    engine.close()
    ends = [stream.collect(SOON_S)[1] for stream in streams]
    assert [end.reason for end in ends if isinstance(end, Finished)] == ["cancelled"] * 4
    engine.close()
    late = _end(engine, ask("late", "Hallo"))
    assert isinstance(late, Failed)
    assert late.kind == "engine_closed"
    with pytest.raises(EngineError):
        engine.count_tokens("Hallo")


def test_submitting_while_another_thread_closes_never_hangs(plain_model: Path) -> None:
    for _ in range(5):
        engine = load(plain_model, plan_for())
        ends: list[object] = []

        def hammer(engine: LocalEngine = engine, ends: list[object] = ends) -> None:
            for number in range(50):
                ends.append(engine.submit(ask(f"{number}", "Hallo", 3)).collect(SOON_S)[1])

        thread = threading.Thread(target=hammer)
        thread.start()
        engine.close()
        thread.join(SOON_S)
        assert len(ends) == 50
        assert None not in ends


def test_an_unexpected_exception_ends_every_stream(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_engine(context=4096)
    stream = engine.submit(ask("1", "Hallo", 4000))
    stream.get(SOON_S)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken on purpose")

    monkeypatch.setattr("desktop.engine.batching.batcher.Batcher.step", broken)
    _, end = stream.collect(SOON_S)
    assert isinstance(end, Failed)
    assert end.kind == "engine_failed"
    assert "broken on purpose" in end.detail
    later = _end(engine, ask("2", "Hallo"))
    assert isinstance(later, Failed)
    assert later.kind in ("engine_failed", "engine_closed")
    assert not engine.alive
    assert "broken on purpose" in caplog.text


def test_wrong_requests_end_their_own_stream(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(context=1024, parallel=1)
    too_long = _end(engine, ask("1", "x" * 2000))
    assert isinstance(too_long, Failed)
    assert too_long.params == {"prompt_tokens": 2000, "context_tokens": 1024}
    megabytes = _end(engine, ask("2", "x" * 5_000_000))
    assert isinstance(megabytes, Failed)
    assert megabytes.kind == "context_exceeded"
    assert megabytes.params["prompt_tokens"] == 5_000_000
    bad = _end(engine, ask("3", "Hallo", sampling=Sampling(top_p=-1)))
    assert isinstance(bad, Failed)
    assert bad.kind == "bad_sampling"
    monkeypatch.setattr(worker_module, "MAX_REQUESTS", 1)
    first = engine.submit(ask("4", "Hallo", 1000))
    twice = _end(engine, ask("4", "Hallo"))
    assert isinstance(twice, Failed)
    assert twice.kind == "duplicate_request"
    busy = _end(engine, ask("5", "Hallo"))
    assert isinstance(busy, Failed)
    assert busy.kind == "engine_busy"
    first.cancel()
    assert isinstance(first.collect(SOON_S)[1], Finished)
    assert isinstance(_end(engine, ask("4", "Hallo", 3)), Finished)


def test_half_an_emoji_from_a_clipboard_is_no_problem(open_engine: OpenEngine) -> None:
    engine = open_engine()
    assert isinstance(_end(engine, ask("1", "Hallo \ud83d", 3)), Finished)
    assert "\ud83d" in engine.render(Chat((Message("user", "Hallo \ud83d"),))).prompt


def test_load_reports_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "large.gguf", layers=6, width=256)
    seen: list[float] = []
    token = CancelToken()

    def stop_half_way(fraction: float) -> None:
        seen.append(fraction)
        token.cancel()

    with pytest.raises(CancelledError):
        load(model, plan_for(), on_progress=stop_half_way, cancel=token)
    assert seen
    seen.clear()
    load(model, plan_for(), on_progress=seen.append).close()
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


def test_an_exception_in_the_progress_callback_stops_the_load(tiny_model: Path) -> None:
    def complain(_: float) -> None:
        raise KeyError("from the callback")

    with pytest.raises(KeyError, match="from the callback"):
        load(tiny_model, plan_for(), on_progress=complain)


def test_closing_while_it_loads_stops_the_load(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "large.gguf", layers=6, width=256)
    worker = Worker(model, plan_for())
    closer = threading.Thread(target=worker.close)

    def close_from_elsewhere(_: float) -> None:
        if not closer.is_alive():
            closer.start()
        while not worker._cancel_load.cancelled:
            closer.join(0.001)

    with pytest.raises(CancelledError):
        worker.start(close_from_elsewhere)
    closer.join(SOON_S)
    assert not closer.is_alive()


@pytest.mark.parametrize(
    "fields",
    [
        {"context": 0},
        {"parallel": 0},
        {"parallel": 257},
        {"ubatch": 0},
        {"threads": -1},
        {"context": 1 << 40},
        {"kv_type": "q3_9"},
    ],
)
def test_a_plan_that_would_abort_is_refused(tiny_model: Path, fields: dict[str, int]) -> None:
    with pytest.raises(LoadError) as caught:
        load(tiny_model, plan_for(**fields))
    assert caught.value.kind == "bad_plan"


@pytest.mark.parametrize("kv_type", ["f16", "q8_0", "q4_0"])
@pytest.mark.parametrize("flash_attention", [True, False])
def test_every_kind_of_cache_answers(
    open_engine: OpenEngine, tmp_path: Path, kv_type: str, flash_attention: bool
) -> None:
    model = write_tiny_model(
        tmp_path / "heads.gguf", width=128
    )  # heads of 32 values, a whole block
    plan = plan_for(kv_type=kv_type, flash_attention=flash_attention)
    assert isinstance(_end(open_engine(model, plan), ask("1", LONG, 5)), Finished)


def test_a_cache_type_that_does_not_fit_the_heads_says_so(tiny_model: Path) -> None:
    with pytest.raises(LoadError) as caught:
        load(tiny_model, plan_for(kv_type="q8_0"))  # heads of 16 values
    assert caught.value.kind == "context_failed"
    assert "block size" in caught.value.detail


def test_a_device_that_is_gone_is_named(tiny_model: Path) -> None:
    with pytest.raises(LoadError) as caught:
        load(tiny_model, plan_for(gpu_layers=3, device="CUDA7"))
    assert caught.value.kind == "device_gone"
    assert caught.value.params == {"device": "CUDA7"}


def test_whoever_lets_go_of_a_stream_frees_its_sequence(open_engine: OpenEngine) -> None:
    engine = open_engine(context=4096, parallel=1)
    left = engine.submit(ask("left", "Hallo", 3000))
    left.get(SOON_S)
    del left
    assert isinstance(_end(engine, ask("next", "Hallo", 5)), Finished)
    assert [one.state for one in engine.sequences()] == ["idle"]


def test_calls_run_between_the_steps_of_others(open_engine: OpenEngine) -> None:
    engine = open_engine(context=4096)
    worker = engine._worker
    stream = engine.submit(ask("1", "Hallo", 2000))
    stream.get(SOON_S)
    threads = [worker.call(lambda _: threading.current_thread().name) for _ in range(20)]
    assert threads == ["engine"] * 20
    assert stream.end is None
    assert stream.get(SOON_S) is not None  # it went on meanwhile

    def broken(_: object) -> None:
        raise ZeroDivisionError("in the call")

    with pytest.raises(ZeroDivisionError, match="in the call"):
        worker.call(broken)
    stream.cancel()
    assert isinstance(stream.collect(SOON_S)[1], Finished)
    engine.close()
    with pytest.raises(EngineError):
        worker.call(lambda _: None)


def test_what_each_sequence_does_is_told(open_engine: OpenEngine) -> None:
    engine = open_engine(context=4096, parallel=2)
    stream = engine.submit(ask("1", "Hallo", 2000, conversation="chat"))
    while not isinstance(stream.get(SOON_S), Text):
        pass
    busy = next(one for one in engine.sequences() if one.state != "idle")
    assert (busy.request_id, busy.conversation, busy.state) == ("1", "chat", "writing")
    stream.cancel()
    stream.collect(SOON_S)
    assert {one.state for one in engine.sequences()} == {"idle"}
    engine.close()
    assert engine.sequences() == ()


def test_a_busy_engine_says_how_many_it_takes(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "MAX_REQUESTS", 3)
    engine = open_engine(context=4096, parallel=1)
    streams = [engine.submit(ask(f"{n}", "Hallo", 2000)) for n in range(3)]
    busy = _end(engine, ask("4", "Hallo"))
    assert isinstance(busy, Failed)
    assert (busy.kind, dict(busy.params)) == ("engine_busy", {"limit": 3, "requests": 3})
    for stream in streams:
        stream.cancel()
        assert isinstance(stream.collect(SOON_S)[1], Finished)
