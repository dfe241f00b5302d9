"""What was given up so that a model could be opened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from desktop.ui.words import Counted, pages

if TYPE_CHECKING:
    from desktop.services.open_progress import Opened


def step_words(opened: Opened) -> str:
    """What was given up so that the model could be opened; "" where nothing was."""
    if not opened.steps:
        return ""
    if any(step.kind == "device_gone" for step in opened.steps):
        return QCoreApplication.translate(
            "ModelWords",
            "The graphics card could not be reached, so the model was opened without it. Starting "
            "Hausgeist again may bring it back.",
        )
    if any(step.kind == "pool_server_gone" for step in opened.steps):
        return QCoreApplication.translate(
            "ModelWords",
            "Another computer that lends its memory could not be reached, so the model was opened "
            "without it.",
        )
    first, last = opened.steps[0].before, opened.steps[-1].after
    kept: list[str] = []
    if last.gpu_layers < first.gpu_layers:
        kept.append(
            QCoreApplication.translate("ModelWords", "the processor does more of the work")
            if last.gpu_layers
            else QCoreApplication.translate("ModelWords", "the processor does all of the work")
        )
    if last.context < first.context:
        kept.append(Counted().remembers(pages(last.context)))
    if not kept:
        kept.append(QCoreApplication.translate("ModelWords", "it uses less memory"))
    return QCoreApplication.translate(
        "ModelWords",
        "There was not enough memory for everything, so the model was opened smaller: {kept}.",
    ).format(kept=", ".join(kept))
