"""Taking models in and letting them go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, ModelFileError, UsageError
from desktop.engine.cancel import CancelToken
from desktop.hardware.machine import Cpu, Machine, Memory
from desktop.library.library import Library
from desktop.services.models import ImportProgress, ModelsService, model_files
from desktop.services.removal import ModelRemover
from tests.gguf_files import LlamaShape, write_split
from tests.tiny_models import write_tiny_model

MACHINE = Machine(Memory(8 * 2**30, 6 * 2**30), Cpu(logical_cores=2))


@pytest.fixture
def service(tiny_model: Path, tmp_path: Path) -> Iterator[ModelsService]:
    library = Library.in_memory(tiny_model)
    yield ModelsService(
        library,
        lambda: tmp_path / "models",
        remover=ModelRemover(library, has_trash=lambda _path: False),
    )
    library.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two models in folders, beside files that are none."""
    root = tmp_path / "found"
    (root / "deep" / "er").mkdir(parents=True)
    write_tiny_model(root / "b.gguf", seed=1)
    write_tiny_model(root / "deep" / "er" / "a.GGUF", seed=2)
    (root / "readme.txt").write_text("not a model")
    (root / "mmproj-b.gguf").write_bytes(b"a projector")
    (root / "big-00002-of-00002.gguf").write_bytes(b"a later part")
    return root


def test_only_whole_models_of_a_folder(folder: Path) -> None:
    assert [path.name for path in model_files(folder)] == ["b.gguf", "a.GGUF"]
    assert list(model_files(folder / "readme.txt")) == [folder / "readme.txt"]


def test_import_of_files_and_folders(service: ModelsService, folder: Path) -> None:
    seen: list[ImportProgress] = []
    results = service.import_paths([folder, folder / "b.gguf"], progress=seen.append)
    assert [result.path.name for result in results] == ["b.gguf", "a.GGUF"]
    assert all(result.model is not None and result.model.source == "import" for result in results)
    assert len(service.list()) == 3
    assert service.list()[0].name == "guide"
    assert {progress.total for progress in seen} == {2}


def test_nothing_is_copied_unless_asked(
    service: ModelsService, folder: Path, tmp_path: Path
) -> None:
    service.import_paths([folder / "b.gguf"])
    assert not (tmp_path / "models").exists()
    (result,) = service.import_paths([folder / "b.gguf"], copy=True)
    assert result.model is not None
    assert result.model.source == "copy"
    assert result.model.path.is_relative_to(tmp_path / "models")
    assert (folder / "b.gguf").exists()


def test_one_bad_file_does_not_stop_the_others(service: ModelsService, folder: Path) -> None:
    (folder / "c.gguf").write_bytes(b"not a model")
    empty = folder / "empty"
    empty.mkdir()
    results = service.import_paths([folder, empty, folder / "nowhere.gguf"])
    kinds = {result.path.name: result.error.kind for result in results if result.error is not None}
    assert kinds == {
        "c.gguf": "not_gguf",
        "empty": "no_models_in_folder",
        "nowhere.gguf": "not_found",
    }
    assert sum(result.model is not None for result in results) == 2


def _split(folder: Path) -> list[Path]:
    """A model in two parts; returns both."""
    shape = LlamaShape()
    tensors = shape.tensors()
    first = write_split(folder / "big.gguf", shape.metadata(), [tensors[:5], tensors[5:]])
    return [first, first.with_name("big-00002-of-00002.gguf")]


def test_all_parts_of_a_split_model_are_one(service: ModelsService, tmp_path: Path) -> None:
    """Whoever drags two files that are one model must not hear that the second is none."""
    parts = _split(tmp_path)
    for given in (parts, parts[::-1], parts[1:]):
        (result,) = service.import_paths(given)
        assert result.path == parts[0]
        assert result.model is not None
    parts[0].unlink()
    (result,) = service.import_paths(parts[1:])
    assert result.error is not None
    assert result.error.kind == "split_not_first_part"


def test_what_belongs_to_a_model_is_no_failure(service: ModelsService, tmp_path: Path) -> None:
    folder = tmp_path / "seeing"
    folder.mkdir()
    model = LlamaShape().write(folder / "m.gguf")
    lora = LlamaShape().write(folder / "my-lora.gguf", general__type="adapter")
    eyes = LlamaShape(architecture="clip").write(folder / "eyes.gguf")
    for given in ([folder], [model, lora, eyes]):
        assert [result.path for result in service.import_paths(given)] == [model]
    (alone,) = service.import_paths([lora])
    assert alone.error is not None
    assert alone.error.kind == "no_language_model"
    model.unlink()
    (none,) = service.import_paths([folder])
    assert none.error is not None
    assert none.error.kind == "no_models_in_folder"


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_a_folder_with_a_loop_of_links(service: ModelsService, folder: Path) -> None:
    (folder / "deep" / "loop").symlink_to(folder)
    assert len(service.import_paths([folder])) == 2


def test_cancel_between_and_within_files(service: ModelsService, folder: Path) -> None:
    token = CancelToken()

    def stop(progress: ImportProgress) -> None:
        if progress.done == 1:
            token.cancel()

    with pytest.raises(CancelledError):
        service.import_paths([folder], copy=True, progress=stop, cancel=token)
    assert len(service.list()) == 2  # the guide, and the file that was finished before


def test_remove_keeps_the_users_file_and_deletes_our_copy(
    service: ModelsService, folder: Path
) -> None:
    (taken,) = service.import_paths([folder / "b.gguf"])
    assert taken.model is not None
    removed = service.remove(taken.model.name)
    model, deleted = removed.model, removed.deletes
    assert (model.path, deleted) == (folder / "b.gguf", False)
    assert (folder / "b.gguf").exists()
    (copied,) = service.import_paths([folder / "b.gguf"], copy=True)
    assert copied.model is not None
    removed = service.remove(copied.model.name)
    model, deleted = removed.model, removed.deletes
    assert deleted
    assert not model.path.exists()
    assert (folder / "b.gguf").exists()


def test_the_guide_stays_and_unknown_names_are_told(service: ModelsService) -> None:
    with pytest.raises(UsageError, match="guide_stays"):
        service.remove("guide")
    with pytest.raises(ModelFileError, match="unknown_model"):
        service.remove("nobody")


def test_the_list_says_how_each_fits(service: ModelsService, folder: Path) -> None:
    service.import_paths([folder])
    listed = service.with_fit(MACHINE)
    assert [item.report.verdict for item in listed if item.report] == ["cpu"] * 3
    (folder / "b.gguf").unlink()
    gone = [item for item in service.with_fit(MACHINE) if item.report is None]
    assert [item.model.problem for item in gone] == ["vanished"]
