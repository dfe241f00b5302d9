"""How the chosen model stands, in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.common.wording import Language
from desktop.services.open_progress import OpenedModel, Stage
from desktop.ui.model_session import ModelState
from desktop.ui.words import Counted, page_time, pages, report_words, tokens_per_s


def state_words(state: ModelState) -> str:
    """The few words beside the model's name."""
    match state.phase:
        case "opening":
            return QCoreApplication.translate("ModelWords", "is being opened …")
        case "failed":
            return QCoreApplication.translate("ModelWords", "could not be opened")
        case "asleep":
            return QCoreApplication.translate("ModelWords", "opens when you write")
    if state.is_guide or state.report is None:
        return QCoreApplication.translate("ModelWords", "small built-in helper")
    words = report_words(state.report)[0]
    return words[:1].lower() + words[1:]


def stage_words(stage: Stage, fraction: float) -> str:
    """What opening a model is about just now."""
    match stage:
        case "checking":
            return QCoreApplication.translate("ModelWords", "Checking the file …")
        case "probing":
            return QCoreApplication.translate(
                "ModelWords", "Trying it out safely, the first time only …"
            )
    percent = round(100 * fraction)
    return QCoreApplication.translate("ModelWords", "Loading: {percent} %").format(percent=percent)


def speed_words(speed: float | None, language: Language) -> str:
    """ "9 tokens/s · a page in about 45 seconds"; nothing where no speed is known."""
    if not speed:
        return ""
    return f"{tokens_per_s(speed, language)} · {page_time(speed, language)}"


def step_words(opened: OpenedModel) -> str:
    """What was given up so that the model could be opened; "" where nothing was."""
    if not opened.steps:
        return ""
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
