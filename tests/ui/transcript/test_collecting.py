"""Garbage is left lying while text streams, and is collected afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.ui.transcript.collecting import Collecting


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_collection_is_off_until_the_last_answer_ends(qtbot: QtBot) -> None:
    collecting = Collecting()
    collecting.pause()
    collecting.pause()
    collecting.resume()
    assert not gc.isenabled()
    collecting.resume()
    assert gc.isenabled()


def test_resume_without_pause_is_harmless(qtbot: QtBot) -> None:
    collecting = Collecting()
    collecting.resume()
    assert gc.isenabled()
    collecting.pause()
    assert not gc.isenabled()


def test_settling_freezes_what_is_there(qtbot: QtBot) -> None:
    Collecting().settle()
    assert gc.get_freeze_count() > 0
