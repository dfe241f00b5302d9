"""What is wrong with a model of the library, in a few words; by whom, where it is known."""

from __future__ import annotations

from desktop.common.messages import Messages
from desktop.library.model import LibraryModel
from desktop.library.origin import OTHERS_STORES


def problem_words(model: LibraryModel, messages: Messages) -> str:
    """Empty where nothing is wrong. A file that its own program has deleted is no mystery: its
    name is said, because that is where it can be brought back."""
    if not model.problem:
        return ""
    kind = "" if model.origin is None else model.origin.kind
    if model.problem == "vanished" and model.source == "import" and kind in OTHERS_STORES:
        program = messages.text(f"stores.{kind}")
        return messages.text("library.problem.vanished_store", program=program)
    return messages.problem(model.problem)
