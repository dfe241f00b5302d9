"""What goes into a pack comes out of it: in one file, in pieces, in a folder."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.common.errors import PackError, StorageError
from desktop.library.packs.arrival import STAGING, Arrival, Arrived, check_pack
from desktop.library.packs.making import Making, ModelToPack
from desktop.library.packs.making_folder import FolderMaking
from desktop.library.packs.opening import OpenPack, open_pack
from desktop.library.packs.volumes import volume_path
from tests.library.packs.packing import Seen, Sources, files_below, hash_of, make

Shape = Callable[[tuple[ModelToPack, ...], Path], Path]


def in_one_file(models: tuple[ModelToPack, ...], stick: Path) -> Path:
    make(models, stick / "Büro.hgpack")
    return stick / "Büro.hgpack"


def in_pieces(models: tuple[ModelToPack, ...], stick: Path) -> Path:
    make(models, stick / "Büro.hgpack", 100_000)
    return stick / "Büro.hgpack.001"


def in_a_folder(models: tuple[ModelToPack, ...], stick: Path) -> Path:
    FolderMaking(models, stick / "Büro").run()
    return stick / "Büro"


def in_a_folder_of_pieces(models: tuple[ModelToPack, ...], stick: Path) -> Path:
    FolderMaking(models, stick / "Büro", 100_000).run()
    return stick / "Büro" / "index.json"


SHAPES: list[Shape] = [in_one_file, in_pieces, in_a_folder, in_a_folder_of_pieces]


def three(sources: Sources) -> tuple[ModelToPack, ...]:
    split = sources.model("Big", (260_000, 512, 70_001), licence="mit", settings={"top_k": 7})
    return (
        sources.model("Tiny", (1,)),
        sources.with_file(split, "mmproj-Big.gguf", 90_000, "projector"),
        sources.model("Größe-Q4_K_M", (100_000,), languages=("de",), origin={"where": "o/r"}),
    )


def bring(pack: OpenPack, models_dir: Path) -> tuple[Arrived, ...]:
    try:
        return Arrival(pack, pack.manifest.models, models_dir).run()
    finally:
        pack.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_it_comes_out_as_it_went_in(
    sources: Sources, stick: Path, models_dir: Path, shape: Shape
) -> None:
    models = three(sources)
    pack = open_pack(shape(models, stick))
    assert [model.name for model in pack.manifest.models] == ["Tiny", "Big", "Größe-Q4_K_M"]
    assert pack.manifest.models[1].settings == {"top_k": 7}
    assert pack.manifest.models[1].licence == "mit"
    assert pack.manifest.models[2].languages == ("de",)
    assert pack.manifest.models[2].origin == {"where": "o/r"}
    assert pack.manifest.refused == ()
    arrived = bring(pack, models_dir)
    expected = {
        path: Path(str(place)).read_bytes()
        for model in models
        for path, place in model.places.items()
    }
    assert files_below(models_dir) == expected
    assert [one.was_here for one in arrived] == [False, False, False]
    assert arrived[1].paths[3] == models_dir / "Big" / "mmproj-Big.gguf"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_second_time_writes_nothing(
    sources: Sources, stick: Path, models_dir: Path, shape: Shape
) -> None:
    place = shape(three(sources), stick)
    bring(open_pack(place), models_dir)
    stamps = {path: path.stat().st_mtime_ns for path in models_dir.rglob("*.gguf")}
    assert all(one.was_here for one in bring(open_pack(place), models_dir))
    assert {path: path.stat().st_mtime_ns for path in models_dir.rglob("*.gguf")} == stamps
    assert not (models_dir / STAGING).exists()


@pytest.mark.parametrize("shape", SHAPES)
def test_checking_finds_nothing_wrong(sources: Sources, stick: Path, shape: Shape) -> None:
    pack = open_pack(shape(three(sources), stick))
    seen = Seen()
    check_pack(pack, seen)
    pack.close()
    assert seen.all[-1].done_bytes == seen.all[-1].total_bytes == pack.manifest.total_bytes


def test_what_is_told_of_the_files_is_true(sources: Sources, stick: Path) -> None:
    one = make(three(sources), stick / "a.hgpack")
    many = make(three(sources), stick / "b.hgpack", 100_000)
    for made in (one, many):
        for written in made.volumes:
            assert hash_of(written.path) == written.sha256
            assert written.path.stat().st_size == written.size_bytes
    assert [one.path.name for one in many.volumes][-1] == "b.hgpack.006"
    assert {one.size_bytes for one in many.volumes[:-1]} == {100_000}


def test_pieces_put_together_are_the_pack(sources: Sources, stick: Path) -> None:
    models = three(sources)
    make(models, stick / "a.hgpack", now=lambda: 5.0)
    make(models, stick / "b.hgpack", 100_000, now=lambda: 5.0)
    joined = b"".join(
        volume_path(stick / "b.hgpack", number).read_bytes() for number in range(1, 7)
    )
    assert joined == (stick / "a.hgpack").read_bytes()


def test_every_systems_own_programs_open_it(sources: Sources, stick: Path, tmp_path: Path) -> None:
    models = three(sources)
    make(models, stick / "a.hgpack")
    with tarfile.open(stick / "a.hgpack") as archive:
        assert archive.getnames()[0] == "index.json"
    program = shutil.which("tar")
    if program is None:
        pytest.skip("no tar here")
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run([program, "-xf", str(stick / "a.hgpack"), "-C", str(out)], check=True)
    assert hash_of(out / "Big" / "mmproj-Big.gguf") == hash_of(sources.folder / "mmproj-Big.gguf")


def test_a_pack_made_with_tar_is_one(
    sources: Sources, stick: Path, models_dir: Path, tmp_path: Path
) -> None:
    FolderMaking(three(sources), tmp_path / "folder").run()
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(stick / f"{form}.hgpack", "w", format=form) as archive:
            for name in sorted(files_below(tmp_path / "folder"), reverse=True):
                archive.add(tmp_path / "folder" / name, arcname=f"./{name}")
        pack = open_pack(stick / f"{form}.hgpack")
        check_pack(pack)
        pack.close()


def test_unchanged_parts_of_a_name_are_found_from_any_piece(sources: Sources, stick: Path) -> None:
    in_pieces(three(sources), stick)
    for number in (1, 4, 6):
        pack = open_pack(volume_path(stick / "Büro.hgpack", number))
        assert len(pack.volumes) == 6
        assert pack.path == stick / "Büro.hgpack"
        pack.close()
    pack = open_pack(stick / "Büro.hgpack")  # as the unsplit one would be called
    assert len(pack.volumes) == 6
    pack.close()


def test_models_that_share_a_file_store_it_once(
    sources: Sources, stick: Path, models_dir: Path
) -> None:
    one = sources.with_file(sources.model("A"), "mmproj-X.gguf", 80_000, "projector")
    other = sources.model("B")
    shared = one.packed.files[1]
    both = ModelToPack(
        other.packed.__class__("B", (*other.packed.files, shared)),
        {**other.places, shared.path: one.places[shared.path]},
    )
    make((one, both), stick / "a.hgpack")
    assert (stick / "a.hgpack").stat().st_size < 700_000
    bring(open_pack(stick / "a.hgpack"), models_dir)
    assert sorted(files_below(models_dir)) == ["A/A.gguf", "A/mmproj-X.gguf", "B/B.gguf"]


def test_a_folder_takes_more_models(sources: Sources, stick: Path) -> None:
    share = stick / "share"
    FolderMaking((sources.model("A"),), share, title="Büro").run()
    made = FolderMaking((sources.model("B"),), share).run()
    assert [model.name for model in made.manifest.models] == ["A", "B"]
    assert made.manifest.title == "Büro"
    newer = sources.model("A", (400_000,))
    made = FolderMaking((newer,), share).run()
    assert [(model.name, model.total_bytes) for model in made.manifest.models] == [
        ("B", 300_000),
        ("A", 400_000),
    ]
    pack = open_pack(share)
    check_pack(pack)
    pack.close()


def test_a_folders_file_that_another_model_needs_stays(sources: Sources, stick: Path) -> None:
    share = stick / "share"
    first = sources.model("A")
    FolderMaking((first,), share).run()
    other = sources.model("Other", (1000,))
    clash = ModelToPack(
        first.packed.__class__("Other", (other.packed.files[0].__class__("A/a.GGUF", 1000, ""),)),
        {"A/a.GGUF": next(iter(other.places.values()))},
    )
    before = files_below(share)
    with pytest.raises(PackError) as caught:
        FolderMaking((clash,), share).run()
    assert caught.value.kind == "pack_target_taken"
    assert files_below(share) == before


def test_progress_adds_up(sources: Sources, stick: Path) -> None:
    seen = Seen()
    Making(three(sources), stick / "a.hgpack").run(seen)
    last = seen.all[-1]
    assert last.done_bytes == last.total_bytes
    assert [one.done_bytes for one in seen.all] == sorted(one.done_bytes for one in seen.all)


def test_what_is_there_is_not_written_over(sources: Sources, stick: Path) -> None:
    (stick / "a.hgpack").write_bytes(b"mine")
    with pytest.raises(PackError) as caught:
        make(three(sources), stick / "a.hgpack")
    assert caught.value.kind == "pack_target_taken"
    assert (stick / "a.hgpack").read_bytes() == b"mine"
    make(three(sources), stick / "a.hgpack", may_replace=True)
    pack = open_pack(stick / "a.hgpack")
    check_pack(pack)
    pack.close()


def test_a_folder_that_is_not_there_is_not_made(sources: Sources, stick: Path) -> None:
    """On the place of a stick that is not plugged in, it would fill the system's own disk."""
    for making in (
        Making(three(sources), stick / "gone" / "a.hgpack"),
        FolderMaking(three(sources), stick / "gone" / "folder"),
    ):
        with pytest.raises(StorageError) as caught:
            making.run()
        assert caught.value.kind == "no_such_folder"
    assert files_below(stick) == {}
    assert list(stick.iterdir()) == []


