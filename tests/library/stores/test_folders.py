"""Stores that keep plain .gguf files: LM Studio, GPT4All, llama.cpp's cache."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from desktop.library.model_settings import ModelSettings
from desktop.library.stores.find import find_stores
from desktop.library.stores.model import StoreFolder, StoreKind
from desktop.library.stores.places import Surroundings
from tests.gguf_files import LlamaShape


def _find(home: Path, kind: StoreKind, **env: str) -> Sequence[StoreFolder]:
    return list(find_stores(Surroundings(home, env, "linux"), [kind]))


def _names(found: Sequence[StoreFolder]) -> list[str]:
    return [model.name for store in found for model in store.models]


def _model(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return LlamaShape().write(path)


@pytest.mark.parametrize("home", [".lmstudio", ".cache/lm-studio"])
def test_lm_studio_in_both_of_its_homes(tmp_path: Path, home: str) -> None:
    models = tmp_path / home / "models"
    _model(models / "org" / "repo" / "Model-Q4_K_M.gguf")
    _model(models / "org" / "repo" / "mmproj-F16.gguf")
    (store,) = _find(tmp_path, "lmstudio")
    (model,) = store.models
    assert model.name == "org/repo/Model-Q4_K_M"
    assert [path.name for path in model.beside] == ["mmproj-F16.gguf"]
    assert model.origin is not None
    assert (model.origin.kind, model.origin.where) == ("lmstudio", "org/repo")


def test_lm_studio_where_it_was_moved_to(tmp_path: Path) -> None:
    """Its home by the pointer beside the user's, its models by its settings."""
    elsewhere, downloads = tmp_path / "big" / "lm", tmp_path / "bigger"
    elsewhere.mkdir(parents=True)
    (tmp_path / ".lmstudio-home-pointer").write_text(f"{elsewhere}\n")
    (elsewhere / "settings.json").write_text(json.dumps({"downloadsFolder": str(downloads)}))
    _model(downloads / "org" / "repo" / "A.gguf")
    _model(elsewhere / "models" / "org" / "repo" / "B.gguf")
    assert _names(_find(tmp_path, "lmstudio")) == ["org/repo/A", "org/repo/B"]


def test_lm_studio_as_an_older_version_noted_it(tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "LM Studio" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"downloadsFolder": str(tmp_path / "drive")}))
    _model(tmp_path / "drive" / "org" / "repo" / "A.gguf")
    assert _names(_find(tmp_path, "lmstudio")) == ["org/repo/A"]


def test_lm_studios_own_settings_for_a_model(tmp_path: Path) -> None:
    _model(tmp_path / ".lmstudio" / "models" / "org" / "repo" / "A.gguf")
    place = tmp_path / ".lmstudio" / ".internal" / "user-concrete-model-default-config"
    path = place / "org" / "repo" / "A.gguf.json"
    path.parent.mkdir(parents=True)
    document = {
        "load": {"fields": [{"key": "llm.load.contextLength", "value": 16384}]},
        "operation": {
            "fields": [
                {"key": "llm.prediction.systemPrompt", "value": "Kurz."},
                {"key": "llm.prediction.topPSampling", "value": {"checked": True, "value": 0.9}},
                {"key": "llm.prediction.minPSampling", "value": {"checked": False, "value": 0.2}},
                {"key": "llm.prediction.temperature", "value": "warm"},
                7,
            ]
        },
    }
    path.write_text(json.dumps(document))
    (store,) = _find(tmp_path, "lmstudio")
    assert store.models[0].settings == ModelSettings(
        context_tokens=16384, top_p=0.9, system_prompt="Kurz."
    )
    path.write_text('{"load": {"fields": 7}, "operation": []}')
    (store,) = _find(tmp_path, "lmstudio")
    assert store.models[0].settings == ModelSettings()


def test_settings_that_are_nonsense_change_nothing(tmp_path: Path) -> None:
    _model(tmp_path / ".lmstudio" / "models" / "A.gguf")
    for text in ("", "{", "[]", '{"downloadsFolder": 7}', '{"downloadsFolder": "models"}'):
        (tmp_path / ".lmstudio" / "settings.json").write_text(text)
        assert _names(_find(tmp_path, "lmstudio")) == ["A"]


