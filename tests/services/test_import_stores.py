"""Models of other programs in our library: found, told apart, taken in, noticed when they go."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from desktop.common.errors import CancelledError, UsageError
from desktop.engine.cancel import CancelToken
from desktop.engine.probe import probe
from desktop.library.library import Library
from desktop.services.import_stores import StoreImporter, wanted
from desktop.services.models import ImportProgress, ModelsService
from tests.engine.driving import plan_for
from tests.gguf_files import LlamaShape, Tensor, write_gguf, write_split
from tests.library.stores.building import OllamaStore, model_bytes
from tests.tiny_models import Array, write_tiny_model

WIDTH = LlamaShape().embedding
NUMBERS = {"llama.block_count": 2, "llama.context_length": 4096, "llama.embedding_length": 64}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    guide = LlamaShape().write(tmp_path / "guide.gguf")
    library = Library.open(tmp_path / "data" / "library.db", guide)
    yield library
    library.close()


@pytest.fixture
def importer(library: Library, tmp_path: Path, home: Path) -> StoreImporter:
    return StoreImporter(library, lambda: tmp_path / "models", {}, home=home, system="darwin")


@pytest.fixture
def ollama(home: Path) -> OllamaStore:
    return OllamaStore(home / ".ollama" / "models")


def _projector(path: Path, width: int = WIDTH) -> Path:
    metadata = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "clip.vision.projection_dim": width,
    }
    return write_gguf(path, metadata, [Tensor("v.patch_embd.weight", (4, 4))])


def test_ollamas_models_are_taken_in_where_they_lie(
    importer: StoreImporter, library: Library, ollama: OllamaStore, tmp_path: Path
) -> None:
    projector = _projector(tmp_path / "p.gguf").read_bytes()
    ollama.model(
        "library/llava/7b",
        model_bytes(tmp_path),
        projector=projector,
        params=b'{"temperature": 0.5}',
        system=b"Be kind.",
    )
    (store,) = importer.found()
    assert (store.store, len(store.new)) == ("ollama", 1)
    (result,) = importer.take_in(store.new)
    model = result.model
    assert model is not None
    assert model.name == "llava-7b"
    assert model.path.parent == ollama.root / "blobs"
    assert model.source == "import"
    assert model.projector is not None
    assert model.projector.read_bytes() == projector
    assert "vision" in model.abilities
    assert model.origin is not None
    assert (model.origin.kind, model.origin.where) == ("ollama", "llava:7b")
    settings = library.model_settings.recommended(model.content)
    assert (settings.temperature, settings.system_prompt) == (0.5, "Be kind.")


def test_what_is_here_is_known_again(
    importer: StoreImporter, ollama: OllamaStore, tmp_path: Path
) -> None:
    ollama.model("library/one/latest", model_bytes(tmp_path, "One"))
    (before,) = importer.found()
    importer.take_in(before.new)
    ollama.model("library/two/latest", model_bytes(tmp_path, "Two"))
    (after,) = importer.found()
    assert [model.name for model in after.here] == ["one:latest"]
    assert [model.name for model in after.new] == ["two:latest"]


def test_the_same_model_from_elsewhere_is_here_too(
    importer: StoreImporter, library: Library, ollama: OllamaStore, tmp_path: Path
) -> None:
    """Taking it in would only give the entry that is there: it must not look new for ever."""
    content = model_bytes(tmp_path, "One")
    (tmp_path / "mine.gguf").write_bytes(content)
    mine = library.add(tmp_path / "mine.gguf")
    ollama.model("library/one/latest", content)
    ollama.model("library/two/latest", model_bytes(tmp_path, "Two"))  # just as long
    (store,) = importer.found()
    assert [model.name for model in store.here] == ["one:latest"]
    assert [model.name for model in store.new] == ["two:latest"]
    (result,) = importer.take_in(list(store.here))
    assert result.model is not None
    assert (result.model.name, result.model.path) == (mine.name, mine.path)


def test_what_its_program_deletes_is_noticed(
    importer: StoreImporter, library: Library, ollama: OllamaStore, tmp_path: Path
) -> None:
    ollama.model("library/one/latest", model_bytes(tmp_path))
    (result,) = importer.take_in(importer.found()[0].new)
    assert result.model is not None
    result.model.path.unlink()
    gone = library.get(result.model.name)
    assert gone.problem == "vanished"
    assert gone.origin is not None
    assert gone.origin.kind == "ollama"


def test_a_copy_is_our_own_with_a_name_and_its_eyes(
    importer: StoreImporter, ollama: OllamaStore, tmp_path: Path
) -> None:
    """A blob's name is a hash, and its projector may be deleted by its program."""
    projector = _projector(tmp_path / "p.gguf").read_bytes()
    ollama.model("library/llava/7b", model_bytes(tmp_path), projector=projector)
    told: list[ImportProgress] = []
    (result,) = importer.take_in(importer.found()[0].new, copy=True, progress=told.append)
    model = result.model
    assert model is not None
    assert model.path == tmp_path / "models" / "llava-7b.gguf"
    assert model.source == "copy"
    assert model.projector == tmp_path / "models" / "llava-7b-mmproj.gguf"
    assert model.projector.read_bytes() == projector
    assert told[-1].fraction == 1.0


