"""An organisation's own web server with models: an index, its signature, and files beside them."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from desktop.common.errors import HubError, NetworkError, UsageError
from desktop.hub.answer import Purpose
from desktop.hub.client import HubClient
from desktop.hub.door import Door
from desktop.hub.policy import origin_of

INDEX = "source_index"


class IndexSource(HubClient):
    """As the Hub's client, with plain addresses below one folder of a web server.

    Its failures are told as those of a server, not of the Hub: `as_source_error`.
    """

    def __init__(self, door: Door, address: str) -> None:
        """`address` as `clean_address` gives it."""
        super().__init__(door)
        self.address = address

    @property
    def host(self) -> str:
        """For a sentence."""
        origin = origin_of(self.address)
        return origin.shown if origin else self.address[:80]

    def file_url(self, repo: str, revision: str, file: str) -> str:  # noqa: ARG002  (as the Hub's)
        """Where the server hands out a file; it has neither repositories nor revisions."""
        return self.address + quote(file)

    def document(self, name: str, max_bytes: int) -> bytes:
        """The small file `name` beside the models. Raises NetworkError, HubError."""
        answer = self.answer(
            self.address + quote(name), Purpose(INDEX, self.host), self.host, name,
            max_bytes=max_bytes,
        )  # fmt: skip
        return answer.body

    def document_or_none(self, name: str, max_bytes: int) -> bytes | None:
        """As `document`; None where the server says that there is none."""
        try:
            return self.document(name, max_bytes)
        except HubError as error:
            if error.kind in ("hub_no_repo", "hub_no_file") and error.detail.startswith("404"):
                return None
            raise


def clean_address(text: str, index_name: str) -> str:
    """The folder's address with a slash at its end. Raises UsageError("bad_source")."""
    address = text.strip()
    if origin_of(address) is None or any(sign in address for sign in "?#"):
        raise UsageError("bad_source", address=text[:200])
    if "@" in urlsplit(address).netloc:  # a password would stand in the ledger and the settings
        raise UsageError("bad_source", address=text[:200])
    if address.endswith("/" + index_name):
        address = address[: -len(index_name)]
    return address.rstrip("/") + "/"


def as_source_error(error: NetworkError, host: str, file: str) -> NetworkError:
    """The same failure in words that fit a server that is not the Hub."""
    kind, detail = error.kind, error.detail
    if kind == "portal":
        return NetworkError("source_portal", host=host, detail=detail)
    if not isinstance(error, HubError):
        return error
    file = str(error.params.get("file", "")) or file
    if kind == "hub_busy":
        wait_s = error.params.get("wait_s", 60.0)
        return NetworkError("source_busy", host=host, wait_s=wait_s, detail=detail)
    if kind in ("hub_no_repo", "hub_no_file", "hub_no_revision"):
        missing = "source_forbidden" if detail.startswith(("401", "403")) else "source_no_file"
        return NetworkError(missing, host=host, file=file, detail=detail)
    if kind in ("hub_forbidden", "hub_gated", "hub_token_refused"):
        return NetworkError("source_forbidden", host=host, file=file, detail=detail)
    if kind in ("hub_changed", "hub_wrong_content", "hub_inconsistent", "hub_file_incomplete"):
        return NetworkError("source_wrong_content", host=host, file=file, detail=detail)
    if kind in ("hub_down", "hub_refused"):
        status = error.params.get("status", 0)
        return NetworkError("source_down", host=host, status=status, detail=detail)
    return NetworkError("source_refused", host=host, file=file, detail=f"{kind} {detail}")
