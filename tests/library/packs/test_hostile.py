"""Packs from strangers: names that lead out, numbers that lie, archives that are none."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.common.errors import HausgeistError, PackError
from desktop.library.packs.archive import BLOCK_BYTES, END_BYTES, lay_out, read_entries
from desktop.library.packs.arrival import Arrival
from desktop.library.packs.index_json import index_bytes, is_licence_file, parse_index
from desktop.library.packs.manifest import MAX_INDEX_BYTES
from desktop.library.packs.opening import open_pack
from tests.library.packs.packing import Sources, entry, files_below, index_document, make

BODY = b"x" * 1000

UNSAFE = [
    "../m.gguf",
    "a/../../m.gguf",
    "/etc/m.gguf",
    "C:/m.gguf",
    "C:m.gguf",
    "a\\..\\m.gguf",
    "//server/share/m.gguf",
    "CON.gguf",
    "a/nul.gguf",
    "COM1.gguf",
    "m.gguf:stream.gguf",
    "a /m.gguf",
    "a./m.gguf",
    ".hidden/m.gguf",
    ".unpacking/m.gguf",
    "~/m.gguf/",
    "a//m.gguf",
    "m\n.gguf",
    "m\u202efugg.gguf",
    "m\x00.gguf",
    "x" * 300 + ".gguf",
    "a/" * 250 + "m.gguf",
    "m.exe",
    "autorun.inf",
    "m.gguf.desktop",
    "m.gguf.lnk",
    "",
]


@pytest.mark.parametrize("path", UNSAFE)
def test_an_unsafe_name_costs_only_its_own_model(path: str) -> None:
    good = entry("Good/good.gguf", name="Good")
    manifest = parse_index(index_document([entry(path, name="Bad"), good]), "x")
    assert [model.name for model in manifest.models] == ["Good"]
    assert [(one.name, one.kind) for one in manifest.refused] == [("Bad", "pack_unsafe_name")]
    with pytest.raises(PackError) as caught:
        parse_index(index_document([entry(path)]), "x")
    assert caught.value.kind == "pack_empty"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/m.gguf", "a/M.gguf"),
        ("a/m.gguf", "A/m.gguf"),
        ("a/ü.gguf", "a/u\u0308.gguf"),
        ("a/ß.gguf", "a/SS.gguf"),
        ("a.gguf", "a.gguf/m.gguf"),
        ("a.gguf/m.gguf", "a.gguf"),
        ("a/m.gguf", "a/m.gguf"),
    ],
)
def test_two_files_for_one_place(one: str, other: str) -> None:
    entries = [entry(one, name="One"), entry(other, name="Other", body=b"y" * 99)]
    manifest = parse_index(index_document(entries), "x")
    assert [model.name for model in manifest.models] == ["One"]
    assert [(bad.name, bad.kind) for bad in manifest.refused] == [("Other", "pack_twin_name")]


def test_the_same_name_twice() -> None:
    manifest = parse_index(index_document([entry("a/a.gguf"), entry("b/b.gguf", name="m")]), "x")
    assert [(bad.name, bad.kind) for bad in manifest.refused] == [("m", "pack_twin_name")]


BAD: list[Any] = [
    None,
    7,
    [],
    {},
    {"name": "Bad"},
    {"name": "Bad", "files": []},
    {"name": "Bad", "files": [None]},
    {"name": "Bad", "files": [{}] * 2000},
    {"name": "Bad", "files": [{"path": 7, "size_bytes": 1, "sha256": "0" * 64}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": -1, "sha256": "0" * 64}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": 0, "sha256": "0" * 64}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": 1 << 60, "sha256": "0" * 64}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": True, "sha256": "0" * 64}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": 1.5, "sha256": "0" * 64}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": 1, "sha256": "0" * 63}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": 1, "sha256": "G" * 64}]},
    {"name": "Bad", "files": [{"path": "a.gguf", "size_bytes": 1, "sha256": None}]},
    {"name": "Bad", "files": entry("a.gguf", role="virus")["files"]},
    {"name": "Bad", "files": entry("a.gguf", role=["model"])["files"]},
    {"name": "Bad", "files": entry("mmproj.gguf", role="projector")["files"]},
]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_entry_costs_only_itself(bad: Any) -> None:
    manifest = parse_index(index_document([bad, entry()]), "x")
    assert [model.name for model in manifest.models] == ["M"]
    assert len(manifest.refused) == 1


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "pack_damaged"),
        (b"\xff\xfe", "pack_damaged"),
        (b"[" * 100_000, "pack_damaged"),
        (b"[]", "pack_not_one"),
        (b"{}", "pack_not_one"),
        (b'{"format": "other"}', "pack_not_one"),
        (b'{"format": "hausgeist-models"}', "pack_damaged"),
        (b'{"format": "hausgeist-models", "version": "1"}', "pack_damaged"),
        (b'{"format": "hausgeist-models", "version": 1}', "pack_damaged"),
        (b'{"format": "hausgeist-models", "version": 1, "models": {}}', "pack_damaged"),
        (b'{"format": "hausgeist-models", "version": 2, "models": []}', "pack_newer"),
        (index_document([]), "pack_empty"),
        (index_document([{}] * 10_001), "pack_damaged"),
        (b" " * (MAX_INDEX_BYTES + 1), "pack_damaged"),
    ],
)
def test_what_is_no_index(data: bytes, kind: str) -> None:
    with pytest.raises(PackError) as caught:
        parse_index(data, "x")
    assert caught.value.kind == kind


def test_words_of_strangers_are_made_fit_to_be_shown() -> None:
    odd = "a\x1b[31m\u202eb\ud800" + "c" * 5000
    document = json.dumps(
        {
            "format": "hausgeist-models",
            "version": 1,
            "title": odd,
            "models": [entry() | {"name": odd, "about": odd, "licence": 7, "languages": "de",
                                  "parameters": -5, "settings": {"a": [1], "b": "c"},
                                  "origin": 7}],
        }
    ).encode()  # fmt: skip
    manifest = parse_index(document, "x")
    (model,) = manifest.models
    for text in (manifest.title, model.name, model.about):
        assert text.isprintable()
        assert len(text) <= 2000
        text.encode()
    assert (model.licence, model.languages, model.parameters) == ("", (), 0)
    assert (model.settings, model.origin) == ({"b": "c"}, {})
    assert parse_index(index_bytes(manifest), "x") == manifest


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("LICENSE", True),
        ("LICENSE-Qwen3.5-Q4_K_M.txt", True),
        ("notice.md", True),
        ("LICENSE.exe", False),
        ("LICENSE-x.txt.exe", False),
        ("LICENSE-x.html", False),
        ("LICENSE-x", False),
        ("README.md", False),
    ],
)
def test_which_texts_may_lie_beside_a_model(name: str, good: bool) -> None:
    assert is_licence_file(name) is good


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as made:
        for info, body in members:
            made.addfile(info, io.BytesIO(body))
    return out.getvalue()


def member(name: str, body: bytes = b"", kind: bytes = tarfile.REGTYPE) -> Any:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(body)
    info.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    return info, body


def opened_kind(path: Path) -> str:
    with pytest.raises(HausgeistError) as caught:
        open_pack(path).close()
    return caught.value.kind


def test_links_and_devices_in_an_archive(tmp_path: Path) -> None:
    index = index_document([entry()])
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        data = archive(member("index.json", index), member("M/m.gguf", b"", kind))
        (tmp_path / "a.hgpack").write_bytes(data)
        assert opened_kind(tmp_path / "a.hgpack") == "pack_damaged"


def test_what_the_archive_lacks_is_left_out(tmp_path: Path) -> None:
    index = index_document([entry(), entry("N/n.gguf", name="N"), entry("O/o.gguf", name="O")])
    data = archive(
        member("index.json", index), member("M/m.gguf", BODY), member("N/n.gguf", BODY + b"1")
    )
    (tmp_path / "a.hgpack").write_bytes(data)
    pack = open_pack(tmp_path / "a.hgpack")
    pack.close()
    assert [model.name for model in pack.manifest.models] == ["M"]
    assert [(one.name, one.kind) for one in pack.manifest.refused] == [
        ("N", "pack_file_size"),
        ("O", "pack_file_missing"),
    ]


def test_what_the_index_does_not_name_is_never_written(tmp_path: Path, models_dir: Path) -> None:
    index = index_document([entry()])
    extra = [member("../../evil.gguf", b"evil"), member("/abs.gguf", b"evil")]
    (tmp_path / "a.hgpack").write_bytes(
        archive(member("index.json", index), *extra, member("M/m.gguf", BODY))
    )
    pack = open_pack(tmp_path / "a.hgpack")
    Arrival(pack, pack.manifest.models, models_dir).run()
    pack.close()
    assert list(files_below(models_dir)) == ["M/m.gguf"]
    assert not (tmp_path.parent / "evil.gguf").exists()


def test_a_second_entry_of_a_name_does_not_replace_the_first(
    tmp_path: Path, models_dir: Path
) -> None:
    index = index_document([entry()])
    data = archive(
        member("index.json", index), member("M/m.gguf", BODY), member("M/m.gguf", b"y" * 1000)
    )
    (tmp_path / "a.hgpack").write_bytes(data)
    pack = open_pack(tmp_path / "a.hgpack")
    Arrival(pack, pack.manifest.models, models_dir).run()
    pack.close()
    assert (models_dir / "M" / "m.gguf").read_bytes() == BODY


def test_sizes_that_lie(tmp_path: Path) -> None:
    whole = archive(member("index.json", index_document([entry()])), member("M/m.gguf", BODY))
    for size in (b"77777777777\0", b"\x80" + b"\xff" * 11, b"-0000000001\0", b"zzzzzzzzzzz\0"):
        block = bytearray(whole[:BLOCK_BYTES])
        block[124:136] = size
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        (tmp_path / "a.hgpack").write_bytes(bytes(block) + whole[BLOCK_BYTES:])
        assert opened_kind(tmp_path / "a.hgpack") in ("pack_cut_short", "pack_damaged")


def test_an_extended_header_of_gigabytes_is_not_read() -> None:
    block = bytearray(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)[:BLOCK_BYTES])
    block[156:157] = b"x"
    block[124:136] = b"77777777777\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    asked: list[int] = []

    def read_at(offset: int, n: int) -> bytes:
        asked.append(n)
        return bytes(block)[offset : offset + n]

    with pytest.raises(PackError) as caught:
        read_entries(read_at, 1 << 40, "x")
    assert caught.value.kind == "pack_damaged"
    assert max(asked) <= BLOCK_BYTES


def test_sizes_beyond_eight_gigabytes_come_back() -> None:
    files = [("index.json", 10), ("a/" + "n" * 150 + ".gguf", 1 << 40), ("b.gguf", 1)]
    layout = lay_out(files, 0)
    blocks = dict(zip((e.offset for e in layout.entries), layout.headers, strict=True))

    def read_at(offset: int, n: int) -> bytes:
        for body_at, header in blocks.items():
            start = body_at - len(header)
            if start <= offset < body_at:
                return header[offset - start : offset - start + n]
        return bytes(n)

    found = read_entries(read_at, layout.total_bytes, "x")
    assert [(e.path, e.offset, e.size_bytes) for e in found] == [
        (e.path, e.offset, e.size_bytes) for e in layout.entries
    ]


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_a_missing_piece_is_named(sources: Sources, stick: Path, missing: int) -> None:
    make((sources.model("A", (350_000,)),), stick / "a.hgpack", 100_000)
    assert len(files_below(stick)) == 4
    (stick / f"a.hgpack.{missing:03d}").unlink()
    other = 2 if missing == 1 else 1
    with pytest.raises(PackError) as caught:
        open_pack(stick / f"a.hgpack.{other:03d}").close()
    assert caught.value.kind == "pack_part_missing"
    assert caught.value.params["missing"] == f"a.hgpack.{missing:03d}"


@pytest.mark.parametrize("short", [1, 2, 3, 4])
def test_a_short_piece_is_named(sources: Sources, stick: Path, short: int) -> None:
    make((sources.model("A", (350_000,)),), stick / "a.hgpack", 100_000)
    os.truncate(stick / f"a.hgpack.{short:03d}", 40_000)
    kind = opened_kind(stick / "a.hgpack.001")
    assert kind in ("pack_part_short", "pack_part_missing")


def test_cut_anywhere_nothing_crashes(sources: Sources, stick: Path, tmp_path: Path) -> None:
    make((sources.model("A", (3000,)), sources.model("B", (2000,))), stick / "a.hgpack")
    whole = (stick / "a.hgpack").read_bytes()
    for size in [*range(0, 3000, 97), *range(3000, len(whole) - END_BYTES, 211)]:
        (tmp_path / "cut.hgpack").write_bytes(whole[:size])
        assert opened_kind(tmp_path / "cut.hgpack") in (
            "pack_not_one", "pack_cut_short", "pack_damaged",
        )  # fmt: skip


@given(st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_noise_is_no_archive(data: bytes) -> None:
    def read_at(offset: int, n: int) -> bytes:
        return data[offset : offset + n]

    kind = ""
    try:
        read_entries(read_at, len(data), "x")
    except PackError as error:
        kind = error.kind
    assert kind in ("", "pack_not_one", "pack_cut_short", "pack_damaged")


def test_bytes_changed_anywhere_never_get_in(
    sources: Sources, stick: Path, tmp_path: Path, models_dir: Path
) -> None:
    """Whatever is flipped, what arrives is what the maker's index said, or nothing."""
    models = (sources.model("A", (3000,)), sources.model("B", (2000,)))
    made = make(models, stick / "a.hgpack")
    whole = (stick / "a.hgpack").read_bytes()
    wanted = {file.path: file.sha256 for one in made.manifest.models for file in one.files}
    dice = random.Random(3)
    body_at = whole.index(made.index) + len(made.index)
    for number in range(60):
        data = bytearray(whole)
        data[dice.randrange(body_at, len(whole))] ^= 1 << dice.randrange(8)
        (tmp_path / "x.hgpack").write_bytes(data)
        folder = tmp_path / f"models-{number}"
        folder.mkdir()
        try:
            pack = open_pack(tmp_path / "x.hgpack")
        except HausgeistError:
            continue
        with contextlib.suppress(PackError):
            Arrival(pack, pack.manifest.models, folder).run()
        pack.close()
        for path, body in files_below(folder).items():
            if not path.startswith("."):
                assert hashlib.sha256(body).hexdigest() == wanted[path]


