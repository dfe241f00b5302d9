"""Devices of llama.cpp's RPC servers, for child processes only.

A server that goes away takes its client's process with it (llama.cpp aborts), so nothing in the
window's own process may hold one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from desktop.common.errors import EngineError
from desktop.engine.llama import Llama

_ADD_SERVER = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)


def connect(engine: Llama, servers: Iterable[str]) -> None:
    """Make the devices of `servers` (``host:port``) known as ``RPC0``, ``RPC1``...

    Raises EngineError("no_rpc") where this build lacks the backend, or no such server answers.
    """
    pointer = ctypes.c_void_p
    by_name = engine.ggml("ggml", "ggml_backend_reg_by_name", pointer, ctypes.c_char_p)
    find = engine.ggml(
        "ggml-base", "ggml_backend_reg_get_proc_address", pointer, pointer, ctypes.c_char_p
    )
    register = engine.ggml("ggml", "ggml_backend_register", None, pointer)
    for server in servers:
        backend = by_name(b"RPC")
        address = find(backend, b"ggml_backend_rpc_add_server") if backend else None
        found = _ADD_SERVER(address)(server.encode()) if address else None
        if not found:
            raise EngineError("no_rpc", server=server)
        register(found)
