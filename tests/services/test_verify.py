"""Models compared with what they should be; what is not known is said to be unknown."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, ModelFileError, StorageError
from desktop.engine.cancel import CancelToken
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.places import keep_origin
from desktop.library.library import Library
from desktop.library.origin import Origin, origin_beside
from desktop.services.verify import Verifier
from tests.gguf_files import LlamaShape, write_split

SHAPE = LlamaShape()


@pytest.fixture
def library(tmp_path: Path, tiny_model: Path) -> Iterator[Library]:
    library = Library.open(tmp_path / "l.db", tiny_model)
    yield library
    library.close()


@pytest.fixture
def verifier(library: Library) -> Verifier:
    return Verifier(library)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rot(path: Path) -> None:
    """One bit, without a trace in its time."""
    before = path.stat()
    raw = bytearray(path.read_bytes())
    raw[-50_000] ^= 4
    path.write_bytes(raw)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_against_what_its_source_says(library: Library, verifier: Verifier, tmp_path: Path) -> None:
    path = SHAPE.write(tmp_path / "m.gguf")
    origin = Origin("hub", "org/repo", sha256=_sha256(path), is_verified=True)
    name = library.add(path, origin=origin).name
    heard: list[tuple[int, int]] = []
    result = verifier.verify(name, lambda done, total: heard.append((done, total)))
    assert (result.ok, result.basis) == (True, "origin")
    assert (result.sha256, result.expected) == (origin.sha256, origin.sha256)
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)
    assert library.get(name).verified_at is not None
    _rot(path)
    result = verifier.verify(name)
    assert (result.ok, result.wrong) == (False, (path,))
    assert (library.get(name).is_damaged, library.get(name).verified_at) == (True, None)
    _rot(path)  # the same bit again
    assert verifier.verify(name).ok is True
    assert library.get(name).is_damaged is False


def test_nothing_known_is_said_and_remembered(
    library: Library, verifier: Verifier, tmp_path: Path
) -> None:
    path = SHAPE.write(tmp_path / "m.gguf")
    name = library.add(path).name
    first = verifier.verify(name)
    assert (first.ok, first.basis, first.expected) == (None, "none", "")
    assert library.get(name).verified_at is None
    second = verifier.verify(name)
    assert (second.ok, second.basis, second.expected) == (True, "import", _sha256(path))
    _rot(path)
    assert verifier.verify(name).ok is False


def test_each_part_of_a_split_model(library: Library, verifier: Verifier, tmp_path: Path) -> None:
    tensors = SHAPE.tensors()
    first = write_split(tmp_path / "m.gguf", SHAPE.metadata(), [tensors[:5], tensors[5:]])
    parts = sorted(tmp_path.glob("m-*.gguf"))
    for part in parts:
        identity = Identity("org/repo", part.name, "c" * 40, part.stat().st_size, _sha256(part))
        keep_origin(part, identity, _sha256(part), is_verified=True)
        beside = origin_beside(part)
        assert beside == Origin("hub", "org/repo", part.name, "c" * 40, _sha256(part), True)  # noqa: FBT003
    name = library.add(first, source="copy").name
    assert library.hashes(name) == tuple(_sha256(part) for part in parts)
    assert verifier.verify(name).ok is True
    _rot(parts[1])
    result = verifier.verify(name)
    assert (result.ok, result.wrong) == (False, (parts[1],))
    assert (result.sha256, result.expected) == (_sha256(parts[1]), library.hashes(name)[1])
    assert verifier.verify_file(first).wrong == (parts[1],)


@pytest.mark.parametrize("seen_between", [False, True])
def test_an_update_is_compared_with_the_new_version(
    library: Library, verifier: Verifier, tmp_path: Path, *, seen_between: bool
) -> None:
    path = tmp_path / "m.gguf"
    for commit, vocab in (("a" * 40, 300), ("b" * 40, 301)):
        SHAPE.with_(vocab=vocab).write(path)
        if seen_between:
            library.list()
        identity = Identity("org/repo", "m.gguf", commit, path.stat().st_size, _sha256(path))
        keep_origin(path, identity, _sha256(path), is_verified=True)
        model = library.add(path, source="copy")
        assert model.origin is not None
        assert model.origin.commit == commit
        assert library.hashes(model.name) == (_sha256(path),)
        assert verifier.verify(model.name).ok is True


def test_a_copy_knows_its_hash_and_a_reference_learns_it(
    library: Library, verifier: Verifier, tmp_path: Path
) -> None:
    path = SHAPE.write(tmp_path / "m.gguf")
    name = library.add(path, copy_to=tmp_path / "models").name
    assert library.hashes(name) == (_sha256(path),)
    other = SHAPE.with_(vocab=301).write(tmp_path / "other.gguf")
    name = library.add(other).name
    verifier.learn(name, at_most_bytes=1000)
    assert library.hashes(name) == ("",)
    verifier.learn(name, at_most_bytes=1 << 30)
    assert library.hashes(name) == (_sha256(other),)
    _rot(other)
    verifier.learn(name, at_most_bytes=1 << 30)  # never overwrites what it knows
    assert verifier.verify(name).ok is False


def test_it_stops_when_asked(library: Library, verifier: Verifier, tmp_path: Path) -> None:
    name = library.add(SHAPE.write(tmp_path / "m.gguf")).name
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        verifier.verify(name, cancel=token)
    assert library.hashes(name) == ("",)


def test_what_cannot_be_read_is_told(
    library: Library, verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = SHAPE.write(tmp_path / "m.gguf")
    name = library.add(path).name

    def fail(*_args: object) -> str:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("desktop.services.verify.sha256_of", fail)
        with pytest.raises(StorageError):
            verifier.verify(name)
    path.unlink()
    with pytest.raises(ModelFileError) as caught:
        verifier.verify(name)
    assert caught.value.kind == "vanished"
    with pytest.raises(ModelFileError) as unknown:
        verifier.verify("nobody")
    assert unknown.value.kind == "unknown_model"


def test_a_file_cut_short_is_still_compared(verifier: Verifier, tmp_path: Path) -> None:
    path = SHAPE.write(tmp_path / "m.gguf")
    whole = _sha256(path)
    identity = Identity("org/repo", "m.gguf", "c" * 40, path.stat().st_size, whole)
    keep_origin(path, identity, whole, is_verified=True)
    path.write_bytes(path.read_bytes()[:100])
    result = verifier.verify_file(path)
    assert (result.ok, result.expected) == (False, whole)
    with pytest.raises(ModelFileError):
        verifier.verify_file(tmp_path / "none.gguf")


def test_the_guide_is_as_any_model(verifier: Verifier) -> None:
    result = verifier.verify("guide")
    assert (result.ok, len(result.sha256)) == (None, 64)
