"""The faults under which a download must still end in the right file, and those that nothing heals.

Given for a file of 64 MiB; for smaller ones their places shrink alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from tests.hub.stand_in import HubStandIn
from tests.hub.stored import Fault

REPO = "maker/Model-GGUF"
FILE = "Model-Q4_K_M.gguf"
FULL_BYTES = 64 << 20
MIB = 1 << 20

Prepare = Callable[[HubStandIn, float], object]
"""Breaks the stand-in; the number scales places in the file."""


@dataclass(frozen=True)
class Case:
    """`waste_mib`: what may be fetched in vain, for each time that the fault strikes (None: a
    fault that costs what it costs)."""

    name: str
    prepare: Prepare
    waste_mib: float | None = 1.0


def cut(every_mib: float, times: int | None = None) -> Prepare:
    return lambda hub, scale: hub.fail(
        "cdn", "cut", times=times, after=int(every_mib * MIB * scale)
    )


def cdn(kind: str, after_mib: float = 0, times: int | None = 1, **more: object) -> Prepare:
    def prepare(hub: HubStandIn, scale: float) -> Fault:
        return hub.fail("cdn", kind, times=times, after=int(after_mib * MIB * scale), **more)

    return prepare


def status(code: int, times: int | None, role: str = "cdn", **headers: str) -> Prepare:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def prepare(hub: HubStandIn, scale: float) -> Fault:
        return hub.fail(role, "status", times=times, status=code, headers=named)  # type: ignore[arg-type]

    return prepare


def shifted(hub: HubStandIn, scale: float) -> Fault:
    return hub.fail("cdn", "shift", times=1, after=1, only_resumed=True)


def resumed(kind: str, **more: object) -> Prepare:
    """One drop, then the fault when the rest is asked for."""

    def prepare(hub: HubStandIn, scale: float) -> None:
        hub.fail("cdn", "cut", times=1, after=int(3 * MIB * scale))
        hub.fail("cdn", kind, only_resumed=True, **{"times": 1, **more})

    return prepare


def changed(hub: HubStandIn, scale: float) -> None:
    """Another commit takes the file's place while it is fetched."""
    old = hub.repos[REPO].files[FILE]
    newer = bytes(reversed(old.head))
    hub.fail(
        "cdn",
        "cut",
        times=1,
        after=int(3 * MIB * scale),
        on_hit=lambda: hub.add(REPO, {FILE: newer}),
    )


def loop(hub: HubStandIn, scale: float, role: str = "resolve", times: int | None = 8) -> None:
    commit = hub.repos[REPO].commit
    there = f"{hub.endpoint}/{REPO}/resolve/{commit}/{FILE}"
    hub.fail(role, "redirect", times=times, body=there.encode())  # type: ignore[arg-type]


def expired(hub: HubStandIn, scale: float) -> None:
    """A signed address that is worth nothing after the first request."""
    hub.fail("cdn", "cut", times=1, after=int(3 * MIB * scale))
    hub.expire_after_requests("cdn", 1)


def date() -> str:
    return formatdate(time.time() + 2, usegmt=True)


RECOVERABLE = (
    Case("no fault", lambda hub, scale: None),
    Case("closed once", cut(3, 1)),
    Case("closed three times", cut(2, 3)),
    Case("closed every 15 MiB", cut(15)),
    Case("closed every 8 MiB", cut(8)),
    Case("closed every 1 MiB", cut(1)),
    Case("reset", cdn("reset", 3)),
    Case("reset three times", cdn("reset", 2, 3)),
    Case("closed before the headers", cdn("hangup", times=3)),
    Case(
        "the Hub closes before the headers", lambda hub, s: hub.fail("resolve", "hangup", times=2)
    ),
    Case("silent once", cdn("silent")),
    Case("stalls once", cdn("stall", 3)),
    Case("stalls three times", cdn("stall", 1, 3)),
    Case("one flipped bit", cdn("flip", 2), None),
    Case("a 206 shifted by one byte", shifted, None),
    Case("another range than asked for", resumed("wrong_range"), None),
    Case("changed between attempts", changed, None),
    Case("truncated, right length", cut(3.5, 1)),
    Case("truncated, short length", cdn("short_length", times=2)),
    Case("truncated, no length", cdn("no_length", times=2)),
    Case("429 for a second", status(429, 1, Retry_After="1")),
    Case("429 until a date", lambda hub, s: status(429, 1, Retry_After=date())(hub, s)),
    Case("429 for an hour, once", status(429, 1, Retry_After="3600")),
    Case("429 at the Hub", status(429, 1, "resolve", Retry_After="1")),
    Case("500, four times", status(500, 4)),
    Case("503, four times", status(503, 4)),
    Case("503 at the Hub, four times", status(503, 4, "resolve")),
    Case("503 when resumed", resumed("status", status=503, times=2)),
    Case("redirected in a circle", loop),
    Case("address expired at first", status(403, 1)),
    Case("address expired when resumed", expired),
    Case("Range ignored", cdn("no_ranges", times=None), None),
    Case("Range ignored when resumed", resumed("no_ranges"), None),
    Case("1 KiB/s", cdn("slow", 1, 1)),
    Case("no marks, no ranges named", cdn("bare", times=None)),
    Case("no ETag", cdn("no_etag", times=None)),
    Case("a web page once", cdn("page")),
)


@dataclass(frozen=True)
class Hopeless:
    """Nothing heals it; `kinds` are what it may be called."""

    name: str
    prepare: Prepare
    kinds: tuple[str, ...]


HOPELESS = (
    Hopeless("silent for good", cdn("silent", times=None), ("connection_timeout",)),
    Hopeless("closed for good", cdn("hangup", times=None), ("connection_cut",)),
    Hopeless("500 for good", status(500, None), ("hub_down",)),
    Hopeless("429 for good", status(429, None, Retry_After="3600"), ("hub_busy",)),
    Hopeless("403 for good", status(403, None), ("hub_link_refused",)),
    Hopeless("a web page for good", cdn("page", times=None), ("portal",)),
    Hopeless(
        "in circles for good",
        lambda hub, scale: loop(hub, scale, times=None),
        ("too_many_redirects",),
    ),
    Hopeless("locked", status(401, None, "resolve", X_Error_Code="GatedRepo"), ("hub_gated",)),
    Hopeless("gone", status(404, None, "resolve", X_Error_Code="EntryNotFound"), ("hub_no_file",)),
    Hopeless("always the same wrong byte", cdn("flip", 2, times=None), ("hub_wrong_content",)),
    Hopeless("shorter than the Hub says", cdn("total", 5, times=None), ("hub_changed",)),
)
