"""The first load of an unknown file, in a child: an abort there is a result here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.engine.cancel import CancelToken
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.last_words import cause_of_death
from desktop.engine.process import Child, ChildDiedError
from desktop.fit.types import Plan

ProbeKind = Literal["", "aborted", "refused", "out_of_memory", "timeout"]
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """`kind` is "" when the model loaded and computed; `error_kind` names what refused it.

    `peak_bytes` is the most memory the child held, None where it died before it could tell.
    """

    ok: bool
    kind: ProbeKind = ""
    detail: str = ""
    peak_bytes: int | None = None
    error_kind: str = ""


def probe(
    path: Path,
    plan: Plan,
    *,
    timeout_s: float,
    cancel: CancelToken | None = None,
    extras: Extras = NO_EXTRAS,
) -> ProbeResult:
    """Load with `plan` and `extras`, compute a few tokens, look at a few pictures, tell.

    Raises CancelledError.
    """
    with Child("probe") as child:
        try:
            child.send({"path": str(path), "plan": plan.to_json(), "extras": extras.to_json()})
            deadline = time.monotonic() + timeout_s
            while (left_s := deadline - time.monotonic()) > 0:
                if cancel is not None:
                    cancel.raise_if_cancelled()
                answer = child.receive(min(_LOOK_EVERY_S, left_s))
                if answer is not None:
                    return ProbeResult(**answer)
        except ChildDiedError as death:
            return ProbeResult(ok=False, kind=cause_of(death), detail=death.last_words)
    return ProbeResult(ok=False, kind="timeout", detail=f"{timeout_s:g} s")


def cause_of(death: ChildDiedError) -> ProbeKind:
    """As far as a trial minds it."""
    return "out_of_memory" if cause_of_death(death) == "memory" else "aborted"