@pytest.mark.parametrize("given", [".ollama", ".ollama/models"])
def test_ollamas_folder_by_its_path(
    library: Library, ollama: OllamaStore, tmp_path: Path, home: Path, given: str
) -> None:
    """Its files have no ending: searched as any folder, it would hold no model at all."""
    ollama.model("library/one/3b", model_bytes(tmp_path, "One"), system=b"Be brief.")
    ollama.manifest("library/lie/latest", b"{")
    service = ModelsService(library, lambda: tmp_path / "models")
    results = {result.path.name: result for result in service.import_paths([home / given])}
    (taken,) = [result.model for result in results.values() if result.model is not None]
    assert taken.name == "one-3b"
    assert taken.origin is not None
    assert taken.origin.kind == "ollama"
    assert library.model_settings.recommended(taken.content).system_prompt == "Be brief."
    lying = results["lie:latest"].error
    assert lying is not None
    assert lying.kind == "store_file_damaged"


def test_projectors_and_adapters_are_no_models(importer: StoreImporter, home: Path) -> None:
    folder = home / ".lmstudio" / "models" / "org" / "repo"
    folder.mkdir(parents=True)
    LlamaShape().write(folder / "Model.gguf")
    fitting = _projector(folder / "mmproj-model-f16.gguf")
    _projector(folder / "eyes.gguf")
    LlamaShape().write(folder / "my-lora.gguf", general__type="adapter")
    (store,) = importer.found()
    assert [model.name for model in store.models] == ["org/repo/Model"]
    assert store.models[0].projector == fitting


def test_a_projector_of_another_width_is_not_taken(
    importer: StoreImporter, ollama: OllamaStore, tmp_path: Path
) -> None:
    wrong = _projector(tmp_path / "p.gguf", width=WIDTH * 2).read_bytes()
    ollama.model("library/odd/latest", model_bytes(tmp_path), projector=wrong)
    (store,) = importer.found()
    assert store.models[0].problem is None
    assert store.models[0].projector is None


def test_lies_stop_nobody_else(
    importer: StoreImporter, ollama: OllamaStore, tmp_path: Path, home: Path
) -> None:
    ollama.manifest("library/lie/latest", b"{")
    ollama.model("library/nonsense/latest", b"not a model at all")
    ollama.model("library/true/latest", model_bytes(tmp_path))
    lmstudio = home / ".lmstudio" / "models"
    lmstudio.mkdir(parents=True)
    (lmstudio / "cut.gguf").write_bytes(model_bytes(tmp_path)[:-1000])
    stores = importer.found()
    kinds = {
        model.name: model.problem.kind if model.problem else ""
        for store in stores
        for model in store.models
    }
    assert kinds == {
        "lie:latest": "store_file_damaged",
        "nonsense:latest": "not_gguf",
        "true:latest": "",
        "cut": "truncated_gguf",
    }
    results = importer.take_in([model for store in stores for model in store.models])
    assert [result.model.name for result in results if result.model] == ["true"]
    assert sum(result.error is not None for result in results) == 3


