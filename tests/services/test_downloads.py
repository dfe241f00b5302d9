"""The queue of downloads: its order, what holds it, what it waits for, what survives its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import (
    HausgeistError,
    HubError,
    ModelFileError,
    NetworkError,
    StorageError,
    UsageError,
)
from tests.services.downloading import ScriptedFetcher, Yard

A, B, C = "a/m-GGUF:Q4_K_M", "b/m-GGUF:Q4_K_M", "c/m-GGUF:Q4_K_M"


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    (tmp_path / "models").mkdir()
    made = Yard(tmp_path / "downloads.json", ScriptedFetcher(tmp_path / "models"))
    yield made
    for queue in made.opened:
        queue.close()


def test_one_after_the_other(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    queue.add(B)
    yard.until(queue, a="running", b="waiting")
    yard.job("a").succeed()
    yard.until(queue, a="done", b="running")
    yard.job("b").succeed()
    yard.until(queue, a="done", b="done")
    queue.forget(yard.id(queue, "a"))
    assert [entry.reference for entry in queue.all()] == [B]


def test_several_at_once_and_fewer_again(yard: Yard) -> None:
    queue = yard.queue(at_once=2)
    for reference in (A, B, C):
        queue.add(reference)
    yard.until(queue, a="running", b="running", c="waiting")
    queue.set_at_once(3)
    yard.until(queue, c="running")
    queue.set_at_once(1)
    yard.until(queue, a="running", b="waiting", c="waiting")
    yard.until_true(lambda: yard.fetcher.running() == [A])


def test_the_same_model_is_there_once(yard: Yard) -> None:
    queue = yard.queue()
    first = queue.add(A)
    again = queue.add("https://huggingface.co/a/m-GGUF:q4_k_m")
    assert again.id == first.id
    assert len(queue.all()) == 1
    with pytest.raises(UsageError, match="bad_hub_ref"):
        queue.add("what?")


def test_paused_and_resumed(yard: Yard) -> None:
    queue = yard.queue()
    first = queue.add(A)
    queue.add(B)
    yard.until(queue, a="running")
    yard.job("a").tell(300)
    queue.pause(first.id)
    assert yard.state(queue, "a") == "paused"
    yard.until(queue, a="paused", b="running")
    assert queue.all()[0].bytes == 300
    queue.resume(first.id)
    yard.until(queue, a="waiting")
    yard.job("b").succeed()
    yard.until(queue, a="running")


def test_paused_and_at_once_resumed(yard: Yard) -> None:
    """The old job may not have ended yet."""
    queue = yard.queue()
    first = queue.add(A)
    yard.until(queue, a="running")
    queue.pause(first.id)
    queue.resume(first.id)
    yard.until_true(lambda: len(yard.fetcher.jobs) == 2)
    yard.until(queue, a="running")


def test_all_paused(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    queue.add(B)
    queue.pause_all()
    yard.until(queue, a="paused", b="paused")
    queue.resume_all()
    yard.until(queue, a="running", b="waiting")


def test_who_is_moved_to_the_front_runs_now(yard: Yard) -> None:
    queue = yard.queue()
    for reference in (A, B, C):
        queue.add(reference)
    yard.until(queue, a="running")
    queue.move(yard.id(queue, "c"), 0)
    yard.until(queue, c="running", a="waiting", b="waiting")
    assert [entry.reference for entry in queue.all()] == [C, A, B]
    queue.move(yard.id(queue, "c"), 99)
    assert [entry.reference for entry in queue.all()] == [A, B, C]
    assert yard.state(queue, "c") == "running"  # nobody asked that another one go first
    queue.move("nobody", 0)


def test_figures(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A, name="The Model")
    yard.until(queue, a="running")
    job = yard.job("a")
    job.found("x.gguf", total_bytes=1000)
    job.tell(400)
    (entry,) = queue.all()
    assert (entry.name, entry.bytes, entry.total_bytes, entry.share) == (
        "The Model",
        400,
        1000,
        0.4,
    )
    assert (entry.bytes_per_s, entry.left_s) == (100.0, 6.0)
    job.tell(400, state="waiting", waits_for="connection_cut", wait_s=2.0)
    (entry,) = queue.all()
    assert (entry.state, entry.retry_in_s, entry.left_s) == ("offline", 2.0, None)
    job.tell(1000, state="checking")
    yard.until(queue, a="verifying")
    job.tell(1000, state="repairing")
    assert queue.all()[0].is_repairing


def test_the_hubs_name_where_nobody_gave_one(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    yard.job("a").found("x.gguf")
    assert queue.all()[0].name == "Found"


def test_offline_and_back(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    queue.add(B)
    yard.until(queue, a="running")
    yard.offline.append(NetworkError("offline_setting"))
    queue.wake()
    yard.until(queue, a="offline", b="offline")
    yard.until_true(lambda: yard.fetcher.running() == [])
    assert [entry.error.kind for entry in queue.all() if entry.error] == ["offline_setting"] * 2
    yard.offline.clear()
    yard.until(queue, a="running", b="waiting")  # by itself
    assert queue.all()[0].error is None


def test_paid_by_volume(yard: Yard) -> None:
    queue = yard.queue(unmetered_only=True)
    yard.metered[0] = True
    queue.add(A)
    yard.until(queue, a="metered")
    assert yard.fetcher.jobs == []
    queue.set_unmetered_only(False)
    yard.until(queue, a="running")
    queue.set_unmetered_only(True)
    yard.until(queue, a="metered")
    yard.metered[0] = False
    yard.until(queue, a="running")


def test_a_share_needs_no_network(yard: Yard) -> None:
    """An organisation's own folder works behind the offline switch."""
    yard.offline.append(NetworkError("offline_setting"))
    queue = yard.queue()
    queue.add(A)
    queue.add("share/m-GGUF:Q4_K_M")
    yard.until(queue, a="offline", share="running")


