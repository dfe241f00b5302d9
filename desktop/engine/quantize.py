"""A smaller version of a model file, computed by llama.cpp in a child process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.common.errors import EngineError
from desktop.engine.cancel import CancelToken
from desktop.engine.probe import cause_of
from desktop.engine.process import Child, ChildDiedError

_LOOK_EVERY_S = 0.1
_DRY_RUN_S = 60.0


@dataclass(frozen=True, slots=True)
class QuantizeStep:
    """The child works at tensor number `tensor` (from 1) of `of`."""

    tensor: int
    of: int


def quantize(
    source: Path,
    target: Path,
    file_type: int,
    *,
    threads: int,
    on_step: Callable[[QuantizeStep], None],
    cancel: CancelToken | None = None,
) -> None:
    """Write `source` (the first part of a split model) anew as `target`, one file.

    `file_type` is llama.cpp's number, `target` must have a plain ASCII name. `on_step` hears the
    last step ten times a second and may raise; then, as on any failure, the child is ended and
    `target` is as far as it came. A disk that fills up is **no** failure here: the quantizer does
    not notice it, so look at the file.
    Raises EngineError (no_child, quantize_failed, broken_numbers, quantize_died,
    out_of_memory_quantizing), CancelledError.
    """
    with Child("quantize") as child:
        try:
            child.send(_order(source, target, file_type, threads, dry_run=False))
            step = QuantizeStep(0, 0)
            while True:
                if cancel is not None:
                    cancel.raise_if_cancelled()
                on_step(step)
                answer = child.receive(_LOOK_EVERY_S)
                while answer is not None and "tensor" in answer:
                    step = QuantizeStep(answer["tensor"], answer["of"])
                    answer = child.receive(0.001)
                if answer is None:
                    continue
                if "error" in answer:
                    raise _refused(answer, source)
                if cancel is not None:
                    cancel.raise_if_cancelled()
                return
        except ChildDiedError as death:
            raise _died(death, source) from death


def try_quantize(source: Path, file_types: Sequence[int]) -> list[dict[str, str]]:
    """For each type, what the quantizer would make of every tensor it would change (ggml's names).

    Nothing is written. Raises EngineError as `quantize`, quantize_hangs.
    """
    with Child("quantize") as child:
        try:
            return [_tried(child, source, file_type) for file_type in file_types]
        except ChildDiedError as death:
            raise _died(death, source) from death


def _tried(child: Child, source: Path, file_type: int) -> dict[str, str]:
    child.send(_order(source, Path(os.devnull), file_type, 1, dry_run=True))
    while (answer := child.receive(_DRY_RUN_S)) is not None:
        if "error" in answer:
            raise _refused(answer, source)
        if "done" in answer:
            types: dict[str, str] = answer["types"]
            return types
    raise EngineError("quantize_hangs", path=str(source))


def _order(
    source: Path, target: Path, file_type: int, threads: int, *, dry_run: bool
) -> dict[str, object]:
    return {
        "source": str(source.absolute()),
        "target": str(target.absolute()),
        "file_type": file_type,
        "threads": max(1, threads),
        "dry_run": dry_run,
    }


def _refused(answer: Mapping[str, Any], source: Path) -> EngineError:
    if "bad_alloc" in answer["detail"]:  # llama.cpp catches its own lack of memory
        return EngineError("out_of_memory_quantizing", path=str(source), detail=answer["detail"])
    if answer["is_damaged"]:
        return EngineError("broken_numbers", path=str(source), detail=answer["detail"])
    return EngineError("quantize_failed", path=str(source), detail=answer["detail"])


def _died(death: ChildDiedError, source: Path) -> EngineError:
    if cause_of(death) == "out_of_memory":
        return EngineError("out_of_memory_quantizing", path=str(source), detail=str(death))
    return EngineError("quantize_died", path=str(source), detail=str(death))
