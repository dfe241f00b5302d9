from __future__ import annotations

import pytest

from desktop.services.chat_title import title_from


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hallo", "Hallo"),
        ("Was ist ein Modell?", "Was ist ein Modell?"),
        ("  Zwei\n\nZeilen.  ", "Zwei Zeilen"),
        ("# Titel\n**fett** und `code`", "Titel fett und code"),
        ("Sieh [hier](https://example.org) nach", "Sieh hier nach"),
        ("```python\nprint(1)\n```", "print(1)"),
        (
            "Kannst du mir bitte erklären, wie ein Sprachmodell eigentlich funktioniert?",
            "Kannst du mir bitte erklären, wie ein…",
        ),
        ("x" * 200, "x" * 48 + "…"),
        ("***", ""),
    ],
)
def test_title(text: str, title: str) -> None:
    assert title_from(text) == title
