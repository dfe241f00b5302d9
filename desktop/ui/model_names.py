"""How models are called in the window."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.library.model import GUIDE_NAME
from desktop.services.remote_ref import parse_remote

# Answers from outside the window are stored with the name that the file gives itself.
GUIDE_NAME_IN_FILE = "Hausgeist Guide"


def display_name(model: str) -> str:
    """How a model is called in the window; the guide has a name in words, and one on a server is
    said with it."""
    if model in (GUIDE_NAME, GUIDE_NAME_IN_FILE):
        return QCoreApplication.translate("Models", "Hausgeist guide")
    if (remote := parse_remote(model)) is not None:
        return f"{remote.model} · {remote.server}" if remote.model else remote.server
    return model


def short_name(model: str, quantization: str) -> str:
    """`display_name` for where the quantization stands beside it anyway."""
    name = display_name(model)
    ending = f"-{quantization}"
    if quantization and name.casefold().endswith(ending.casefold()):
        return name[: -len(ending)] or name
    return name
