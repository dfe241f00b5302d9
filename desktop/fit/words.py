"""The verdict in one sentence: the key of the sentence and its values, no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desktop.common.errors import Param
from desktop.fit.devices import Rooms
from desktop.fit.types import DeviceMemory, Speed, Verdict

PAGE_TOKENS = 400
"""A page of text, about 300 words."""

_SLOW_TOKENS_PER_S = 3.0  # below the speed at which people read along


def reason(
    verdict: Verdict,
    memory: Sequence[DeviceMemory],
    speed: Speed,
    found: Rooms,
    fitting_context: int,
) -> tuple[str, Mapping[str, Param]]:
    """Keys ``fit.<verdict>``, with ``_slow`` or ``_no_speed``; ``fit.too_large`` with what helps.

    `fitting_context` is a shorter context that would fit, 0 for none.
    """
    needed = sum(row.total_bytes for row in memory)
    own = [row for row in memory if not _in_main_memory(row, found)]
    params: dict[str, Param] = {
        "needed": needed,
        "total": sum(row.capacity_bytes for row in own),
        "available": sum(row.available_bytes or 0 for row in own),
    }
    if verdict == "too_large":
        return _too_large(params, found, fitting_context, needed)
    key = f"fit.{verdict}"
    if not speed.tokens_per_s:
        return f"{key}_no_speed", params
    params["tokens_per_s"] = round(speed.tokens_per_s, 1)
    params["page_s"] = round(PAGE_TOKENS / speed.tokens_per_s, 1)
    return (f"{key}_slow" if speed.tokens_per_s < _SLOW_TOKENS_PER_S else key), params


def _too_large(
    params: dict[str, Param], found: Rooms, fitting_context: int, needed: int
) -> tuple[str, Mapping[str, Param]]:
    if fitting_context:
        return "fit.too_large_context", {**params, "context": fitting_context}
    everything = found.cpu.total_bytes + sum(
        room.total_bytes for room in found.gpus if not room.in_main_memory
    )
    # Half of the total is what closing programs can bring back with some certainty.
    if needed <= everything * 0.75 and found.cpu.available_bytes < found.cpu.total_bytes // 2:
        return "fit.too_large_for_now", params
    return "fit.too_large", params


def _in_main_memory(row: DeviceMemory, found: Rooms) -> bool:
    return any(room.device == row.device and room.in_main_memory for room in found.gpus)
