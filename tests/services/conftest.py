"""A chat store and a crash marker of their own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.chats.store import ChatStore
from desktop.services.chat_turn import ChatService
from desktop.services.crash_marker import CrashMarker


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ChatStore]:
    opened = ChatStore.open(tmp_path / "chats.db")
    yield opened
    opened.close()


@pytest.fixture
def marker(tmp_path: Path) -> CrashMarker:
    return CrashMarker(tmp_path / "running.json")


@pytest.fixture
def chats(store: ChatStore, marker: CrashMarker) -> Iterator[ChatService]:
    service = ChatService(store, marker)
    yield service
    assert service.close()
