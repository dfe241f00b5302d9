"""Every colour and size of the window, and what Qt is told of them: palette, font, style sheet.

No other module writes a colour or a size: it takes a field of `Theme` or `Sizes`. Widgets choose
their look in the style sheet by the dynamic property ``role`` (see `style_sheet.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

REGULAR = QFont.Weight.Normal
SEMIBOLD = QFont.Weight.DemiBold


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths in device-independent pixels; type in the same unit, scaled with the system's."""

    # Type. `text` follows the system's interface font where that is larger than ours.
    text: float = 14.0
    small: float = 12.5
    tiny: float = 11.0
    heading: float = 15.0
    title: float = 22.0
    code: float = 13.0
    line_height: float = 1.5

    # Space between things, from a hair to a section.
    space_1: int = 4
    space_2: int = 8
    space_3: int = 12
    space_4: int = 16
    space_5: int = 24
    space_6: int = 32

    radius_tag: int = 6
    radius_button: int = 9
    radius_card: int = 14
    radius_composer: int = 16

    line: int = 1
    focus: int = 2
    target: int = 36
    icon_small: int = 16
    icon: int = 20
    icon_rail: int = 22
    mark: int = 30
    mark_large: int = 64
    dot: int = 8
    meter: int = 6
    scroll_bar: int = 10

    column: int = 720
    page: int = 1136
    rail: int = 76
    rail_item: int = 60
    rail_item_height: int = 54
    sidebar: int = 256
    topbar: int = 56
    card_min: int = 240
    detail_names: int = 148
    dialog: int = 440
    sheet: int = 620
    chooser: int = 380
    composer_lines: int = 8
    window_width: int = 1180
    window_height: int = 780
    window_min_width: int = 640
    window_min_height: int = 480

    motion_ms: int = 150
    toast_ms: int = 8000


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one appearance, each "#rrggbb", and the sizes that go with them."""

    name: str
    background: str
    surface: str
    side: str
    line: str
    line_strong: str
    text: str
    muted: str
    accent: str
    accent_strong: str  # text and icons on accent_soft; accent alone is 4.3:1 there
    accent_hover: str
    accent_soft: str
    on_accent: str
    hover: str
    user_turn: str
    code: str
    ok: str
    ok_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    selection: str
    on_selection: str
    shadow: str
    ghost: str  # in the door of the mark
    # Code highlighting; every one is at least 4.5:1 on `code`.
    code_keyword: str
    code_string: str
    code_number: str
    code_comment: str
    code_name: str
    code_type: str
    sizes: Sizes = field(default_factory=Sizes)

    @property
    def is_dark(self) -> bool:
        return self.name == "dark"

    def color(self, token: str) -> QColor:
        """The field named `token` as a QColor, for what paints itself."""
        return QColor(str(getattr(self, token)))


LIGHT = Theme(
    name="light",
    background="#FAFAF7",
    surface="#FFFFFF",
    side="#F2F1EC",
    line="#E4E2DB",
    line_strong="#C9C6BD",
    text="#1E1F1D",
    muted="#6C6B66",
    accent="#0E7C7B",
    accent_strong="#0A6362",
    accent_hover="#0B6B6A",
    accent_soft="#E1F0EF",
    on_accent="#FFFFFF",
    hover="#ECEBE5",
    user_turn="#EEF4F3",
    code="#F5F4F0",
    ok="#1B7F4B",
    ok_soft="#EAF6EF",
    warn="#9A6700",
    warn_soft="#FDF7EB",
    bad="#B42318",
    bad_soft="#FCEBE9",
    selection="#BFE0DE",
    on_selection="#1E1F1D",
    shadow="#1E1F1D",
    ghost="#FFFFFF",
    code_keyword="#8A2F82",
    code_string="#2C6E2F",
    code_number="#A0480B",
    code_comment="#6C6B66",
    code_name="#175CA8",
    code_type="#0A6362",
)

DARK = Theme(
    name="dark",
    background="#17181A",
    surface="#1F2124",
    side="#131416",
    line="#2E3034",
    line_strong="#45484D",
    text="#ECECE8",
    muted="#9B9B96",
    accent="#4FB8B3",
    accent_strong="#63C5C0",
    accent_hover="#63C5C0",
    accent_soft="#1D3433",
    on_accent="#0F1A1A",
    hover="#26282C",
    user_turn="#212A2B",
    code="#141517",
    ok="#5CC08A",
    ok_soft="#1B2E24",
    warn="#E0B252",
    warn_soft="#332B1B",
    bad="#F1867D",
    bad_soft="#3A2321",
    selection="#2C5654",
    on_selection="#ECECE8",
    shadow="#000000",
    ghost="#FFFFFF",
    code_keyword="#D695D0",
    code_string="#8FCB8B",
    code_number="#EBA667",
    code_comment="#9B9B96",
    code_name="#82B4F0",
    code_type="#63C5C0",
)


def scaled(theme: Theme, system_text_px: float) -> Theme:
    """The theme with its type enlarged where the system's interface font is larger than ours."""
    base = Sizes()
    factor = max(1.0, system_text_px / base.text)
    if factor == 1.0:
        return theme
    sizes = Sizes(
        text=base.text * factor,
        small=base.small * factor,
        tiny=base.tiny * factor,
        heading=base.heading * factor,
        title=base.title * factor,
        code=base.code * factor,
        target=round(base.target * factor),
        rail=round(base.rail * factor),
        rail_item=round(base.rail_item * factor),
        rail_item_height=round(base.rail_item_height * factor),
        topbar=round(base.topbar * factor),
    )
    values = {name: getattr(theme, name) for name in Theme.__dataclass_fields__}
    return Theme(**{**values, "sizes": sizes})


def system_text_px() -> float:
    """Height of the system's interface font in device-independent pixels."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if font.pixelSize() > 0:
        return float(font.pixelSize())
    return font.pointSizeF() * _dots_per_inch() / 72.0


def points(px: float) -> float:
    """Pixels as the point size that Qt draws that high; unlike pixel sizes it may be fractional."""
    return px * 72.0 / _dots_per_inch()


def text_font(px: float, weight: QFont.Weight = REGULAR) -> QFont:
    """The interface font, `px` high."""
    font = QFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont))
    font.setPointSizeF(points(px))
    font.setWeight(weight)
    return font


def code_font(px: float) -> QFont:
    """The system's monospace, `px` high."""
    font = QFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(points(px))
    return font


def palette(theme: Theme) -> QPalette:
    """The whole palette, so that what no style sheet rule reaches is right in the dark, too."""
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.background,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.side,
        role.Text: theme.text,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.BrightText: theme.on_accent,
        role.ToolTipBase: theme.surface,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.selection,
        role.HighlightedText: theme.on_selection,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Light: theme.surface,
        role.Midlight: theme.line,
        role.Mid: theme.line_strong,
        role.Dark: theme.line_strong,
        role.Shadow: theme.shadow,
        role.Accent: theme.accent,
    }
    made = QPalette()
    for color_role, value in colors.items():
        made.setColor(color_role, QColor(value))
    for color_role in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, color_role, QColor(theme.muted))
    return made


def _dots_per_inch() -> float:
    screens = QGuiApplication.screens()
    return screens[0].logicalDotsPerInch() if screens else 96.0


def apply(app: QApplication, theme: Theme, sheet: str = "") -> None:
    """Give the whole application the theme: palette, font and (where given) the style sheet."""
    app.setPalette(palette(theme))
    app.setFont(text_font(theme.sizes.text))
    app.setStyleSheet(sheet)
