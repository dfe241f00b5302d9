"""llama.cpp's RPC server on loopback: a second real device, with a real end to its memory."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_SERVE = """
import ctypes, os, sys
sys.path.insert(0, sys.argv[1])
from desktop.engine.llama import llama
engine = llama()
backend = engine.ggml("ggml", "ggml_backend_reg_by_name", ctypes.c_void_p, ctypes.c_char_p)(b"RPC")
find = engine.ggml("ggml-base", "ggml_backend_reg_get_proc_address",
                   ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
serve = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t,
                         ctypes.POINTER(ctypes.c_void_p))(
    find(backend, b"ggml_backend_rpc_start_server"))
device = (ctypes.c_void_p * 1)(engine.find_device("CPU"))
while os.fork():
    os.wait()  # it died of its memory: the next one is there at once, as after a driver's reset
prctl = getattr(ctypes.CDLL(None), "prctl", None)
if prctl is not None:
    prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if limit := int(sys.argv[4]):
    import resource
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + limit, used + limit))
serve(sys.argv[2].encode(), None, int(sys.argv[3]), 1, device)
"""


@dataclass
class RpcServer:
    """A running server; `kill` ends it for good, as a power cut would."""

    address: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        # The one that keeps the server running goes first, then the server itself with it.
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def rpc_server(limit_bytes: int = 0, threads: int = 1) -> Iterator[str]:
    """The address of a server whose process may take `limit_bytes` more (0: no limit).

    It comes back when that ends it. Linux only: elsewhere nothing would end the inner process.
    """
    with running_rpc_server(limit_bytes, threads) as server:
        yield server.address


@contextlib.contextmanager
def running_rpc_server(
    limit_bytes: int = 0, threads: int = 1, port: int = 0
) -> Iterator[RpcServer]:
    """The same as a process that the test may kill."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        free: int = probe.getsockname()[1]
    address = f"127.0.0.1:{free}"
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(_ROOT), address, str(threads), str(limit_bytes)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},
    )
    server = RpcServer(address, process)
    try:
        _wait_until_it_listens(process, free)
        yield server
    finally:
        server.kill()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0):
                return
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
    raise RuntimeError(f"the RPC server ended with {process.returncode}")