def test_a_network_that_comes_back(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    for pause_s in (5, 10, 20):
        yard.until(queue, a="running")
        yard.job("a").fail(NetworkError("host_unknown", host="x"))
        yard.until(queue, a="offline")
        assert queue.all()[0].error is not None
        assert queue.all()[0].retry_in_s == pause_s
        yard.pass_time(pause_s + 0.1)
    yard.until(queue, a="running")
    yard.job("a").tell(10)  # something came: the next pause is a short one
    yard.job("a").fail(NetworkError("connection_cut", host="x"))
    yard.until(queue, a="offline")
    assert queue.all()[0].retry_in_s == 5
    queue.wake()  # the system says that there is a network
    yard.until(queue, a="running")


def test_others_go_on_meanwhile(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    queue.add(B)
    yard.until(queue, a="running")
    yard.job("a").fail(HubError("hub_busy", wait_s=90.0))
    yard.until(queue, a="waiting", b="running")
    queue.wake()
    yard.pass_time(89)
    entry = queue.all()[0]
    assert entry.retry_in_s == pytest.approx(1)
    assert entry.error is not None
    assert entry.error.kind == "hub_busy"
    yard.pass_time(2)
    yard.job("b").succeed()
    yard.until(queue, a="running")


def test_a_break_is_over_after_sleep(yard: Yard) -> None:
    """In sleep the one clock stands still and the other goes on."""
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    yard.job("a").fail(HubError("hub_busy", wait_s=600.0))
    yard.until(queue, a="waiting")
    yard.wall[0] += 700
    yard.until(queue, a="running")


def test_a_clock_that_is_set_back_changes_nothing(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    yard.job("a").fail(HubError("hub_busy", wait_s=60.0))
    yard.until(queue, a="waiting")
    yard.wall[0] -= 1e6
    queue.add(B)
    yard.until(queue, b="running")
    assert queue.all()[0].retry_in_s == 60.0


def test_a_full_disk_is_waited_for(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    error = StorageError("no_room_for_download", path="x", needed_bytes=700, free_bytes=5)
    yard.room[0] = 5
    yard.job("a").fail(error)
    yard.until(queue, a="waiting")
    yard.pass_time(60)
    queue.add(B)
    yard.until(queue, b="running")
    yard.job("b").succeed()
    yard.until(queue, b="done")
    entry = queue.all()[0]
    assert (entry.state, entry.error) == ("waiting", error)
    yard.room[0] = 701
    yard.pass_time(60)
    yard.until(queue, a="running")


def test_a_drive_that_was_pulled_out(yard: Yard, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    yard.fetcher.folder = drive
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    yard.job("a").found("m.gguf")
    yard.job("a").tell(10)
    drive.rmdir()
    yard.job("a").fail(StorageError("storage", path="x"))
    yard.until(queue, a="waiting")
    error = queue.all()[0].error
    assert error is not None
    assert error.kind == "download_folder_gone"
    yard.pass_time(60)
    queue.add(B)
    yard.fetcher.folder = tmp_path
    yard.until(queue, a="waiting", b="running")
    yard.job("b").succeed()
    yard.until(queue, b="done")
    assert not drive.exists()  # nothing was begun where the drive used to be
    drive.mkdir()
    yard.pass_time(60)
    yard.until(queue, a="running")
    assert yard.job("a").folder == drive  # where it was begun


@pytest.mark.parametrize(
    "error",
    [
        HubError("hub_gated", repo="x"),
        HubError("hub_wrong_content", repo="x", file="y"),
        NetworkError("proxy_needs_login", proxy="x"),
        StorageError("read_only", path="x"),
        UsageError("bad_token"),
    ],
    ids=lambda error: str(error.kind),
)
def test_what_does_not_pass(yard: Yard, error: HausgeistError) -> None:
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    yard.job("a").fail(error)
    yard.until(queue, a="failed")
    assert queue.all()[0].error is error
    queue.retry(yard.id(queue, "a"))
    yard.until(queue, a="running")


def test_a_fault_of_the_hub_is_not_waited_out_for_ever(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    for pause_s in (30, 60, 120, 300):
        yard.until(queue, a="running")
        yard.job("a").fail(HubError("hub_down", host="x", status=500))
        yard.until(queue, a="waiting")
        yard.pass_time(pause_s + 1)
    yard.until(queue, a="running")
    yard.job("a").fail(HubError("hub_down", host="x", status=500))
    yard.until(queue, a="failed")


def test_what_arrives_but_is_no_model(yard: Yard) -> None:
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    yard.job("a").succeed(ModelFileError("not_gguf", path="x"))
    yard.until(queue, a="failed")
    assert queue.all()[0].error is not None


def test_an_unforeseen_fault_ends_one_download_only(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = yard.queue()
    queue.add(A)
    queue.add(B)
    yard.until(queue, a="running")
    job = yard.job("a")
    job._outcome = None  # its assertion fails
    job._go.set()
    yard.until(queue, a="failed", b="running")
    error = queue.all()[0].error
    assert error is not None
    assert error.kind == "internal"


def test_cancelled(yard: Yard) -> None:
    queue = yard.queue()
    first = queue.add(A)
    queue.add(B)
    yard.until(queue, a="running")
    job = yard.job("a")
    queue.cancel(first.id)
    queue.cancel(first.id)
    assert [entry.reference for entry in queue.all()] == [B]
    yard.until(queue, b="running")
    assert job.was_cancelled
    for call in (queue.pause, queue.resume, queue.retry, queue.forget):
        call(first.id)  # it is gone: nothing happens


def test_the_next_start_goes_on(yard: Yard) -> None:
    queue = yard.queue()
    for reference in (A, B, C, "d/m-GGUF:Q8_0"):
        queue.add(reference, with_projector=reference != A)
    yard.until(queue, a="running")
    yard.job("a").found("x.gguf", total_bytes=1000)
    yard.job("a").tell(400)
    queue.pause(yard.id(queue, "b"))
    queue.pause(yard.id(queue, "a"))
    yard.until(queue, c="running")
    yard.job("c").succeed()
    yard.until(queue, d="running")
    yard.job("d").fail(HubError("hub_no_quant", repo="d/m", quant="Q8_0", known="Q4_0"))
    yard.until(queue, d="failed")
    queue.resume(yard.id(queue, "a"))
    yard.until(queue, a="running")
    queue.close()
    later = yard.queue()
    yard.until(later, a="running", b="paused", d="failed")
    a, b, d = later.all()
    assert (a.bytes, a.total_bytes, a.name) == (400, 1000, "Found")
    assert (a.with_projector, b.with_projector) == (False, True)
    assert d.error is not None
    assert (d.error.kind, d.error.params["known"]) == ("hub_no_quant", "Q4_0")


def test_without_a_proper_end(yard: Yard) -> None:
    """After SIGKILL nothing was said at the end."""
    queue = yard.queue()
    queue.add(A)
    queue.add(B)
    yard.until(queue, a="running")
    yard.job("a").found("x.gguf")
    yard.until_true(lambda: "Found" in yard.path.read_text() if yard.path.exists() else False)
    left = yard.path.read_bytes()
    queue.close()
    yard.path.write_bytes(left)
    later = yard.queue()
    yard.until(later, a="running", b="waiting")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"downloads": 1}', '{"a":' * 50_000, "\x00\xff", '"' + "x" * (5 << 20)]
)
def test_a_damaged_file_is_kept_aside(yard: Yard, text: str) -> None:
    yard.path.write_text(text)
    queue = yard.queue()
    assert queue.all() == ()
    assert queue.problem is not None
    assert queue.problem.kind == "downloads_damaged"
    kept = Path(str(queue.problem.params["kept_as"]))
    assert kept.read_text() == text
    queue.add(A)
    yard.until(queue, a="running")


@pytest.mark.parametrize(
    "change",
    [
        {"reference": "../../etc"},
        {"state": "dancing"},
        {"bytes": -1},
        {"files": [1]},
        {"id": None},
        {"name": 5},
        {"total_bytes": True},
    ],
    ids=str,
)
def test_a_line_that_is_none_costs_only_itself(yard: Yard, change: dict[str, object]) -> None:
    good = {"id": "1", "reference": A, "name": "", "state": "waiting", "bytes": 0,
            "total_bytes": 0, "folder": "", "files": []}  # fmt: skip
    yard.path.write_text(json.dumps({"downloads": [good | {"id": "2"} | change, good]}))
    queue = yard.queue()
    assert [entry.id for entry in queue.all()] == ["1"]
    assert queue.problem is not None
    yard.until(queue, a="running")


def test_nothing_left_no_file(yard: Yard) -> None:
    queue = yard.queue()
    first = queue.add(A)
    yard.until_true(yard.path.exists)
    queue.cancel(first.id)
    queue.close()
    assert not yard.path.exists()


def test_a_disk_that_takes_no_list(yard: Yard) -> None:
    """The downloads go on; only the next start does not know of them."""
    yard.path = yard.path.parent / "file" / "downloads.json"
    yard.path.parent.write_text("in the way")
    queue = yard.queue()
    queue.add(A)
    yard.until(queue, a="running")
    yard.job("a").succeed()
    yard.until(queue, a="done")


def test_the_limit_holds_for_all_and_at_once(yard: Yard) -> None:
    queue = yard.queue(at_once=2)
    queue.add(A)
    queue.add(B)
    yard.until(queue, a="running", b="running")
    queue.set_limit(5e6)
    assert {job.limit.bytes_per_s for job in yard.fetcher.jobs} == {5e6}
    queue.set_limit(None)
    assert yard.job("a").limit.bytes_per_s == 0


def test_who_listens_no_longer_hears_nothing(yard: Yard) -> None:
    queue = yard.queue()
    heard: list[object] = []
    end = queue.subscribe(heard.append)
    end()
    end()
    queue.add(A)
    yard.until(queue, a="running")
    assert heard == []


def test_calls_return_at_once(yard: Yard) -> None:
    """Even where ending a connection takes its time: the window calls them."""
    queue = yard.queue()
    first = queue.add(A)
    yard.until(queue, a="running")
    job, gate, asked = yard.job("a"), threading.Event(), threading.Event()
    usual = job.stop

    def slow() -> None:
        asked.set()
        assert gate.wait(20)
        usual()

    job.stop = slow  # type: ignore[method-assign]
    queue.pause(first.id)
    assert asked.wait(20)
    assert yard.state(queue, "a") == "paused"
    gate.set()
