"""Servers for the window's tests and pictures: three that a person has named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.services.certificate_words import CertificateWords
from desktop.services.open_progress import OpenedModel, OpenedRemote
from desktop.services.remote_file import KnownModel, RemoteFile, RemoteServer
from desktop.services.remote_ref import parse_remote
from desktop.services.remotes import REMOTES_FILE
from tests.ui.stand_ins import ScriptedEngine, ScriptedOpener

HERE = RemoteServer(
    "Ollama",
    "http://localhost:11434/v1",
    models=(KnownModel("qwen3:8b", 4096), KnownModel("gemma3:12b")),
)
OPEN = RemoteServer(
    "Küche", "http://192.168.1.20:1234/v1", models=(KnownModel("mistral-small", 32768),)
)
OFFICE = RemoteServer(
    "Büro",
    "https://llm.kanzlei.example/v1",
    key_place="keyring",
    models=tuple(KnownModel(f"org/model-{n}", 131072) for n in range(9)),
)


STRANGE = CertificateWords(
    "llm.kanzlei.example",
    "Kanzlei Root CA (Kanzlei)",
    "2026-01-01",
    "2027-12-31",
    ":".join(f"{n * 37 % 256:02X}" for n in range(32)),
)


def write_servers(data_folder: Path, *servers: RemoteServer) -> None:
    """As if somebody had added them before this start."""
    data_folder.mkdir(parents=True, exist_ok=True)
    RemoteFile(data_folder / REMOTES_FILE).change(lambda _before: servers)


class RemoteOpener:
    """Opens models of servers by scripted engines, too."""

    def __init__(self, servers: tuple[RemoteServer, ...] = (HERE, OPEN, OFFICE)) -> None:
        self._servers = {server.name: server for server in servers}
        self._usual = ScriptedOpener.open

    def __call__(
        self, opener: ScriptedOpener, text: str, *given: Any, **more: Any
    ) -> OpenedModel | OpenedRemote:
        opened = self._usual(opener, text, *given, **more)
        wanted = parse_remote(text)
        if wanted is None:
            return opened
        server = self._servers[wanted.server]
        engine: ScriptedEngine = opener.engine
        return OpenedRemote(text, engine, server.name, server.place.host, server.leaves_computer)


def opens_servers() -> Callable[..., OpenedModel | OpenedRemote]:
    """`ScriptedOpener.open` for one that knows servers."""
    remote = RemoteOpener()
    return lambda opener, text, *given, **more: remote(opener, text, *given, **more)


def open_servers_too(patch: pytest.MonkeyPatch) -> None:
    """Let every scripted opener know servers."""
    patch.setattr(ScriptedOpener, "open", opens_servers())
