"""Where a file's bytes come from: its address, signed for minutes, and what answers must say."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Protocol

from desktop.common.errors import HubError, NetworkError
from desktop.common.logs import get_logger
from desktop.hub.answer import Answer, Purpose, Sink
from desktop.hub.client import HubClient
from desktop.hub.policy import origin_of
from desktop.hub.statuses import require_good
from desktop.hub.transfer.journal import Identity

DOWNLOAD = "hub_download"
STALL_S = 10.0
_OTHER_MARKS = 3
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
# A signed address lives for minutes; what these say of it may only be its age.
_EXPIRED = ("hub_forbidden", "hub_no_repo", "hub_no_file", "hub_refused", "hub_token_refused",
            "hub_gated", "hub_token_access", "hub_waiting")  # fmt: skip

ANOTHER_NOW = ("hub_changed", "hub_no_revision", "hub_no_file")
"""What it is called when the file is not (any more) the one that was listed: list it anew."""

_log = get_logger("transfer")


class Receiver(Sink, Protocol):
    """A sink that is told where the bytes that come lie in the file."""

    @property
    def start(self) -> int:
        """The first byte that is asked for."""
        ...

    @property
    def end(self) -> int: ...

    def placed(self, at: int, *, is_sure: bool) -> None:
        """The body begins at byte `at`. Not `is_sure`: the host did not say so, and the place must
        be proved by bytes that are known."""
        ...


@dataclass(slots=True)
class _Link:
    """Where the Hub sent us, and how that host marks the file."""

    url: str
    etag: str


class Source:
    """Asks for ranges of one file at one commit; any thread.

    Raises NetworkError, HubError: hub_changed if the Hub has another file there by now,
    hub_inconsistent for an answer to another question.
    """

    def __init__(self, client: HubClient, identity: Identity, *, stall_s: float = STALL_S) -> None:
        self._client = client
        self._identity = identity
        self._stall_s = stall_s
        self._url = client.file_url(identity.repo, identity.commit, identity.path)
        self._link: _Link | None = None
        self._lock = threading.Lock()
        self._resolving = threading.Lock()
        self.has_ranges = True
        self.says_places = True
        self.linked_sha256 = ""
        self._etag = ""
        self._other_marks = 0

    @property
    def host(self) -> str:
        """For a sentence."""
        link = self._link
        origin = origin_of(link.url if link else self._url)
        return origin.shown if origin else ""

    def fetch(self, receiver: Receiver) -> None:
        """Ask for the receiver's range; it gets what comes, which may be less."""
        link = self._link
        if link is not None:
            self._ask(link.url, receiver, link)
            return
        # One asks the Hub for the address, the others wait for it and go there directly.
        resolving = self._resolving
        check = _Checked(self, receiver, None, resolving)
        resolving.acquire()
        try:
            link = self._link
            if link is None:
                self._ask(self._url, receiver, None, check)
                return
        finally:
            check.let_go()
        self._ask(link.url, receiver, link)

    def forget_link(self) -> None:
        """Ask the Hub for a new address next time."""
        with self._lock:
            self._link = None

    def start_over(self) -> None:
        """Who asks for the address may never have an answer: the others wait for it no longer."""
        with self._lock:
            self._link = None
            self._resolving = threading.Lock()

    def _ask(
        self, url: str, receiver: Receiver, link: _Link | None, check: _Checked | None = None
    ) -> None:
        repo, path = self._identity.repo, self._identity.path
        sink = check or _Checked(self, receiver, link)
        headers = {"Range": f"bytes={receiver.start}-{receiver.end - 1}"}
        try:
            answer = self._client.stream(
                url, Purpose(DOWNLOAD, repo), sink, headers=headers, stall_s=self._stall_s
            )
        except NetworkError:
            self.forget_link()
            raise
        try:
            require_good(answer, repo, path)
        except HubError as error:
            self.forget_link()
            if error.params.get("status") == 416:
                raise self.inconsistent(f"no byte {receiver.start}") from error
            if (link is not None or answer.redirected) and error.kind in _EXPIRED:
                raise HubError("hub_link_refused", file=path, detail=str(error)) from error
            raise

    def check(self, head: Answer, receiver: Receiver, link: _Link | None) -> None:
        """Compare what an answer says of itself with what was asked; tell the receiver where."""
        require_good(head, self._identity.repo, self._identity.path)
        self._require_same_file(head, link)
        if head.status == 206:
            self.has_ranges = True
            self._place_range(head, receiver)
        else:
            self.has_ranges = False
            receiver.placed(0, is_sure=True)
        with self._lock:
            self._link = _Link(head.url, head.headers.get("etag", ""))

    def _place_range(self, head: Answer, receiver: Receiver) -> None:
        stated = head.headers.get("content-range", "")
        if head.headers.get("content-type", "").lower().startswith("multipart/"):
            raise self.inconsistent("several parts")
        if not stated:
            self.says_places = False
            receiver.placed(receiver.start, is_sure=False)
            return
        match = _CONTENT_RANGE.fullmatch(stated)
        if match is None:
            raise self.inconsistent(f"range {stated[:60]!r}")
        first, last = int(match[1]), int(match[2])
        if match[3] != "*" and int(match[3]) != self._identity.size_bytes:
            raise self.changed(f"{match[3]} bytes")
        # Some caches hand out whole blocks: what lies before is skipped, and compared if known.
        if not first <= receiver.start <= last < self._identity.size_bytes:
            raise self.inconsistent(f"asked for {receiver.start}, got {first}-{last}")
        receiver.placed(first, is_sure=True)

    def _require_same_file(self, head: Answer, link: _Link | None) -> None:
        """By the Hub's own word (which comes with its redirection), else by the host's mark."""
        linked = _sha256(head.header("x-linked-etag"))
        self.linked_sha256 = linked or self.linked_sha256
        if linked and self._identity.sha256:
            if linked != self._identity.sha256:
                raise self.changed("another hash")
            return
        size = head.header("x-linked-size") or ""
        if size.isascii() and size.isdigit() and int(size[:18]) != self._identity.size_bytes:
            raise self.changed(f"{size[:18]} bytes")
        etag = head.headers.get("etag", "")
        if self.linked_sha256 or self._identity.sha256:
            if link is not None and link.etag and etag and etag != link.etag:
                self._other_marks += 1
                # The Hub will say whether it is its file; where each machine behind an address has
                # marks of its own, the hash has to do.
                if self._other_marks <= _OTHER_MARKS:
                    raise self.inconsistent("another mark")
        elif self._etag and etag and etag != self._etag:
            raise self.changed("another mark")
        self._etag = self._etag or etag

    def inconsistent(self, detail: str) -> HubError:
        repo, path = self._identity.repo, self._identity.path
        _log.info("%s: %s", path, detail)
        return HubError("hub_inconsistent", repo=repo, file=path, detail=detail)

    def changed(self, detail: str) -> HubError:
        repo, path = self._identity.repo, self._identity.path
        return HubError("hub_changed", repo=repo, file=path, detail=detail)


