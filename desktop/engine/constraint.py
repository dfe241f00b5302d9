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


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar in llama.cpp's GBNF; `root` is the rule that the answer must be.

    `engine.grammar.check_grammar` says whether it can be used.
    """

    text: str
    root: str = "root"


@dataclass(frozen=True, slots=True)
class Gate:
    """Reasoning that comes before what a grammar binds.

    The grammar sleeps while reasoning is open: from `open` on (or from the start, where the
    prompt has opened it: `is_open`) until `close` was written. Where reasoning is not open and
    does not begin with `open`, the grammar binds from the first token on. With `optional` the
    answer may end before `close` was written: a grammar for what may come, not for what must.
    """

    open: str
    close: str
    is_open: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """The most tokens of reasoning; then the words `close` are forced, whose end ends it.

    `gate` says how reasoning begins and ends; `close` may say more than the gate's own.
    """

    tokens: int
    close: str
    gate: Gate
