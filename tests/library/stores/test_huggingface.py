"""Hugging Face's cache: snapshots of links, on all systems."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir

from desktop.library.stores.find import find_stores
from desktop.library.stores.model import StoreFolder, StoreModel
from desktop.library.stores.places import Surroundings
from tests.gguf_files import LlamaShape

NEW, OLD = "a" * 40, "b" * 40
links = pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")


def _find(home: Path, **env: str) -> list[StoreFolder]:
    return list(find_stores(Surroundings(home, env, "linux"), ["huggingface"]))


def _models(home: Path, **env: str) -> list[StoreModel]:
    return [model for store in _find(home, **env) for model in store.models]


def _repo(hub: Path, name: str = "models--org--name-GGUF", commit: str = NEW) -> Path:
    repo = hub / name
    for folder in ("blobs", "refs", f"snapshots/{commit}"):
        (repo / folder).mkdir(parents=True, exist_ok=True)
    (repo / "refs" / "main").write_text(commit)
    return repo


def _blob(repo: Path, name: str) -> Path:
    path = repo / "blobs" / name
    LlamaShape().write(path)
    return path


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / ".cache" / "huggingface" / "hub"


@links
def test_a_link_tells_the_hash(tmp_path: Path, hub: Path) -> None:
    repo = _repo(hub)
    blob = _blob(repo, "c" * 64)
    link = repo / "snapshots" / NEW / "sub" / "Model-Q4_K_M.gguf"
    link.parent.mkdir()
    link.symlink_to(blob)
    (model,) = _models(tmp_path)
    assert model.name == "org/name-GGUF/sub/Model-Q4_K_M"
    assert model.paths == (link,)
    assert model.origin is not None
    assert model.origin.sha256 == "c" * 64
    assert (model.origin.where, model.origin.commit) == ("org/name-GGUF", NEW)


@links
def test_the_cache_built_here_is_one_by_its_owners_own_reading(hub: Path) -> None:
    """Else these tests would prove something about a layout that nobody has."""
    repo = _repo(hub)
    (repo / "snapshots" / NEW / "A.gguf").symlink_to(_blob(repo, "c" * 64))
    read = scan_cache_dir(hub)
    assert read.warnings == []
    (found,) = read.repos
    (revision,) = found.revisions
    (file,) = revision.files
    assert (found.repo_id, revision.commit_hash) == ("org/name-GGUF", NEW)
    assert (file.file_name, file.blob_path.name) == ("A.gguf", "c" * 64)


@links
def test_a_file_in_two_snapshots_is_one(tmp_path: Path, hub: Path) -> None:
    """The one that is current counts; what only an older snapshot has comes after."""
    old, repo = _repo(hub, commit=OLD), _repo(hub)
    same, gone = _blob(repo, "c" * 64), _blob(repo, "d" * 64)
    for commit in (OLD, NEW):
        (repo / "snapshots" / commit / "A.gguf").symlink_to(same)
    (old / "snapshots" / OLD / "B.gguf").symlink_to(gone)
    assert [(model.name, model.origin and model.origin.commit) for model in _models(tmp_path)] == [
        ("org/name-GGUF/A", NEW),
        ("org/name-GGUF/B", OLD),
    ]


@links
def test_a_blob_that_was_deleted_is_said(tmp_path: Path, hub: Path) -> None:
    repo = _repo(hub)
    (repo / "snapshots" / NEW / "A.gguf").symlink_to(repo / "blobs" / ("c" * 64))
    (repo / "snapshots" / NEW / "loop.gguf").symlink_to("loop.gguf")
    (repo / "snapshots" / NEW / "B.gguf").symlink_to(_blob(repo, "d" * 64))
    found = {model.name: model.problem and model.problem.kind for model in _models(tmp_path)}
    assert found == {
        "org/name-GGUF/A": "store_blob_missing",
        "org/name-GGUF/loop": "store_blob_missing",
        "org/name-GGUF/B": None,
    }


def test_files_without_links_as_on_windows(tmp_path: Path, hub: Path) -> None:
    LlamaShape().write(_repo(hub) / "snapshots" / NEW / "A.gguf")
    (model,) = _models(tmp_path)
    assert model.origin is not None
    assert model.origin.sha256 == ""


def test_the_folders_that_variables_name(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    LlamaShape().write(_repo(first) / "snapshots" / NEW / "A.gguf")
    LlamaShape().write(_repo(second / "hub") / "snapshots" / NEW / "B.gguf")
    names = [model.name for model in _models(tmp_path, HF_HUB_CACHE=str(first))]
    assert names == ["org/name-GGUF/A"]
    names = [model.name for model in _models(tmp_path, HF_HOME=str(second))]
    assert names == ["org/name-GGUF/B"]


def test_llama_cpps_cache_of_today_is_the_same(tmp_path: Path) -> None:
    """And what older versions left in that folder is told beside it."""
    cache = tmp_path / "llama"
    LlamaShape().write(_repo(cache) / "snapshots" / NEW / "A.gguf")
    LlamaShape().write(cache / "org_repo_B.gguf")
    around = Surroundings(tmp_path, {"LLAMA_CACHE": str(cache)}, "linux", tmp_path)
    found = [(store.store, model.name) for store in find_stores(around) for model in store.models]
    assert found == [("huggingface", "org/name-GGUF/A"), ("llamacpp", "org_repo_B")]


def test_a_cache_without_any_model_of_ours_is_no_store(tmp_path: Path, hub: Path) -> None:
    (_repo(hub) / "snapshots" / NEW / "model.safetensors").write_bytes(b"x")
    (hub / "models--..--..").mkdir()
    (hub / "datasets--org--name").mkdir()
    assert _find(tmp_path) == []
