"""A host of files that speaks HTTP its own way, byte by byte: what proxies, caches and old servers
do to downloads, beyond the faults of the table."""

from __future__ import annotations

import gzip
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from email.utils import formatdate

from tests.hub.raw_server import RawServer

MIB = 1 << 20
_RANGE = re.compile(rb"\r\nrange: bytes=(\d+)-(\d*)", re.IGNORECASE)


class Host:
    """Serves `data`; the `quirk` answers a request, or returns False to have it answered well."""

    def __init__(self, data: bytes, quirk: Quirk) -> None:
        self.data = data
        self.total = len(data)
        self._quirk = quirk
        self._lock = threading.Lock()
        self.count = 0
        self.server = RawServer(self._talk)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/file?signature=x"

    def close(self) -> None:
        self.server.close()

    def _talk(self, connection: socket.socket, head: bytes) -> None:
        with self._lock:
            number, self.count = self.count, self.count + 1
        match = _RANGE.search(head)
        start = int(match[1]) if match else 0
        end = min(int(match[2]) + 1 if match and match[2] else self.total, self.total)
        if not self._quirk(self, connection, number, start, end):
            self.say(connection, start, end)

    def head(self, start: int, end: int, *more: str, status: str = "206 Partial Content") -> bytes:
        lines = [f"HTTP/1.1 {status}", "Connection: close", *more]
        if not any(line.lower().startswith("content-length") for line in more):
            lines.append(f"Content-Length: {end - start}")
        if not any(line.lower().startswith("content-range") for line in more):
            lines.append(f"Content-Range: bytes {start}-{end - 1}/{self.total}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def say(self, connection: socket.socket, start: int, end: int, *more: str) -> None:
        connection.sendall(self.head(start, end, *more) + self.data[start:end])


Quirk = Callable[[Host, socket.socket, int, int, int], bool]
"""(host, connection, number of the request from 0, start, end) -> whether it was answered."""


def first(times: int, quirk: Quirk) -> Quirk:
    """Only the first `times` requests meet it."""

    def meet(host: Host, connection: socket.socket, number: int, start: int, end: int) -> bool:
        return number < times and quirk(host, connection, number, start, end)

    return meet


def resumed(times: int, quirk: Quirk) -> Quirk:
    """The first answer breaks off after half a MiB, then `times` requests meet it."""

    def meet(host: Host, connection: socket.socket, number: int, start: int, end: int) -> bool:
        if number == 0:
            connection.sendall(host.head(start, end) + host.data[start : start + MIB // 2])
            return True
        return number <= times and quirk(host, connection, number, start, end)

    return meet


def raw(answer: bytes) -> Quirk:
    """Says just that."""

    def meet(_host: Host, connection: socket.socket, *_: int) -> bool:
        connection.sendall(answer)
        return True

    return meet


def status(line: str, *headers: str, body: bytes = b"") -> Quirk:
    lines = [f"HTTP/1.1 {line}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def headers(*more: str) -> Quirk:
    """The right bytes under other headers."""

    def meet(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
        host.say(connection, start, end, *more)
        return True

    return meet


def open_total(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    host.say(connection, start, end, f"Content-Range: bytes {start}-{end - 1}/*")
    return True


def etag_of_the_node(
    host: Host, connection: socket.socket, number: int, start: int, end: int
) -> bool:
    """Every machine behind the address marks the file in its own way."""
    host.say(connection, start, end, f'ETag: "node-{number}"')
    return True


def zipped(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    """Nobody asked for it."""
    body = gzip.compress(host.data[start:end], 1)
    more = ("Content-Encoding: gzip", f"Content-Length: {len(body)}")
    connection.sendall(host.head(start, end, *more) + body)
    return True


def in_parts(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    """multipart/byteranges for a single range."""
    part = (
        b"--x\r\nContent-Type: application/octet-stream\r\n"
        + f"Content-Range: bytes {start}-{end - 1}/{host.total}\r\n\r\n".encode()
        + host.data[start:end]
        + b"\r\n--x--\r\n"
    )
    lines = ["HTTP/1.1 206 Partial Content", "Connection: close", f"Content-Length: {len(part)}"]
    lines.append("Content-Type: multipart/byteranges; boundary=x")
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + part)
    return True


def from_the_block_before(
    host: Host, connection: socket.socket, _number: int, start: int, end: int
) -> bool:
    """A cache that hands out whole blocks, and says so."""
    at = start // 65536 * 65536
    host.say(connection, at, end)
    return True


def secretly_from_the_block_before(
    host: Host, connection: socket.socket, _number: int, start: int, end: int
) -> bool:
    """The same, but the headers claim what was asked for."""
    at = max(0, start // 65536 * 65536 - 65536)
    connection.sendall(host.head(start, end) + host.data[at : at + end - start])
    return True


def more_than_asked(
    host: Host, connection: socket.socket, _number: int, start: int, end: int
) -> bool:
    """To the end of the file, whatever end was asked for; it says so."""
    host.say(connection, start, host.total)
    return True


def trailing_garbage(
    host: Host, connection: socket.socket, _number: int, start: int, end: int
) -> bool:
    """Bytes behind the end of the answer, on a connection that claims to stay open."""
    head = host.head(start, end).replace(b"Connection: close", b"Connection: keep-alive")
    connection.sendall(head + host.data[start:end] + b"HTTP/1.1 200 OK\r\n\r\ngarbage" * 50)
    return True


def chunked(cut: bool = False) -> Quirk:
    def meet(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
        lines = ["HTTP/1.1 206 Partial Content", "Transfer-Encoding: chunked", "Connection: close"]
        lines.append(f"Content-Range: bytes {start}-{end - 1}/{host.total}")
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        stop = start + MIB // 2 + 777 if cut else end
        for at in range(start, min(stop, end), 70_000):
            piece = host.data[at : min(at + 70_000, end)]
            if cut and at + 70_000 >= stop:
                connection.sendall(f"{len(piece):x}\r\n".encode() + piece[: len(piece) // 2])
                return True
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        return True

    return meet


def bad_chunk(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    lines = ["HTTP/1.1 206 Partial Content", "Transfer-Encoding: chunked", "Connection: close"]
    lines.append(f"Content-Range: bytes {start}-{end - 1}/{host.total}")
    piece = host.data[start : min(start + 100_000, end)]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\nZZZZ\r\n" + piece)
    return True


def old(host: Host, connection: socket.socket, _number: int, _start: int, _end: int) -> bool:
    """HTTP/1.0: the whole file, its end is the connection's."""
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + host.data)
    return True


def early_hints(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")
    host.say(connection, start, end)
    return True


def byte_by_byte(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    """The head in single bytes, the body in odd pieces."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in host.head(start, end):
        connection.sendall(bytes([byte]))
    for at in range(start, end, 4093):
        connection.sendall(host.data[at : min(at + 4093, end)])
    return True


def endless_head(host: Host, connection: socket.socket, *_: int) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * (4 * MIB) + b"\r\n\r\n")
    return True


def dripping_head(host: Host, connection: socket.socket, *_: int) -> bool:
    """A byte now and then, so that the connection never seems silent."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not host.server.closing.wait(0.1):
        connection.sendall(b"a")
    return True


def reset_at_once(_host: Host, connection: socket.socket, *_: int) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def another_file(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    """A poisoned cache: right size, right range, other bytes."""
    other = random.Random(99).randbytes(host.total)
    connection.sendall(host.head(start, end) + other[start:end])
    return True


def noise(host: Host, connection: socket.socket, number: int, start: int, end: int) -> bool:
    """Other bytes each time, and not a word of where they belong: it could go on for ever."""
    lines = ["HTTP/1.1 206 Partial Content", "Connection: close", f"Content-Length: {end - start}"]
    body = random.Random(number).randbytes(end - start)
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return True


def a_bit_each_time(
    host: Host, connection: socket.socket, number: int, start: int, end: int
) -> bool:
    """Bad memory somewhere on the way."""
    body = bytearray(host.data[start:end])
    place = random.Random(number).randrange(len(body))
    body[place] ^= 1 << (number % 8)
    connection.sendall(host.head(start, end) + bytes(body))
    return True


def zeros_in_the_middle(
    host: Host, connection: socket.socket, _number: int, start: int, end: int
) -> bool:
    """A cache that lost a block of its disk."""
    body = bytearray(host.data[start:end])
    middle = len(body) // 2
    body[middle : middle + 8192] = bytes(len(body[middle : middle + 8192]))
    connection.sendall(host.head(start, end) + bytes(body))
    return True


def half_then_nothing(
    host: Host, connection: socket.socket, _number: int, start: int, end: int
) -> bool:
    """The head promises all; the body ends, the connection stays open and silent."""
    connection.sendall(host.head(start, end) + host.data[start : start + (end - start) // 2])
    host.server.closing.wait(30)
    return True


def empty(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    connection.sendall(host.head(start, end))
    return True


def zero_length(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
    host.say(connection, start, start, f"Content-Range: bytes {start}-{end - 1}/{host.total}")
    return True


def bandwidth(bytes_per_s: float) -> Quirk:
    def meet(host: Host, connection: socket.socket, _number: int, start: int, end: int) -> bool:
        connection.sendall(host.head(start, end))
        for at in range(start, end, 16384):
            connection.sendall(host.data[at : min(at + 16384, end)])
            time.sleep(16384 / bytes_per_s)
        return True

    return meet


def busy_until(seconds: float) -> Quirk:
    return status(
        "429 Too Many Requests", f"Retry-After: {formatdate(time.time() + seconds, usegmt=True)}"
    )


_LONG_AGO = "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"
_PAGE = "Content-Type: text/html"

HEALED: dict[str, Quirk] = {
    "well behaved": lambda *_: False,
    "total not told": open_total,
    "a mark of each node": etag_of_the_node,
    "a weak mark": headers('ETag: W/"x"'),
    "zipped unasked, twice": first(2, zipped),
    "multipart for one range, twice": first(2, in_parts),
    "from the block before": from_the_block_before,
    "secretly from the block before, when resumed": resumed(1, secretly_from_the_block_before),
    "more than asked": more_than_asked,
    "garbage behind the end": trailing_garbage,
    "chunked": chunked(),
    "chunked and cut, three times": first(3, chunked(cut=True)),
    "a chunk that is none, twice": first(2, bad_chunk),
    "HTTP/1.0": old,
    "early hints": early_hints,
    "byte by byte": byte_by_byte,
    "reset at once, three times": first(3, reset_at_once),
    "no HTTP at all, twice": first(2, raw(b"SSH-2.0-OpenSSH_9.6\r\n")),
    "a status that is none, twice": first(2, raw(b"HTTP/1.1 2OO OK\r\n\r\n")),
    "an endless head, once": first(1, endless_head),
    "a dripping head, once": first(1, dripping_head),
    "another file once": first(1, another_file),
    "a wrong bit in each of six answers": first(6, a_bit_each_time),
    "a lost block, once": first(1, zeros_in_the_middle),
    "half and silence, twice": first(2, half_then_nothing),
    "no body, three times": first(3, empty),
    "length zero, three times": first(3, zero_length),
    "404 once": first(1, status("404 Not Found")),
    "401 once": first(1, status("401 Unauthorized")),
    "408, twice": first(2, status("408 Request Timeout")),
    "416 when resumed": resumed(2, status("416 Range Not Satisfiable", "Content-Range: bytes */5")),
    "421, twice": first(2, status("421 Misdirected Request")),
    "425, twice": first(2, status("425 Too Early")),
    "502 with a page, twice": first(2, status("502 Bad Gateway", _PAGE, body=b"<html>x")),
    "520, three times": first(3, status("520 Unknown")),
    "204, twice": first(2, status("204 No Content")),
    "304, twice": first(2, status("304 Not Modified")),
    "429 until a date that is past": first(2, status("429 Too Many Requests", _LONG_AGO)),
    "429 for less than nothing": first(2, status("429 Too Many Requests", "Retry-After: -5")),
    "429 until a date": first(1, busy_until(2)),
    "503 with a date": first(1, status("503 Service Unavailable", _LONG_AGO)),
    "redirect without a place, twice": first(2, status("302 Found")),
    "redirect to nowhere, twice": first(2, status("302 Found", "Location: http://[::1")),
    "redirect to a file, twice": first(2, status("302 Found", "Location: file:///etc/passwd")),
    "100 MB/s and then a trickle": resumed(1, bandwidth(20_000)),
}  # fmt: skip
"""Each must end in the right file."""
