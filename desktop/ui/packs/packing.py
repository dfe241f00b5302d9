"""Making and unpacking packs: minutes of work that go on behind everything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from desktop.common.wording import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.ui.long_work import LongWork
from desktop.ui.notice import Action, Banner, Toast
from desktop.ui.works import Work

if TYPE_CHECKING:
    from desktop.library.packs.progress import PackProgress
    from desktop.services.packs import Packed, Packs, PackView, PackWish, Unpacked

LANE = "pack-leftovers"


class Packing(LongWork):
    """Packs are made one after the other, and so are they unpacked."""

    def pack(self, wish: PackWish) -> None:
        """Make what is wished for; an interrupted one goes on where it stopped."""
        services = self._session.services
        if services is None:
            return
        packs = services.packs

        def run(tell: Callable[[object], None], token: CancelToken) -> Packed:
            # Where the window closes meanwhile, the next time goes on there.
            return packs.pack(wish, progress=tell, cancel=token)

        words = self.tr("Packing “{name}”").format(name=wish.target.name)
        self._works.start(
            Work("pack", str(wish.target), words),
            run,
            self._packed,
            show=partial(self._show, words),
            stopped=partial(self._stopped, packs, wish),
        )

    def unpack(self, view: PackView, only: tuple[str, ...]) -> None:
        """Take in the models `only` of a pack that was looked at."""
        services = self._session.services
        if services is None:
            return
        packs = services.packs

        def run(tell: Callable[[object], None], token: CancelToken) -> Unpacked:
            return packs.unpack(view, only=only, progress=tell, cancel=token)

        words = self.tr("Unpacking “{name}”").format(name=view.path.name)
        self._works.start(
            Work("unpack", str(view.path), words),
            run,
            self._unpacked,
            show=partial(self._show, words),
            stopped=partial(self._unpacking_stopped, packs, view),
        )

    def _show(self, words: str, work: Work, progress: PackProgress) -> None:
        work.fraction = progress.done_bytes / max(1, progress.total_bytes)
        percent = int(100 * work.fraction)
        text = self.tr("{what}: {percent} %").format(what=words, percent=percent)
        if progress.state in ("hashing", "checking"):
            text = self.tr("{what}: checking, {percent} %").format(what=words, percent=percent)
        work.words = self._with_time(text, progress.left_s)

    def _stopped(self, packs: Packs, wish: PackWish) -> None:
        def gone(_: object) -> None:
            self._session.tell(Toast(self.tr("Stopped. Nothing of the pack was left.")))

        self._session.bridge.run(LANE, lambda: packs.give_up(wish), gone, self._session.tell_error)

    def _unpacking_stopped(self, packs: Packs, view: PackView) -> None:
        words = self.tr("Stopped. What was read stays: next time it goes on there.")
        delete = Action(self.tr("Delete it"), partial(self._forget, packs, view))
        self._session.tell(Toast(words, delete))

    def _forget(self, packs: Packs, view: PackView) -> None:
        def gone(_: object) -> None:
            self._session.tell(Toast(self.tr("What was read of the pack is deleted.")))

        self._session.bridge.run(LANE, lambda: packs.forget(view), gone, self._session.tell_error)

    def _packed(self, packed: Packed) -> None:
        size = format_bytes(packed.total_bytes, self._session.language)
        words = self.tr("The pack “{name}” is ready: {size}.")
        show = Action(self.tr("Show"), partial(_open_folder, packed.path.parent))
        self._session.tell(Toast(words.format(name=packed.path.name, size=size), show))

    def _unpacked(self, unpacked: Unpacked) -> None:
        self.ended.emit()
        for one in unpacked.models:
            if one.problem is not None:
                text = self._session.messages.error(one.problem)
                self._session.tell(Banner(f"unpack.{one.packed.name}", text, "warn"))
        good = [one.model for one in unpacked.models if one.model is not None]
        if not good:
            return
        if len(good) == 1:
            words = self.tr("“{name}” is in your models, and checked.").format(name=good[0].name)
        else:
            words = self.tr("%n model(s) are in your models, and checked.", "", len(good))
        use = self._chat_with(good[0].name) if len(good) == 1 else None
        self._session.tell(Toast(words, use))


def _open_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
