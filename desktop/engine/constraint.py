"""What an answer must look like, as plain picklable data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ConstraintKind = Literal["json_object", "json_schema", "grammar", "choice"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """`source` is the text of a JSON schema or a GBNF grammar; "choice" means one of `choices`.

    It holds for the answer itself; a model that reasons first does that freely.
    """

    kind: ConstraintKind
    source: str = ""
    choices: tuple[str, ...] = ()
