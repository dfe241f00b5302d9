"""What all long work says in one way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desktop.common.settings import Settings
from desktop.common.wording import Language
from tests.ui.conftest import Driven


@pytest.mark.parametrize(
    ("language", "label", "shown"),
    [
        ("en", "Chat with it", "1 minute 5 seconds left"),
        ("de", "Damit chatten", "noch 1 Minute 5 Sekunden"),
    ],
)
def test_inherited_words_are_in_the_window_s_language(
    open_window: Callable[..., Driven], language: Language, label: str, shown: str
) -> None:
    """Translators know them by the name of the class that has them, not of those that inherit."""
    shelf = open_window(settings=Settings(language=language)).desk.house.shelf
    wanted: list[str] = []
    for work in (shelf.bringing, shelf.shrinking, shelf.packing):
        action = work._chat_with("Qwen")
        assert action.label == label
        work.use_wanted.connect(wanted.append)
        action.run()
        assert work._with_time("x", 65.0) == f"x · {shown}"
        assert work._with_time("x", None) == "x"
    assert wanted == ["Qwen"] * 3
