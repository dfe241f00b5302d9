"""The style sheet: how each `role` of a widget looks, said only in tokens.

A widget takes its look by `widget.setProperty("role", "card")`; a state such as the tone of a tag
by a second property. Python's format fields stand for tokens: {surface}, {s.space_2}, {pt.small}.
"""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace

from desktop.ui.tokens import Theme, points

_TYPE = ("text", "small", "tiny", "heading", "title", "code")

_TEXT = """
* {{ outline: none; }}
QToolTip {{ background: {surface}; color: {text}; border: {s.line}px solid {line};
  padding: {s.space_1}px {s.space_2}px; }}
QLabel {{ background: transparent; color: {text}; }}
QLabel[role="title"] {{ font-size: {pt.title}pt; font-weight: 600; }}
QLabel[role="heading"] {{ font-size: {pt.heading}pt; font-weight: 600; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[role="small"] {{ font-size: {pt.small}pt; }}
QLabel[role="small_muted"] {{ color: {muted}; font-size: {pt.small}pt; }}
QLabel[role="small_strong"] {{ font-size: {pt.small}pt; font-weight: 600; }}
QLabel[role="problem"] {{ color: {bad}; font-size: {pt.small}pt; }}
QLabel[role="warning"] {{ color: {warn}; font-size: {pt.small}pt; }}
QLabel[role="column"] {{ color: {muted}; font-size: {pt.small}pt; font-weight: 600; }}
QLabel[role="figure"] {{ font-size: {pt.title}pt; font-weight: 600; }}
QLabel[role="tag"] {{ font-size: {pt.small}pt; border-radius: {s.radius_tag}px;
  padding: 2px {s.space_2}px; background: {side}; color: {muted}; }}
QLabel[role="tag"][tone="ok"] {{ background: {ok_soft}; color: {ok}; }}
QLabel[role="tag"][tone="warn"] {{ background: {warn_soft}; color: {warn}; }}
QLabel[role="tag"][tone="bad"] {{ background: {bad_soft}; color: {bad}; }}
QLabel[role="tag"][tone="accent"] {{ background: {accent_soft}; color: {accent_strong}; }}
"""

_PLACES = """
QMainWindow, QWidget[role="page"], QWidget[role="plain"] {{ background: {background}; }}
QFrame[role="rail"] {{ background: {side}; border: none;
  border-right: {s.line}px solid {line}; }}
QFrame[role="sidebar"] {{ background: {background}; border: none;
  border-right: {s.line}px solid {line}; }}
QFrame[role="topbar"] {{ background: {background}; border: none;
  border-bottom: {s.line}px solid {line}; }}
QFrame[role="card"] {{ background: {surface}; border: {s.line}px solid {line};
  border-radius: {s.radius_card}px; }}
QFrame[role="card"][drop="true"] {{ border: {s.focus}px dashed {accent};
  background: {accent_soft}; }}
QFrame[role="drop"] {{ background: {accent_soft}; border: {s.focus}px dashed {accent};
  border-radius: {s.radius_card}px; }}
QFrame[role="composer"] {{ background: {surface}; border: {s.line}px solid {line};
  border-radius: {s.radius_composer}px; }}
QFrame[role="composer"][active="true"] {{ border-color: {accent}; }}
QFrame[role="row"] {{ background: transparent; border: none;
  border-bottom: {s.line}px solid {line}; }}
QFrame[role="row"][last="true"] {{ border-bottom: none; }}
QFrame[role="line"] {{ background: {line}; border: none; }}
QFrame[role="toast"] {{ background: {text}; border: none; border-radius: {s.radius_button}px; }}
QFrame[role="toast"] QLabel {{ color: {background}; }}
QFrame[role="toast"] QPushButton {{ color: {background}; background: transparent;
  border: {s.line}px solid {muted}; border-radius: {s.radius_tag}px; font-weight: 600;
  padding: 0 {s.space_3}px; min-height: {s.target}px; }}
QFrame[role="toast"] QPushButton:hover {{ border-color: {background}; }}
QFrame[role="banner"] {{ border: {s.line}px solid {line}; border-radius: {s.radius_button}px;
  background: {surface}; }}
QFrame[role="banner"][tone="ok"] {{ background: {ok_soft}; border-color: {ok_soft}; }}
QFrame[role="banner"][tone="info"] {{ background: {accent_soft}; border-color: {accent_soft}; }}
QFrame[role="banner"][tone="warn"] {{ background: {warn_soft}; border-color: {warn_soft}; }}
QFrame[role="banner"][tone="bad"] {{ background: {bad_soft}; border-color: {bad_soft}; }}
QDialog {{ background: {background}; }}
"""

