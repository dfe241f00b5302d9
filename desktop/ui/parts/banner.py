"""A tinted box that says something to know, with what one can do about it."""

from __future__ import annotations

from collections.abc import Callable

from desktop.ui.look import Look
from desktop.ui.notice import Action, Banner, NoticeTone
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Text

MOST_SHOWN = 3

_ICONS: dict[str, tuple[str, str]] = {
    "info": ("info", "accent_strong"),
    "ok": ("check", "ok"),
    "warn": ("warning", "warn"),
    "bad": ("warning-circle", "bad"),
}


class BannerBox(Frame):
    """Icon, words, buttons; can be dismissed where `on_dismiss` is given."""

    def __init__(
        self,
        look: Look,
        text: str,
        tone: NoticeTone,
        actions: tuple[Action, ...] = (),
        on_dismiss: Callable[[], object] | None = None,
    ) -> None:
        super().__init__("banner")
        s = look.sizes
        self.setProperty("tone", tone)
        self.setAccessibleName(text)
        name, token = _ICONS[tone]
        icon = IconLabel(look, name, token, s.icon)
        self.words = Text(text, wrap=True, selectable=True)
        line = row(
            icon,
            self.words,
            space=s.space_3,
            margins=(s.space_3, s.space_2, s.space_2, s.space_2),
        )
        line.setStretchFactor(self.words, 1)
        for action in actions:
            line.addWidget(Button(look, action.label, action.run))
        if on_dismiss is not None:
            line.addWidget(IconButton(look, "x", self.tr("Dismiss"), on_dismiss))
        self.setLayout(line)


class BannerStack(Frame):
    """The banners above a place, the newest on top; one of each key."""

    def __init__(self, look: Look) -> None:
        super().__init__("plain")
        s = look.sizes
        self._look = look
        self._boxes: dict[str, BannerBox] = {}
        self._banners: dict[str, Banner] = {}
        self._column = column(space=s.space_2, margins=(s.space_4, s.space_2, s.space_4, s.space_2))
        self.setLayout(self._column)
        self.hide()

    @property
    def banners(self) -> tuple[Banner, ...]:
        """What is told just now, to tell it elsewhere."""
        return tuple(self._banners.values())

    @property
    def texts(self) -> list[str]:
        """What is told just now."""
        return [box.words.text() for box in self._boxes.values()]

    def tell(self, banner: Banner) -> None:
        """Show a banner, in the place of an older one of its key."""
        self.dismiss(banner.key)
        for oldest in list(self._boxes)[: len(self._boxes) - MOST_SHOWN + 1]:
            self.dismiss(oldest)
        actions = tuple(
            Action(action.label, self._then_dismiss(banner.key, action.run))
            for action in banner.actions
        )
        box = BannerBox(
            self._look, banner.text, banner.tone, actions, lambda: self.dismiss(banner.key)
        )
        self._boxes[banner.key] = box
        self._banners[banner.key] = banner
        self._column.insertWidget(0, box)
        self.show()
        announce(box)

    def dismiss(self, key: str) -> None:
        """Take a banner away."""
        self._banners.pop(key, None)
        box = self._boxes.pop(key, None)
        if box is not None:
            box.hide()
            box.deleteLater()
        self.setVisible(bool(self._boxes))

    def _then_dismiss(self, key: str, run: Callable[[], object]) -> Callable[[], None]:
        def go() -> None:
            self.dismiss(key)
            run()

        return go
