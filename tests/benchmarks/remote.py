"""What the remote engine adds to a server on loopback: time to the first word, a piece, a stop.

    python tests/benchmarks/remote.py

The stand-in runs in a process of its own and writes pieces as fast as they are read, far faster
than a model; `bare_pieces_per_s` is a socket that only counts their bytes. `us_a_piece` is the
processor time that the engine takes in this process for one, `stop_ms` from a stop to the end.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from desktop.engine.chat import Chat, Message  # noqa: E402
from desktop.engine.events import Text  # noqa: E402
from desktop.engine.remote.engine import RemoteEngine, open_remote  # noqa: E402
from desktop.engine.request import Request  # noqa: E402
from tests.engine.model_server import delta, link_to  # noqa: E402

PIECES = 20_000
ROUNDS = 5
STOPS = 30
_CHAT = Chat((Message("user", "Hello"),))

PIECE = f"data: {json.dumps(delta(content='word '))}\n\n".encode()
END = f"data: {json.dumps(delta(finish_reason='stop'))}\n\ndata: [DONE]\n\n".encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
SLOW = "slow"
PAUSE_S = 0.01


def serve() -> None:
    """The stand-in: the port on standard output, then answers until it is killed."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        line, _ = listener.accept()
        threading.Thread(target=answer, args=(line,), daemon=True).start()


def answer(line: socket.socket) -> None:
    with line, contextlib.suppress(OSError):  # whoever has stopped is gone
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += line.recv(65536)
        head, _, body = asked.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        while length is not None and len(body) < int(length[1]):
            body += line.recv(65536)
        line.sendall(HEAD)
        if head.startswith(b"GET"):
            line.sendall(b'{"data": [{"id": "tiny", "owned_by": "openai"}]}')
            return
        slow = SLOW.encode() in body
        for _ in range(PIECES):
            line.sendall(PIECE)
            if slow:
                time.sleep(PAUSE_S)
        line.sendall(END)


def bare(port: int) -> float:
    """Seconds for one answer, read by a socket that only counts."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        size = 0
        while piece := line.recv(65536):
            size += len(piece)
    assert size == len(HEAD) + PIECES * len(PIECE) + len(END)
    return time.perf_counter() - started


def through(engine: RemoteEngine, number: int) -> tuple[float, float, float]:
    """Seconds for one answer, until its first piece, and processor seconds."""
    started, cpu = time.perf_counter(), time.process_time()
    stream = engine.submit(Request(str(number), chat=_CHAT))
    first = 0.0
    text = 0
    for event in stream:
        if isinstance(event, Text):
            first = first or time.perf_counter() - started
            text += len(event.text)
    assert text == 5 * PIECES
    return time.perf_counter() - started, first, time.process_time() - cpu


def stop(engine: RemoteEngine, number: int) -> float:
    """Seconds from a stop to the end of the stream."""
    chat = Chat((Message("user", SLOW),))
    stream = engine.submit(Request(f"stop-{number}", chat=chat))
    while not isinstance(stream.get(10.0), Text):
        pass
    started = time.perf_counter()
    stream.cancel()
    stream.collect(10.0)
    return time.perf_counter() - started


def main() -> int:
    if "--serve" in sys.argv:
        serve()
    command = [sys.executable, __file__, "--serve"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        port = int(server.stdout.readline())
        engine = open_remote(link_to(f"http://127.0.0.1:{port}", Path(folder)), "tiny")
        plain = statistics.median(bare(port) for _ in range(ROUNDS))
        found = [through(engine, number) for number in range(ROUNDS)]
        stops = sorted(stop(engine, number) for number in range(STOPS))
        engine.close()
        server.kill()
    seconds = statistics.median(one[0] for one in found)
    print(
        json.dumps(
            {
                "pieces_per_s": round(PIECES / seconds),
                "bare_pieces_per_s": round(PIECES / plain),
                "us_a_piece": round(1e6 * statistics.median(o[2] for o in found) / PIECES, 1),
                "first_piece_ms": round(1e3 * statistics.median(o[1] for o in found), 2),
                "stop_ms_median": round(1e3 * statistics.median(stops), 2),
                "stop_ms_most": round(1e3 * stops[-1], 2),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
