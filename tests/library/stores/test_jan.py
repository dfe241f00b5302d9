"""Jan's store: descriptions that name files, which may lie."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from desktop.library.model_settings import ModelSettings
from desktop.library.stores.find import find_stores
from desktop.library.stores.model import StoreFolder
from desktop.library.stores.places import Surroundings
from tests.gguf_files import LlamaShape


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / ".config" / "Jan" / "data"
    folder.mkdir(parents=True)
    return folder


def _find(home: Path) -> list[StoreFolder]:
    return list(find_stores(Surroundings(home, {}, "linux"), ["jan"]))


def _describe(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.yml").write_text(text, encoding="utf-8")


def test_a_model_that_jan_fetched(tmp_path: Path, data: Path) -> None:
    folder = data / "llamacpp" / "models" / "menlo" / "Jan-nano"
    _describe(
        folder,
        "embedding: false\n"
        "mmproj_path: llamacpp/models/menlo/Jan-nano/mmproj.gguf\n"
        "model_path: llamacpp/models/menlo/Jan-nano/model.gguf\n"
        f"model_sha256: {'ab' * 32}\n"
        "name: Jan Nano\nsize_bytes: 123\n",
    )
    LlamaShape().write(folder / "model.gguf")
    LlamaShape().write(folder / "mmproj.gguf")
    (store,) = _find(tmp_path)
    (model,) = store.models
    assert (model.name, model.problem) == ("Jan Nano", None)
    assert model.paths == (folder / "model.gguf",)
    assert model.projector == folder / "mmproj.gguf"
    assert model.origin is not None
    assert (model.origin.where, model.origin.sha256) == ("menlo/Jan-nano", "ab" * 32)


def test_a_model_that_was_imported_lies_where_it_lay(tmp_path: Path, data: Path) -> None:
    model = LlamaShape().write(tmp_path / "own.gguf")
    _describe(data / "llamacpp" / "models" / "own", f'model_path: "{model}"\nname: own\n')
    (store,) = _find(tmp_path)
    assert store.models[0].paths == (model,)


def test_descriptions_of_older_versions(tmp_path: Path, data: Path) -> None:
    folder = data / "models" / "cortex.so" / "llama3" / "main"
    folder.mkdir(parents=True)
    LlamaShape().write(folder / "model.gguf")
    _describe(
        folder,
        "# BEGIN GENERAL\nid: llama3\nname: Llama 3\nversion: 1\nfiles:\n  - model.gguf\n"
        "stop:\n  - <|eot|>\ntop_p: 0.9 # of the mass\ntemperature: 0.7\nctx_len: 8192\n"
        "prompt_template: |\n  <|start|>: {prompt}\n",
    )
    (store,) = _find(tmp_path)
    (model,) = store.models
    assert model.paths == (folder / "model.gguf",)
    assert model.settings == ModelSettings(context_tokens=8192, temperature=0.7, top_p=0.9)


def test_the_data_folder_that_was_chosen(tmp_path: Path) -> None:
    config, moved = tmp_path / ".config" / "Jan", tmp_path / "big"
    config.mkdir(parents=True)
    (config / "settings.json").write_text(json.dumps({"data_folder": str(moved)}))
    folder = moved / "llamacpp" / "models" / "a"
    _describe(folder, "model_path: llamacpp/models/a/model.gguf\n")
    LlamaShape().write(folder / "model.gguf")
    (store,) = _find(tmp_path)
    assert (store.path, [model.name for model in store.models]) == (moved, ["a"])


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_many_links_in_circles_end(tmp_path: Path, data: Path) -> None:
    """Followed one by one, fifty of them six deep would be fifteen thousand million folders."""
    root = data / "llamacpp" / "models"
    _describe(root / "true", "model_path: llamacpp/models/true/m.gguf\n")
    LlamaShape().write(root / "true" / "m.gguf")
    for number in range(50):
        (root / f"loop{number}").symlink_to(root)
    (store,) = _find(tmp_path)
    assert [model.problem for model in store.models] == [None]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("model_path: llamacpp/models/lie/gone.gguf\n", "store_blob_missing"),
        ("model_path: ../../../../etc/passwd\n", "store_manifest_damaged"),
        ("model_path: ..\\..\\secret.gguf\n", "store_manifest_damaged"),
        ("name: nothing\n", "store_manifest_empty"),
        ("model_path:\n", "store_manifest_empty"),
        ("\x00\x01\x02", "store_manifest_empty"),
        ("model_path: a\x00b.gguf\n", "store_manifest_damaged"),
        ("- " * 1000, "store_manifest_empty"),
    ],
)
def test_a_description_that_lies_is_one_problem(
    tmp_path: Path, data: Path, text: str, kind: str
) -> None:
    root = data / "llamacpp" / "models"
    _describe(root / "lie", text)
    _describe(root / "true", "model_path: llamacpp/models/true/m.gguf\n")
    LlamaShape().write(root / "true" / "m.gguf")
    (store,) = _find(tmp_path)
    found = {model.name: model.problem and model.problem.kind for model in store.models}
    assert found == {"lie": kind, "true": None}
