"""The verdict in one sentence: the key of the sentence and its values, no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desktop.common.errors import Param
from desktop.common.reading import COMFORTABLE_TOKENS_PER_S, TOKENS_PER_PAGE
from desktop.fit.devices import Party, Rooms
from desktop.fit.types import Alternative, DeviceMemory, Speed, Verdict


def reason(
    verdict: Verdict,
    memory: Sequence[DeviceMemory],
    speed: Speed,
    found: Rooms,
    party: Party,
    fitting_context: int,
) -> tuple[str, Mapping[str, Param]]:
    """Keys ``fit.<verdict>``, with ``_slow`` or ``_no_speed``; ``fit.too_large`` with what helps.

    `party`: the graphics devices that take part. `fitting_context` is a shorter context that
    would fit, 0 for none.
    """
    if verdict == "too_large":
        return _too_large(memory, found, party, fitting_context)
    key, params = _room_taken(verdict, memory, found, party)
    if not speed.tokens_per_s:
        return f"{key}_no_speed", params
    params["tokens_per_s"] = round(speed.tokens_per_s, 1)
    params["page_s"] = round(TOKENS_PER_PAGE / speed.tokens_per_s, 1)
    return (f"{key}_slow" if speed.tokens_per_s < COMFORTABLE_TOKENS_PER_S else key), params


def missing_bytes(verdict: Verdict, params: Mapping[str, Param]) -> int:
    """What lacks to the sentence's plan, 0 where it fits: always what `reason` says."""
    if verdict != "too_large":
        return 0
    return max(0, int(params["needed"]) - int(params["usable"]))


def alternative_words(other: Alternative) -> tuple[str, Mapping[str, Param]]:
    """Keys ``fit.instead.<kind>``, with ``_no_speed`` where none is known."""
    key, params = f"fit.instead.{other.kind}", dict(other.params)
    if not other.tokens_per_s:
        return f"{key}_no_speed", params
    params["tokens_per_s"] = round(other.tokens_per_s, 1)
    params["page_s"] = round(TOKENS_PER_PAGE / other.tokens_per_s, 1)
    return key, params


def _room_taken(
    verdict: Verdict, memory: Sequence[DeviceMemory], found: Rooms, party: Party
) -> tuple[str, dict[str, Param]]:
    """What is needed of what: a card's memory and main memory are never added up.

    Where the graphics has no memory of its own, everything lies in main memory.
    """
    main = [row for row in memory if row.device == found.cpu.device]
    cards = [row for row in memory if row.device != found.cpu.device]
    if all(room.in_main_memory for room in party):
        total = found.cpu.total_bytes + sum(room.own_bytes for room in party)
        shared = "_shared" if verdict == "partly_gpu" else ""
        return f"fit.{verdict}{shared}", {"needed": _needed(memory), "total": total}
    params: dict[str, Param] = {
        "needed": _needed(cards),
        "total": sum(row.capacity_bytes for row in cards),
    }
    if verdict == "partly_gpu":
        params |= {"main_needed": _needed(main), "main_total": found.cpu.total_bytes}
    return f"fit.{verdict}", params


def _too_large(
    memory: Sequence[DeviceMemory], found: Rooms, party: Party, fitting_context: int
) -> tuple[str, Mapping[str, Param]]:
    """What is needed and what may be used, margins taken off: the first is always the larger."""
    needed, usable, key = _needed(memory), found.usable_bytes(party), "fit.too_large"
    if needed <= usable:  # together it would fit, but not where it was asked to lie
        usable_by = {room.device: room.usable_bytes for room in (found.cpu, *party)}
        row = max(memory, key=lambda row: row.total_bytes - usable_by[row.device])
        needed, usable = row.total_bytes, usable_by[row.device]
        if row.device != found.cpu.device:
            key = "fit.too_large_gpu"
    params: dict[str, Param] = {"needed": needed, "usable": usable}
    if fitting_context:
        return "fit.too_large_context", {**params, "context": fitting_context}
    if key == "fit.too_large" and needed <= found.usable_when_quiet_bytes(party):
        return "fit.too_large_for_now", params
    return key, params


def _needed(rows: Sequence[DeviceMemory]) -> int:
    return sum(row.total_bytes for row in rows)
