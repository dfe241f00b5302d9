"""What tuning has found out, kept by model, computer, drivers, engine and wish."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from desktop.common.errors import LoadError
from desktop.common.logs import get_logger
from desktop.engine.plan_limits import check_plan
from desktop.fit.types import Plan, Speed, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine
from desktop.services.kept_entries import KeptEntries, content_key
from desktop.services.known_plan import KnownPlan
from desktop.services.machine_key import driver_key, machine_key

MOST = 300
_DISTURBED_FOR_S = 86_400.0
_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class TunedPlan(KnownPlan):
    """A plan that ran in a trial; `used` are the bytes of buffers that it held, by device.

    `disturbed`: other programs were busy, so that it counts for a day only. `at`: when, in seconds
    since the epoch.
    """

    used: Mapping[str, int]
    disturbed: bool = False
    at: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "plan": self.plan.to_json(),
            "tokens_per_s": self.speed.tokens_per_s,
            "prompt_tokens_per_s": self.speed.prompt_tokens_per_s,
            "used": dict(self.used),
            "disturbed": self.disturbed,
            "at": self.at,
        }


class TunedPlans:
    """A small file; losing it costs one more tuning, so reading and writing it never raise."""

    def __init__(
        self, path: Path, *, most: int = MOST, now: Callable[[], float] = time.time
    ) -> None:
        self._entries = KeptEntries(path, "plans", most)
        self._now = now

    def is_empty(self) -> bool:
        """Whether nothing was ever tuned here: then no file needs to be read for a lookup."""
        return not self._entries.load()

    def lookup(self, header: ModelHeader, machine: Machine, wish: Wish) -> TunedPlan | None:
        """What was found for this very model here, if nothing has changed since."""
        key = _key(header, machine, wish)
        entry = self._entries.load().get(key) if key else None
        found = None if entry is None else _read(entry)
        if found is None or (found.disturbed and not self._is_recent(found)):
            return None
        return found

    def _is_recent(self, found: TunedPlan) -> bool:
        return 0 <= self._now() - found.at <= _DISTURBED_FOR_S

    def keep(self, header: ModelHeader, machine: Machine, wish: Wish, found: TunedPlan) -> None:
        key = _key(header, machine, wish)
        if key:
            self._entries.keep(key, {**found.to_json(), "at": self._now()})

    def forget(self, header: ModelHeader, machine: Machine, wish: Wish) -> None:
        """The plan did not hold after all: the next opening tunes again."""
        self._entries.forget(_key(header, machine, wish))


def _key(header: ModelHeader, machine: Machine, wish: Wish) -> str:
    """Another driver or engine, another computer, a changed file or wish: another key."""
    content = content_key(header)
    if not content:
        return ""
    wished = " ".join(f"{name}={value}" for name, value in sorted(asdict(wish).items()))
    return f"{content}|{machine_key(machine)}|{driver_key(machine)}|{wished}"


def _read(entry: object) -> TunedPlan | None:
    """One entry of the file; None for whatever this class has not written."""
    if not isinstance(entry, dict):
        return None
    try:
        plan = Plan.from_json(entry["plan"])
        check_plan(plan)
        speeds = [float(entry["tokens_per_s"]), float(entry["prompt_tokens_per_s"])]
        used = {str(device): int(size) for device, size in entry["used"].items()}
        at, disturbed = float(entry["at"]), entry["disturbed"] is True
    except (KeyError, TypeError, ValueError, AttributeError, LoadError) as error:
        _log.warning("unreadable tuned plan: %s", error)
        return None
    if not all(math.isfinite(speed) and speed > 0 for speed in speeds):
        return None
    return TunedPlan(plan, Speed(speeds[1], speeds[0], "measured"), used, disturbed, at)
