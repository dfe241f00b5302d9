"""How models are called in the window."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.library.model import GUIDE_NAME

# Answers from outside the window are stored with the name that the file gives itself.
GUIDE_NAME_IN_FILE = "Hausgeist Guide"


def display_name(model: str) -> str:
    """How a model of the library is called in the window; the guide has a name in words."""
    if model in (GUIDE_NAME, GUIDE_NAME_IN_FILE):
        return QCoreApplication.translate("Models", "Hausgeist guide")
    return model


def short_name(model: str, quantization: str) -> str:
    """`display_name` for where the quantization stands beside it anyway."""
    name = display_name(model)
    ending = f"-{quantization}"
    if quantization and name.casefold().endswith(ending.casefold()):
        return name[: -len(ending)] or name
    return name
