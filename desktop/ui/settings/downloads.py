"""Settings: how fast models are fetched, over which lines, and how many at once."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.common.wording import format_number
from desktop.ui.look import Look
from desktop.ui.parts.boxes import column
from desktop.ui.parts.choice import Choice, setting_line
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

MEGABYTE = 1_000_000
LIMITS = (1, 2, 5, 10, 25, 50, 100)
"""Megabytes a second."""
AT_ONCE = (1, 2, 3, 4)


class DownloadSettings(QWidget):
    """Every change holds at once, for what is on its way, too."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self._session = session
        language = session.language
        speeds = [(f"{format_number(n, language)} MB/s", n * MEGABYTE) for n in LIMITS]
        self.limit = Choice(
            look, self.tr("Speed of downloads"), [(self.tr("As fast as possible"), 0), *speeds]
        )
        self.unmetered = Choice(
            look,
            self.tr("Lines that are paid by volume"),
            [(self.tr("Download there, too"), False), (self.tr("Wait for another line"), True)],
        )
        self.at_once = Choice(
            look, self.tr("Downloads at the same time"), [(str(n), n) for n in AT_ONCE]
        )
        self.limit.currentIndexChanged.connect(self._keep)
        self.unmetered.currentIndexChanged.connect(self._keep)
        self.at_once.currentIndexChanged.connect(self._keep)
        lines = [
            setting_line(
                look,
                self.tr("Speed of downloads"),
                self.tr("A limit leaves something of the line to others."),
                self.limit,
            ),
            setting_line(
                look,
                self.tr("Lines that are paid by volume"),
                self.tr("Such as the hotspot of a phone, as far as the system knows it."),
                self.unmetered,
            ),
            setting_line(
                look,
                self.tr("Downloads at the same time"),
                self.tr("One after the other is done sooner; several share the line."),
                self.at_once,
            ),
        ]
        heading = Text(self.tr("Downloads"), "heading")
        layout = column(heading, *lines, space=look.sizes.space_4)
        layout.setContentsMargins(0, look.sizes.space_2, 0, 0)
        self.setLayout(layout)
        session.settings_changed.connect(self._show_values)
        self._show_values()

    def _show_values(self) -> None:
        settings = self._session.settings
        limit = settings.download_limit_bytes_per_s
        if self.limit.findData(limit) < 0:  # written into the file by hand
            words = f"{format_number(limit / MEGABYTE, self._session.language, 1)} MB/s"
            self.limit.blockSignals(True)  # noqa: FBT003
            self.limit.addItem(words, limit)
            self.limit.blockSignals(False)  # noqa: FBT003
        self.limit.choose(limit)
        self.unmetered.choose(settings.download_unmetered_only)
        self.at_once.choose(max(1, settings.downloads_at_once))

    def _keep(self) -> None:
        self._session.change(
            download_limit_bytes_per_s=self.limit.currentData(),
            download_unmetered_only=self.unmetered.currentData(),
            downloads_at_once=self.at_once.currentData(),
        )
