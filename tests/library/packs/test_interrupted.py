"""Pulled out, killed, cancelled, full: the next time goes on, and nothing half is ever seen."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.common import atomic
from desktop.common.errors import CancelledError, HausgeistError, PackError, StorageError
from desktop.library.packs.arrival import STAGING, Arrival, check_pack, delete_staged
from desktop.library.packs.making import Making, ModelToPack, delete_unfinished
from desktop.library.packs.making_folder import FolderMaking
from desktop.library.packs.notes import Notes
from desktop.library.packs.opening import open_pack
from tests.library.packs.packing import Seen, Sources, files_below, hash_of, make

pytestmark = pytest.mark.usefixtures("small_steps")

ROOT = Path(__file__).resolve().parents[3]
SIZES = (200_000, 5, 150_000)


def models_of(sources: Sources) -> tuple[ModelToPack, ...]:
    return (sources.model("One", SIZES), sources.model("Two", (120_000,)))


def visible(folder: Path) -> list[str]:
    """What somebody who looks into the folder takes for finished."""
    return [
        path
        for path in files_below(folder)
        if not path.endswith(".part") and not any(p.startswith(".") for p in path.split("/"))
    ]


def written_by(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes every write put on the disk."""
    real, counts = os.write, []

    def write(handle: int, data: bytes) -> int:
        counts.append(len(data))
        return real(handle, data)

    monkeypatch.setattr("desktop.library.packs.writer.os.write", write)
    return counts


def until_done(run: Callable[[Seen], object], seen_after: Callable[[], list[str]]) -> int:
    """Cancel every time a few pieces later, until it is through; how often it was cancelled."""
    for times in range(200):
        try:
            run(Seen(1 + 3 * times))  # what is there is read again, not written again
        except CancelledError:
            assert seen_after() == []
        else:
            return times
    raise AssertionError("it gets nowhere")


@pytest.mark.parametrize("volume_bytes", [0, 60_000])
def test_cancelled_it_goes_on_there(
    sources: Sources, stick: Path, monkeypatch: pytest.MonkeyPatch, volume_bytes: int
) -> None:
    making = Making(models_of(sources), stick / "a.hgpack", volume_bytes, now=lambda: 5.0)
    counts = written_by(monkeypatch)
    times = until_done(
        lambda seen: making.run(is_cancelled=seen.is_cancelled), lambda: visible(stick)
    )
    assert times >= 3
    pack = open_pack(stick / "a.hgpack")
    check_pack(pack)
    assert sum(counts) == sum(path.stat().st_size for path in pack.volumes)
    pack.close()
    assert [name for name in files_below(stick) if name.startswith(".")] == []


