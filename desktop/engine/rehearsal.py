"""How much memory the devices really give: asked by taking it, in a child, and letting go."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.engine.process import Child, ChildDiedError

_LOOK_EVERY_S = 0.1

_log = get_logger("engine")


def rehearse(
    wanted: Mapping[str, int],
    *,
    servers: Sequence[str] = (),
    timeout_s: float = 15.0,
    cancel: CancelToken | None = None,
) -> dict[str, int]:
    """Bytes that each device gave of those `wanted`, to some MB; 0 for one that is not there.

    Nothing is loaded or written, so it takes a moment for any size. A driver that dies or hangs
    has given what it had until then. Raises CancelledError, EngineError("no_child").
    """
    given = dict.fromkeys(wanted, 0)
    deadline = time.monotonic() + timeout_s
    with Child("rehearsal") as child:
        try:
            child.send({"wanted": dict(wanted), "servers": list(servers)})
            while (left_s := deadline - time.monotonic()) > 0:
                if cancel is not None:
                    cancel.raise_if_cancelled()
                message = child.receive(min(_LOOK_EVERY_S, left_s))
                if message is None:
                    continue
                if message["event"] == "done":
                    return given
                given[message["device"]] = message["given_bytes"]
            _log.warning("rehearsal: no end within %g s", timeout_s)
        except ChildDiedError as death:
            _log.warning("rehearsal: %s", death)
    return given