class _Checked:
    """A sink in front of the receiver: lets nothing through before the head was checked."""

    def __init__(
        self,
        source: Source,
        receiver: Receiver,
        link: _Link | None,
        resolving: threading.Lock | None = None,
    ) -> None:
        self._source = source
        self._receiver = receiver
        self._link = link
        self._resolving = resolving
        self.opened = receiver.opened
        self.take = receiver.take

    def begin(self, head: Answer) -> None:
        self._source.check(head, self._receiver, self._link)
        self.let_go()
        self._receiver.begin(head)

    def let_go(self) -> None:
        """The address is known (or not to be had): the others may go on."""
        if self._resolving is not None:
            resolving, self._resolving = self._resolving, None
            resolving.release()


def identify(client: HubClient, repo: str, revision: str, path: str) -> tuple[int, str]:
    """Size and hash of a file that a listing says nothing about; the hash is empty where nobody
    says it. Raises NetworkError, HubError."""
    url = client.file_url(repo, revision, path)
    answer = client.bytes_at(url, 0, 1, Purpose(DOWNLOAD, repo), repo, path)
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    told = [match[3] if match else "", answer.header("x-linked-size") or ""]
    if answer.status == 200:
        told.append(answer.headers.get("content-length", ""))
    for text in told:
        if text.isascii() and text.isdigit() and len(text) <= 18:
            return int(text), _sha256(answer.header("x-linked-etag"))
    raise HubError("hub_inconsistent", repo=repo, file=path, detail="no size")


def _sha256(etag: str | None) -> str:
    """The hash in an ``X-Linked-ETag``; empty where it is none."""
    text = (etag or "").strip('W/" ').lower()
    return text if len(text) == 64 and all(c in "0123456789abcdef" for c in text) else ""
