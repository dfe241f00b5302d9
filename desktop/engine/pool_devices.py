"""What one of llama.cpp's RPC servers offers, asked in a child: it may be no such server at all."""

from __future__ import annotations

from desktop.common.errors import EngineError
from desktop.engine.process import Child, ChildDiedError
from desktop.hardware.machine import Device

MOST_DEVICES = 64


def pool_devices(server: str, timeout_s: float = 5.0) -> tuple[Device, ...]:
    """The devices of `server` (``host:port``), ``RPC0`` first.

    Raises EngineError: "no_rpc" (this build cannot), "pool_server_silent" (nothing came in time),
    "pool_server_unusable" (it speaks otherwise: no such server, or of another version).
    """
    with Child("pool") as child:
        try:
            child.send({"server": server})
            answer = child.receive(timeout_s)
        except ChildDiedError as death:
            raise EngineError("pool_server_unusable", server=server, detail=str(death)) from death
    if answer is None:
        raise EngineError("pool_server_silent", server=server)
    if "error" in answer:
        raise EngineError(answer["error"], server=server, detail=answer["detail"])
    devices = tuple(Device(**device) for device in answer["devices"][:MOST_DEVICES])
    if not devices or not all(0 <= d.free_bytes <= d.total_bytes < 1 << 50 for d in devices):
        raise EngineError("pool_server_unusable", server=server, detail=f"{len(devices)} devices")
    return devices
