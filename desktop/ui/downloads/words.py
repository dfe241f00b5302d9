"""How far a download is, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.common.wording import Language, format_bytes, format_number

if TYPE_CHECKING:
    from desktop.services.downloads_entry import Download

SEP = " · "
DISK = ("no_room_for_download", "disk_full")
_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}


class DownloadWords(QObject):
    """Words before numbers; `language` writes the numbers."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language: Language = language

    def line(self, entry: Download) -> str:
        """What stands behind the name: "3.1 of 5.0 GB · 11 MB/s · 3 minutes left"."""
        return SEP.join(part for part in self._parts(entry) if part)

    def _parts(self, entry: Download) -> list[str]:
        size = self.amount(entry)
        match entry.state:
            case "running":
                return self._running(entry, size)
            case "verifying":
                return [self.tr("all here, being checked"), size]
            case "paused":
                return [self.tr("paused"), size]
            case "metered":
                return [self.tr("waits for a connection that is not paid by volume"), size]
            case "offline":
                return [self.tr("waits for the internet"), size, self._again(entry)]
            case "done":
                here = self.tr("is here, checked") if entry.is_verified else self.tr("is here")
                return [here, size]
            case "failed":
                return [self.tr("not downloaded"), size]
        if entry.error is None and entry.retry_in_s is None:
            return [self.tr("waits for its turn"), size]
        if entry.error is not None and entry.error.kind in DISK:
            return [self.tr("waits for room on the disk"), size]
        return [self.tr("waits"), size, self._again(entry)]

    def _running(self, entry: Download, size: str) -> list[str]:
        if not entry.total_bytes:
            return [self.tr("asking what there is …")]
        if entry.is_repairing:
            return [self.tr("something arrived damaged and is fetched again")]
        if entry.bytes_per_s <= 0 or entry.left_s is None:
            return [size, self.tr("connecting …")]
        return [size, self.speed(entry.bytes_per_s), self.left(entry.left_s)]

    def speed(self, bytes_per_s: float) -> str:
        """ "11 MB/s", with a digit behind the mark below ten."""
        name, unit = ("MB", 1e6) if bytes_per_s >= 999_500 else ("kB", 1e3)
        value = bytes_per_s / unit
        digits = 1 if name == "MB" and value < 9.95 else 0
        return f"{format_number(value, self._language, digits)} {name}/s"

    def amount(self, entry: Download) -> str:
        """ "3.1 of 5.0 GB", "5.0 GB" where nothing or all of it is here."""
        if not entry.total_bytes:
            return ""
        whole = format_bytes(entry.total_bytes, self._language)
        if entry.bytes in (0, entry.total_bytes) and entry.state != "running":
            return whole
        figure, _, unit = whole.rpartition(" ")
        if unit not in _UNITS:
            return whole
        digits = 1 if "," in figure or "." in figure else 0
        done = format_number(entry.bytes / _UNITS[unit], self._language, digits)
        return self.tr("{done} of {whole}").format(done=done, whole=whole)

    def left(self, seconds: float) -> str:
        """How long still, without digits that jump about."""
        if seconds < 7.5:
            return self.tr("a few seconds left")
        if seconds < 90:
            return self.tr("%n second(s) left", "", max(10, round(seconds / 5) * 5))
        if seconds < 5400:
            return self.tr("%n minute(s) left", "", round(seconds / 60))
        return self.tr("%n hour(s) left", "", round(seconds / 3600))

    def _again(self, entry: Download) -> str:
        """ "again in 40 seconds"."""
        if entry.retry_in_s is None:
            return ""
        seconds = max(1, round(entry.retry_in_s))
        if seconds < 120:
            return self.tr("again in %n second(s)", "", seconds)
        return self.tr("again in %n minute(s)", "", round(seconds / 60))
