"""The models of servers in the chooser, each with where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from desktop.services.remote_ref import RemoteRef
from desktop.ui.chats.model_words import place_words
from desktop.ui.look import Look

if TYPE_CHECKING:  # only its name is needed before the first paint
    from desktop.services.remote_file import RemoteServer


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers that there are, and whether those elsewhere are out of reach."""

    all: tuple[RemoteServer, ...] = ()
    offline: bool = False


MOST_AT_ONCE = 6
"""More models than that stand in a menu of their server."""

_MOST = 200


def add_servers(
    menu: QMenu,
    look: Look,
    servers: tuple[RemoteServer, ...],
    chosen: str,
    choose: Callable[[str], object],
    *,
    offline: bool,
) -> None:
    """A heading a server and its models; out of reach while all is offline."""
    for server in servers:
        words = place_words(leaves_computer=server.leaves_computer)
        if offline and server.leaves_computer:
            words = QCoreApplication.translate("ModelWords", "offline")
        title = f"{server.name}  ·  {words}".replace("&", "&&")
        models = [model for model in server.models if model.kind == "chat"][:_MOST]
        usual = "cloud" if server.leaves_computer else "computer-tower"
        refs = [str(RemoteRef(server.name, model.id)) for model in models]
        menu.addSeparator()
        if len(models) > MOST_AT_ONCE:
            icon = look.icon("check" if chosen in refs else usual, "muted")
            inside = menu.addMenu(icon, title)
        else:
            heading = menu.addAction(look.icon(usual, "muted"), title)
            heading.setEnabled(False)
            inside = menu
        for model, ref in zip(models, refs, strict=True):
            action = inside.addAction(model.id.replace("&", "&&"))
            action.setIcon(look.icon("check" if ref == chosen else "cube", "muted"))
            action.setEnabled(not (offline and server.leaves_computer))
            action.setToolTip(words)
            action.triggered.connect(lambda _=False, name=ref: choose(name))
