"""What the stand-in of the Hub holds, what it does wrong, and what it has seen."""

from __future__ import annotations

import functools
import hashlib
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["api", "resolve", "cdn"]


@dataclass(frozen=True)
class Content:
    """A file: `head`, then zeros up to `size`."""

    head: bytes
    size: int

    def piece(self, start: int, end: int) -> bytes:
        return self.head[start:end].ljust(max(0, min(end, self.size) - start), b"\0")

    @functools.cached_property
    def sha256(self) -> str:
        """With zeros behind, of the head and the size alone: hashing gigabytes helps nobody."""
        if len(self.head) == self.size:
            return hashlib.sha256(self.head).hexdigest()
        return hashlib.sha256(self.head + struct.pack("<Q", self.size)).hexdigest()


def content(data: bytes, size: int | None = None) -> Content:
    return Content(data, len(data) if size is None else size)


@dataclass
class Repo:
    """One repository at one commit; `gated` as the Hub's JSON has it.

    `info` is what its list says besides: downloads, likes, tags, gguf... `waits_for_approval`: its
    owner has not yet said yes to the user; `without_consent`: the user has not even asked.
    """

    commit: str
    files: dict[str, Content]
    gated: bool | str = False
    listed_sizes: dict[str, int] = field(default_factory=dict)  # lies
    without_sizes: bool = False  # in the listing
    without_commit: bool = False  # in the listing
    without_cdn: bool = False  # small files come from the Hub itself
    info: dict[str, Any] = field(default_factory=dict)
    waits_for_approval: bool = False
    without_consent: bool = False


@dataclass
class Fault:
    """What goes wrong at `role`, for the next `times` requests (None: always).

    status        this status, with `headers` and `body`
    page          a web page with status 200
    redirect      302 to `body` (an address)
    json          `body` as the answer, whatever it is
    silent        no answer until the stand-in closes
    cut           the connection ends after `after` bytes of the body
    reset         the same with a reset
    no_ranges     the whole file, whatever was asked for
    shift         the right headers, the bytes of `after` further on
    wrong_range   a Content-Range that was not asked for
    total         Content-Range with `after` as the file's size
    etag          another ETag than before
    hold          the answer waits until `gate` is set
    hangup        the connection ends before any answer
    stall         silence after `after` bytes of the body, the connection stays
    slow          1 KiB a second after `after` bytes of the body
    flip          one bit of the file's byte `after` is another
    short_length  half of the range, and Content-Length says so (Content-Range does not)
    no_length     half of the range, without a Content-Length
    bare          neither ETag, Content-Length, Accept-Ranges nor Content-Range
    no_etag       without an ETag
    and what happens then is `on_hit`, if given
    """

    role: Role
    kind: str
    times: int | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    path: str = ""  # only where the request's path contains it
    only_resumed: bool = False  # requests for the beginning of the file are spared
    on_hit: Callable[[], object] | None = None


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    role: Role
    path: str
    range: str
    authorization: str
    headers: Mapping[str, str]
