"""A smaller version of a model, made here: weighed first, then computed in a child process."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desktop.common.atomic import replace, sync_folder
from desktop.common.errors import EngineError, HausgeistError, ModelFileError, StorageError
from desktop.common.logs import get_logger
from desktop.common.processes import process_mark
from desktop.common.storage import free_bytes, storage_error
from desktop.engine.cancel import CancelToken
from desktop.engine.quantize import quantize, try_quantize
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.gguf.quantizer import FILE_TYPE_NUMBERS
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine
from desktop.library.copying import SPARE_BYTES, remove_abandoned, unfinished_ending
from desktop.library.hashing import sha256_of
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.model_settings import ModelSettings
from desktop.library.naming import clean
from desktop.library.origin import Origin
from desktop.services.quantize_choice import QuantizationChoice, choices_of
from desktop.services.quantize_plan import QuantizationPlan, plan_quantization
from desktop.services.quantize_watch import (
    FULL_BYTES,
    QuantizationProgress,
    QuantizationWatch,
)

__all__ = [
    "QuantizationChoice",
    "QuantizationProgress",
    "QuantizedModel",
    "Quantizer",
]

_LONGEST_STEM_BYTES = 200  # file systems end at 255
_NUMBERS = itertools.count(1)

_log = get_logger("services")


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

    def __init__(
        self,
        library: Library,
        models_dir: Callable[[], Path],
        *,
        free: Callable[[Path], int] = free_bytes,
        lessons: Callable[[Machine], Corrections] = lambda _machine: NO_CORRECTIONS,
    ) -> None:
        """`models_dir` tells where new models go, `free` the bytes that are free in a folder,
        `lessons` what this machine's history taught about predictions."""
        self._lessons = lessons
        self._library = library
        self._models_dir = models_dir
        self._free = free

    def choices(
        self, source: Path, machine: Machine | None = None
    ) -> tuple[QuantizationChoice, ...]:
        """What can be made of the model whose first file is `source`, largest first.

        Types that would not be smaller are left out, and those than which another is smaller and
        better; empty where nothing smaller can be made.
        Raises ModelFileError.
        """
        header = read_header(source)
        lessons = NO_CORRECTIONS if machine is None else self._lessons(machine)
        return choices_of(header, machine, lessons)

    def plan(self, source: Path, quantization: str) -> QuantizationPlan:
        """As `plan_quantization`, from the file. Raises ModelFileError, UsageError."""
        return plan_quantization(read_header(source), quantization)

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

        On any failure, and when cancelled, nothing half is left behind.
        Raises StorageError (not_enough_space, disk_full, read_only, file_exists),
        EngineError (quantize_failed, quantize_died, out_of_memory_quantizing), ModelFileError,
        CancelledError.
        """
        began_s = time.monotonic()
        target = (out or self._free_place(plan)).expanduser().absolute()
        self._prepare(target, plan)
        _ask_the_quantizer(plan)
        part = _unfinished(target)
        watch = QuantizationWatch(part, plan, progress, self._free)
        try:
            part.touch()  # a folder that takes nothing says so now, and in its own words
            quantize(
                plan.source.paths[0],
                part,
                FILE_TYPE_NUMBERS[plan.quantization],
                threads=threads or _threads(),
                on_step=watch.step,
                cancel=cancel,
            )
            self._check(part, plan)
            sha256 = sha256_of(part, watch.hashed(cancel or CancelToken()))
            _finish(part, target)
        except EngineError as error:
            raise self._explained(error, part, plan) from error
        except OSError as error:
            raise storage_error(error, target) from error
        finally:
            _remove(part)
        return QuantizedModel(
            path=target,
            file_bytes=target.stat().st_size,
            seconds=time.monotonic() - began_s,
            plan=plan,
            model=self._take_in(target, plan, sha256, is_ours=out is None),
        )

    def _free_place(self, plan: QuantizationPlan) -> Path:
        """``NAME-Q4_K_M.gguf`` in the models' folder, with a number where that is taken."""
        folder = self._models_dir()
        stem = _stem(plan)
        place, number = folder / f"{stem}.gguf", 1
        while place.exists():
            number += 1
            place = folder / f"{stem}-{number}.gguf"
        return place

    def _prepare(self, target: Path, plan: QuantizationPlan) -> None:
        if target.is_dir() or target.exists():
            raise StorageError("file_exists", path=str(target))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, target.parent) from error
        remove_abandoned(target.parent)
        available = self._free(target.parent)
        needed = plan.file_bytes + SPARE_BYTES
        if needed > available:
            raise StorageError(
                "not_enough_space",
                path=str(target.parent),
                needed_bytes=needed,
                free_bytes=available,
            )

    def _check(self, part: Path, plan: QuantizationPlan) -> None:
        """A whole model of the type that was wished; else the disk was full, or worse."""
        try:
            found = read_header(part)
        except ModelFileError as error:
            raise EngineError(
                "quantize_failed", path=str(plan.source.paths[0]), detail=str(error)
            ) from error
        if len(found.tensors) != len(plan.header.tensors):
            detail = f"{len(found.tensors)} tensors of {len(plan.header.tensors)}"
            raise EngineError("quantize_failed", path=str(plan.source.paths[0]), detail=detail)
        if found.tensor_bytes != plan.header.tensor_bytes:
            _log.warning("%d bytes, %d expected", found.tensor_bytes, plan.header.tensor_bytes)

    def _explained(self, error: EngineError, part: Path, plan: QuantizationPlan) -> HausgeistError:
        """What lies behind a failure in the child: a drive that left, a disk that filled up."""
        missing = next((path for path in plan.source.paths if not _is_there(path)), None)
        if missing is not None:
            return ModelFileError("not_found", path=str(missing), detail=str(error))
        if not _is_there(part.parent):
            return StorageError("quantize_drive_gone", path=str(part.parent), detail=str(error))
        if self._free(part.parent) < FULL_BYTES:
            return StorageError("disk_full", path=str(part.parent), detail=str(error))
        return error

    def _take_in(
        self, target: Path, plan: QuantizationPlan, sha256: str, *, is_ours: bool
    ) -> LibraryModel:
        source = plan.source.paths[0]
        known = self._library.find(source)
        model = self._library.add(
            target,
            source="copy" if is_ours else "import",
            origin=Origin(
                "quantized", known.name if known is not None else source.stem, file=source.name
            ),
            projector=known.projector if known is not None else None,
            hashes=(sha256,),
        )
        if known is not None:
            self._inherit(known, model)
        return model

    def _inherit(self, known: LibraryModel, model: LibraryModel) -> None:
        """It is the same model: what was set for it, and what its source recommends, holds on."""
        settings = self._library.model_settings
        own, recommended = settings.own(known.content), settings.recommended(known.content)
        if recommended != ModelSettings():
            settings.recommend(model.content, recommended)
        if own != ModelSettings():
            settings.keep(model.content, own)