def test_what_is_no_file_at_all(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert opened_kind(tmp_path / "folder") == "pack_not_one"
    assert opened_kind(tmp_path / "nothing.hgpack") == "pack_not_there"
    (tmp_path / "empty.hgpack").write_bytes(b"")
    assert opened_kind(tmp_path / "empty.hgpack") == "pack_not_one"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.hgpack")
        assert opened_kind(tmp_path / "pipe.hgpack") == "pack_not_one"
        os.mkfifo(tmp_path / "folder" / "index.json")
        assert opened_kind(tmp_path / "folder") == "pack_not_one"


def test_a_link_out_of_a_folder_is_held_to_its_hash(tmp_path: Path, models_dir: Path) -> None:
    """A shared folder may hold links; what comes in is what the index says, wherever it lay."""
    folder = tmp_path / "share"
    (folder / "M").mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 1000)
    (folder / "M" / "m.gguf").symlink_to(secret)
    (folder / "index.json").write_bytes(index_document([entry()]))
    pack = open_pack(folder)
    with pytest.raises(PackError) as caught:
        Arrival(pack, pack.manifest.models, models_dir).run()
    pack.close()
    assert caught.value.kind == "pack_wrong_hash"
    assert [path for path in files_below(models_dir) if not path.startswith(".")] == []


