"""What an isolated engine and its child say to each other: see `isolated.py`, `isolated_job.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from desktop.common import errors
from desktop.common.errors import HausgeistError, Param
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.engine import ModelInfo
from desktop.engine.events import Event
from desktop.engine.memory_now import MemoryNow
from desktop.engine.request import Request
from desktop.fit.types import Plan

# -- to the child -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """Load this; the first message, and the only one of its kind. `servers` are llama.cpp's RPC
    servers (``host:port``), `options` whatever else `local.load` takes by name."""

    path: Path
    plan: Plan
    servers: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submit:
    """`serial` names the answer from now on: two requests may have the same id by mistake."""

    serial: int
    request: Request


@dataclass(frozen=True, slots=True)
class Cancel:
    serial: int


@dataclass(frozen=True, slots=True)
class Call:
    """Call a method of the engine by its name, of those in `isolated_job.METHODS`."""

    serial: int
    method: str
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Close:
    """Free the model and end; what is cut short ends with its last event."""


# -- from the child ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loading:
    fraction: float


@dataclass(frozen=True, slots=True)
class Opened:
    """Ready. `before` is the memory before the load."""

    info: ModelInfo
    before: MemoryNow


@dataclass(frozen=True, slots=True)
class Problem:
    """A `HausgeistError`, which says more than its message and so cannot be pickled itself."""

    name: str
    kind: str
    params: Mapping[str, Param]
    detail: str

    @classmethod
    def of(cls, error: HausgeistError) -> Self:
        return cls(type(error).__name__, error.kind, dict(error.params), error.detail)

    def error(self) -> HausgeistError:
        """The error again; of the base class where this house knows no class of that name."""
        found = getattr(errors, self.name, None)
        kind = HausgeistError
        if isinstance(found, type) and issubclass(found, HausgeistError):
            kind = found
        return kind(self.kind, detail=self.detail, **self.params)


@dataclass(frozen=True, slots=True)
class Refused:
    """The load failed, and the child ends."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Told:
    """What answers have said since the last time, by their serial."""

    batches: tuple[tuple[int, tuple[Event, ...]], ...]


@dataclass(frozen=True, slots=True)
class Returned:
    serial: int
    value: Any = None


@dataclass(frozen=True, slots=True)
class Raised:
    serial: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class Closed:
    """The last word: what the model held of each device in the end."""

    usage: tuple[DeviceUsage, ...] | None


ToChild = Submit | Cancel | Call | Close
FromChild = Loading | Opened | Refused | Told | Returned | Raised | Closed
