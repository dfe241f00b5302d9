"""What stands between a user and the window is said in words, before Qt aborts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from desktop.__main__ import main
from desktop.cli import window_missing
from desktop.common.errors import HausgeistError


def kind(found: HausgeistError | None) -> str:
    return "" if found is None else found.kind


@pytest.fixture
def x11(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    state = {"connects": True, "loads": True}
    monkeypatch.setattr(window_missing, "_connects", lambda: state["connects"])
    monkeypatch.setattr(window_missing, "_loads", lambda _library: state["loads"])
    return state


def test_linux_needs_a_screen(x11: dict[str, bool]) -> None:
    assert kind(window_missing.missing({}, "linux")) == "no_display"
    assert kind(window_missing.missing({"DISPLAY": ":0"}, "linux")) == ""
    x11["connects"] = False
    assert kind(window_missing.missing({"DISPLAY": ":0"}, "linux")) == "no_display"


def test_a_missing_library_is_named(x11: dict[str, bool]) -> None:
    x11["loads"] = False
    found = window_missing.missing({"DISPLAY": ":0"}, "linux")
    assert kind(found) == "window_missing"
    assert found is not None
    assert found.params["missing"] == "libxcb-cursor.so.0"


def test_wayland_where_its_socket_is(x11: dict[str, bool], tmp_path: Path) -> None:
    env = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert kind(window_missing.missing(env, "linux")) == "no_display"
    (tmp_path / "wayland-0").touch()
    x11["loads"] = False
    assert kind(window_missing.missing(env, "linux")) == ""


def test_other_systems_and_chosen_platforms_are_left_alone() -> None:
    assert window_missing.missing({}, "darwin") is None
    assert window_missing.missing({}, "win32") is None
    assert window_missing.missing({"QT_QPA_PLATFORM": "offscreen"}, "linux") is None


def test_no_such_library_and_no_such_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not window_missing._loads("libno-such-thing.so.9")
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("DISPLAY", ":4711")
        assert window_missing.missing({"DISPLAY": ":4711"}, "linux") is not None


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (ModuleNotFoundError("No module named 'PySide6'", name="PySide6"), "PySide6"),
        (
            ImportError("libEGL.so.1: cannot open shared object file", name="PySide6.QtGui"),
            "libEGL.so.1",
        ),
    ],
)
def test_import_errors_of_qt(error: ImportError, missing: str) -> None:
    assert window_missing.explain_import(error).params["missing"] == missing


def test_other_import_errors_are_faults() -> None:
    with pytest.raises(ModuleNotFoundError):
        window_missing.explain_import(ModuleNotFoundError("no x", name="desktop.x"))


def test_without_a_screen_the_program_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_missing, "missing", lambda _env: HausgeistError("no_display"))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert main([]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "keinen Bildschirm" in err
