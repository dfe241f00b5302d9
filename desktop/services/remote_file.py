"""The model servers that a person has named, in one small file; without their keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from desktop.common.atomic import write_atomic
from desktop.common.errors import UsageError
from desktop.common.locks import file_lock
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.engine.remote.address import RemoteAddress, parse_address
from desktop.engine.remote.link import Patience
from desktop.engine.remote.models import RemoteKind
from desktop.hub.server_keys import KeyPlace
from desktop.services.remote_ref import RemoteRef, is_server_name

_MOST_KNOWN_MODELS = 500
_LEAST_S, _MOST_S = 0.1, 86_400.0

_log = get_logger("remote")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model as it was told last. `context_tokens` 0: not known."""

    id: str
    context_tokens: int = 0
    kind: RemoteKind = "chat"


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """One server. `address` is what requests are put behind; `ca_file` and `certificate` (PEM
    text) as in `Trust`; `key_place` is where its key lies; `software` what it seems to be."""

    name: str
    address: str
    ca_file: str = ""
    certificate: str = ""
    key_place: KeyPlace = ""
    patience: Patience = field(default_factory=Patience)
    models: tuple[KnownModel, ...] = ()
    software: str = "other"

    @property
    def place(self) -> RemoteAddress:
        """The address, taken apart."""
        return RemoteAddress(self.address)

    @property
    def leaves_computer(self) -> bool:
        """Whether what is said there leaves this computer."""
        return not self.place.is_on_this_machine

    def to_json(self) -> dict[str, Any]:
        """For scripts, and for a support person: where its key lies, never the key."""
        trust = "pinned" if self.certificate else "file" if self.ca_file else "system"
        return {
            "name": self.name,
            "address": self.address,
            "software": self.software,
            "leaves_computer": self.leaves_computer,
            "key": self.key_place or None,
            "certificate": trust if self.address.startswith("https") else None,
            "timeouts": {
                "connect_s": self.patience.connect_s,
                "first_token_s": self.patience.first_token_s,
                "token_s": self.patience.between_s,
            },
            "models": [
                {
                    "model": str(RemoteRef(self.name, model.id)),
                    "id": model.id,
                    "kind": model.kind,
                    "context_tokens": model.context_tokens or None,
                }
                for model in self.models
            ],
        }


class RemoteFile:
    """Reads never raise: a file that cannot be read holds no servers, and the log says why."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(f".{path.name}.lock")

    def load(self) -> tuple[RemoteServer, ...]:
        """In the order in which they were added."""
        try:
            document = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("servers not readable: %s", error)
            return ()
        entries = document.get("servers") if isinstance(document, dict) else None
        found: dict[str, RemoteServer] = {}
        for entry in entries if isinstance(entries, list) else ():
            server = _read(entry)
            if server is not None:
                found.setdefault(server.name.casefold(), server)
        return tuple(found.values())

    def change(
        self, change: Callable[[tuple[RemoteServer, ...]], tuple[RemoteServer, ...]]
    ) -> tuple[RemoteServer, ...]:
        """Write what `change` makes of the servers, whoever else is writing. Raises StorageError,
        and what `change` raises."""
        with file_lock(self._lock_path):
            self._keep_unreadable()
            servers = change(self.load())
            document = {"servers": [asdict(server) for server in servers]}
            text = json.dumps(document, ensure_ascii=False, indent=2)
            write_atomic(self._path, text.encode("utf-8", "replace"))
            return servers

    def _keep_unreadable(self) -> None:
        """What somebody typed and broke is kept aside, not written over."""
        try:
            json.loads(self._path.read_bytes())
        except (ValueError, RecursionError):
            try:
                self._path.replace(self._path.with_suffix(".broken"))
            except OSError as error:
                raise storage_error(error, self._path) from error
        except OSError:
            return  # not there, or `write_atomic` tells


def _read(entry: Any) -> RemoteServer | None:
    """One server; None where its name or address is of no use."""
    if not isinstance(entry, Mapping):
        return None
    name, address = entry.get("name"), entry.get("address")
    if not isinstance(name, str) or not is_server_name(name) or not isinstance(address, str):
        return None
    try:
        api = parse_address(address).api
    except UsageError:
        return None
    return RemoteServer(
        name,
        api,
        ca_file=_text(entry, "ca_file"),
        certificate=_text(entry, "certificate"),
        key_place=_key_place(entry.get("key_place")),
        patience=patience_from(entry.get("patience")),
        models=_models(entry.get("models")),
        software=_text(entry, "software") or "other",
    )


def patience_from(found: Any) -> Patience:
    """The usual patience with what `found` (name and seconds) says; nonsense is left out."""
    usual = asdict(Patience())
    given = found if isinstance(found, Mapping) else {}
    for name in usual:
        value = given.get(name)
        if isinstance(value, int | float) and _LEAST_S <= value <= _MOST_S:
            usual[name] = float(value)
    return Patience(**usual)


def _models(found: Any) -> tuple[KnownModel, ...]:
    models = []
    for entry in (found if isinstance(found, list) else ())[:_MOST_KNOWN_MODELS]:
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str):
            tokens, kind = entry.get("context_tokens"), entry.get("kind")
            models.append(
                KnownModel(
                    entry["id"],
                    tokens if isinstance(tokens, int) and tokens > 0 else 0,
                    _kind(kind),
                )
            )
    return tuple(models)


def _key_place(found: Any) -> KeyPlace:
    places: tuple[KeyPlace, ...] = get_args(KeyPlace)
    return next((place for place in places if place == found), "")


def _kind(found: Any) -> RemoteKind:
    kinds: tuple[RemoteKind, ...] = get_args(RemoteKind)
    return next((kind for kind in kinds if kind == found), "chat")


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
