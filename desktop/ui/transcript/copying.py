"""Finds the whole of a code block that is drawn in several parts."""

from __future__ import annotations

from desktop.ui.transcript.specs import CodeSpec
from desktop.ui.transcript.stage import Stage


def code_of(stage: Stage, row: int, number: int) -> str:
    """The code that begins in this block, its continuations in this row and the next included."""
    blocks = stage.layout(row).blocks
    parts = []
    first = blocks[number].spec
    if not isinstance(first, CodeSpec):
        raise ValueError("not a code block")
    parts.append(first.code)
    turn = stage.rows[row].turn
    number += 1
    while True:
        while number < len(blocks):
            spec = blocks[number].spec
            if not isinstance(spec, CodeSpec) or not spec.continued:
                return "\n".join(parts)
            parts.append(spec.code)
            number += 1
        row += 1
        if row >= len(stage.rows) or stage.rows[row].turn != turn:
            return "\n".join(parts)
        blocks, number = stage.peek(row).blocks, 0
