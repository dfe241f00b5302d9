"""A folder of models in words: what it is for, how much is free, whether it is there."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.common.wording import Language, format_bytes
from desktop.library.folders import ModelFolder


class FolderWords(QObject):
    """For lists of folders."""

    def state(self, folder: ModelFolder, language: Language) -> str:
        """ "New models go here · 212 GB free"."""
        parts = []
        if folder.role == "main":
            parts.append(self.tr("new models go here"))
        if not folder.present:
            parts.append(self.tr("not connected: its models come back with it"))
        elif not folder.writable:
            parts.append(self.tr("shared: Hausgeist reads it and writes nothing there"))
        if folder.present and folder.free_bytes is not None:
            free = format_bytes(folder.free_bytes, language)
            parts.append(self.tr("{size} free").format(size=free))
        words = " · ".join(parts)
        return words[:1].upper() + words[1:]
