"""What is missing is named with the exact command of each system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bootstrap_steps import missing, words

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
MINT = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'
FEDORA = "NAME=Fedora Linux\nID=fedora\n"
ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n'


@pytest.mark.parametrize(
    ("os_release", "family"),
    [(DEBIAN, "debian"), (MINT, "debian"), (FEDORA, "fedora"), (ROCKY, "fedora"), ("ID=nixos", "")],
)
def test_distribution(os_release: str, family: str) -> None:
    assert missing.distribution(os_release) == family


@pytest.mark.parametrize(
    ("platform", "family", "command"),
    [
        ("linux", "debian", "sudo apt-get install -y build-essential"),
        ("linux", "fedora", "sudo dnf install -y gcc-c++"),
        ("darwin", "", "xcode-select --install"),
        ("win32", "", "winget install Microsoft.VisualStudio.2022.BuildTools"),
    ],
)
def test_compiler_command(platform: str, family: str, command: str) -> None:
    assert missing.install_command([missing.COMPILER], platform, family).startswith(command)


def test_an_unknown_linux_gets_both_commands() -> None:
    command = missing.install_command([missing.COMPILER], "linux", "")
    assert "apt-get" in command
    assert "dnf" in command


def test_qt_libraries_offscreen_and_on_x11() -> None:
    def nothing_loads(_library: str) -> bool:
        return False

    offscreen = missing.qt_needs({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"}, nothing_loads)
    on_x11 = missing.qt_needs({"DISPLAY": ":0"}, nothing_loads)
    on_wayland = missing.qt_needs({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, nothing_loads)
    assert {need.debian for need in offscreen} >= {"libegl1", "libgl1", "libxkbcommon0"}
    assert len(on_x11) == len(offscreen) + len(missing.QT_X11)
    assert on_wayland == offscreen


def test_one_missing_library_is_named_alone() -> None:
    needs = missing.qt_needs({}, lambda library: library != "libEGL.so.1")
    assert missing.install_command(needs, "linux", "debian") == "sudo apt-get install -y libegl1"


def test_require_says_what_and_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "this_distribution", lambda: "debian")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    missing.require([])
    with pytest.raises(words.Stop) as stopped:
        missing.require([missing.VENV])
    assert "sudo apt-get install -y python3-venv" in str(stopped.value)
    assert "fehlt" in str(stopped.value)


def test_all_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "this_distribution", lambda: "fedora")
    monkeypatch.setattr(missing, "compiler_there", lambda _environ: False)
    monkeypatch.setattr(missing, "venv_there", lambda: False)
    monkeypatch.setattr(missing, "qt_needs", lambda _environ: [missing.QT_ALWAYS["libEGL.so.1"]])
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(words.Stop) as stopped:
        missing.require_system(window=True, venv=True, compiler=True)
    assert "sudo dnf install -y gcc-c++ libglvnd-egl python3" in str(stopped.value)
    assert "a C++ compiler" in str(stopped.value)
    missing.require_system(window=False, venv=False, compiler=False)


def test_no_screen_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(missing, "qt_needs", lambda _environ: [])
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(words.Stop, match="no screen"):
        missing.require_system(window=True, venv=False, compiler=False)


def test_the_compiler_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not missing.compiler_there({}, "linux")
    compiler = tmp_path / "g++"
    compiler.write_text("#!/bin/sh\n")
    compiler.chmod(0o755)
    assert missing.compiler_there({}, "linux")
    assert not missing.compiler_there({"CXX": "not-a-compiler -O2"}, "linux")


def test_every_sentence_stands_in_both_languages_with_the_same_fields() -> None:
    import string

    for key, pair in words.TEXTS.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(t) if name} for t in pair]
        assert fields[0] == fields[1], key
        assert all(pair), key