_BUTTONS = """
QPushButton {{ background: {surface}; color: {text}; border: {s.line}px solid {line};
  border-radius: {s.radius_button}px; padding: 0 {s.space_4}px; min-height: {inner}px; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:pressed {{ border-color: {line_strong}; }}
QPushButton:disabled {{ color: {muted}; background: {side}; }}
QPushButton[role="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent};
  font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {accent_hover}; border-color: {accent_hover}; }}
QPushButton[role="primary"]:disabled {{ background: {side}; color: {muted};
  border-color: {line}; }}
QPushButton[role="danger"] {{ color: {bad}; }}
QPushButton[role="danger"]:hover {{ background: {bad_soft}; }}
QPushButton[role="quiet"] {{ background: transparent; border-color: transparent; color: {muted};
  padding: 0 {s.space_2}px; }}
QPushButton[role="quiet"]:hover {{ background: {hover}; color: {text}; }}
QPushButton[role="link"] {{ background: transparent; border: none; color: {accent};
  padding: 0 {s.space_1}px; font-weight: 600; }}
QPushButton[role="link"]:hover {{ color: {accent_strong}; }}
QPushButton[role="pill"], QPushButton[role="chip"] {{ border-radius: {pill}px;
  padding: 0 {s.space_3}px; }}
QPushButton[role="pill"]:checked {{ background: {accent_soft}; color: {accent_strong};
  border-color: {accent_soft}; }}
QPushButton[role="chip"]:hover {{ border-color: {accent}; color: {accent_strong};
  background: {accent_soft}; }}
QPushButton[role="icon"] {{ background: transparent; border-color: transparent; padding: 0;
  min-width: {inner}px; max-width: {inner}px; }}
QPushButton[role="icon"]:hover {{ background: {hover}; }}
QPushButton[role="icon_primary"] {{ background: {accent}; border-color: {accent}; padding: 0;
  min-width: {inner}px; max-width: {inner}px; }}
QPushButton[role="icon_primary"]:hover {{ background: {accent_hover}; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QToolButton[role="rail"] {{ background: transparent; border: none; color: {muted};
  border-radius: {s.radius_button}px; font-size: {pt.tiny}pt; padding: {s.space_1}px 0 0 0; }}
QToolButton[role="rail"]:hover {{ background: {hover}; color: {text}; }}
QToolButton[role="rail"]:checked {{ background: {accent_soft}; color: {accent_strong};
  font-weight: 600; }}
QLabel[role="rail_words"] {{ color: {muted}; font-size: {pt.tiny}pt; }}
"""

_FIELDS = """
QLineEdit {{ background: {surface}; color: {text}; border: {s.line}px solid {line};
  border-radius: {s.radius_button}px; padding: 0 {s.space_2}px; min-height: {inner}px;
  selection-background-color: {selection}; selection-color: {on_selection}; }}
QLineEdit:focus {{ border-color: {accent}; }}
QLineEdit[role="rename"] {{ min-height: 0; padding: 0 {s.space_1}px; }}
QPlainTextEdit[role="composer"] {{ background: transparent; border: none; color: {text};
  selection-background-color: {selection}; selection-color: {on_selection}; }}
QPlainTextEdit[role="area"] {{ background: {surface}; color: {text};
  border: {s.line}px solid {line}; border-radius: {s.radius_button}px; padding: {s.space_1}px;
  selection-background-color: {selection}; selection-color: {on_selection}; }}
QPlainTextEdit[role="area"]:focus {{ border-color: {accent}; }}
QComboBox {{ background: {surface}; color: {text}; border: {s.line}px solid {line};
  border-radius: {s.radius_button}px; padding: 0 {s.space_3}px; min-height: {inner}px; }}
QComboBox:hover {{ background: {hover}; }}
QComboBox::drop-down {{ border: none; width: {s.space_5}px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{ background: {surface}; color: {text};
  border: {s.line}px solid {line}; selection-background-color: {accent_soft};
  selection-color: {text}; padding: {s.space_1}px; }}
QComboBox QAbstractItemView::item {{ min-height: {inner}px; padding: 0 {s.space_2}px;
  border-radius: {s.radius_tag}px; }}
QComboBox QAbstractItemView::item:selected {{ background: {accent_soft}; color: {text}; }}
QMenu {{ background: {surface}; color: {text}; border: {s.line}px solid {line};
  border-radius: {s.radius_button}px; padding: {s.space_1}px; }}
QMenu::item {{ padding: {s.space_2}px {s.space_4}px {s.space_2}px {s.space_3}px;
  border-radius: {s.radius_tag}px; }}
QMenu::item:selected {{ background: {accent_soft}; color: {text}; }}
QMenu::item:disabled {{ color: {muted}; }}
QMenu::separator {{ height: {s.line}px; background: {line}; margin: {s.space_1}px; }}
QMenu::icon {{ padding-left: {s.space_2}px; }}
QListView, QTableView {{ background: transparent; border: none; color: {text}; }}
QHeaderView {{ background: transparent; border: none; }}
QScrollArea, QScrollArea > QWidget > QWidget[role="page"] {{ background: {background};
  border: none; }}
QScrollBar:vertical {{ background: transparent; width: {s.scroll_bar}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {s.scroll_bar}px; margin: 0; }}
QScrollBar::handle {{ background: {line_strong}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: {s.target}px; }}
QScrollBar::handle:horizontal {{ min-width: {s.target}px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def style_sheet(theme: Theme) -> str:
    """The whole sheet for one theme; needs a running application for the screen's resolution."""
    sizes = theme.sizes
    values: dict[str, object] = {field.name: getattr(theme, field.name) for field in fields(theme)}
    values["s"] = sizes
    values["pt"] = SimpleNamespace(
        **{name: f"{points(getattr(sizes, name)):.3f}" for name in _TYPE}
    )
    values["inner"] = sizes.target - 2 * sizes.line
    values["pill"] = sizes.target // 2
    return (_TEXT + _PLACES + _BUTTONS + _FIELDS).format_map(values)
