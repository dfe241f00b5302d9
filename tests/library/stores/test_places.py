"""Where other programs keep their models, by home, environment and system."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.library.stores.ollama import places_of_service
from desktop.library.stores.places import (
    Surroundings,
    gpt4all_places,
    huggingface_places,
    jan_homes,
    llamacpp_places,
    lmstudio_homes,
    ollama_places,
)

HOME = Path("/home/anna")


def test_linux() -> None:
    around = Surroundings(HOME, {"XDG_DATA_HOME": "/big/data", "OLLAMA_MODELS": "~/o"}, "linux")
    assert ollama_places(around)[:2] == [HOME / "o", HOME / ".ollama" / "models"]
    assert Path("/usr/share/ollama/.ollama/models") in ollama_places(around)
    settings, folders = gpt4all_places(around)
    assert settings == HOME / ".config" / "nomic.ai" / "GPT4All.ini"
    assert folders == [Path("/big/data/nomic.ai/GPT4All")]
    assert jan_homes(around)[0][1] == HOME / ".config" / "Jan" / "data"
    assert llamacpp_places(around) == [HOME / ".cache" / "llama.cpp"]


def test_ollamas_service_as_an_administrator_set_it_up(tmp_path: Path) -> None:
    units = tmp_path / "etc" / "systemd" / "system"
    (units / "ollama.service.d").mkdir(parents=True)
    (units / "ollama.service").write_text('[Service]\nEnvironment="PATH=/bin"\n')
    override = units / "ollama.service.d" / "override.conf"
    override.write_text(
        '[Service]\nEnvironment="OLLAMA_HOST=0.0.0.0"\nEnvironment="OLLAMA_MODELS=/data/ollama"\n'
        "#Environment=OLLAMA_MODELS=/old\nEnvironment=OLLAMA_MODELS=relative\n"
    )
    (units / "ollama.service.d" / "odd.conf").write_bytes(b"\xff\x00")
    around = Surroundings(HOME, {}, "linux", tmp_path)
    assert list(places_of_service(around)) == [Path("/data/ollama")]
    assert list(places_of_service(Surroundings(HOME, {}, "darwin", tmp_path))) == []


def test_macos() -> None:
    around = Surroundings(HOME, {}, "darwin")
    support = HOME / "Library" / "Application Support"
    assert ollama_places(around) == [HOME / ".ollama" / "models"]
    assert gpt4all_places(around) == (
        HOME / ".config" / "nomic.ai" / "GPT4All.ini",
        [support / "nomic.ai" / "GPT4All"],
    )
    assert jan_homes(around)[0] == (support / "Jan" / "settings.json", support / "Jan" / "data")
    assert llamacpp_places(around) == [HOME / "Library" / "Caches" / "llama.cpp"]


def test_windows() -> None:
    env = {"APPDATA": "/c/Roaming", "LOCALAPPDATA": "/c/Local"}
    around = Surroundings(HOME, env, "win32")
    assert ollama_places(around) == [HOME / ".ollama" / "models"]
    assert gpt4all_places(around) == (
        Path("/c/Roaming/nomic.ai/GPT4All.ini"),
        [Path("/c/Local/nomic.ai/GPT4All")],
    )
    assert jan_homes(around)[0][1] == Path("/c/Roaming/Jan/data")
    assert llamacpp_places(around) == [Path("/c/Local/llama.cpp")]


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_the_same_on_all(system: str) -> None:
    around = Surroundings(
        HOME, {"HF_HOME": "/hf", "HF_HUB_CACHE": "/cache", "LLAMA_CACHE": " "}, system
    )
    assert lmstudio_homes(around) == [HOME / ".lmstudio", HOME / ".cache" / "lm-studio"]
    assert huggingface_places(around) == [
        Path("/cache"),
        Path("/hf/hub"),
        HOME / ".cache" / "huggingface" / "hub",
    ]
    assert len(llamacpp_places(around)) == 1
