"""The beginning of a file on the Hub, fetched piece by piece as a reader gets on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from desktop.common.errors import HubError
from desktop.hub.answer import Answer, Purpose
from desktop.hub.client import HubClient
from desktop.hub.listing import HubFile

HEADER = "hub_header"
FIRST_BYTES = 512 << 10
MAX_BLOCK_BYTES = 4 << 20
MAX_PREFIX_BYTES = 64 << 20
"""The largest real header is 16 MB; a file that wants more of us lies."""
_QUICK_S = 2.0  # a slow line gets no larger pieces
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_EXPIRED = ("hub_forbidden", "hub_no_repo", "hub_no_file")


@dataclass(slots=True)
class _Source:
    """What the first answer said of the file; later ones must say the same."""

    total_bytes: int
    etag: str
    direct_url: str
    has_ranges: bool


class HubRangeReader:
    """A `gguf.source.RangeReader` of one file at one commit (or branch).

    Keeps all bytes from 0 up to the farthest that was asked for and fetches none twice (but from
    a host that knows no ranges). Pieces begin at `first_bytes` and double while the line is quick.
    Raises NetworkError, HubError: hub_inconsistent where answers contradict each other or the
    listing, hub_header_too_large.
    """

    def __init__(
        self,
        client: HubClient,
        repo: str,
        revision: str,
        file: HubFile,
        *,
        first_bytes: int = FIRST_BYTES,
        on_progress: Callable[[], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._client = client
        self._repo = repo
        self._file = file
        self._url = client.file_url(repo, revision, file.path)
        self._block_bytes = first_bytes
        self._prefix = bytearray()
        self._source: _Source | None = None
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self.requests = 0

    @property
    def size_bytes(self) -> int:
        """The file's size; asks the Hub if nothing was fetched yet."""
        if self._source is None:
            self._extend(1)
        assert self._source is not None
        return self._source.total_bytes

    @property
    def fetched_bytes(self) -> int:
        return len(self._prefix)

    def read(self, offset: int, n: int) -> bytes:
        end = min(offset + n, self.size_bytes)
        while len(self._prefix) < end:
            self._extend(end)
        with memoryview(self._prefix) as view:
            return bytes(view[offset:end])

    def _extend(self, wanted_end: int) -> None:
        """Fetch the next piece, up to `wanted_end` at least if the limits allow it."""
        at = len(self._prefix)
        if wanted_end > MAX_PREFIX_BYTES:
            limit = MAX_PREFIX_BYTES
            raise HubError("hub_header_too_large", file=self._file.path, limit_bytes=limit)
        n = max(self._block_bytes, min(wanted_end - at, MAX_BLOCK_BYTES))
        known = self._source.total_bytes if self._source else self._file.size_bytes
        if known is not None:
            n = max(1, min(n, known - at))
        if self._source is not None and not self._source.has_ranges:
            n = max(n, 3 * at)  # all from the start again: then rather seldom
        started = time.monotonic()
        answer = self._fetch(at, n)
        self.requests += 1
        if answer.status == 206:
            self._prefix += self._checked(answer, at, n)
        else:
            self._begin_anew(answer, at)
        if self._on_progress is not None:
            self._on_progress()
        if time.monotonic() - started < _QUICK_S:
            self._block_bytes = min(2 * self._block_bytes, MAX_BLOCK_BYTES)

    def _fetch(self, at: int, n: int) -> Answer:
        purpose = Purpose(HEADER, self._repo)
        if self._source is not None and self._source.direct_url != self._url:
            try:
                return self._ask(self._source.direct_url, at, n, purpose)
            except HubError as error:
                if error.kind not in _EXPIRED:
                    raise  # a signed address lives for minutes; the Hub gives a new one
        answer = self._ask(self._url, at, n, purpose)
        if self._source is not None:  # another host may mark the same file in another way
            self._source.direct_url, self._source.etag = answer.url, ""
        return answer

    def _ask(self, url: str, at: int, n: int, purpose: Purpose) -> Answer:
        try:
            return self._client.bytes_at(
                url, at, n, purpose, self._repo, self._file.path, self._is_cancelled
            )
        except HubError as error:
            if error.params.get("status") == 416:  # it ends before what was asked for
                if self._file.size_bytes == 0:
                    repo, path = self._repo, self._file.path
                    raise HubError("hub_file_incomplete", repo=repo, file=path) from error
                raise self._inconsistent(f"no byte {at}") from error
            raise

    def _checked(self, answer: Answer, at: int, n: int) -> bytes:
        """The body of a 206, if it is what was asked for."""
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match is None:
            raise self._inconsistent(f"range {answer.headers.get('content-range', '')[:60]!r}")
        first, last, total = (int(text) for text in match.groups())
        expected = min(n, total - at)
        if (first, last) != (at, at + expected - 1) or len(answer.body) != expected:
            raise self._inconsistent(
                f"asked for {at}+{n}, got {first}-{last} and {len(answer.body)} bytes"
            )
        self._remember(answer, total, has_ranges=True)
        return answer.body

    def _begin_anew(self, answer: Answer, at: int) -> None:
        """A whole file instead of a range: take its beginning."""
        stated = answer.headers.get("content-length", "")
        if stated.isascii() and stated.isdigit() and len(stated) <= 18:
            total = int(stated)
        elif not answer.is_cut:
            total = len(answer.body)
        elif self._file.size_bytes is not None:
            total = self._file.size_bytes
        else:
            raise self._inconsistent("neither ranges nor a size")
        if len(answer.body) <= at and len(answer.body) < total:
            raise self._inconsistent(f"{len(answer.body)} bytes, {at} are known")
        self._remember(answer, total, has_ranges=False)
        if answer.body[:at] != self._prefix:
            raise self._inconsistent("the file changed")
        self._prefix[:] = answer.body

    def _remember(self, answer: Answer, total: int, *, has_ranges: bool) -> None:
        linked = (answer.header("x-linked-etag") or "").strip('W/"').lower()
        stated_size = answer.header("x-linked-size") or ""
        etag = answer.headers.get("etag", "")
        known = self._file.size_bytes
        if known is not None and known != total:
            raise self._inconsistent(f"{total} bytes, listed with {known}")
        if stated_size.isascii() and stated_size.isdigit() and int(stated_size[:18]) != total:
            raise self._inconsistent(f"{total} bytes, announced with {stated_size[:18]}")
        if self._file.sha256 and len(linked) == 64 and linked != self._file.sha256:
            raise self._inconsistent("another file than the one listed")
        if self._source is None:
            self._source = _Source(total, etag, answer.url, has_ranges)
            return
        if self._source.total_bytes != total:
            raise self._inconsistent(f"{total} bytes, before {self._source.total_bytes}")
        if self._source.etag and etag and self._source.etag != etag:
            raise self._inconsistent("the file changed")

    def _inconsistent(self, detail: str) -> HubError:
        return HubError("hub_inconsistent", repo=self._repo, file=self._file.path, detail=detail)
