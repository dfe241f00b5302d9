"""What the models that are open in this process hold: theirs to give back before a new one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desktop.fit.memory import CPU
from desktop.hardware.machine import Machine
from desktop.services.history_records import HeldBytes
from desktop.services.machine_key import machine_key


@dataclass(frozen=True, slots=True)
class _Held:
    rows: tuple[HeldBytes, ...]
    mapped: bool
    machine: str


class HeldMemory:
    """A tally of the open engines' bytes by device; every method may be called by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._pinned: set[str] = set()

    def hold(
        self, owner: str, rows: Iterable[HeldBytes], *, mapped: bool, machine: str = ""
    ) -> None:
        """`owner` holds these from now on; `mapped`: its weights in main memory are a file's.

        `machine` is the `machine_key` of the computer it runs on.
        """
        with self._lock:
            self._held[owner] = _Held(tuple(rows), mapped, machine)

    def release(self, owner: str) -> None:
        """`owner` has given everything back; harmless for one that is not known."""
        with self._lock:
            self._held.pop(owner, None)
            self._pinned.discard(owner)

    def pin(self, owner: str, *, in_use: bool) -> None:
        """While `in_use`, closing it is no way to make room for another model."""
        with self._lock:
            if in_use:
                self._pinned.add(owner)
            else:
                self._pinned.discard(owner)

    def of(self, owner: str) -> dict[str, int]:
        """Bytes by device that closing this one would free; nothing for one that is not known."""
        with self._lock:
            held = self._held.get(owner)
        return {} if held is None else _freed(held)

    def by_device(
        self, machine: Machine | None = None, *, idle_only: bool = False
    ) -> Mapping[str, int]:
        """Bytes that closing all open models would free, none where `machine` is another.

        `idle_only` leaves out those that are in use. Pages of a mapped file count as available
        while they are used, so they are not in it.
        """
        key = "" if machine is None else machine_key(machine)
        sums: dict[str, int] = {}
        with self._lock:
            for owner, held in self._held.items():
                if (key and held.machine != key) or (idle_only and owner in self._pinned):
                    continue
                for device, size in _freed(held).items():
                    sums[device] = sums.get(device, 0) + size
        return sums

    def in_use(self) -> Mapping[str, int]:
        """Bytes that the open models use, mapped files included."""
        sums: dict[str, int] = {}
        with self._lock:
            for held in self._held.values():
                for row in held.rows:
                    sums[row.device] = sums.get(row.device, 0) + row.total_bytes
        return sums


def _freed(held: _Held) -> dict[str, int]:
    """By device, without a mapped file's pages."""
    sums: dict[str, int] = {}
    for row in held.rows:
        is_mapped = held.mapped and row.device == CPU
        size = row.total_bytes - (row.weights_bytes if is_mapped else 0)
        sums[row.device] = sums.get(row.device, 0) + size
    return sums
