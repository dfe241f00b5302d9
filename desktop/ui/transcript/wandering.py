"""The focus of the keyboard: which action or link of the visible messages it is on."""

from __future__ import annotations

from desktop.ui.transcript.links import links_of
from desktop.ui.transcript.painting import Attention
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.targets import Target


def targets_of(stage: Stage, row: int) -> list[Target]:
    """Everything in a row that the keyboard can reach, from top to bottom."""
    layout = stage.layout(row)
    found = [*layout.targets, *links_of(layout)]
    return sorted(found, key=lambda target: (target.rect.top(), target.rect.left()))


def step(stage: Stage, attention: Attention, *, forward: bool) -> bool:
    """Move the focus to the next target on screen; False when there is none left.

    Only visible messages count, so that a long conversation does not hold the focus captive.
    """
    reachable = [
        (row, target)
        for row, y in stage.visible
        for target in targets_of(stage, row)
        if 0 <= y + target.rect.center().y() <= stage.view_height
    ]
    if not forward:
        reachable.reverse()
    if attention.focus is not None:
        here = next(
            (
                number
                for number, (row, target) in enumerate(reachable)
                if row == attention.focus_row and target.same(attention.focus)
            ),
            -1,
        )
        reachable = reachable[here + 1 :]
    if not reachable:
        attention.focus, attention.focus_row = None, -1
        return False
    attention.focus_row, attention.focus = reachable[0]
    stage.show_row(attention.focus_row, attention.focus.rect.top(), attention.focus.rect.bottom())
    return True


def step_message(stage: Stage, attention: Attention, *, forward: bool) -> bool:
    """Move the focus to the first target of the next message, whether visible or not."""
    row = attention.focus_row
    if row < 0 and stage.visible:
        row = stage.visible[-1][0] + 1 if not forward else stage.visible[0][0] - 1
    row += 1 if forward else -1
    while 0 <= row < len(stage.rows):
        targets = targets_of(stage, row)
        if targets:
            attention.focus_row, attention.focus = row, targets[0]
            stage.show_row(row, targets[0].rect.top(), targets[0].rect.bottom())
            return True
        row += 1 if forward else -1
    return False
