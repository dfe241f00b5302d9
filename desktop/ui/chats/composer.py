"""Where one writes: grows with the text, Enter sends, Shift+Enter breaks the line."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from desktop.ui.look import Look
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text, restyle


class MessageEdit(QPlainTextEdit):
    """The text field itself, as high as its text up to a limit."""

    submitted = Signal()
    escaped = Signal()
    recall = Signal()
    focused = Signal()
    unfocused = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setProperty("role", "composer")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if modifiers in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier):
                self.submitted.emit()
                return
            # Qt's own Shift+Enter puts in a line separator, which models do not know.
            self.insertPlainText("\n")
            self.ensureCursorVisible()
            return
        if key == Qt.Key.Key_Escape:
            self.escaped.emit()
            return
        if key == Qt.Key.Key_Up and not modifiers and not self.toPlainText():
            self.recall.emit()
            return
        super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.insertPlainText(source.text())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.unfocused.emit()

    def sizeHint(self) -> QSize:
        return QSize(self._look.sizes.column, self.height())

    def _fit(self) -> None:
        """QPlainTextEdit counts its document in lines."""
        line = self.fontMetrics().lineSpacing()
        lines = max(1, round(self.document().size().height()))
        limit = self._look.sizes.composer_lines
        self.setFixedHeight(min(lines, limit) * line + self._look.sizes.space_1)
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if lines > limit else policy.ScrollBarAlwaysOff
        )


class Composer(Frame):
    """Text field, a line of words for what is going on, and the button that sends or stops."""

    sent = Signal(str)
    stopped = Signal()
    edit_cancelled = Signal()
    recall_wanted = Signal()
    began_writing = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__("composer")
        s = look.sizes
        self._busy = False
        self._editing = False
        self._typing = True
        self.edit = MessageEdit(look)
        self.edit.setAccessibleName(self.tr("Message to Hausgeist"))
        self.edit.setPlaceholderText(self.tr("Message to Hausgeist …"))
        self._words = Text(kind="small_muted", wrap=True)
        self._cancel = Button(look, self.tr("Cancel"), self._leave_edit, kind="quiet")
        self.send = Button(look, self.tr("Send"), self._submit, kind="primary")
        self.send.show_icon(look, "arrow-elbow-down-left")
        self.send.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.stop = Button(look, self.tr("Stop"), self.stopped.emit, icon="stop")
        self.stop.setToolTip(self.tr("Stop the answer (Esc)"))
        line = row(self._words, self._cancel, self.send, self.stop, space=s.space_2)
        line.setStretchFactor(self._words, 1)
        self.setLayout(
            column(
                self.edit,
                line,
                space=s.space_2,
                margins=(s.space_4, s.space_3, s.space_3, s.space_3),
            )
        )
        self.edit.submitted.connect(self._submit)
        self.edit.escaped.connect(self._escape)
        self.edit.recall.connect(self.recall_wanted)
        self.edit.focused.connect(self._activate)
        self.edit.unfocused.connect(self._deactivate)
        self.edit.textChanged.connect(self._text_changed)
        self.setFocusProxy(self.edit)
        self._dress()

    @property
    def editing(self) -> bool:
        """Whether an earlier message is being changed."""
        return self._editing

    def text(self) -> str:
        return self.edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Put in a text, the cursor behind it; nobody has begun to write by that."""
        self._typing = False
        self.edit.setPlainText(text)
        self._typing = True
        cursor = self.edit.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self.edit.setTextCursor(cursor)

    def begin_edit(self, text: str) -> None:
        """Change an earlier message: what is sent now takes its place."""
        self._editing = True
        self.set_text(text)
        self._dress()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def end_edit(self) -> None:
        """Back to writing new messages."""
        self._editing = False
        self._dress()

    def show_busy(self, busy: bool, words: str = "") -> None:
        """While busy the button stops; `words` say what is going on."""
        self._busy = busy
        self._dress(words)

    def _dress(self, words: str = "") -> None:
        self.send.setVisible(not self._busy)
        self.stop.setVisible(self._busy)
        self._cancel.setVisible(self._editing and not self._busy)
        self.send.setEnabled(bool(self.text().strip()))
        if not words and self._editing:
            words = self.tr("You are changing your message. What came after it is kept aside.")
        elif not words and not self._busy:
            words = self.tr("Enter sends, Shift+Enter starts a new line")
        self._words.setText(words)

    def _text_changed(self) -> None:
        self.send.setEnabled(bool(self.text().strip()))
        if self._typing and self.text():
            self.began_writing.emit()

    def _submit(self) -> None:
        if not self._busy and self.text().strip():
            self.sent.emit(self.text().strip("\n"))

    def _escape(self) -> None:
        if self._busy:
            self.stopped.emit()
        elif self._editing:
            self._leave_edit()

    def _leave_edit(self) -> None:
        self.end_edit()
        self.edit_cancelled.emit()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    # Methods, not lambdas: Qt lets go of them when the composer goes before its field.

    def _activate(self) -> None:
        self._show_active(active=True)

    def _deactivate(self) -> None:
        self._show_active(active=False)

    def _show_active(self, *, active: bool) -> None:
        self.setProperty("active", active)
        restyle(self)
