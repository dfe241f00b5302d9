"""Put models into a pack: where to, in one file or in pieces, signed or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from desktop.common.errors import HausgeistError, UsageError
from desktop.common.wording import format_bytes
from desktop.library.model import LibraryModel
from desktop.library.naming import clean
from desktop.library.packs.names import PACK_SUFFIX
from desktop.services.pack_views import PackPlan, PackWish
from desktop.ui.look import Look
from desktop.ui.packs.room import PackRoom
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.choice import Choice, setting_line
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Elided, Text
from desktop.ui.parts.tick import Tick
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.packs import Packs

LANE = "pack-plan"
_FOUR_GB = 4_000_000_000
_MOST_OTHERS = 60


class PackDialog(Sheet):
    """Nothing is written before its button is pressed; then it closes and the work goes on."""

    def __init__(
        self,
        look: Look,
        session: Session,
        room: PackRoom,
        models: tuple[LibraryModel, ...],
        parent: QWidget,
    ) -> None:
        super().__init__(look, self.tr("Pack for another computer"), parent)
        self._look = look
        self._session = session
        self._room = room
        self._models = tuple(model for model in models if model.source != "built_in")
        self._target = _first_target(self._models)
        self._key: Path | None = None
        self._plan: PackPlan | None = None
        self._asked = 0
        words = self.tr(
            "A pack holds the model with all its parts, its settings and its licence. Copy it to "
            "a USB stick or a shared folder; Hausgeist checks every byte when it is unpacked."
        )
        self.content.addWidget(Text(words, "muted", wrap=True))
        for model in self._models:
            size = format_bytes(model.file_bytes, session.language)
            line = row(Elided(model.name, "strong"), Text(size, "small_muted"), 1)
            line.setSpacing(look.sizes.space_3)
            self.content.addLayout(line)
        self.others: dict[str, Tick] = {}
        self._others = column()
        self.more = Button(look, self.tr("Add more models …"), self.show_others, kind="link")
        self.content.addLayout(row(self.more, 1))
        if not self._possible():
            self.more.hide()
        self.content.addLayout(self._others)
        self._add_choices()
        self.state = Text(kind="text", wrap=True)
        self.licence_note = Text(kind="small", wrap=True)
        self.licence_note.setProperty("role", "warning")
        self.licence_note.hide()
        self.content.addStretch(1)
        self.notes.addWidget(self.state)
        self.notes.addWidget(self.licence_note)
        self.go = Button(look, self.tr("Pack"), self._pack, kind="primary")
        self.go.setEnabled(False)
        self.foot.addWidget(Button(look, self.tr("Cancel"), self.close))
        self.foot.addWidget(self.go)
        self._ask()
        self.fit()

    def _possible(self) -> list[LibraryModel]:
        """What else could go in, the latest used first."""
        given = {model.name for model in self._models}
        found = [
            model
            for model in self._room.models
            if model.source != "built_in" and not model.problem and model.name not in given
        ]
        return sorted(found, key=lambda model: -(model.last_used_at or 0.0))[:_MOST_OTHERS]

    def show_others(self) -> None:
        """Offer the other models, a box each."""
        self.more.hide()
        for model in self._possible():
            size = format_bytes(model.file_bytes, self._session.language)
            tick = Tick(self._look, model.name)
            tick.setAccessibleName(f"{model.name}, {size}")
            tick.toggled.connect(lambda _: self._ask())
            self.others[model.name] = tick
            line = row(tick, Text(size, "small_muted"), 1, space=self._look.sizes.space_3)
            self._others.addLayout(line)
        next(iter(self.others.values())).setFocus()
        self.fit()

    def _add_choices(self) -> None:
        look = self._look
        self.place = Elided("", "small_muted")
        choose = Button(look, self.tr("Choose …"), self.choose_target, icon="folder-open")
        choose.setAccessibleName(self.tr("Choose where the pack goes"))
        s = look.sizes
        where = row(
            column(Text(self.tr("Where to")), self.place, space=s.space_1),
            choose,
            space=s.space_4,
            margins=(0, s.space_2, 0, s.space_2),
        )
        where.setStretch(0, 1)
        self.content.addWidget(Frame("row", where))
        self.split = Choice(
            look,
            self.tr("In pieces"),
            [
                (self.tr("As the drive needs it"), None),
                (self.tr("Never, one file"), 0),
                (self.tr("Pieces of 4 GB"), _FOUR_GB),
            ],
        )
        self.split.currentIndexChanged.connect(lambda _: self._ask())
        words = self.tr("Many USB sticks (FAT32) take no file above 4 GB.")
        self.content.addWidget(setting_line(look, self.tr("In pieces"), words, self.split))
        self.signing = Choice(
            look,
            self.tr("Signature"),
            [(self.tr("None"), False), (self.tr("With a key …"), True)],
        )
        self.signing.currentIndexChanged.connect(self._signing_changed)
        words = self.tr("Shows others that the pack comes from your organisation, unchanged.")
        self.content.addWidget(setting_line(look, self.tr("Signature"), words, self.signing))
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setPlaceholderText(self.tr("Password of the key"))
        self.password.setAccessibleName(self.tr("Password of the key"))
        self.password.hide()
        self.content.addWidget(self.password)

    def choose_target(self) -> None:
        """Ask where to write it with the system's own dialog."""
        name, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Where shall the pack go?"),
            str(self._target),
            self.tr("Packs (*.hgpack)"),
        )
        if name:
            self.take_target(Path(name))

    def take_target(self, path: Path) -> None:
        """It goes there; the system's dialog has asked about what is there already."""
        if not path.name.lower().endswith(PACK_SUFFIX):
            path = path.with_name(path.name + PACK_SUFFIX)
        self._target = path
        self._ask()

    def take_key(self, path: Path | None) -> None:
        """Sign with that key's file; None: do not sign."""
        self._key = path
        self.signing.choose(path is not None)
        self.password.setVisible(path is not None and _has_password(path))
        self._ask()

    def _signing_changed(self) -> None:
        if not self.signing.currentData():
            self.take_key(None)
            return
        name, _ = QFileDialog.getOpenFileName(self, self.tr("The secret key to sign with"))
        self.take_key(Path(name) if name else None)

    @property
    def wish(self) -> PackWish:
        """What stands in the dialog now."""
        return PackWish(
            models=(
                *(model.name for model in self._models),
                *(name for name, tick in self.others.items() if tick.isChecked()),
            ),
            target=self._target,
            split_bytes=self.split.currentData(),
            sign_with=self._key,
            password=self.password.text(),
            may_replace=True,
        )

    def _ask(self) -> None:
        """What would it be, with these choices? Each answer belongs to its question."""
        services = self._session.services
        self.place.setText(str(self._target))
        if services is None:
            return
        packs: Packs = services.packs
        self._asked += 1
        number, wish = self._asked, self.wish
        self.go.setEnabled(False)
        self.state.setText(self.tr("Looking how large it becomes …"))
        self.licence_note.hide()
        self._session.bridge.run(
            LANE,
            lambda: packs.plan(wish),
            self.while_open(lambda plan: self._planned(number, plan)),
            self.while_open(lambda error: self._failed(number, error)),
        )

    def _planned(self, number: int, plan: PackPlan) -> None:
        if number != self._asked:
            return
        self._plan = plan
        messages, language = self._session.messages, self._session.language
        if plan.problem is not None:
            self._failed(number, plan.problem)
            return
        size = format_bytes(plan.total_bytes, language)
        room = format_bytes(plan.free_bytes, language)
        words = self.tr("{size}; {free} are free there.").format(size=size, free=room)
        if plan.volumes > 1:
            words = self.tr("{size} in %n file(s); {free} are free there.", "", plan.volumes)
            words = words.format(size=size, free=room)
        self.state.setText(words)
        self.licence_note.setText("\n".join(messages.text(key) for key in plan.notes))
        self.licence_note.setVisible(bool(plan.notes))
        self.go.setEnabled(True)
        self.fit()

    def _failed(self, number: int, error: HausgeistError) -> None:
        if number == self._asked:
            self.state.setText(self._session.messages.error(error))
            self.go.setEnabled(False)
            self.fit()

    def _pack(self) -> None:
        if self._key is not None:
            problem = _key_problem(self._key, self.password.text())
            if problem is not None:
                self.state.setText(self._session.messages.error(problem))
                self.password.show()
                self.password.setFocus()
                self.fit()
                return
        self._room.packing.pack(self.wish)
        self.close()


def _first_target(models: tuple[LibraryModel, ...]) -> Path:
    """In the documents' folder where there is one, called as the first model."""
    where = QStandardPaths.StandardLocation
    place = Path(QStandardPaths.writableLocation(where.DocumentsLocation))
    if not place.is_dir():
        place = Path(QStandardPaths.writableLocation(where.HomeLocation))
    name = clean(models[0].name) if models else ""
    return place / f"{name or 'models'}{PACK_SUFFIX}"


def _has_password(path: Path) -> bool:
    problem = _key_problem(path, "")
    return problem is not None and problem.kind == "sign_key_password"


def _key_problem(path: Path, password: str) -> UsageError | None:
    """What keeps that key from signing; opening one takes half a second."""
    from desktop.library.packs.minisign import read_secret_key  # cryptography: 30 ms

    try:
        read_secret_key(path, password)
    except UsageError as error:
        return error
    return None
