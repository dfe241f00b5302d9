"""What a plan would hold of each device's memory, asked of llama.cpp without allocating it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from desktop.common.errors import EngineError, LoadError
from desktop.common.logs import get_logger
from desktop.engine.process import Child, ChildDiedError, open_child
from desktop.fit.types import Plan

TIMEOUT_S = 20.0

_log = get_logger("engine")


@dataclass(frozen=True, slots=True)
class DeviceBuffers:
    """Bytes on one device; None where only the compute buffer could be read (not on Linux)."""

    weights_bytes: int | None
    context_bytes: int | None
    compute_bytes: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """By llama.cpp's device names; host buffers of a GPU's backend count as ``CPU``.

    `output_bytes` (the logits, on the host) is not part of any device's sum.
    """

    devices: Mapping[str, DeviceBuffers]
    output_bytes: int


class DryRuns:
    """A child that answers one dry run after another: `with DryRuns() as ask: ask(path, plan)`.

    It starts at once, so that Python and llama.cpp are there by the time of the first question;
    a further question about the same file and placement takes a fraction of the first. One
    thread at a time.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._child: Child | None = None

    def __enter__(self) -> Self:
        try:
            self._child = open_child("dry_run")
        except EngineError as error:
            _log.warning("no child for dry runs yet: %s", error)  # asked again with a question
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def __call__(self, path: Path, plan: Plan, *, tokenizer: Path | None = None) -> DryRun:
        """Read the header and reserve on paper. Raises EngineError (no_child), LoadError.

        `tokenizer`: where `path` has no words, a file whose tokenizer the engine must know too.
        Kinds: llama.cpp's refusal as in a real load, ``dry_run_died``, ``dry_run_hangs``.
        """
        order = {"path": str(path), "plan": plan.to_json()}
        if tokenizer is not None:
            order["tokenizer"] = str(tokenizer)
        answer = self._ask(path, order)
        devices = {name: DeviceBuffers(**buffers) for name, buffers in answer["devices"].items()}
        return DryRun(devices, answer["output_bytes"])

    def projector_bytes(self, path: Path, device: str = "") -> dict[str, int] | None:
        """What a vision or audio part takes of each device in all; None where nobody tells.

        `device` is the GPU that it goes to, none for the processor. Raises as a call does.
        """
        answer = self._ask(path, {"projector": str(path), "device": device})
        sizes = answer["sizes"]
        return None if sizes is None else {str(name): int(size) for name, size in sizes.items()}

    def _ask(self, path: Path, order: Mapping[str, Any]) -> dict[str, Any]:
        try:
            if self._child is None:
                self._child = open_child("dry_run")
            self._child.send(order)
            answer = self._child.receive(self._timeout_s)
        except ChildDiedError as death:
            self._end()
            raise LoadError("dry_run_died", path=str(path), detail=str(death)) from death
        if answer is None:
            self._end()
            raise LoadError("dry_run_hangs", path=str(path), timeout_s=self._timeout_s)
        if "error" in answer:
            raise LoadError(answer["error"], detail=answer["detail"], **answer["params"])
        return answer

    def _end(self) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            child.close()


def dry_run(path: Path, plan: Plan, *, timeout_s: float = TIMEOUT_S) -> DryRun:
    """One dry run in a child of its own. Raises as `DryRuns` does."""
    with DryRuns(timeout_s) as ask:
        return ask(path, plan)