def test_gpt4all_with_its_settings(tmp_path: Path) -> None:
    chosen = tmp_path / "mymodels"
    _model(chosen / "Llama-3.gguf")
    _model(chosen / "incomplete-Other.gguf")
    usual = tmp_path / ".local" / "share" / "nomic.ai" / "GPT4All"
    _model(usual / "Phi.gguf")
    settings = tmp_path / ".config" / "nomic.ai" / "GPT4All.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        f"[General]\nmodelPath={chosen}/\nthreadCount=4\n\n"
        "[model-Llama-3.gguf]\ntemperature=0.4\ntopK=30\ncontextLength=4096\n"
        'systemMessage="Sei kurz.\\nSei nett. \\xe4"\n'
        "[model-Phi.gguf]\nsystemPrompt=Alt\n"
    )
    found = _find(tmp_path, "gpt4all")
    assert _names(found) == ["Llama-3", "Phi"]
    assert found[1].models[0].settings == ModelSettings(system_prompt="Alt")
    assert found[0].models[0].settings == ModelSettings(
        context_tokens=4096, temperature=0.4, top_k=30, system_prompt="Sei kurz.\nSei nett. ä"
    )


def test_gpt4alls_settings_may_be_anything(tmp_path: Path) -> None:
    _model(tmp_path / ".local" / "share" / "nomic.ai" / "GPT4All" / "Phi.gguf")
    settings = tmp_path / ".config" / "nomic.ai" / "GPT4All.ini"
    settings.parent.mkdir(parents=True)
    for content in (b"", b"no section\n", b"[General\n", b"\xff\x00", b"[General]\nmodelPath=\n"):
        settings.write_bytes(content)
        assert _names(_find(tmp_path, "gpt4all")) == ["Phi"]


def test_llama_cpps_cache(tmp_path: Path) -> None:
    _model(tmp_path / ".cache" / "llama.cpp" / "org_repo_A.gguf")
    other = tmp_path / "other"
    _model(other / "B.gguf")
    assert _names(_find(tmp_path, "llamacpp")) == ["org_repo_A"]
    assert _names(_find(tmp_path, "llamacpp", LLAMA_CACHE=str(other))) == ["B", "org_repo_A"]


def test_eyes_in_llama_cpps_cache_belong_to_one_repository(tmp_path: Path) -> None:
    """Everything lies in one folder there: two models of the same width must not share eyes."""
    cache = tmp_path / ".cache" / "llama.cpp"
    for name in ("org_seeing_A", "org_seeing_mmproj-f16", "org_blind_B"):
        _model(cache / f"{name}.gguf")
    (store,) = _find(tmp_path, "llamacpp")
    assert {model.name: [one.name for one in model.beside] for model in store.models} == {
        "org_seeing_A": ["org_seeing_mmproj-f16.gguf"],
        "org_blind_B": [],
    }


def test_a_split_model_is_one(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        _model(tmp_path / ".lmstudio" / "models" / "o" / "r" / f"M-0000{number}-of-00003.gguf")
    assert _names(_find(tmp_path, "lmstudio")) == ["o/r/M-00001-of-00003"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_one_folder_by_two_paths_is_one_store_and_loops_end(tmp_path: Path) -> None:
    models = tmp_path / ".lmstudio" / "models"
    _model(models / "o" / "r" / "A.gguf")
    (models / "o" / "loop").symlink_to(models)
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "lm-studio").symlink_to(tmp_path / ".lmstudio")
    assert _names(_find(tmp_path, "lmstudio")) == ["o/r/A"]


def test_a_folder_with_no_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a setting names a whole disk."""
    monkeypatch.setattr("desktop.library.stores.folder.MAX_FILES", 1000)
    models = tmp_path / ".lmstudio" / "models"
    _model(models / "A.gguf")
    for number in range(5):
        (models / f"d{number}").mkdir()
        for file in range(600):
            (models / f"d{number}" / f"{file}.txt").touch()
    (store,) = _find(tmp_path, "lmstudio")
    assert store.problem is not None
    assert store.problem.kind == "store_too_many_files"
    assert [model.name for model in store.models] == ["A"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_store_of_another_user_says_so(tmp_path: Path) -> None:
    models = tmp_path / ".lmstudio" / "models"
    _model(models / "A.gguf")
    models.chmod(0)
    try:
        (store,) = _find(tmp_path, "lmstudio")
    finally:
        models.chmod(0o700)
    assert store.problem is not None
    assert store.problem.kind == "store_unreadable"


def test_nobody_has_any(tmp_path: Path) -> None:
    around = Surroundings(tmp_path, {}, "linux", tmp_path)
    assert list(find_stores(around)) == []