@pytest.mark.parametrize("size", [1_000, 1 << 49])
def test_pieces_without_number_are_not_looked_for(tmp_path: Path, size: int) -> None:
    """``x.001`` has three digits: an index that wants more pieces is wrong, and costs no memory."""
    (tmp_path / "M").mkdir()
    (tmp_path / "M" / "m.gguf").write_bytes(BODY)
    document = json.loads(index_document([entry(size_bytes=size)]))
    document["piece_bytes"] = 1
    (tmp_path / "index.json").write_text(json.dumps(document))
    assert opened_kind(tmp_path) == "pack_file_missing"


def test_a_target_that_is_a_link_out_of_the_folder(
    sources: Sources, stick: Path, models_dir: Path, tmp_path: Path
) -> None:
    """What lies in the models' folder is the user's own doing; nothing there is written over."""
    make((sources.model("A", (3000,)),), stick / "a.hgpack")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (models_dir / "A").mkdir()
    (models_dir / "A" / "A.gguf").symlink_to(victim)
    pack = open_pack(stick / "a.hgpack")
    (arrived,) = Arrival(pack, pack.manifest.models, models_dir).run()
    pack.close()
    assert victim.read_bytes() == b"precious"
    assert arrived.paths[0] == models_dir / "pack-2" / "A" / "A.gguf"
