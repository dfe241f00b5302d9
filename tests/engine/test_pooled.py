"""A model over llama.cpp's RPC servers: real ones on loopback, one killed in the middle."""

from __future__ import annotations

import contextlib
import queue
import socket
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from desktop.common.errors import EngineError, LoadError
from desktop.engine.events import Failed, Finished, Text
from desktop.engine.isolated import load_isolated
from desktop.engine.llama import llama
from desktop.engine.pool_devices import pool_devices
from tests.engine.driving import ask, plan_for
from tests.rpc_servers import rpc_server, running_rpc_server
from tests.tiny_models import write_tiny_model

SOON_S = 60.0

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or "RPC" not in llama().backends(), reason="this engine has no RPC"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return write_tiny_model(folder / "model.gguf", layers=4, vocab=271, seed=3)


def test_a_server_tells_what_it_lends() -> None:
    with rpc_server() as server:
        (device,) = pool_devices(server, 20.0)
    assert device.name == "RPC0"
    assert 0 < device.free_bytes <= device.total_bytes


def test_nobody_there_is_a_sentence() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(EngineError) as caught:
            pool_devices(f"127.0.0.1:{port}", 20.0)
    assert caught.value.kind == "pool_server_unusable"


def _speak(listener: socket.socket, words: bytes) -> None:
    try:
        connection, _ = listener.accept()
    except OSError:
        return
    with connection, contextlib.suppress(ConnectionError):
        connection.sendall(words)
        while connection.recv(1 << 16):
            pass


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 4096, "pool_server_unusable"),
        (b"\xff" * 4096, "pool_server_unusable"),
        (b"", "pool_server_silent"),
    ],
)
def test_another_kind_of_server_is_a_sentence(words: bytes, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        speaking = threading.Thread(target=_speak, args=(listener, words), daemon=True)
        speaking.start()
        with pytest.raises(EngineError) as caught:
            pool_devices(f"127.0.0.1:{listener.getsockname()[1]}", 3.0)
        assert caught.value.kind == kind


def test_it_answers_as_on_this_machine_alone(model: Path) -> None:
    request = ask("1", "Hallo, wie geht es?", 20)
    with closing(load_isolated(model, plan_for())) as alone:
        expected, _ = alone.submit(request).collect(SOON_S)
    with rpc_server() as one, rpc_server() as other:
        plan = plan_for(gpu_layers=5, split=(("RPC0", 2), ("RPC1", 3)), use_mmap=False)
        with closing(load_isolated(model, plan, servers=(one, other))) as engine:
            text, end = engine.submit(request).collect(SOON_S)
            usage = {row.device: row.weights_bytes for row in engine.memory_usage() or ()}
    assert isinstance(end, Finished)
    assert text == expected
    assert engine.info.kind == "pooled"
    assert usage["RPC0"] > 0
    assert usage["RPC1"] > 0


def test_a_server_killed_in_the_middle_of_an_answer(model: Path) -> None:
    deaths: queue.SimpleQueue[EngineError] = queue.SimpleQueue()
    plan = plan_for(gpu_layers=5, device="RPC0", use_mmap=False, context=8192)
    with (
        running_rpc_server() as server,
        closing(
            load_isolated(model, plan, servers=(server.address,), on_death=deaths.put)
        ) as engine,
    ):
        stream = engine.submit(ask("1", "Hallo", 100_000))
        while not isinstance(stream.get(SOON_S), Text):
            assert stream.end is None
        server.kill()
        _text, end = stream.collect(SOON_S)
        assert isinstance(end, Failed)
        assert end.kind == "engine_died_pool"
        assert deaths.get(timeout=SOON_S).kind == "engine_died_pool"
        assert not engine.alive


def test_a_server_that_is_gone_before_the_load(model: Path) -> None:
    with running_rpc_server() as server:
        address = server.address
    with pytest.raises(LoadError) as caught:
        load_isolated(model, plan_for(gpu_layers=5, device="RPC0"), servers=(address,))
    assert caught.value.kind == "pool_server_gone"
