"""From one computer's library over a stick into another's: with settings, licence and origin."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from desktop.common.errors import HausgeistError, StorageError
from desktop.common.settings import Settings, SettingsStore
from desktop.engine.cancel import CancelToken
from desktop.gguf.reader import read_header
from desktop.library.library import Library
from desktop.library.model_settings import ModelSettings
from desktop.library.origin import Origin, origin_beside
from desktop.library.packs.minisign import new_key, write_keys
from desktop.library.packs.progress import PackProgress
from desktop.services.pack_keys import pinned_keys
from desktop.services.packs import FAT32_SPLIT_BYTES, Packs, PackWish
from tests.gguf_files import LlamaShape, write_gguf, write_split
from tests.library.packs.packing import files_below, hash_of

SHAPE = LlamaShape()


@dataclass
class Computer:
    """A library with its models' folder, and packs."""

    folder: Path
    library: Library
    trusted: list[str]
    room: int = 1 << 40
    file_system: str = "ext4"

    @property
    def models_dir(self) -> Path:
        return self.folder / "models"

    @property
    def packs(self) -> Packs:
        return Packs(
            self.library,
            lambda: self.models_dir,
            lambda: self.trusted,
            free=lambda _: self.room,
            file_system=lambda _: self.file_system,
        )

    def model(self, name: str = "Qwen3-4B", repo: str = "", **more: object) -> str:
        folder = self.models_dir / (repo or name)
        folder.mkdir(parents=True, exist_ok=True)
        metadata = SHAPE.metadata(general__name=name, **more)
        path = write_gguf(folder / f"{name}.gguf", metadata, SHAPE.tensors())
        origin: Origin | None = None
        hashes: tuple[str, ...] = ()
        if repo:
            hashes = (hash_of(path),)
            origin = Origin("hub", repo, f"{name}.gguf", "c0ffee", hashes[0], is_verified=True)
        return self.library.add(path, source="copy", origin=origin, hashes=hashes).name


@pytest.fixture
def make_computer(tmp_path: Path, guide_file: Path) -> Iterator[Callable[[str], Computer]]:
    made: list[Computer] = []

    def make(name: str) -> Computer:
        folder = tmp_path / name
        folder.mkdir()
        made.append(Computer(folder, Library.open(folder / "library.db", guide_file), []))
        return made[-1]

    yield make
    for computer in made:
        computer.library.close()


@pytest.fixture
def guide_file(tmp_path: Path) -> Path:
    return SHAPE.write(tmp_path / "guide.gguf", general__name="Guide")


@pytest.fixture
def office(make_computer: Callable[[str], Computer]) -> Computer:
    return make_computer("office")


@pytest.fixture
def laptop(make_computer: Callable[[str], Computer]) -> Computer:
    return make_computer("laptop")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def kind_of(work: Callable[[], object]) -> str:
    with pytest.raises(HausgeistError) as caught:
        work()
    return caught.value.kind


