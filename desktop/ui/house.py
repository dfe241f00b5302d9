"""Everything of the window that lives longer than its widgets, put together once."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.library.model import GUIDE_NAME
from desktop.services.downloads_entry import Download
from desktop.ui.browse.browsing import Browsing
from desktop.ui.chats.chat_list import ChatList
from desktop.ui.chats.conversation import Conversation
from desktop.ui.downloads.downloads_model import DownloadsModel
from desktop.ui.downloads.first_model import FirstModel
from desktop.ui.look import Look
from desktop.ui.machine.watch import MachineWatch
from desktop.ui.mine.shelf import Shelf
from desktop.ui.model_session import ModelSession
from desktop.ui.remotes_model import RemotesModel
from desktop.ui.session import Session
from desktop.ui.settings.account_model import AccountModel


@dataclass(frozen=True, slots=True)
class House:
    """The window is built from it, and built anew when the language changes."""

    look: Look
    session: Session
    model: ModelSession
    chats: ChatList
    conversation: Conversation
    shelf: Shelf
    watch: MachineWatch
    browsing: Browsing
    account: AccountModel
    downloads: DownloadsModel
    first_model: FirstModel
    remotes: RemotesModel


def build_house(look: Look, session: Session) -> House:
    """Wire the parts; nothing is read before `session.provide` brings the services."""
    model = ModelSession(session)
    chats = ChatList(session)
    watch = MachineWatch(session)
    shelf = Shelf(session, model, look.sizes.toast_ms)
    downloads = DownloadsModel(session, look.sizes.toast_ms)

    def judge() -> None:
        if watch.machine is not None:
            shelf.judge_for(watch.machine)

    def keep_to_what_is_there() -> None:
        """A model that was removed elsewhere is no longer the chosen one."""
        names = [entry.name for entry in shelf.models]
        asleep = shelf.loaded and model.state.phase == "asleep" and not model.state.is_remote
        if asleep and model.state.name not in names:
            model.forget(model.state.name)

    def begin_with_first(entry: Download) -> None:
        """A person's first own model takes the guide's place when the chat begins."""
        if entry.model is None or session.settings.last_model != GUIDE_NAME:
            return
        name = entry.model.name
        if all(one.name in (GUIDE_NAME, name) for one in shelf.models):
            model.prefer(name)

    remotes = RemotesModel(session)

    def keep_to_servers_that_are_there() -> None:
        """A server that was removed answers no longer."""
        if remotes.loaded and model.state.is_remote and remotes.server_of(model.state.name) is None:
            model.forget(model.state.name)

    remotes.changed.connect(keep_to_servers_that_are_there)
    browsing = Browsing(session)
    watch.changed.connect(judge)
    shelf.machine_known.connect(browsing.opened.judge)
    shelf.changed.connect(keep_to_what_is_there)
    downloads.arrived.connect(begin_with_first)
    downloads.arrived.connect(lambda _entry: shelf.reload())
    downloads.chat_wanted.connect(model.choose)
    return House(
        look,
        session,
        model,
        chats,
        Conversation(session, model, chats),
        shelf,
        watch,
        browsing,
        AccountModel(session),
        downloads,
        FirstModel(session, shelf, downloads),
        remotes,
    )
