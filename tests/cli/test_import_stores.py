"""`hausgeist import --from ...`: what a person and a script get."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.library.stores.building import OllamaStore, model_bytes


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any store, whoever runs the tests."""
    home = tmp_path / "user"
    home.mkdir()
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "LLAMA_CACHE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("desktop.library.stores.places._SYSTEM_WIDE_OLLAMA", ())
    monkeypatch.setattr("desktop.library.stores.ollama.ollama_service_files", lambda _around: [])
    return home


@pytest.fixture
def ollama(nobody: Path, tmp_path: Path) -> OllamaStore:
    store = OllamaStore(nobody / ".ollama" / "models")
    store.model("library/llama3.2/3b", model_bytes(tmp_path, "Llama"))
    store.manifest("library/lie/latest", b"{")
    return store


def test_listing_takes_nothing_in(cli: Cli, ollama: OllamaStore) -> None:
    said = cli("import", "--from", "ollama", "--list", "--json")
    (store,) = said.json
    assert (store["store"], store["path"]) == ("ollama", str(ollama.root))
    by_name = {model["name"]: model for model in store["models"]}
    assert by_name["llama3.2:3b"]["quantization"] == "Q4_K_M"
    assert by_name["llama3.2:3b"]["here"] is False
    assert by_name["lie:latest"]["error"]["kind"] == "store_file_damaged"
    assert [model["name"] for model in cli("list", "--json").json] == ["guide"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_listing_in_words(cli: Cli, ollama: OllamaStore, language: str) -> None:
    said = cli("import", "--from", "all", "--list", language=language)
    assert said.code == 0
    assert f"Ollama ({ollama.root})" in said.out
    assert "llama3.2:3b  Q4_K_M" in said.out


def test_taking_in_and_what_failed(cli: Cli, ollama: OllamaStore) -> None:
    said = cli("import", "--from", "ollama", "--json")
    assert said.code == 1
    assert [model["name"] for model in said.json["imported"]] == ["llama3.2-3b"]
    assert said.json["imported"][0]["path"].startswith(str(ollama.root / "blobs"))
    assert [one["error"]["kind"] for one in said.json["failed"]] == ["store_file_damaged"]
    again = cli("import", "--from", "ollama", "--list", "--json").json
    assert {model["name"]: model["here"] for model in again[0]["models"]} == {
        "llama3.2:3b": True,
        "lie:latest": False,
    }


def test_a_blob_is_a_model_like_any_other(cli: Cli, ollama: OllamaStore) -> None:
    """Its file has no .gguf ending: every place that opens it must not mind."""
    cli("import", "--from", "ollama")
    for name in ("llama3.2-3b", "llama3.2:3b"):  # as the list says it, and as Ollama does
        assert cli("fit", name, "--json").json["model"]["name"] == "Llama"
    blob = next(path for path in (ollama.root / "blobs").iterdir() if path.stat().st_size > 1000)
    assert cli("fit", str(blob), "--json").code == 0
    assert cli("import", str(blob), "--json").json["imported"][0]["name"] == "llama3.2-3b"
    removed = cli("remove", "llama3.2-3b", "--json").json
    assert removed["deleted"] is False
    assert blob.exists()


def test_ollamas_digest_is_what_a_model_is_verified_against(cli: Cli, ollama: OllamaStore) -> None:
    cli("import", "--from", "ollama")
    found = cli("verify", "llama3.2-3b", "--json")
    assert (found.code, found.json["ok"]) == (0, True)
    assert found.json["expected"] == found.json["sha256"]
    blob = next(path for path in (ollama.root / "blobs").iterdir() if path.stat().st_size > 1000)
    with blob.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    wrong = cli("verify", "llama3.2-3b", "--json")
    assert wrong.code == 1
    assert wrong.json["ok"] is False


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_its_program_deleted_is_said_with_its_name(
    cli: Cli, ollama: OllamaStore, language: str
) -> None:
    cli("import", "--from", "ollama")
    for blob in (ollama.root / "blobs").iterdir():
        blob.unlink()
    assert "Ollama" in cli("list", language=language).out


@pytest.mark.parametrize("store", ["ollama", "lmstudio", "huggingface", "jan", "gpt4all", "all"])
def test_nothing_there_is_a_sentence(cli: Cli, store: str) -> None:
    said = cli("import", "--from", store)
    assert said.code == 1
    assert said.err.startswith("hausgeist: ")
    listed = cli("import", "--from", store, "--list", "--json")
    assert (listed.code, listed.json) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--list"], "--from"),
        ([], "PATH"),
        (["--from", "chrome"], "lmstudio"),
        (["--from", "jan", "some.gguf"], "some.gguf"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: list[str], word: str) -> None:
    said = cli("import", *arguments)
    assert said.code == 2
    assert word in said.err
