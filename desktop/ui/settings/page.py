"""The place "Settings": language, appearance, and what little else there is to choose."""

from __future__ import annotations

import os

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from desktop.ui.look import Look
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.boxes import Page
from desktop.ui.parts.button import Button
from desktop.ui.parts.choice import Choice, setting_line
from desktop.ui.parts.text import Text
from desktop.ui.remotes_model import RemotesModel
from desktop.ui.session import Session
from desktop.ui.settings.account import AccountForm
from desktop.ui.settings.account_model import AccountModel
from desktop.ui.settings.connections import Connections
from desktop.ui.settings.downloads import DownloadSettings
from desktop.ui.settings.folders import FolderSettings
from desktop.ui.settings.pool import PoolSettings
from desktop.ui.settings.remotes import RemoteSettings
from desktop.ui.settings.sources import SourceSettings
from desktop.ui.words import Counted

CONTEXTS = {5: 2048, 10: 4096, 20: 8192, 40: 16384, 80: 32768}
"""Pages, and the tokens that hold them."""
IDLE_MINUTES = (5, 15, 60)


class SettingsPage(Page):
    """Every change holds at once."""

    def __init__(
        self,
        look: Look,
        session: Session,
        account: AccountModel,
        shelf: Shelf,
        remotes: RemotesModel,
    ) -> None:
        super().__init__(look, self.tr("Settings"))
        self._look = look
        self._session = session
        s = look.sizes
        self.language = Choice(
            look,
            self.tr("Language"),
            [(self.tr("As the system"), "auto"), ("Deutsch", "de"), ("English", "en")],
        )
        self.theme = Choice(
            look,
            self.tr("Appearance"),
            [
                (self.tr("As the system"), "auto"),
                (self.tr("Light"), "light"),
                (self.tr("Dark"), "dark"),
            ],
        )
        automatic = (self.tr("Automatic"), 0)
        threads = [(str(n), n) for n in range(1, (os.cpu_count() or 1) + 1)]
        self.threads = Choice(look, self.tr("Processor threads"), [automatic, *threads])
        contexts = [(Counted().pages(pages), n) for pages, n in CONTEXTS.items()]
        self.context = Choice(look, self.tr("Memory of a chat"), [automatic, *contexts])
        self.offline = Choice(
            look,
            self.tr("Connections to the internet"),
            [(self.tr("Only when I ask"), False), (self.tr("Never (offline)"), True)],
        )
        self.keep_states = Choice(
            look,
            self.tr("Going on with an older chat"),
            [(self.tr("At once"), True), (self.tr("Read it again first"), False)],
        )
        self.keep_states.currentIndexChanged.connect(self._changed("keep_states", self.keep_states))
        self.isolate = Choice(
            look,
            self.tr("In a process of its own"),
            [(self.tr("When needed"), False), (self.tr("Always"), True)],
        )
        self.isolate.currentIndexChanged.connect(self._changed("isolate", self.isolate))
        minutes: list[tuple[str, object]] = [(Counted().unload_after(n), n) for n in IDLE_MINUTES]
        self.idle = Choice(
            look,
            self.tr("Models that nobody uses"),
            [*minutes, (self.tr("Keep them loaded"), 0)],
        )
        self.idle.currentIndexChanged.connect(self._changed("idle_minutes", self.idle))
        self.language.currentIndexChanged.connect(self._changed("language", self.language))
        self.theme.currentIndexChanged.connect(self._changed("theme", self.theme))
        self.threads.currentIndexChanged.connect(self._changed("threads", self.threads))
        self.context.currentIndexChanged.connect(self._changed("context_tokens", self.context))
        self.offline.currentIndexChanged.connect(self._changed("offline", self.offline))
        self.content.addWidget(Text(self.tr("Settings"), "title"))
        self.content.addSpacing(s.space_2)
        self._section(self.tr("Window"))
        self._line(self.tr("Language"), "", self.language)
        self._line(self.tr("Appearance"), "", self.theme)
        self._section(self.tr("Models"))
        self._line(
            self.tr("Memory of a chat"),
            self.tr("How much of a chat the model sees at once. More takes more RAM."),
            self.context,
        )
        self._line(
            self.tr("Processor threads"),
            self.tr("Automatic leaves enough for your other programs."),
            self.threads,
        )
        self._line(
            self.tr("In a process of its own"),
            self.tr(
                "A model that crashes then does not take Hausgeist along. Models that have crashed "
                "before run so in any case."
            ),
            self.isolate,
        )
        hint = self.tr("All three hold from the next time a model is opened.")
        self.content.addWidget(Text(hint, "small_muted", wrap=True))
        self._line(
            self.tr("Models that nobody uses"),
            self.tr(
                "A model stays loaded for a while after you have chosen another one, so that going "
                "back is quick. When its memory is needed it goes at once."
            ),
            self.idle,
        )
        self.folders = FolderSettings(look, session, shelf)
        self.content.addWidget(self.folders)
        self.content.addWidget(DownloadSettings(look, session))
        self.sources = SourceSettings(look, session)
        self.content.addWidget(self.sources)
        self.remotes = RemoteSettings(look, session, remotes)
        self.content.addWidget(self.remotes)
        self.pool = PoolSettings(look, session)
        self.content.addWidget(self.pool)
        self._section(self.tr("Your data"))
        open_folder = Button(look, self.tr("Open folder"), self._open_folder, icon="folder-open")
        self._line(self.tr("Chats and settings"), str(session.paths.data_dir), open_folder)
        self._line(
            self.tr("Going on with an older chat"),
            self.tr(
                "What a model has read of a chat is kept on this computer's disk, so that it need "
                "not read the chat again. It is deleted with the chat."
            ),
            self.keep_states,
        )
        self._internet()
        self._section(self.tr("Hugging Face"))
        self.account = AccountForm(look, session, account)
        self.content.addWidget(self.account)
        account.look()
        self._show_values()
        self.content.addStretch(1)
        session.settings_changed.connect(self._show_values)
        session.ready.connect(self._show_values)

    def _internet(self) -> None:
        """Whether, and what for: the switch and the list."""
        self._section(self.tr("Internet"))
        self._line(
            self.tr("Connections to the internet"),
            self.tr(
                "Hausgeist asks the internet only when you want something from there, such as "
                "whether a model fits. It never counts or reports anything."
            ),
            self.offline,
        )
        self.forced = Text("", "small_muted", wrap=True)
        self.content.addWidget(self.forced)
        self.show_list = Button(self._look, self.tr("Show"), self._turn_list)
        self._line(
            self.tr("List of connections"),
            self.tr("Every connection that left this computer: when, where to and what for."),
            self.show_list,
        )
        self.connections = Connections(self._look, self._session)
        self.content.addWidget(self.connections)

    def _turn_list(self) -> None:
        shown = self.connections.show_or_hide()
        self.show_list.setText(self.tr("Hide") if shown else self.tr("Show"))

    def _show_values(self) -> None:
        settings = self._session.settings
        self.language.choose(settings.language)
        self.theme.choose(settings.theme)
        self.threads.choose(settings.threads)
        self.idle.choose(settings.idle_minutes)
        self.context.choose(settings.context_tokens)
        self.isolate.choose(settings.isolate)
        self.keep_states.choose(settings.keep_states)
        services = self._session.services
        name = services.network.policy.forced_by if services is not None else ""
        self.offline.choose(settings.offline or bool(name))
        self.offline.setEnabled(not name)
        self.forced.setText(self.tr("Offline by the environment variable %1.").replace("%1", name))
        self.forced.setVisible(bool(name))

    def _section(self, name: str) -> None:
        self.content.addSpacing(self._look.sizes.space_2)
        self.content.addWidget(Text(name, "heading"))

    def _line(self, name: str, words: str, control: QWidget) -> None:
        self.content.addWidget(setting_line(self._look, name, words, control))

    def _changed(self, name: str, choice: Choice):  # type: ignore[no-untyped-def]
        return lambda _index: self._session.change(**{name: choice.currentData()})

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._session.paths.data_dir)))
