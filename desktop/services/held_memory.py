"""What the models that are open in this process hold: theirs to give back before a new one."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class HeldMemory:
    """A tally of the open engines' bytes by device; every method may be called by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[object, Mapping[str, int]] = {}

    def hold(self, owner: object, by_device: Mapping[str, int]) -> None:
        """`owner` holds these bytes from now on, in place of what it held before."""
        with self._lock:
            self._held[owner] = dict(by_device)

    def release(self, owner: object) -> None:
        """`owner` has given everything back; harmless for one that is not known."""
        with self._lock:
            self._held.pop(owner, None)

    def by_device(self) -> Mapping[str, int]:
        """Bytes by llama.cpp's device name, over all open models; empty where none is open."""
        sums: dict[str, int] = {}
        with self._lock:
            for held in self._held.values():
                for device, size in held.items():
                    sums[device] = sums.get(device, 0) + size
        return sums
