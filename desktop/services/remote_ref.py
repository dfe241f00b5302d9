"""How a model on a server is called: ``remote:SERVER/MODEL``."""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "remote:"
_NAME = re.compile(r"[^\W_][\w .+-]{0,39}")


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """`model` is empty where the server's only one is meant."""

    server: str
    model: str = ""

    def __str__(self) -> str:
        return f"{PREFIX}{self.server}/{self.model}" if self.model else f"{PREFIX}{self.server}"


def parse_remote(text: str) -> RemoteRef | None:
    """None for what is no model on a server; touches nothing."""
    if not text.startswith(PREFIX):
        return None
    server, _, model = text.removeprefix(PREFIX).partition("/")
    return RemoteRef(server.strip(), model.strip())


def is_server_name(text: str) -> bool:
    """Whether a server may be called that: letters, digits, spaces and ``._+-``, no slash."""
    return _NAME.fullmatch(text) is not None and text == text.strip()
