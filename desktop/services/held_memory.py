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

    def by_device(self, machine: Machine | None = None) -> Mapping[str, int]:
        """Bytes that closing all open models would free, none where `machine` is another.

        Pages of a mapped file count as available while they are used, so they are not in it.
        """
        return self._sums("" if machine is None else machine_key(machine), count_mapped=False)

    def in_use(self) -> Mapping[str, int]:
        """Bytes that the open models use, mapped files included."""
        return self._sums("", count_mapped=True)

    def _sums(self, machine: str, *, count_mapped: bool) -> dict[str, int]:
        sums: dict[str, int] = {}
        with self._lock:
            for held in self._held.values():
                if machine and held.machine != machine:
                    continue
                for row in held.rows:
                    size = row.total_bytes
                    if held.mapped and row.device == CPU and not count_mapped:
                        size -= row.weights_bytes
                    sums[row.device] = sums.get(row.device, 0) + size
        return sums
