"""A smaller version of a model, made here: weighed first, then computed in a child process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desktop.engine.cancel import CancelToken
from desktop.fit.types import FitReport
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.services.quantize_plan import QuantizationPlan


@dataclass(frozen=True, slots=True)
class QuantizationChoice:
    """One type that could be made: `report` is its verdict and speed here, None if none is known.

    `is_recommended` marks the one that loses least among those that run well.
    """

    plan: QuantizationPlan
    report: FitReport | None
    is_recommended: bool


@dataclass(frozen=True, slots=True)
class QuantizationProgress:
    """`done` of `total` tensors, `fraction` of the bytes; `left_s` None until it can be told."""

    done: int
    total: int
    fraction: float
    left_s: float | None


@dataclass(frozen=True, slots=True)
class QuantizedModel:
    """The new file, and its entry in the library."""

    path: Path
    file_bytes: int
    seconds: float
    plan: QuantizationPlan
    model: LibraryModel


class Quantizer:
    """Makes smaller versions of the library's models; the original is never touched."""

    def __init__(self, library: Library, models_dir: Callable[[], Path]) -> None:
        """`models_dir` tells where new models go."""
        self._library = library
        self._models_dir = models_dir

    def choices(
        self, source: Path, machine: Machine | None = None
    ) -> tuple[QuantizationChoice, ...]:
        """What can be made of the model whose first file is `source`, largest first.

        Types that would not be smaller are left out; empty where nothing smaller can be made.
        Raises ModelFileError.
        """
        raise NotImplementedError

    def plan(self, source: Path, quantization: str) -> QuantizationPlan:
        """As `plan_quantization`, from the file. Raises ModelFileError, UsageError."""
        raise NotImplementedError

    def make(
        self,
        plan: QuantizationPlan,
        *,
        out: Path | None = None,
        threads: int | None = None,
        progress: Callable[[QuantizationProgress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> QuantizedModel:
        """Compute the new file and take it into the library; `out` None is the models' folder.

        On any failure, and when cancelled, nothing is left behind.
        Raises StorageError (not_enough_space, disk_full, read_only, file_exists),
        EngineError (quantize_failed, quantize_died, out_of_memory), CancelledError.
        """
        raise NotImplementedError
