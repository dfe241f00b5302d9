"""What is inside a pack, shown before anything of it is taken in."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.common.errors import HausgeistError
from desktop.common.wording import format_bytes
from desktop.library.packs.manifest import PackedModel
from desktop.services.pack_views import PackView
from desktop.ui.look import Look
from desktop.ui.packs.room import PackRoom
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Tag, Text, restyle
from desktop.ui.parts.tick import Tick
from desktop.ui.session import Session
from desktop.ui.words import report_words

if TYPE_CHECKING:
    from desktop.fit.types import FitReport
    from desktop.hardware.machine import Machine
    from desktop.library.catalog import Licence
    from desktop.services.packs import Packs

LANE = "unpack-look"
_MOST_JUDGED = 20


class UnpackDialog(Sheet):
    """A box for each model, with its verdict on this machine; who made it; what may not come in."""

    def __init__(
        self, look: Look, session: Session, room: PackRoom, path: Path, parent: QWidget
    ) -> None:
        super().__init__(look, self.tr("Models in “{name}”").format(name=path.name), parent)
        self._look = look
        self._session = session
        self._room = room
        self._path = path
        self._view: PackView | None = None
        self.boxes: dict[str, Tick] = {}
        self.tags: dict[str, Tag] = {}
        self._touched: set[str] = set()
        self.state = Text(self.tr("Looking into the pack …"), "muted", wrap=True)
        self.signature = Text(kind="small_muted", wrap=True)
        self.signature.hide()
        self._list = column()
        self.refused = Text(kind="small", wrap=True)
        self.refused.setProperty("role", "warning")
        self.refused.hide()
        self.place = Text(kind="small_muted", wrap=True)
        for part in (self.state, self.signature):
            self.content.addWidget(part)
        self.content.addLayout(self._list)
        self.content.addStretch(1)
        self.notes.addWidget(self.refused)
        self.notes.addWidget(self.place)
        self.take = Button(look, self.tr("Add to my models"), self._take, kind="primary")
        self.take.setEnabled(False)
        self.leave = Button(look, self.tr("Cancel"), self.close)
        self.foot.addWidget(self.leave)
        self.foot.addWidget(self.take)
        self.leave.setFocus()
        self._look_inside()
        self.fit()

    def _look_inside(self) -> None:
        services = self._session.services
        if services is None:
            return
        packs: Packs = services.packs
        self._session.bridge.run(
            LANE,
            lambda: packs.look(self._path),
            self.while_open(self._show),
            self.while_open(self._fail),
        )

    def _fail(self, error: HausgeistError) -> None:
        """A designed end: what it is, what to do, one button."""
        self.state.setText(self._session.messages.error(error))
        self.state.setProperty("role", "problem")
        restyle(self.state)
        self.signature.hide()
        self.place.hide()
        self.take.hide()
        self.leave.setText(self.tr("Close"))
        self.fit()

    def _show(self, view: PackView) -> None:
        self._view = view
        self.state.setText(view.manifest.title)
        self.state.setProperty("role", "strong")
        restyle(self.state)
        self.state.setVisible(bool(view.manifest.title))
        self._show_signature(view)
        for model in view.manifest.models:
            self._list.addWidget(self._row(view, model))
        self._show_refused(view)
        if view.problem is not None:
            self.state.show()
            self._fail(view.problem)
            return
        self._chosen_changed()
        self._judge(view)
        self.fit()

    def _show_signature(self, view: PackView) -> None:
        words = self.tr("Not signed: make sure that you know who made it.")
        if view.is_trusted:
            words = self.tr("Signed by your organisation (key {key}).").format(key=view.signed_by)
        elif view.signed_by:
            words = self.tr(
                "Signed with the key {key}; whose it is, this computer does not know."
            ).format(key=view.signed_by)
        self.signature.setText(words)
        self.signature.show()

    def _row(self, view: PackView, model: PackedModel) -> Frame:
        s, language = self._look.sizes, self._session.language
        is_here = model.name in view.here
        size = format_bytes(model.total_bytes, language)
        box = Tick(self._look, model.name)
        box.setChecked(not is_here and view.problem is None)
        box.setEnabled(not is_here and view.problem is None)
        box.toggled.connect(lambda _: self._chosen_changed())
        box.clicked.connect(lambda _=False: self._touched.add(model.name))
        self.boxes[model.name] = box
        tag = Tag(self.tr("is here already"), "ok") if is_here else Tag()
        tag.setVisible(is_here)
        self.tags[model.name] = tag
        head = row(box, Text(size, "small_muted"), 1, tag, space=s.space_3)
        licence = self._licence_words(model)
        below = Text(licence, "small_muted", wrap=True)
        below.setContentsMargins(s.space_5, 0, 0, 0)
        box.setAccessibleName(f"{model.name}, {size}")
        box.setAccessibleDescription(licence)
        block = column(head, below, space=0, margins=(0, s.space_1, 0, s.space_2))
        return Frame("row", block)

    def _licence_words(self, model: PackedModel) -> str:
        from desktop.library.catalog import shipped_catalog  # read once, after the first paint

        if not model.licence:
            return self.tr("Licence: not stated")
        licence: Licence = shipped_catalog().licence(model.licence)
        words = self.tr("Licence: {name}").format(name=licence.name or licence.id)
        key = f"licence.office.{licence.office}"
        messages = self._session.messages
        return f"{words} · {messages.text(key)}" if key in messages else words

    def _show_refused(self, view: PackView) -> None:
        messages = self._session.messages
        lines = [
            self.tr("Left out: {name} ({reason})").format(
                name=one.name, reason=messages.text(f"packs.refused.{one.kind}")
            )
            for one in view.manifest.refused
        ]
        self.refused.setText("\n".join(lines))
        self.refused.setVisible(bool(lines))

    def _judge(self, view: PackView) -> None:
        """Verdicts come one by one, by the headers inside the pack."""
        services, machine = self._session.services, self._room.machine
        if services is None or machine is None:
            return
        for model in [m for m in view.manifest.models if m.name not in view.here][:_MOST_JUDGED]:
            work = partial(_judged, services.packs, view, model, machine)
            self._session.bridge.run(
                LANE,
                work,
                self.while_open(partial(self._judged, model.name)),
                self.while_open(partial(self._not_judged, model.name)),
            )

    def _judged(self, name: str, report: FitReport) -> None:
        words, tone = report_words(report)
        self.tags[name].show_state(words, tone)
        self.tags[name].show()
        box = self.boxes[name]
        box.setAccessibleName(f"{box.accessibleName()}, {words}")
        if report.verdict == "too_large" and name not in self._touched:
            box.setChecked(False)  # gigabytes for nothing, unless somebody wants just that

    def _not_judged(self, name: str, error: HausgeistError) -> None:
        self.tags[name].show_state(self.tr("cannot be read"), "bad")
        self.tags[name].setToolTip(self._session.messages.error(error))
        self.tags[name].show()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The models that are ticked."""
        return tuple(
            name for name, box in self.boxes.items() if box.checkState() == Qt.CheckState.Checked
        )

    def _chosen_changed(self) -> None:
        view = self._view
        if view is None:
            return
        language = self._session.language
        chosen = [model for model in view.manifest.models if model.name in self.chosen]
        needed = sum(model.total_bytes for model in chosen)
        words = self.tr("They go to {folder}, where {free} are free.").format(
            folder=view.folder, free=format_bytes(view.free_bytes, language)
        )
        if needed > view.free_bytes:
            words = self.tr(
                "{size} are needed, and {folder} has only {free} free. Take fewer models, or "
                "choose another place for models in the settings."
            ).format(
                size=format_bytes(needed, language),
                folder=view.folder,
                free=format_bytes(view.free_bytes, language),
            )
        self.place.setText(words)
        if chosen:
            self.take.setText(self.tr("Add %n model(s)", "", len(chosen)))
        else:
            self.take.setText(self.tr("Add to my models"))
        self.take.setEnabled(bool(chosen) and needed <= view.free_bytes)

    def _take(self) -> None:
        if self._view is not None:
            self._room.packing.unpack(self._view, self.chosen)
            self.close()


def _judged(packs: Packs, view: PackView, model: PackedModel, machine: Machine) -> FitReport:
    from desktop.fit.types import Wish  # half the house: after the first paint
    from desktop.services.fit_model import fit

    return fit(packs.header(view, model), machine, Wish(), try_out=False, advise=False)