def test_no_room_is_said_before_the_first_byte(
    sources: Sources, stick: Path, models_dir: Path
) -> None:
    with pytest.raises(StorageError) as caught:
        make(three(sources), stick / "a.hgpack", free=lambda _: 400_000)
    assert caught.value.kind == "no_room_for_pack"
    assert files_below(stick) == {}
    pack = open_pack(in_one_file(three(sources), stick))
    with pytest.raises(StorageError) as caught:
        Arrival(pack, pack.manifest.models, models_dir, free=lambda _: 400_000).run()
    pack.close()
    assert caught.value.kind == "no_room_for_unpack"
    assert files_below(models_dir) == {}


def test_another_file_of_that_name_keeps_its_place(
    sources: Sources, stick: Path, models_dir: Path
) -> None:
    (models_dir / "Big").mkdir()
    (models_dir / "Big" / "mmproj-Big.gguf").write_bytes(b"something else")
    arrived = bring(open_pack(in_one_file(three(sources), stick)), models_dir)
    assert (models_dir / "Big" / "mmproj-Big.gguf").read_bytes() == b"something else"
    assert arrived[1].paths[3].read_bytes() == (sources.folder / "mmproj-Big.gguf").read_bytes()
    again = bring(open_pack(stick / "Büro.hgpack"), models_dir)
    assert [one.paths for one in again] == [one.paths for one in arrived]