def test_a_model_with_all_that_belongs_to_it(
    office: Computer, laptop: Computer, stick: Path
) -> None:
    name = office.model(
        "Qwen3-4B", "maker/Qwen3-GGUF", general__license="apache-2.0", general__author="Maker"
    )
    projector = office.models_dir / "maker/Qwen3-GGUF" / "mmproj-F16.gguf"
    projector.write_bytes(b"GGUF" + bytes(5000))
    model = office.library.get(name)
    office.library.add(model.path, projector=projector)
    office.library.model_settings.keep(
        model.content, ModelSettings(temperature=0.3, system_prompt="Kurz und klar.")
    )
    packed = office.packs.pack(PackWish((name,), stick / "a.hgpack", title="Büro"))
    assert packed.sha256 == hash_of(stick / "a.hgpack")

    view = laptop.packs.look(stick / "a.hgpack")
    assert view.manifest.title == "Büro"
    assert (view.here, view.problem, view.signed_by) == ((), None, "")
    header = laptop.packs.header(view, view.manifest.models[0])
    assert header.architecture == "llama"
    assert header.tensors == read_header(model.path).tensors
    done = laptop.packs.unpack(view)

    (one,) = done.models
    assert one.problem is None
    assert one.model is not None
    got = laptop.library.get(name)
    # Where the Hub's would lie, so that its reference finds it.
    assert got.path == laptop.models_dir / "maker/Qwen3-GGUF/Qwen3-4B.gguf"
    assert got.projector == laptop.models_dir / "maker/Qwen3-GGUF/mmproj-F16.gguf"
    assert got.origin is not None
    assert (got.origin.kind, got.origin.where) == ("pack", "Büro")
    assert got.origin.file == "maker/Qwen3-GGUF:Qwen3-4B.gguf"
    assert got.origin.commit == "c0ffee"
    assert got.origin.is_verified
    assert laptop.library.hashes(name) == (hash_of(got.path),)
    # For the day on which the index is lost, and for the Hub: nothing is fetched once more.
    beside = origin_beside(got.path, only_current=True)
    assert beside == replace(got.origin, where="maker/Qwen3-GGUF", file="Qwen3-4B.gguf")
    settings = laptop.library.model_settings.recommended(got.content)
    assert (settings.temperature, settings.system_prompt) == (0.3, "Kurz und klar.")
    licence = (got.path.parent / f"LICENSE-{name}.txt").read_text(encoding="utf-8")
    assert "Author: Maker" in licence
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in licence
    assert "maker/Qwen3-GGUF at c0ffee" in licence


def test_what_is_here_is_not_written_again(office: Computer, laptop: Computer, stick: Path) -> None:
    name = office.model()
    office.packs.pack(PackWish((name,), stick / "a.hgpack"))
    elsewhere = laptop.folder / "mine.gguf"
    shutil.copyfile(office.library.get(name).path, elsewhere)
    laptop.library.add(elsewhere)
    view = laptop.packs.look(stick / "a.hgpack")
    assert view.here == (name,)
    done = laptop.packs.unpack(view)
    assert done.models[0].was_here
    assert done.models[0].path == elsewhere
    assert not laptop.models_dir.exists()


def test_several_at_once_and_one_of_them(office: Computer, laptop: Computer, stick: Path) -> None:
    names = [office.model("One"), office.model("Two"), office.model("Three")]
    office.packs.pack(PackWish(tuple(names), stick / "a.hgpack"))
    view = laptop.packs.look(stick / "a.hgpack")
    done = laptop.packs.unpack(view, only=[names[1].upper()])
    assert [one.packed.name for one in done.models] == [names[1]]
    assert [model.name for model in laptop.library.list()] == ["guide", names[1]]
    assert kind_of(lambda: laptop.packs.unpack(view, only=["Four"])) == "pack_no_such_model"
    assert len(laptop.packs.unpack(view).models) == 3


def test_a_split_model_and_a_blob_without_a_name(
    office: Computer, laptop: Computer, stick: Path
) -> None:
    tensors = SHAPE.tensors()
    office.models_dir.mkdir(parents=True)
    first = write_split(
        office.models_dir / "Split.gguf",
        SHAPE.metadata(general__name="Split"),
        [tensors[:9], tensors[9:]],
    )
    split = office.library.add(first).name
    blob = office.models_dir / "sha256-0123abcd"
    SHAPE.write(blob, general__name="Blob")
    named = office.library.add(blob).name
    office.packs.pack(PackWish((split, named), stick / "a.hgpack"))
    laptop.packs.unpack(laptop.packs.look(stick / "a.hgpack"))
    assert len(laptop.library.parts(split)) == 2
    assert laptop.library.get(split).problem == ""
    assert laptop.library.get(named).path.name == f"{named}.gguf"


def test_a_path_is_packed_without_a_library(
    office: Computer, laptop: Computer, stick: Path, tmp_path: Path
) -> None:
    path = SHAPE.write(tmp_path / "loose.gguf", general__name="Loose")
    office.packs.pack(PackWish((str(path),), stick / "a.hgpack"))
    done = laptop.packs.unpack(laptop.packs.look(stick / "a.hgpack"))
    assert done.models[0].model is not None
    assert len(office.library.list()) == 1


