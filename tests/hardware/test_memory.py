from __future__ import annotations

import os
from types import SimpleNamespace

import psutil
import pytest

from desktop.common.errors import MachineError
from desktop.hardware import power
from desktop.hardware.machine import Memory
from desktop.hardware.memory import system_memory


def _without_proc() -> None:
    raise FileNotFoundError(2, "No such file or directory", "/proc/meminfo")


def test_this_machine() -> None:
    memory = system_memory()
    assert memory.available_bytes is not None
    assert 0 < memory.available_bytes <= memory.total_bytes


def test_without_proc_the_c_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", _without_proc)
    answers = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000, "SC_AVPHYS_PAGES": 300}
    monkeypatch.setattr(os, "sysconf", answers.__getitem__, raising=False)
    assert system_memory() == Memory(4096000, 1228800)


@pytest.mark.parametrize("pages", [0, -1])
def test_nobody_tells(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", _without_proc)
    monkeypatch.setattr(os, "sysconf", lambda name: pages, raising=False)
    with pytest.raises(MachineError) as caught:
        system_memory()
    assert caught.value.kind == "memory_unknown"


def test_a_system_without_sysconf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", _without_proc)
    monkeypatch.delattr(os, "sysconf", raising=False)
    with pytest.raises(MachineError):
        system_memory()


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (SimpleNamespace(power_plugged=True), False),
        (SimpleNamespace(power_plugged=False), True),
        (SimpleNamespace(power_plugged=None), None),
        (None, None),
    ],
)
def test_the_battery(
    monkeypatch: pytest.MonkeyPatch, battery: object, expected: bool | None
) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert power.on_battery() is expected


def test_a_battery_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(psutil, "sensors_battery", fail, raising=False)
    assert power.on_battery() is None
    monkeypatch.delattr(psutil, "sensors_battery")
    assert power.on_battery() is None
