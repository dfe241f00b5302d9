"""Windows' performance counters of graphics and memory, read into plain numbers.

What Task Manager shows: counters have one instance a process and engine, named such as
``pid_4242_luid_0x00000000_0x0000E4B2_phys_0_eng_3_engtype_Compute 0``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from desktop.hardware.dxgi import Adapter
from desktop.hardware.live import GpuLive

ADAPTER_OWN = r"\GPU Adapter Memory(*)\Dedicated Usage"
ADAPTER_SHARED = r"\GPU Adapter Memory(*)\Shared Usage"
PROCESS_OWN = r"\GPU Process Memory(*)\Dedicated Usage"
PROCESS_SHARED = r"\GPU Process Memory(*)\Shared Usage"
ENGINE_LOAD = r"\GPU Engine(*)\Utilization Percentage"
PAGES_IN = r"\Memory\Pages Input/sec"
PAGES_OUT = r"\Memory\Pages Output/sec"
LIMIT = r"\Processor Information(_Total)\% Performance Limit"

ALL = (
    ADAPTER_OWN,
    ADAPTER_SHARED,
    PROCESS_OWN,
    PROCESS_SHARED,
    ENGINE_LOAD,
    PAGES_IN,
    PAGES_OUT,
    LIMIT,
)
_INSTANCE = re.compile(
    r"(?:pid_(?P<pid>\d+)_)?luid_0x(?P<high>[0-9a-f]+)_0x(?P<low>[0-9a-f]+)_phys_\d+"
    r"(?:_eng_(?P<engine>\d+))?",
    re.I,
)
_PAGE_BYTES = 4096
_MIB = 1 << 20

Values = Mapping[str, Sequence[tuple[str, float]]]
"""By counter: instance ("" where there is only one) and value."""


class Counters(Protocol):
    """A query that is collected again and again; counters that are missing have no values."""

    def collect(self) -> Values: ...

    def close(self) -> None: ...


def gpus(values: Values, adapters: Sequence[Adapter], pids: Collection[int]) -> tuple[GpuLive, ...]:
    """Every real adapter now; `pids` are this app's processes."""
    own = _by_adapter(values, ADAPTER_OWN)
    shared = _by_adapter(values, ADAPTER_SHARED)
    ours = _by_adapter(values, PROCESS_OWN, pids)
    ours_shared = _by_adapter(values, PROCESS_SHARED, pids)
    load, ours_load = _loads(values, None), _loads(values, pids)
    found: list[GpuLive] = []
    for adapter in adapters:
        if adapter.is_software:
            continue
        luid = adapter.luid & (1 << 64) - 1
        separate = adapter.dedicated_bytes >= 512 * _MIB
        used, used_shared = own.get(luid), shared.get(luid)
        mine, mine_shared = ours.get(luid), ours_shared.get(luid)
        if not separate:  # its memory is main memory: what is shared is its own
            used, mine = _sum(used, used_shared), _sum(mine, mine_shared)
        total = adapter.dedicated_bytes + (0 if separate else adapter.shared_bytes)
        found.append(
            GpuLive(
                name=adapter.name,
                key=f"{luid:x}",
                total_bytes=total or None,
                used_bytes=None if used is None else round(used),
                ours_bytes=None if mine is None else round(mine),
                shared_bytes=round(mine_shared) if separate and mine_shared is not None else None,
                load=load.get(luid),
                ours_load=ours_load.get(luid),
            )
        )
    return tuple(found)


def swap_rates(values: Values) -> tuple[float | None, float | None]:
    """Bytes a second that came from the disk into memory (page file and mapped files), and out."""
    return _scaled(values, PAGES_IN), _scaled(values, PAGES_OUT)


def throttled(values: Values) -> bool | None:
    """Whether the firmware holds the processor below its full clock (heat or power)."""
    limit = _single(values, LIMIT)
    return None if limit is None else limit < 95


def _by_adapter(
    values: Values, counter: str, pids: Collection[int] | None = None
) -> dict[int, float]:
    """Sums by adapter; with `pids`, of those processes alone (0 where there are only others)."""
    found: dict[int, float] = defaultdict(float)
    for instance, value in values.get(counter, ()):
        match = _INSTANCE.match(instance)
        if match is None:
            continue
        counts = pids is None or int(match["pid"] or -1) in pids
        found[_luid(match)] += value if counts else 0.0
    return dict(found)


def _loads(values: Values, pids: Collection[int] | None) -> dict[int, float]:
    """As Task Manager shows it: processes added up by engine, the busiest engine counts."""
    engines: dict[tuple[int, str], float] = defaultdict(float)
    for instance, value in values.get(ENGINE_LOAD, ()):
        match = _INSTANCE.match(instance)
        if match is None:
            continue
        counts = pids is None or int(match["pid"] or -1) in pids
        engines[_luid(match), match["engine"] or ""] += value if counts else 0.0
    found: dict[int, float] = {}
    for (luid, _), percent in engines.items():
        found[luid] = max(found.get(luid, 0.0), min(percent / 100, 1.0))
    return found


def _luid(match: re.Match[str]) -> int:
    return int(match["high"], 16) << 32 | int(match["low"], 16)


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one + (other or 0.0)


def _single(values: Values, counter: str) -> float | None:
    found = values.get(counter, ())
    return found[0][1] if found else None


def _scaled(values: Values, counter: str) -> float | None:
    pages = _single(values, counter)
    return None if pages is None else pages * _PAGE_BYTES
