"""The window: the rail, the place that is shown, what is told, the keys that work everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QWidget

from desktop.library.packs.names import is_pack
from desktop.ui import geometry
from desktop.ui.chats.page import ChatsPage
from desktop.ui.downloads.rail_mark import RailMark
from desktop.ui.focus_ring import FocusRing
from desktop.ui.house import House
from desktop.ui.notice import Action, Banner, Toast
from desktop.ui.parts.banner import BannerStack
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.text import Text
from desktop.ui.parts.toast import ToastBox
from desktop.ui.rail import CHATS, MACHINE, MODELS, SETTINGS, Rail

if TYPE_CHECKING:
    from desktop.ui.models.page import ModelsPage


class MainWindow(QMainWindow):
    """Builds a place when it is first visited; builds all anew when the language changes."""

    painted = Signal()
    closed = Signal()

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self._was_painted = False
        self.place = CHATS
        self.setWindowTitle("Hausgeist")
        self.setAcceptDrops(True)
        s = house.look.sizes
        self.setMinimumSize(s.window_min_width, s.window_min_height)
        house.session.told.connect(self._tell)
        house.shelf.changed.connect(self._show_models)
        house.shelf.chat_wanted.connect(lambda: self.show_place(CHATS))
        house.downloads.chat_wanted.connect(lambda _name: self.show_place(CHATS))
        house.downloads.shown.connect(self._show_downloads)
        house.watch.changed.connect(self._show_machine)
        house.conversation.state_changed.connect(self._enable_stop)
        house.session.settings_changed.connect(self._show_offline)
        house.session.ready.connect(self._show_offline)
        self._build()
        self._add_shortcuts()
        self.ring = FocusRing(house.look, self)
        geometry.restore(self, house.session.settings.window_geometry, s)

    # The places

    def show_place(self, place: str) -> None:
        """Go to a place of the rail."""
        if place not in self._pages:
            page = self._make_page(place)
            self._pages[place] = page
            self._stack.addWidget(page)
            self._show_machine()
        self.place = place
        self.rail.show_place(place)
        self._stack.setCurrentWidget(self._pages[place])
        if place == CHATS:
            self.chats.focus_composer()

    def page(self, place: str) -> QWidget:
        """The widget of a place, made if it was never visited."""
        if place not in self._pages:
            self.show_place(place)
        return self._pages[place]

    def rebuild(self) -> None:
        """Make every widget anew, for another language."""
        self.chats.keep_draft()
        place = self.place
        told = self.banners
        self._build(told.banners)
        self.show_place(place)
        self._house.conversation.show_again()
        self._show_models()
        self._show_machine()
        self.ring.raise_()

    def _build(self, told: tuple[Banner, ...] = ()) -> None:
        house = self._house
        self.rail = Rail(house.look)
        self.rail.chosen.connect(self.show_place)
        self.rail.offline_wanted.connect(lambda wanted: house.session.change(offline=wanted))
        self.downloads_mark = RailMark(house.look, self.rail.button(MODELS), house.downloads)
        self._show_offline()
        self._stack = QStackedWidget()
        self._pages: dict[str, QWidget] = {}
        self._models_page: ModelsPage | None = None
        self.banners = BannerStack(house.look)
        for banner in told:
            self.banners.tell(banner)
        self.chats = ChatsPage(
            house.look,
            house.session,
            house.model,
            house.chats,
            house.conversation,
            house.first_model,
            house.remotes,
        )
        self.chats.import_wanted.connect(self.import_files)
        self.chats.models_wanted.connect(lambda: self.show_place(MODELS))
        self.chats.machine_wanted.connect(lambda: self.show_place(MACHINE))
        self._pages[CHATS] = self.chats
        self._stack.addWidget(self.chats)
        self._root = root = QWidget()
        root.setProperty("role", "plain")
        inner = column(self.banners, self._stack)
        inner.setStretchFactor(self._stack, 1)
        layout = row(self.rail, inner)
        layout.setStretchFactor(inner, 1)
        root.setLayout(layout)
        self.setCentralWidget(root)
        self.toast = ToastBox(house.look, root, self._below_toasts)
        self._drop = self._make_drop(root)
        self.rail.show_place(CHATS)
        self.place = CHATS

    def _show_offline(self) -> None:
        session = self._house.session
        services = session.services
        forced = services is not None and services.network.policy.forced_by != ""
        self.rail.show_offline(session.settings.offline or forced, forced=forced)

    def _below_toasts(self) -> int:
        """Where one writes must stay in view."""
        return self.chats.writing_height() if self.place == CHATS else 0

    def _make_page(self, place: str) -> QWidget:
        """The imports stand here because each place costs 10 to 30 ms of the start."""
        house = self._house
        if place == MODELS:
            from desktop.ui.models.page import ModelsPage

            page = ModelsPage(house)
            page.chat_wanted.connect(lambda: self.show_place(CHATS))
            self._models_page = page
            return page
        if place == MACHINE:
            from desktop.ui.machine.page import MachinePage

            machine = MachinePage(house.look, house.session, house.model, house.watch, house.shelf)
            machine.models_wanted.connect(lambda: self.show_place(MODELS))
            return machine
        from desktop.ui.settings.page import SettingsPage

        return SettingsPage(house.look, house.session, house.account, house.shelf, house.remotes)

    def import_files(self) -> None:
        """Ask for model files; the import is shown in the place "Models"."""
        self.show_place(MODELS)
        if self._models_page is not None:
            self._models_page.choose_files()

    def _show_downloads(self) -> None:
        self.show_place(MODELS)
        if self._models_page is not None:
            self._models_page.show_downloads()

    def take_files(self, paths: list[Path]) -> None:
        """Take in files that were dropped here; of a pack it is shown first what is inside."""
        packs = [path for path in paths if is_pack(path)]
        if paths:
            self.show_place(MODELS)
        if len(packs) < len(paths):
            self._house.shelf.bring_in([path for path in paths if path not in packs])
        if packs and self._models_page is not None:
            self._models_page.mine.show_pack(packs[0])

    def show_computer(self, description: Path) -> None:
        """Show the computer that a file describes, in the place "This computer"."""
        from desktop.ui.machine.page import MachinePage  # it is there by now, or made at once

        page = self.page(MACHINE)
        self.show_place(MACHINE)
        if isinstance(page, MachinePage):
            page.choice.read(description)

    def offer_files(self, paths: list[Path]) -> None:
        """Ask whether files that were given on the command line shall be taken in."""
        if not paths:
            return
        if all(is_pack(path) for path in paths):  # nothing is taken in before somebody says so
            self.take_files(paths)
            return
        names = ", ".join(self.tr("“{name}”").format(name=path.name) for path in paths)
        add = Action(self.tr("Add to my models"), lambda: self.take_files(paths))
        words = self.tr("Add {names} to your models? Nothing is moved on your disk.")
        self._tell(Banner("offer", words.format(names=names), "info", (add,)))

    def come_forward(self) -> None:
        """Show the window above the others, wherever it was."""
        if self.isMinimized():
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def _show_models(self) -> None:
        self.chats.show_models(self._house.shelf.models)

    def _show_machine(self) -> None:
        sentence = self._house.watch.sentence
        if not sentence:
            return
        self.chats.welcome.show_machine(sentence)
        if self._models_page is not None:
            self._models_page.show_machine(sentence)

    def _tell(self, notice: Toast | Banner) -> None:
        if isinstance(notice, Toast):
            self.toast.tell(notice)
        else:
            self.banners.tell(notice)

    # Keys

    def _add_shortcuts(self) -> None:
        keys: list[tuple[str, Callable[[], object]]] = [
            ("Ctrl+N", self._new_chat),
            ("Ctrl+K", self._search),
            ("Ctrl+F", self._find),
            ("Ctrl+L", lambda: self.show_place(CHATS)),
            ("Ctrl+1", lambda: self.show_place(CHATS)),
            ("Ctrl+2", lambda: self.show_place(MODELS)),
            ("Ctrl+3", lambda: self.show_place(MACHINE)),
            ("Ctrl+,", lambda: self.show_place(SETTINGS)),
            ("Ctrl+Z", lambda: self.toast.undo()),
        ]
        for sequence, run in keys:
            QShortcut(QKeySequence(sequence), self).activated.connect(run)
        QShortcut(QKeySequence.StandardKey.Quit, self).activated.connect(self.close)
        self._stop_key = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        self._stop_key.activated.connect(self._escape)
        self._stop_key.setEnabled(False)

    def _enable_stop(self) -> None:
        talk = self._house.conversation
        self._stop_key.setEnabled(talk.running() is not None or talk.waiting is not None)

    def _new_chat(self) -> None:
        self.show_place(CHATS)
        self.chats.start_new()

    def _find(self) -> None:
        """Search where one is: among the models there, else among the chats."""
        if self.place == MODELS and self._models_page is not None:
            self._models_page.focus_search()
        else:
            self._search()

    def _escape(self) -> None:
        """While an answer runs: back where there is a way back, else stop it."""
        browsing = self._house.browsing
        if self.place == MODELS and browsing.room != "home":
            browsing.back()
        else:
            self._house.conversation.stop()

    def _search(self) -> None:
        self.show_place(CHATS)
        self.chats.focus_search()

    # Files dropped on the window

    def _make_drop(self, root: QWidget) -> Frame:
        s = self._house.look.sizes
        self._drop_words = words = Text(kind="heading")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        drop = Frame("drop", column(words, margins=(s.space_5,) * 4))
        drop.setParent(root)
        drop.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        drop.hide()
        return drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _models_in(event) or _description_in(event):
            event.acceptProposedAction()
            model = self.tr("Drop it here to add it to your models")
            computer = self.tr("Drop it here to see what would run on that computer")
            self._drop_words.setText(model if _models_in(event) else computer)
            margin = self._house.look.sizes.space_5
            self._drop.setGeometry(self._root.rect().adjusted(margin, margin, -margin, -margin))
            self._drop.show()
            self._drop.raise_()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop.hide()
        paths = _models_in(event)
        if paths:
            event.acceptProposedAction()
            self.take_files(paths)
        elif (description := _description_in(event)) is not None:
            event.acceptProposedAction()
            self.show_computer(description)

    # The window itself

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            self.painted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._drop.hide()

    def focusNextPrevChild(self, next: bool) -> bool:
        before = QApplication.focusWidget()
        # Qt moves the focus by this, too, when the widget that has it is hidden.
        by_key = before is not None and before.isVisible() and before.isEnabled()
        moved = super().focusNextPrevChild(next)
        if by_key:
            self.ring.begin()
        return moved

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationFontChange:
            self.update()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._house.session.change(window_geometry=geometry.remember(self))
        event.accept()
        self.closed.emit()


def _description_in(event: QDropEvent) -> Path | None:
    """The description of a computer, where one file is dragged and it may be one."""
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.suffix.lower() == ".json" else None


def _models_in(event: QDropEvent) -> list[Path]:
    """The model files and folders among what is dragged."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [
        path for path in paths if path.suffix.lower() == ".gguf" or path.is_dir() or is_pack(path)
    ]
