"""How far a smaller version has come, told while it is made; the disk is kept in view."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import StorageError
from desktop.engine.cancel import CancelToken
from desktop.engine.quantize import QuantizeStep
from desktop.services.quantize_plan import QuantizationPlan

FULL_BYTES = 8 << 20
"""A disk with less than that, and a file that is not whole: the quantizer does not notice it."""

_TELL_EVERY_S = 0.25
_LOOK_AT_DISK_EVERY_S = 2.0
_SPEED_AFTER_S = 2.0

_COMPUTING = 0.97
"""Of the work; the rest is reading the new file once for its hash."""


@dataclass(frozen=True, slots=True)
class QuantizationProgress:
    """`done` of `total` tensors, `fraction` of the bytes; `left_s` None until it can be told."""

    done: int
    total: int
    fraction: float
    left_s: float | None


class QuantizationWatch:
    """Tells how far the file has come, four times a second, and looks after the disk."""

    def __init__(
        self,
        part: Path,
        plan: QuantizationPlan,
        progress: Callable[[QuantizationProgress], None] | None,
        free: Callable[[Path], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._part = part
        self._total_bytes = plan.file_bytes
        self._tensors = len(plan.header.tensors)
        self._progress = progress
        self._free = free
        self._clock = clock
        self._began_s = clock()
        self._told_s = float("-inf")
        self._looked_s = self._began_s

    def step(self, step: QuantizeStep) -> None:
        now_s = self._clock()
        if now_s - self._told_s < _TELL_EVERY_S:
            return
        self._told_s = now_s
        done_bytes = _size(self._part)
        if now_s - self._looked_s > _LOOK_AT_DISK_EVERY_S:
            self._looked_s = now_s
            if self._free(self._part.parent) < FULL_BYTES and done_bytes < self._total_bytes:
                raise StorageError("disk_full", path=str(self._part.parent))
        if self._progress is None:
            return
        fraction = _COMPUTING * min(1.0, done_bytes / self._total_bytes)
        took_s = now_s - self._began_s
        left_s = took_s / fraction - took_s if took_s > _SPEED_AFTER_S and fraction > 0 else None
        done = max(0, step.tensor - 1)
        self._progress(QuantizationProgress(done, step.of or self._tensors, fraction, left_s))

    def hashed(self, cancel: CancelToken) -> Callable[[int], None]:
        """Hears how much of the new file was read for its hash: the last of the work."""
        read = 0

        def hear(count: int) -> None:
            nonlocal read
            cancel.raise_if_cancelled()
            read += count
            now_s = self._clock()
            if self._progress is not None and now_s - self._told_s >= _TELL_EVERY_S:
                self._told_s = now_s
                share = _COMPUTING + (1 - _COMPUTING) * min(1.0, read / self._total_bytes)
                self._progress(QuantizationProgress(self._tensors, self._tensors, share, None))

        return hear


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except OSError:
        return 0  # not begun
