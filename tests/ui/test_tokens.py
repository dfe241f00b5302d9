"""Colours that can be read, and none of them written anywhere else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from desktop.ui.style_sheet import style_sheet
from desktop.ui.tokens import DARK, LIGHT, Theme, scaled

UI = Path(__file__).resolve().parents[2] / "desktop" / "ui"

READ_ON = [
    *((text, ground) for text in ("text", "muted") for ground in ("background", "surface", "side")),
    ("text", "user_turn"),
    ("text", "code"),
    ("text", "accent_soft"),
    ("muted", "accent_soft"),
    ("text", "hover"),
    ("accent", "background"),
    ("accent", "surface"),
    ("accent_strong", "accent_soft"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_selection", "selection"),
    *((tone, f"{tone}_soft") for tone in ("ok", "warn", "bad")),
    *((f"code_{part}", "code") for part in ("keyword", "string", "number", "comment", "name")),
    ("code_type", "code"),
    ("bad", "background"),
    ("background", "text"),
]


def luminance(color: QColor) -> float:
    """WCAG 2's relative luminance."""

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(c) for c in (color.redF(), color.greenF(), color.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: Theme, text: str, ground: str) -> float:
    lighter, darker = sorted(
        (luminance(theme.color(text)), luminance(theme.color(ground))), reverse=True
    )
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize(("text", "ground"), READ_ON)
def test_text_can_be_read(theme: Theme, text: str, ground: str) -> None:
    assert contrast(theme, text, ground) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_style_sheet_fills_every_field(theme: Theme, qapp: QApplication) -> None:
    assert qapp is not None
    sheet = style_sheet(theme)
    assert "{{" not in sheet
    assert sheet.count("{") == sheet.count("}")
    assert theme.accent in sheet


def test_no_colour_is_written_anywhere_else() -> None:
    hexes = re.compile(r"#[0-9a-fA-F]{6}\b|QColor\(\s*\d")
    found = [
        f"{path.relative_to(UI)}: {match.group()}"
        for path in sorted(UI.rglob("*.py"))
        if path.name not in ("tokens.py", "icons.py")
        for match in hexes.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_type_follows_a_larger_system_font() -> None:
    large = scaled(LIGHT, 21.0)
    assert large.sizes.text == 21.0
    assert large.sizes.small == pytest.approx(12.5 * 1.5)
    assert large.sizes.target > LIGHT.sizes.target
    assert large.accent == LIGHT.accent
    assert scaled(LIGHT, 12.0) is LIGHT


def test_both_themes_differ_in_all_but_sizes() -> None:
    same = [f.name for f in fields(Theme) if getattr(LIGHT, f.name) == getattr(DARK, f.name)]
    assert same == ["ghost", "sizes"]
