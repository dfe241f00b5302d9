"""Models on the Hub by their headers alone: looked at before anything large is fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.gguf.header import ModelHeader
from desktop.hub.client import HubClient
from desktop.hub.file_names import FileKind
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import FileGroup, Listing
from desktop.hub.refs import parse_ref
from desktop.hub.remote_header import RemoteModel, fetch_header, known_listing
from desktop.services.model_ref import KnownModels, find_local, parse, unknown

OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Beside:
    """A file that belongs to a model on the Hub; `reference` names it to `hausgeist`."""

    reference: str
    kind: FileKind
    file_bytes: int | None


class RemoteModels:
    """Answers from the cache where it can, from the Hub where it must."""

    def __init__(self, client: HubClient, cache: HeaderCache) -> None:
        self._client = client
        self._cache = cache

    def model(self, text: str, *, on_bytes: OnBytes | None = None) -> RemoteModel:
        """The model that `text` (``org/repo:Q4_K_M``, an address) means on the Hub.

        `on_bytes` hears how many bytes have come. Raises UsageError(bad_hub_ref), NetworkError,
        HubError, ModelFileError.
        """
        ref = parse_ref(text, self._client.endpoint)
        return fetch_header(self._client, self._cache, ref, on_progress=on_bytes)

    def header(self, text: str, *, on_bytes: OnBytes | None = None) -> ModelHeader:
        """As `model`: its header, whose paths are header-only files."""
        return self.model(text, on_bytes=on_bytes).header

    def beside(self, text: str) -> tuple[Beside, ...]:
        """What lies beside a model that was looked at: its vision part (the one to take, where
        there are several) and drafts. Without traffic; raises UsageError."""
        ref = parse_ref(text, self._client.endpoint)
        known = self._cache.listing(ref)
        if known is None:
            return ()
        projectors = sorted(known.listing.of_kind("projector"), key=_by_worth)
        groups = (*projectors[:1], *known.listing.of_kind("draft"))
        return tuple(
            Beside(str(replace(ref, file=group.path, quant=None)), group.kind, group.size_bytes)
            for group in groups
        )

    def listing(self, repo: str) -> Listing:
        """What lies in a repository; raises UsageError, NetworkError, HubError."""
        ref = parse_ref(repo, self._client.endpoint)
        return known_listing(self._client, self._cache, ref)[0]


def _by_worth(projector: FileGroup) -> tuple[bool, int]:
    """16 bits first (what its makers tried), then the smallest."""
    return projector.quantization != "F16", projector.size_bytes or 0


def find_for_fit(
    text: str, library: KnownModels, remote: RemoteModels, *, on_bytes: OnBytes | None = None
) -> Path | ModelHeader:
    """What `fit` needs of the model that `text` means: its file here, or its header on the Hub.

    Raises ModelFileError, UsageError, NetworkError, HubError.
    """
    local = find_local(text, library)
    if local is not None:
        return local.path
    if parse(text).kind == "hub":
        return remote.header(text, on_bytes=on_bytes)
    raise unknown(text)
