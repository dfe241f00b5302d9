"""Ollama's store: what it says, and everything about which it may lie."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from desktop.library.model_settings import ModelSettings
from desktop.library.stores.documents import MAX_BYTES
from desktop.library.stores.model import StoreFolder, StoreModel
from desktop.library.stores.ollama import read_ollama
from tests.library.stores.building import KIND, OllamaStore, model_bytes


@pytest.fixture
def store(tmp_path: Path) -> OllamaStore:
    return OllamaStore(tmp_path / "models")


def _read(store: OllamaStore) -> StoreFolder:
    found = read_ollama(store.root, lambda: False)
    assert found is not None
    return found


def _only(store: OllamaStore) -> StoreModel:
    (model,) = _read(store).models
    return model


def test_a_model_with_all_that_belongs_to_it(store: OllamaStore, tmp_path: Path) -> None:
    content, eyes = model_bytes(tmp_path), b"GGUF projector"
    store.model(
        "library/llava/7b",
        content,
        projector=eyes,
        template=b"{{ .System }}{{ .Prompt }}",
        params=b'{"temperature": 0.6, "num_ctx": 8192, "top_k": 20, "stop": ["<s>"]}',
        system=b"Du bist h\xc3\xb6flich.\n",
        license=b"MIT License\n\nPermission is hereby...",
    )
    model = _only(store)
    assert model.name == "llava:7b"
    assert model.problem is None
    assert model.paths[0].read_bytes() == content
    assert model.projector is not None
    assert model.projector.read_bytes() == eyes
    assert model.template_note == "own"
    assert model.system_prompt == "Du bist höflich."
    assert model.settings == ModelSettings(
        context_tokens=8192, temperature=0.6, top_k=20, system_prompt="Du bist höflich."
    )
    assert model.licence == "MIT License"
    assert model.origin is not None
    assert model.origin.kind == "ollama"
    assert model.paths[0].name == f"sha256-{model.origin.sha256}"


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("library/llama3.2/3b", "llama3.2:3b"),
        ("somebody/thing/latest", "somebody/thing:latest"),
        ("hf.co/bartowski/Some-GGUF/Q4_K_M", "hf.co/bartowski/Some-GGUF:Q4_K_M"),
    ],
)
def test_names_are_those_of_ollama_list(
    store: OllamaStore, tmp_path: Path, place: str, name: str
) -> None:
    store.model(place, model_bytes(tmp_path))
    assert _only(store).name == name


def test_names_for_the_same_files_are_one_model(store: OllamaStore, tmp_path: Path) -> None:
    content = model_bytes(tmp_path)
    store.model("library/llama3.2/latest", content)
    store.model("library/llama3.2/3b", content)
    store.model("library/mario/latest", content, system=b"You are Mario.")
    models = _read(store).models
    assert [(model.name, model.also) for model in models] == [
        ("llama3.2:3b", ("llama3.2:latest",)),
        ("mario:latest", ()),
    ]


def test_blobs_with_a_colon_of_older_versions(store: OllamaStore, tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("no such names there")
    store.model("library/old/latest", model_bytes(tmp_path))
    for blob in (store.root / "blobs").iterdir():
        blob.rename(blob.with_name(blob.name.replace("-", ":", 1)))
    assert _only(store).problem is None


def test_models_on_ollamas_own_computers_are_left_out(store: OllamaStore) -> None:
    config = store.blob(b'{"remote_host": "https://ollama.com:443", "remote_model": "big"}')
    store.manifest("library/big/cloud", {"config": config, "layers": []})
    store.manifest("library/big/cloud2", {"config": config})
    assert _read(store).models == ()


def test_adapters_are_told(store: OllamaStore, tmp_path: Path) -> None:
    store.model("library/tuned/latest", model_bytes(tmp_path), adapter=b"GGUF adapter")
    assert [path.read_bytes() for path in _only(store).adapters] == [b"GGUF adapter"]


def _lie(**change: Any) -> dict[str, Any]:
    layer = {"mediaType": KIND + "model", "digest": "sha256:" + "0" * 64, "size": 3, **change}
    return {"schemaVersion": 2, "layers": [layer]}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (_lie(), "store_blob_missing"),
        (_lie(digest="sha256:../../../../etc/passwd"), "store_manifest_damaged"),
        (_lie(digest="sha256:" + "g" * 64), "store_manifest_damaged"),
        (_lie(digest="sha256:" + "A" * 64), "store_manifest_damaged"),
        (_lie(digest="md5:" + "0" * 32), "store_manifest_damaged"),
        (_lie(digest=7), "store_manifest_damaged"),
        (_lie(digest=None), "store_manifest_damaged"),
        (_lie(size="3"), "store_manifest_damaged"),
        (_lie(size=True), "store_manifest_damaged"),
        (_lie(size=-1), "store_manifest_damaged"),
        ({"layers": "all"}, "store_manifest_damaged"),
        ({"layers": [7]}, "store_manifest_damaged"),
        ({"layers": [{}] * 2000}, "store_manifest_damaged"),
        ({"layers": []}, "store_manifest_empty"),
        ({}, "store_manifest_damaged"),
        ([1, 2], "store_file_damaged"),
        (b"\xff\xfe\x00", "store_file_damaged"),
        (b"", "store_file_damaged"),
        (b"[" * 200_000, "store_file_damaged"),
        (b'{"layers": 1e999}', "store_manifest_damaged"),
        (_lie(mediaType=KIND + "tensor"), "store_other_format"),
    ],
    ids=str,
)
def test_a_manifest_that_lies_is_one_problem_and_the_others_go_on(
    store: OllamaStore, tmp_path: Path, document: object, kind: str
) -> None:
    store.manifest("library/lie/latest", document)
    store.model("library/true/latest", model_bytes(tmp_path))
    by_name = {model.name: model for model in _read(store).models}
    assert by_name["true:latest"].problem is None
    problem = by_name["lie:latest"].problem
    assert problem is not None
    assert problem.kind == kind


def test_a_blob_of_another_length_is_damaged_or_still_coming(
    store: OllamaStore, tmp_path: Path
) -> None:
    path = store.model("library/half/latest", model_bytes(tmp_path))
    layer = json.loads(path.read_text())["layers"][0]
    blob = store.root / "blobs" / layer["digest"].replace(":", "-")
    blob.write_bytes(blob.read_bytes()[:100])
    problem = _only(store).problem
    assert problem is not None
    assert problem.kind == "store_blob_wrong_size"
    assert problem.params["found"] == 100


def test_a_manifest_of_100_megabytes_is_not_read(store: OllamaStore, tmp_path: Path) -> None:
    path = store.manifest("library/huge/latest", b"{}")
    with path.open("r+b") as file:
        file.truncate(100 << 20)
    store.model("library/true/latest", model_bytes(tmp_path))
    kinds = {model.name: model.problem and model.problem.kind for model in _read(store).models}
    assert kinds == {"huge:latest": "store_file_too_long", "true:latest": None}
    assert MAX_BYTES < 100 << 20


def test_words_that_cannot_be_read_cost_nothing_but_themselves(
    store: OllamaStore, tmp_path: Path
) -> None:
    path = store.model("library/m/latest", model_bytes(tmp_path), params=b"{", system=b"Hallo")
    document = json.loads(path.read_text())
    lost = store.root / "blobs" / document["layers"][2]["digest"].replace(":", "-")
    lost.unlink()
    model = _only(store)
    assert model.problem is None
    assert model.settings == ModelSettings()


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_loops_of_links_end(store: OllamaStore, tmp_path: Path) -> None:
    store.model("library/true/latest", model_bytes(tmp_path))
    (store.root / "manifests" / "loop").symlink_to(store.root / "manifests")
    (store.root / "manifests" / "registry.ollama.ai" / "self").symlink_to("self")
    (store.root / "manifests" / "registry.ollama.ai" / "library" / "true" / "2b").symlink_to("away")
    kinds = {model.name: model.problem and model.problem.kind for model in _read(store).models}
    assert kinds == {"true:latest": None, "true:2b": "store_file_missing"}


@pytest.mark.skipif(os.name == "nt", reason="pipes have no names in folders there")
def test_a_pipe_in_the_place_of_a_manifest_is_not_waited_for(store: OllamaStore) -> None:
    path = store.manifest("library/pipe/latest", {})
    path.unlink()
    os.mkfifo(path)
    problem = _only(store).problem
    assert problem is not None
    assert problem.kind == "store_file_unreadable"


def test_no_store_is_none_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    assert read_ollama(tmp_path / "nothing", lambda: False) is None
    assert _read(OllamaStore(tmp_path / "models")).models == ()


def test_a_cancel_stops_the_reading(store: OllamaStore, tmp_path: Path) -> None:
    for number in range(5):
        store.model(f"library/m{number}/latest", model_bytes(tmp_path, f"M{number}"))
    found = read_ollama(store.root, lambda: True)
    assert found is not None
    assert found.models == ()
