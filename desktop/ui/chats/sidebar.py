"""The sidebar: new chat, search over titles, and the chats by day."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QListView, QMenu, QStackedLayout, QWidget

from desktop.ui.chats.chat_delegate import ChatDelegate
from desktop.ui.chats.chat_list import ChatList
from desktop.ui.chats.chat_rows import CHAT_ID, ChatRows, Index
from desktop.ui.chats.conversation import NEW_CHAT, Conversation
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.button import IconButton
from desktop.ui.parts.text import Text


class ChatListView(QListView):
    """The list itself: Enter opens, F2 renames, Delete deletes, the menu key opens the menu."""

    def __init__(
        self, look: Look, rows: ChatRows, chats: ChatList, conversation: Conversation
    ) -> None:
        super().__init__()
        self._rows = rows
        self._look = look
        self._chats = chats
        self._conversation = conversation
        self._delegate = ChatDelegate(look, self._menu_at)
        self.setModel(rows)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(self.tr("Chats"))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(
            QListView.EditTrigger.EditKeyPressed | QListView.EditTrigger.DoubleClicked
        )
        self.clicked.connect(self._open)
        self.activated.connect(self._open)

    def chosen(self) -> str:
        """The id of the chat on which the keyboard stands; "" for none."""
        index = self.currentIndex()
        return str(index.data(CHAT_ID) or "") if index.isValid() else ""

    def mark_current(self, chat_id: str) -> None:
        """Show which chat is open."""
        index = self._rows.index_of(chat_id)
        selection = self.selectionModel()
        if index.isValid():
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)
        else:
            selection.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chat_id = self.chosen()
        if chat_id and event.matches(QKeySequence.StandardKey.Delete):
            self._chats.delete(chat_id)
        elif (
            chat_id
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and (self.state() != QListView.State.EditingState)
        ):
            self._conversation.show(chat_id)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        if index.isValid() and index.data(CHAT_ID):
            at = event.pos() if by_mouse else self.visualRect(index).bottomLeft()
            self._menu_at(index, at)

    def menu(self, index: Index) -> QMenu:
        """What can be done to the chat of a row."""
        chat_id = str(index.data(CHAT_ID))
        menu = QMenu(self)
        rename = menu.addAction(self._look.icon("pencil-simple"), self.tr("Rename"))
        rename.setShortcut(QKeySequence(Qt.Key.Key_F2))
        rename.triggered.connect(lambda: self.edit(self._rows.index_of(chat_id)))
        delete = menu.addAction(self._look.icon("trash"), self.tr("Delete"))
        delete.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))
        delete.triggered.connect(lambda: self._chats.delete(chat_id))
        return menu

    def _menu_at(self, index: Index, at: QPoint) -> None:
        menu = self.menu(index)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(at))

    def _open(self, index: QModelIndex) -> None:
        chat_id = str(index.data(CHAT_ID) or "")
        if chat_id and chat_id != self._conversation.current:
            self._conversation.show(chat_id)


class Sidebar(Frame):
    """Everything left of the conversation."""

    def __init__(self, look: Look, chats: ChatList, conversation: Conversation) -> None:
        super().__init__("sidebar")
        s = look.sizes
        self._chats = chats
        self._conversation = conversation
        self.setFixedWidth(s.sidebar)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search chats"))
        self.search.setAccessibleName(self.tr("Search chats"))
        self.search.setClearButtonEnabled(False)
        self.search.addAction(
            look.icon("magnifying-glass", "muted"), QLineEdit.ActionPosition.LeadingPosition
        )
        self.search.textChanged.connect(self._refresh)
        self.new_chat = IconButton(
            look, "note-pencil", self.tr("New chat"), self.start_new, primary=True
        )
        self.rows = ChatRows(self.tr("New chat"), chats.rename, conversation.is_busy)
        self.list = ChatListView(look, self.rows, chats, conversation)
        self._nothing = Text(kind="muted", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._nothing.setContentsMargins(s.space_2, s.space_3, s.space_2, 0)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._nothing)
        holder = QWidget()
        holder.setLayout(self._stack)
        layout = column(
            row(self.search, self.new_chat, space=s.space_2),
            holder,
            space=s.space_2,
            margins=(s.space_3, s.space_3 - 2, s.space_3, s.space_2),
        )
        self.setLayout(layout)
        chats.changed.connect(self._refresh)
        conversation.current_changed.connect(self._mark)
        conversation.state_changed.connect(self.rows.busy_changed)
        look.changed.connect(self.list.viewport().update)
        self.list.itemDelegate().closeEditor.connect(self._edit_ended)
        self._refresh()

    def start_new(self) -> None:
        """An empty chat, ready to be written into."""
        self._conversation.show(NEW_CHAT)

    def _refresh(self) -> None:
        if self.list.state() == QListView.State.EditingState:
            return  # a new name is being typed; when it is done, this is called again
        text = self.search.text()
        standing = self.list.chosen() if self.list.hasFocus() else ""
        self.rows.show(self._chats.chats, text)
        if self.rows.rowCount():
            self._stack.setCurrentWidget(self.list)
        else:
            self._nothing.setText(self._empty_words(text))
            self._stack.setCurrentWidget(self._nothing)
        if self.rows.index_of(standing).isValid():
            self.list.mark_current(standing)  # what Delete would delete is not moved by a refresh
        else:
            self._mark()

    def _edit_ended(self) -> None:
        # The view leaves its editing state only after it has heard this signal itself.
        QTimer.singleShot(0, self._refresh)

    def _empty_words(self, filter_text: str) -> str:
        if not self._chats.loaded:
            return ""
        if filter_text.strip():
            return self.tr("No chat has “{text}” in its title.").format(text=filter_text.strip())
        return self.tr("Your chats will stand here. They stay on this computer.")

    def _mark(self) -> None:
        if self.list.state() != QListView.State.EditingState:
            self.list.mark_current(self._conversation.current)