def test_the_guide_and_what_is_not_there_are_not_packed(office: Computer, stick: Path) -> None:
    name = office.model()
    packs = office.packs
    assert kind_of(lambda: packs.pack(PackWish((), stick / "a"))) == "nothing_to_pack"
    assert kind_of(lambda: packs.pack(PackWish(("guide",), stick / "a"))) == "guide_not_packed"
    assert kind_of(lambda: packs.pack(PackWish(("None",), stick / "a"))) == "unknown_model"
    office.library.get(name).path.unlink()
    assert kind_of(lambda: packs.pack(PackWish((name,), stick / "a"))) == "pack_source_gone"
    assert files_below(stick) == {}


def test_a_model_that_is_damaged_here_is_not_handed_on(office: Computer, stick: Path) -> None:
    """Its hash was known when it came; a disk's fault must not be signed and spread."""
    name = office.model("Qwen3-4B", "maker/Qwen3-GGUF")
    path = office.library.get(name).path
    stat = path.stat()
    with path.open("r+b") as file:
        file.seek(-100, 2)
        file.write(b"\x01")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    wish = PackWish((name,), stick / "a.hgpack")
    assert kind_of(lambda: office.packs.pack(wish)) == "pack_source_damaged"
    assert files_below(stick) == {}


def test_the_plan_is_what_happens(office: Computer, stick: Path, tmp_path: Path) -> None:
    names = (office.model("One"), office.model("Two", general__license="llama3.2"))
    write_keys(new_key(), tmp_path / "key")
    for sign_with in (None, tmp_path / "key"):
        wish = PackWish(names, stick / "a.hgpack", sign_with=sign_with, may_replace=True)
        plan = office.packs.plan(wish)
        assert plan.problem is None
        assert plan.volumes == 1
        packed = office.packs.pack(wish)
        assert packed.total_bytes == plan.total_bytes
        assert plan.notes == ("packs.note.licence_conditions",)
    office.room = 1000
    problem = office.packs.plan(wish).problem
    assert isinstance(problem, StorageError)
    assert problem.kind == "no_room_for_pack"


@pytest.mark.parametrize(
    ("file_system", "wanted", "split"),
    [
        ("vfat", None, FAT32_SPLIT_BYTES),
        ("fat32", None, FAT32_SPLIT_BYTES),
        ("vfat", 0, 0),
        ("exfat", None, 0),
        ("", None, 0),
        ("ext4", 1 << 20, 1 << 20),
    ],
)
def test_split_as_the_drive_needs_it(
    office: Computer, stick: Path, file_system: str, wanted: int | None, split: int
) -> None:
    name = office.model()
    office.file_system = file_system
    plan = office.packs.plan(PackWish((name,), stick / "a", wanted, as_folder=True))
    assert (plan.split_bytes, plan.file_system) == (split, file_system)


def test_cancelled_it_leaves_nothing_if_asked(office: Computer, stick: Path) -> None:
    name = office.model()
    token = CancelToken()
    seen: list[PackProgress] = []

    def stop(progress: PackProgress) -> None:
        seen.append(progress)
        token.cancel()

    wish = PackWish((name,), stick / "a.hgpack")
    kind = kind_of(
        lambda: office.packs.pack(wish, progress=stop, cancel=token, keep_unfinished=False)
    )
    assert kind == "cancelled"
    assert seen
    assert files_below(stick) == {}