@pytest.mark.parametrize("what", ["name", "eyes"])
def test_ollamas_own_form_is_told_before_it_fails_to_open(
    importer: StoreImporter, ollama: OllamaStore, tmp_path: Path, what: str
) -> None:
    """Its newer engine keeps the image part among the model's tensors, and has names of its own:
    llama.cpp refuses both, as `probe` shows."""

    def add_eyes(weights: dict[str, Array]) -> None:
        if what == "eyes":
            weights["v.patch_embd.weight"] = np.zeros((8, 8), dtype=np.float32)

    name = {"general.architecture": "gptoss"} if what == "name" else {}
    metadata = {key.replace("llama", "gptoss"): value for key, value in NUMBERS.items()} | name
    path = write_tiny_model(tmp_path / "m.gguf", change=add_eyes, metadata=metadata)
    assert probe(path, plan_for(), timeout_s=60.0).error_kind == "load_failed"
    ollama.model("library/own/latest", path.read_bytes())
    (store,) = importer.found()
    problem = store.models[0].problem
    assert problem is not None
    assert problem.kind == "store_own_form"
    (result,) = importer.take_in([replace(store.models[0], problem=None)])
    assert result.error is not None
    assert result.error.kind == "store_own_form"


def test_a_split_model_has_all_its_parts(importer: StoreImporter, home: Path) -> None:
    folder = home / ".lmstudio" / "models" / "o" / "r"
    folder.mkdir(parents=True)
    metadata = dict(LlamaShape().metadata())
    parts = [[Tensor("token_embd.weight", (WIDTH, 8))], [Tensor("output_norm.weight", (WIDTH,))]]
    write_split(folder / "M.gguf", metadata, parts)
    (store,) = importer.found()
    assert [path.name for path in store.models[0].paths] == [
        "M-00001-of-00002.gguf",
        "M-00002-of-00002.gguf",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_names_that_are_no_text(importer: StoreImporter, library: Library, home: Path) -> None:
    folder = home / ".lmstudio" / "models" / os.fsdecode(b"caf\xe9") / "repo"
    folder.mkdir(parents=True)
    LlamaShape().write(folder / "M\udcff.gguf", general__name="")
    (store,) = importer.found()
    (result,) = importer.take_in(store.new)
    assert result.error is None
    assert result.model is not None
    again = library.get(result.model.name)
    assert (again.problem, again.path) == ("", result.path)
    assert len(importer.found()[0].here) == 1


def test_cancelling(importer: StoreImporter, ollama: OllamaStore, tmp_path: Path) -> None:
    for number in range(3):
        ollama.model(f"library/m{number}/latest", model_bytes(tmp_path, f"M{number}"))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        importer.found(cancel=cancel)
    models = importer.found()[0].models
    with pytest.raises(CancelledError):
        importer.take_in(models, cancel=cancel)


def test_a_template_of_gos_is_noted_and_the_models_own_is_used(
    importer: StoreImporter, ollama: OllamaStore, tmp_path: Path, library: Library
) -> None:
    content = write_tiny_model(tmp_path / "t.gguf").read_bytes()
    ollama.model("library/t/latest", content, template=b"{{ .Prompt }}")
    (store,) = importer.found()
    assert store.models[0].template_note == "own"
    (result,) = importer.take_in(store.new)
    assert result.model is not None
    assert library.model_settings.recommended(result.model.content).template is None


def test_stores_by_name() -> None:
    assert wanted("jan") == ("jan",)
    assert len(wanted("all")) == 6
    with pytest.raises(UsageError):
        wanted("chrome")


def test_a_hundred_manifests_for_one_blob_are_one_model(
    importer: StoreImporter, ollama: OllamaStore, tmp_path: Path
) -> None:
    path = ollama.model("library/m/latest", model_bytes(tmp_path))
    document = json.loads(path.read_text())
    for number in range(100):
        ollama.manifest(f"library/m/v{number}", document)
    (store,) = importer.found()
    (model,) = store.models
    assert len(model.also) == 100