def test_ended_between_two_names_it_goes_on(
    sources: Sources, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later pieces had their names already, and the next time took them for somebody's pack."""
    making = Making(models_of(sources), stick / "a.hgpack", 60_000, now=lambda: 5.0)
    named: list[Path] = []

    def replace_two(part: Path, final: Path) -> None:
        if len(named) == 2:
            raise KeyboardInterrupt
        named.append(final)
        part.replace(final)

    with monkeypatch.context() as patch:
        patch.setattr("desktop.library.packs.writer.replace", replace_two)
        with pytest.raises(KeyboardInterrupt):
            making.run()
    assert all(path.exists() for path in named)
    counts = written_by(monkeypatch)
    making.run()
    check_pack(open_pack(stick / "a.hgpack.001"))
    assert sum(counts) == 0


def test_cancelled_for_good_it_leaves_nothing(sources: Sources, stick: Path) -> None:
    making = Making(models_of(sources), stick / "a.hgpack", 60_000)
    for stop in (1, 20, 40):
        with pytest.raises(CancelledError):
            making.run(is_cancelled=Seen(stop).is_cancelled, keep_unfinished=False)
        assert files_below(stick) == {}
    with pytest.raises(CancelledError):
        making.run(is_cancelled=Seen(50).is_cancelled)
    assert files_below(stick)
    (stick / "a.hgpack2.part").write_bytes(b"another's")
    delete_unfinished(stick / "a.hgpack")
    assert list(files_below(stick)) == ["a.hgpack2.part"]


def test_a_folder_goes_on_too(
    sources: Sources, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = stick / "share"
    making = FolderMaking(models_of(sources), share, 60_000)
    counts = written_by(monkeypatch)
    times = until_done(
        lambda seen: making.run(is_cancelled=seen.is_cancelled),
        lambda: [name for name in files_below(stick) if name.endswith("index.json")],
    )
    assert times >= 3
    pack = open_pack(share)
    check_pack(pack)
    assert sum(counts) == pack.manifest.total_bytes
    pack.close()


def test_other_models_than_before_begin_anew(sources: Sources, stick: Path) -> None:
    with pytest.raises(CancelledError):
        Making(models_of(sources), stick / "a.hgpack").run(is_cancelled=Seen(40).is_cancelled)
    make((sources.model("Three", (400_000,)),), stick / "a.hgpack")
    pack = open_pack(stick / "a.hgpack")
    assert [model.name for model in pack.manifest.models] == ["Three"]
    check_pack(pack)
    pack.close()


def test_a_source_that_changed_meanwhile_is_read_anew(sources: Sources, stick: Path) -> None:
    models = models_of(sources)
    making = Making(models, stick / "a.hgpack")
    with pytest.raises(CancelledError):
        making.run(is_cancelled=Seen(40).is_cancelled)
    place = next(iter(models[0].places.values()))
    assert isinstance(place, Path)
    place.write_bytes(random.Random("other").randbytes(SIZES[0]))
    os.utime(place, (time.time() + 5, time.time() + 5))
    making.run()
    pack = open_pack(stick / "a.hgpack")
    check_pack(pack)
    assert pack.manifest.models[0].files[0].sha256 == hash_of(place)
    pack.close()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"done": {"": 99999999}}', b"\xff\x00"])
def test_damaged_notes_cost_time_and_no_byte(sources: Sources, stick: Path, content: bytes) -> None:
    making = Making(models_of(sources), stick / "a.hgpack")
    with pytest.raises(CancelledError):
        making.run(is_cancelled=Seen(40).is_cancelled)
    Notes.beside(stick / "a.hgpack").path.write_bytes(content)
    making.run()
    pack = open_pack(stick / "a.hgpack")
    check_pack(pack)
    pack.close()


def test_an_unfinished_file_that_was_cut_is_filled_up(sources: Sources, stick: Path) -> None:
    """A stick that was pulled out may have forgotten what it had promised."""
    making = Making(models_of(sources), stick / "a.hgpack")
    with pytest.raises(CancelledError):
        making.run(is_cancelled=Seen(40).is_cancelled)
    part = stick / "a.hgpack.part"
    os.truncate(part, part.stat().st_size // 3)
    making.run()
    pack = open_pack(stick / "a.hgpack")
    check_pack(pack)
    pack.close()


def spoil(part: Path) -> None:
    """As a failure of power leaves it: as long as it was, but zeros in it."""
    data = bytearray(part.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = bytes(4096)
    part.write_bytes(data)


@pytest.mark.parametrize("volume_bytes", [0, 60_000])
def test_what_the_stick_forgot_is_written_again(
    sources: Sources, stick: Path, volume_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    making = Making(models_of(sources), stick / "a.hgpack", volume_bytes)
    with pytest.raises(CancelledError):
        making.run(is_cancelled=Seen(55).is_cancelled)
    parts = [path for path in stick.iterdir() if path.name.endswith(".part")]
    spoil(max(parts, key=lambda path: path.stat().st_size))
    making.run()
    pack = open_pack(stick / "a.hgpack")
    check_pack(pack)
    pack.close()


def test_what_this_disk_forgot_is_no_fault_of_the_pack(
    sources: Sources, stick: Path, models_dir: Path
) -> None:
    make(models_of(sources), stick / "a.hgpack")
    pack = open_pack(stick / "a.hgpack")
    arrival = Arrival(pack, pack.manifest.models, models_dir)
    with pytest.raises(CancelledError):
        arrival.run(is_cancelled=Seen(8).is_cancelled)
    (part,) = models_dir.rglob("*.part")
    spoil(part)
    seen = Seen()
    arrival.run(seen)
    pack.close()
    assert len(visible(models_dir)) == 4
    assert seen.all[-1].done_bytes == seen.all[-1].total_bytes


def failing(monkeypatch: pytest.MonkeyPatch, after: int, error: Callable[[], OSError]) -> None:
    """The disk takes `after` writes, then fails."""
    real, count = os.write, [0]

    def write(handle: int, data: bytes) -> int:
        count[0] += 1
        if count[0] > after:
            raise error()
        return real(handle, data)

    monkeypatch.setattr("desktop.library.packs.writer.os.write", write)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EROFS, "read_only"),
        (errno.EFBIG, "pack_file_too_large"),
        (errno.EIO, "storage"),
    ],
)
def test_a_disk_that_fails_is_told_and_gone_on_with(
    sources: Sources, stick: Path, models_dir: Path, number: int, kind: str
) -> None:
    models = models_of(sources)
    with pytest.MonkeyPatch.context() as patched:
        failing(patched, 12, lambda: OSError(number, os.strerror(number)))
        with pytest.raises(StorageError) as caught:
            make(models, stick / "a.hgpack")
    assert caught.value.kind == kind
    assert visible(stick) == []
    make(models, stick / "a.hgpack")
    pack = open_pack(stick / "a.hgpack")
    with pytest.MonkeyPatch.context() as patched:
        failing(patched, 12, lambda: OSError(number, os.strerror(number)))
        with pytest.raises(StorageError) as caught:
            Arrival(pack, pack.manifest.models, models_dir).run()
    assert caught.value.kind == kind.replace("pack_file_too_large", "file_too_large_here")
    assert visible(models_dir) == []
    Arrival(pack, pack.manifest.models, models_dir).run()
    pack.close()
    assert len(visible(models_dir)) == 4
    assert not (models_dir / STAGING).exists()


def test_a_pulled_stick_is_told_as_that(sources: Sources, tmp_path: Path) -> None:
    stick = tmp_path / "pulled"
    stick.mkdir()
    away = tmp_path / "away"

    def pull() -> OSError:
        if stick.exists():
            stick.rename(away)
        return OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patched:
        failing(patched, 12, pull)
        with pytest.raises(HausgeistError) as caught:
            make(models_of(sources), stick / "a.hgpack")
    assert caught.value.kind == "drive_gone"
    away.rename(stick)
    make(models_of(sources), stick / "a.hgpack")
    pack = open_pack(stick / "a.hgpack")
    check_pack(pack)
    pack.close()


def test_unpacking_goes_on_where_it_was_stopped(
    sources: Sources, stick: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(models_of(sources), stick / "a.hgpack", 100_000)
    pack = open_pack(stick / "a.hgpack")
    arrival = Arrival(pack, pack.manifest.models, models_dir)
    counts = written_by(monkeypatch)
    times = until_done(
        lambda seen: arrival.run(is_cancelled=seen.is_cancelled), lambda: visible(models_dir)
    )
    pack.close()
    assert times >= 3
    assert sum(counts) <= sum(SIZES) + 120_000 + times  # a byte more each time
    assert len(visible(models_dir)) == 4


def test_given_up_it_leaves_nothing(sources: Sources, stick: Path, models_dir: Path) -> None:
    make(models_of(sources), stick / "a.hgpack")
    pack = open_pack(stick / "a.hgpack")
    with pytest.raises(CancelledError):
        Arrival(pack, pack.manifest.models, models_dir).run(is_cancelled=Seen(30).is_cancelled)
    assert files_below(models_dir)
    delete_staged(pack, models_dir)
    pack.close()
    assert list(models_dir.iterdir()) == []


def test_a_flipped_bit_lets_nothing_in(sources: Sources, stick: Path, models_dir: Path) -> None:
    make(models_of(sources), stick / "a.hgpack")
    data = bytearray((stick / "a.hgpack").read_bytes())
    data[-60_000] ^= 1  # in the last model
    (stick / "a.hgpack").write_bytes(data)
    pack = open_pack(stick / "a.hgpack")
    with pytest.raises(PackError) as caught:
        check_pack(pack)
    assert (caught.value.kind, caught.value.params["model"]) == ("pack_wrong_hash", "Two")
    with pytest.raises(PackError) as caught:
        Arrival(pack, pack.manifest.models, models_dir).run()
    assert (caught.value.kind, caught.value.params["model"]) == ("pack_wrong_hash", "Two")
    assert visible(models_dir) == []
    # The other one is whole, and what was read of it is not read again.
    Arrival(pack, pack.manifest.models[:1], models_dir).run()
    pack.close()
    assert sorted({path.split("/")[0] for path in visible(models_dir)}) == ["One"]


def test_places_that_cannot_be_taken_undo_the_rest(
    sources: Sources, stick: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(models_of(sources), stick / "a.hgpack")
    pack = open_pack(stick / "a.hgpack")
    real, calls = atomic.replace, [0]

    def fail_third(temporary: Path, path: Path) -> None:
        calls[0] += 1
        if calls[0] == 3:
            raise OSError(errno.EACCES, "held by a scanner")
        real(temporary, path)

    with monkeypatch.context() as patched:
        patched.setattr("desktop.library.packs.arrival.replace", fail_third)
        with pytest.raises(StorageError):
            Arrival(pack, pack.manifest.models, models_dir).run()
    assert visible(models_dir) == []
    Arrival(pack, pack.manifest.models, models_dir).run()
    pack.close()
    assert len(visible(models_dir)) == 4


def test_two_processes_do_not_work_on_one_pack(
    sources: Sources, stick: Path, models_dir: Path
) -> None:
    make(models_of(sources), stick / "b.hgpack")
    pack = open_pack(stick / "b.hgpack")
    models = models_of(sources)
    kinds = []

    def second(_progress: object) -> None:
        for other in (
            lambda: make(models, stick / "a.hgpack"),
            lambda: Arrival(pack, pack.manifest.models, models_dir).run(),
        ):
            try:
                other()
            except PackError as error:
                kinds.append(error.kind)

    Making(models, stick / "a.hgpack").run(second)
    Arrival(pack, pack.manifest.models, models_dir).run(second)
    pack.close()
    assert set(kinds) == {"pack_busy", "pack_target_taken"}


WORK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from desktop.library.packs import arrival, making, digests, writer
for module in (arrival, making, digests):
    module.CHUNK_BYTES = 16 << 10
writer.SYNC_BYTES = 32 << 10
from tests.library.packs.packing import Sources
from desktop.library.packs.opening import open_pack
what, folder, target, out = sys.argv[2], *map(Path, sys.argv[3:6])
if what == "pack":
    sources = Sources(folder)
    models = (sources.model("One", (2_000_000,)), sources.model("Two", (3_000_000,)))
    print("go", flush=True)
    making.Making(models, target, 1_500_000, now=lambda: 5.0).run()
else:
    pack = open_pack(target)
    print("go", flush=True)
    arrival.Arrival(pack, pack.manifest.models, out).run()
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")
def test_killed_again_and_again(sources: Sources, stick: Path, models_dir: Path) -> None:
    """SIGKILL at random moments, both ways; then it completes, and every hash is right."""
    dice = random.Random(7)
    sources.model("One", (2_000_000,))  # the same bytes in every process

    def run(what: str, after_s: float | None) -> int:
        command = [sys.executable, "-c", WORK, str(ROOT), what]
        process = subprocess.Popen(
            [*command, str(sources.folder), str(stick / "a.hgpack"), str(models_dir)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        if after_s is not None:
            try:
                process.wait(after_s)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        code = process.wait(60)
        process.stdout.close()
        return code

    def whole() -> list[str]:
        names = visible(models_dir)
        for name in names:
            assert hash_of(models_dir / name) == hash_of(sources.folder / Path(name).name)
        return names

    def is_done(what: str) -> bool:
        return (stick / "a.hgpack.001").exists() if what == "pack" else len(whole()) == 2

    for what in ("pack", "unpack"):
        for _ in range(6):
            # It may have been done, and killed on its way out.
            if run(what, dice.uniform(0.005, 0.08)) == 0 or is_done(what):
                break
        else:
            assert run(what, None) == 0
    assert sorted(whole()) == ["One/One.gguf", "Two/Two.gguf"]