def test_signed_and_pinned(office: Computer, laptop: Computer, stick: Path, tmp_path: Path) -> None:
    name = office.model()
    key, other = new_key(), new_key()
    write_keys(key, tmp_path / "key", "geheim")
    office.packs.pack(PackWish((name,), stick / "unsigned.hgpack"))
    wish = PackWish((name,), stick / "signed.hgpack", sign_with=tmp_path / "key", password="geheim")
    assert office.packs.pack(wish).signed_by == key.public.number

    free = laptop.packs.look(stick / "signed.hgpack")
    assert (free.signed_by, free.is_trusted, free.problem) == (key.public.number, False, None)
    asked = laptop.packs.look(stick / "signed.hgpack", keys=[key.public])
    assert asked.is_trusted
    assert asked.comment.startswith("timestamp:")

    laptop.trusted = [other.public.text]
    for file, kind in (("unsigned", "pack_unsigned"), ("signed", "pack_foreign_key")):
        view = laptop.packs.look(stick / f"{file}.hgpack")
        assert view.problem is not None
        assert view.problem.kind == kind
        assert kind_of(lambda view=view: laptop.packs.unpack(view)) == kind  # type: ignore[misc]
    assert not laptop.models_dir.exists()
    laptop.trusted = [other.public.text, key.public.text]
    view = laptop.packs.look(stick / "signed.hgpack")
    assert view.is_trusted
    assert laptop.packs.unpack(view).models[0].model is not None


def test_what_was_changed_after_signing_is_refused(
    office: Computer, laptop: Computer, stick: Path, tmp_path: Path
) -> None:
    key = new_key()
    write_keys(key, tmp_path / "key")
    wish = PackWish((office.model(),), stick / "a.hgpack", sign_with=tmp_path / "key")
    office.packs.pack(wish)
    data = (stick / "a.hgpack").read_bytes()
    (stick / "a.hgpack").write_bytes(data.replace(b'"title": ""', b'"title":" "', 1))
    laptop.trusted = [key.public.text]
    view = laptop.packs.look(stick / "a.hgpack")
    assert view.problem is not None
    assert view.problem.kind == "pack_bad_signature"


def test_a_mistake_in_the_pins_opens_no_door(tmp_path: Path, laptop: Computer, office: Computer,
                                             stick: Path) -> None:  # fmt: skip
    office.packs.pack(PackWish((office.model(),), stick / "a.hgpack"))
    laptop.trusted = ["RWnonsense"]
    assert kind_of(lambda: laptop.packs.look(stick / "a.hgpack")) == "bad_public_key"
    (tmp_path / "settings.json").write_text('{"trusted_keys": "RWQf6LRCGA9i53ml"}')
    assert kind_of(lambda: pinned_keys(SettingsStore(tmp_path / "settings.json"))) == (
        "setting_unusable"
    )
    (tmp_path / "settings.json").write_text("{}")
    assert pinned_keys(SettingsStore(tmp_path / "settings.json")) == Settings().trusted_keys


def test_another_stick_than_was_shown(office: Computer, laptop: Computer, stick: Path) -> None:
    one, two = office.model("One"), office.model("Two")
    office.packs.pack(PackWish((one,), stick / "a.hgpack"))
    view = laptop.packs.look(stick / "a.hgpack")
    office.packs.pack(PackWish((two,), stick / "a.hgpack", may_replace=True))
    assert kind_of(lambda: laptop.packs.unpack(view)) == "pack_changed"


def test_what_is_no_model_stays_out_and_is_said(
    office: Computer, laptop: Computer, stick: Path
) -> None:
    """Its bytes are what the pack says; only llama.cpp could not take it."""
    good, bad = office.model("Good"), office.model("Bad")
    office.packs.pack(PackWish((good, bad), stick / "folder", as_folder=True))
    spoilt = next((stick / "folder").rglob("Bad.gguf"))
    index = stick / "folder" / "index.json"
    before = hash_of(spoilt)
    spoilt.write_bytes(b"XXXX" + spoilt.read_bytes()[4:])
    index.write_text(index.read_text(encoding="utf-8").replace(before, hash_of(spoilt)), "utf-8")
    done = laptop.packs.unpack(laptop.packs.look(stick / "folder"))
    problems = [one.problem.kind if one.problem else "" for one in done.models]
    assert problems == ["", "not_gguf"]
    assert [model.name for model in laptop.library.list()] == ["guide", good]


def test_what_is_not_there_is_said(laptop: Computer, stick: Path) -> None:
    assert kind_of(lambda: laptop.packs.look(stick / "none.hgpack")) == "pack_not_there"