def _ask_the_quantizer(plan: QuantizationPlan) -> None:
    """What it would not do it says now, before minutes of work; where its rules have become others
    than ours, the log says so. Raises EngineError."""
    number = FILE_TYPE_NUMBERS[plan.quantization]
    (told,) = try_quantize(plan.source.paths[0], [number])
    ours = {tensor.name: tensor.type_name for tensor in plan.header.tensors}
    other = [name for name, kind in told.items() if ours.get(name) != kind.upper()]
    if other:
        _log.warning("%d tensors become something else, %s first", len(other), other[0])


def _stem(plan: QuantizationPlan) -> str:
    """The model's file name with the new type in the place of the old one."""
    stem = re.sub(r"-\d{5}-of-\d{5}$", "", plan.source.paths[0].stem)
    if not plan.source.paths[0].suffix:  # another program's blob, named by its hash
        stem = clean(plan.source.name) or "model"
    old = re.escape(plan.source.quantization)
    stem = re.sub(rf"[-_. ](?:{old}|f16|bf16|f32|fp16|fp32)$", "", stem, flags=re.IGNORECASE)
    kept = os.fsencode(stem)[:_LONGEST_STEM_BYTES].decode("utf-8", "ignore")
    return f"{kept or 'model'}-{plan.quantization}"


def _finish(part: Path, target: Path) -> None:
    """On the disk for good, then under its name."""
    with part.open("r+b") as file:
        os.fsync(file.fileno())
    if target.exists():  # somebody was quicker
        raise StorageError("file_exists", path=str(target))
    replace(part, target)
    sync_folder(target.parent)


def _unfinished(target: Path) -> Path:
    """Beside the target, in letters that the quantizer knows on every system; its ending says
    whose it is, its number which of several."""
    number = next(_NUMBERS)
    return target.with_name(f"hausgeist-quantize-{number}{unfinished_ending(process_mark())}")


def _is_there(path: Path) -> bool:
    """Whether a file or folder is there; a drive that does not answer is not."""
    return os.path.exists(path)  # noqa: PTH110  (Path.exists raises PermissionError)


def _remove(part: Path) -> None:
    with contextlib.suppress(OSError):  # what went wrong before is what to tell
        part.unlink(missing_ok=True)


def _threads() -> int:
    """All cores that this process may use but one, for the person and the window."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)) - 1)
    return max(1, (os.cpu_count() or 2) - 1)
