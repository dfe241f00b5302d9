"""Keys of packs: those that are pinned in the settings, and the one that signs."""

from __future__ import annotations

from datetime import datetime

from desktop.common.settings import SettingsStore
from desktop.library.packs.making import Sign
from desktop.library.packs.manifest import INDEX_NAME
from desktop.library.packs.minisign import SecretKey, new_key, trusted_comment


def pinned_keys(settings: SettingsStore) -> tuple[str, ...]:
    """The keys in the settings; a mistake there must not let everything in.

    Raises StorageError("setting_unusable")."""
    keys = settings.load().trusted_keys
    problem = settings.problem
    if problem is not None and "trusted_keys" in str(problem.params.get("names", "")):
        raise problem
    return keys


def signer(key: SecretKey) -> Sign:
    """What signs an index: the same bytes for the same index and time."""

    def sign(index: bytes, made_at: str) -> bytes:
        moment = datetime.fromisoformat(made_at).timestamp()
        return key.sign(index, trusted_comment(INDEX_NAME, moment))

    return sign


def signature_bytes() -> int:
    """How long a signature is: all have one length."""
    return len(signer(new_key())(b"", datetime.now().astimezone().isoformat()))
