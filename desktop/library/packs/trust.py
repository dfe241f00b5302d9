"""Who made it, and may it come in? An organisation pins keys; then nothing else is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.common.errors import HausgeistError, PackError
from desktop.library.packs.minisign import PublicKey, Signature, parse_signature, verify


@dataclass(frozen=True, slots=True)
class Trust:
    """`signed_by` is a key's number, "" where nobody signed. `is_trusted`: checked against a known
    key, and only then can `comment` be believed. `problem`: why it may not be used."""

    signed_by: str = ""
    comment: str = ""
    is_trusted: bool = False
    problem: HausgeistError | None = None


def judge(index: bytes, signature: bytes | None, known: Sequence[PublicKey], path: str) -> Trust:
    """Without known keys everything may come in, signed or not; `path` is for sentences.

    Problems are PackError: pack_unsigned, pack_foreign_key, pack_bad_signature.
    """
    if signature is None:
        problem = PackError("pack_unsigned", path=path) if known else None
        return Trust(problem=problem)
    try:
        stated = parse_signature(signature, path)
    except PackError as error:
        return Trust(problem=error)
    if not known:
        return Trust(signed_by=stated.number)
    ours = [key for key in known if key.number == stated.number]
    if not ours:
        problem = PackError("pack_foreign_key", path=path, key=stated.number)
        return Trust(signed_by=stated.number, problem=problem)
    if not any(verify(index, stated, key) for key in ours):
        return Trust(signed_by=stated.number, problem=PackError("pack_bad_signature", path=path))
    return Trust(stated.number, _shown(stated), is_trusted=True)


def _shown(stated: Signature) -> str:
    return "".join(c if c.isprintable() else " " for c in stated.comment[:400])
