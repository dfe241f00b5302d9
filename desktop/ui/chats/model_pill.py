"""The model chooser: a pill that says which model answers, and the menu to choose another."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QPushButton

from desktop.library.model import LibraryModel
from desktop.ui.chats.model_words import state_words
from desktop.ui.chats.remote_menu import Servers, add_servers
from desktop.ui.look import Look
from desktop.ui.model_names import display_name
from desktop.ui.model_session import ModelSession

MOST = 20
_PHASE_TOKEN = {"ready": "ok", "opening": "warn", "failed": "bad", "asleep": "muted"}


class ModelPill(QPushButton):
    """State dot, name, quantization and verdict; opens a menu of the models on this disk and on the
    servers that the person has named, with where those are."""

    import_wanted = Signal()
    manage_wanted = Signal()

    def __init__(
        self,
        look: Look,
        model: ModelSession,
        models: Callable[[], list[LibraryModel]],
        servers: Callable[[], Servers] = lambda: Servers(),
    ) -> None:
        super().__init__()
        self._look = look
        self._model = model
        self._models = models
        self._servers = servers
        self.setProperty("role", "pill")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self.open_menu)
        model.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say again which model it is and how it stands."""
        state = self._model.state
        self.setAccessibleName(
            self.tr("Model: {name}, {state}").format(
                name=display_name(state.name), state=state_words(state)
            )
        )
        self.setToolTip(self.tr("Choose another model"))
        self.updateGeometry()
        self.update()

    def open_menu(self) -> None:
        """Show the models of this disk."""
        menu = self.menu_of_models()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(QPoint(0, self.height() + self._look.sizes.space_1)))

    def menu_of_models(self) -> QMenu:
        """The menu: the models (of very many those used last), then what else one may want."""
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("My models"))
        menu.setMinimumWidth(self._look.sizes.card_min)
        for entry in self._offered():
            parts = [display_name(entry.name)]
            if entry.quantization and entry.source != "built_in":
                parts.append(entry.quantization)
            action = menu.addAction("  ·  ".join(parts).replace("&", "&&"))
            chosen = entry.name == self._model.state.name
            action.setIcon(self._look.icon("check" if chosen else "cube", "muted"))
            action.setEnabled(not entry.problem)
            action.triggered.connect(lambda _=False, name=entry.name: self._model.choose(name))
        found = self._servers()
        add_servers(
            menu,
            self._look,
            found.all,
            self._model.state.name,
            self._model.choose,
            offline=found.offline,
        )
        menu.addSeparator()
        bring = menu.addAction(self._look.icon("file-plus"), self.tr("Import a model file …"))
        bring.triggered.connect(self.import_wanted)
        manage = menu.addAction(self._look.icon("cube"), self.tr("All models"))
        manage.triggered.connect(self.manage_wanted)
        return menu

    def _offered(self) -> list[LibraryModel]:
        """All; or the guide, the open one and those used last, where a menu could not hold all."""
        models = self._models()
        if len(models) <= MOST:
            return models
        chosen = self._model.state.name
        first = [m for m in models if m.source == "built_in" or m.name == chosen]
        others = [m for m in models if m not in first and not m.problem]
        others.sort(key=lambda model: model.last_used_at or 0.0, reverse=True)
        return [*first, *others[: MOST - len(first)]]

    # Painting: the style sheet draws the pill, its content has three kinds of type.

    def sizeHint(self) -> QSize:
        s = self._look.sizes
        name, rest = self._texts()
        bold, small = self._metrics()
        width = bold.horizontalAdvance(name) + small.horizontalAdvance(rest)
        return QSize(width + s.dot + s.icon_small + 2 * s.space_3 + 3 * s.space_2, s.target)

    def minimumSizeHint(self) -> QSize:
        s = self._look.sizes
        return QSize(s.card_min // 2, s.target)

    def _metrics(self) -> tuple[QFontMetrics, QFontMetrics]:
        """Of the name and of the words behind it."""
        look = self._look
        return QFontMetrics(look.font("text", bold=True)), QFontMetrics(look.font("small"))

    def _texts(self) -> tuple[str, str]:
        state = self._model.state
        parts = []
        report = state.report
        if report is not None and report.model.quantization and not state.is_guide:
            parts.append(report.model.quantization)
        parts.append(state_words(state))
        return display_name(state.name), " · ".join(parts)

    def paintEvent(self, event: QPaintEvent) -> None:
        s = self._look.sizes
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() // 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.color(_PHASE_TOKEN[self._model.state.phase]))
        painter.drawEllipse(QRect(s.space_3, middle - s.dot // 2, s.dot, s.dot))
        name, rest = self._texts()
        bold, small = self._metrics()
        left = s.space_3 + s.dot + s.space_2
        caret = self.width() - s.space_3 - s.icon_small
        room = caret - s.space_2 - left
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        shown = bold.elidedText(name, Qt.TextElideMode.ElideRight, room)
        painter.setFont(self._look.font("text", bold=True))
        painter.setPen(self._look.color("text"))
        painter.drawText(QRect(left, 0, room, self.height()), align, shown)
        left += bold.horizontalAdvance(shown) + s.space_2
        painter.setFont(self._look.font("small"))
        painter.setPen(self._look.color("warn" if self._model.state.leaves_computer else "muted"))
        shown = small.elidedText(rest, Qt.TextElideMode.ElideRight, caret - s.space_1 - left)
        painter.drawText(QRect(left, 0, caret - left, self.height()), align, shown)
        self._look.icon("caret-down", "muted").paint(
            painter, QRect(caret, middle - s.icon_small // 2, s.icon_small, s.icon_small)
        )
        painter.end()
