"""How the chosen model stands, in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.common.wording import Language
from desktop.ui.model_session import ModelState
from desktop.ui.words import page_time, report_words, tokens_per_s


def state_words(state: ModelState) -> str:
    """The few words beside the model's name."""
    match state.phase:
        case "opening" if state.is_remote:
            return QCoreApplication.translate("ModelWords", "is being asked …")
        case "opening":
            return QCoreApplication.translate("ModelWords", "is being opened …")
        case "failed" if state.is_remote:
            return QCoreApplication.translate("ModelWords", "does not answer")
        case "failed":
            return QCoreApplication.translate("ModelWords", "could not be opened")
        case "asleep" if state.is_remote:
            return place_words(leaves_computer=state.leaves_computer)
        case "asleep":
            return QCoreApplication.translate("ModelWords", "opens when you write")
    if state.is_remote:
        return place_words(leaves_computer=state.leaves_computer)
    if state.is_guide or state.report is None:
        return QCoreApplication.translate("ModelWords", "small, built in")
    words = report_words(state.report)[0]
    return words[:1].lower() + words[1:]


def place_words(*, leaves_computer: bool) -> str:
    """Where a server is, as far as it matters."""
    if leaves_computer:
        return QCoreApplication.translate("ModelWords", "leaves this computer")
    return QCoreApplication.translate("ModelWords", "a server on this computer")


def stage_words(state: ModelState) -> str:
    """What opening a model is about just now."""
    match state.stage:
        case "checking" if state.is_remote:
            return QCoreApplication.translate("ModelWords", "Asking the server …")
        case "checking":
            return QCoreApplication.translate("ModelWords", "Checking the file …")
        case "tuning" if state.trial > 1:
            return QCoreApplication.translate(
                "ModelWords", "Speed test {trial} of {trials} …"
            ).format(trial=state.trial, trials=state.trials)
        case "probing" | "tuning":
            return QCoreApplication.translate(
                "ModelWords", "Trying it out safely, the first time only …"
            )
    percent = round(100 * state.fraction)
    return QCoreApplication.translate("ModelWords", "Loading: {percent} %").format(percent=percent)


def speed_words(speed: float | None, language: Language) -> str:
    """ "9 tokens/s · a page in about 45 seconds"; nothing where no speed is known."""
    if not speed:
        return ""
    return f"{tokens_per_s(speed, language)} · {page_time(speed, language)}"
