"""The translators of the window: our own sentences and Qt's own buttons."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from desktop.common.resources import resource_path
from desktop.common.wording import Language
from desktop.ui.log import log


class Translation:
    """Installs the translators of one language at a time."""

    def __init__(self, app: QApplication) -> None:
        self._app = app
        # With what each reads from: Qt does not copy it.
        self._installed: list[tuple[QTranslator, bytes]] = []

    def use(self, language: Language) -> None:
        """Speak this language from now on; what is already on the screen must be built anew.

        English has a catalogue too: it knows "1 page" from "2 pages".
        """
        self.release()
        QLocale.setDefault(QLocale(language))
        qt_folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        places = [resource_path(f"translations/hausgeist_{language}.qm")]
        if language != "en":
            places.append(Path(qt_folder) / f"qtbase_{language}.qm")
        for place in places:
            # Read, because Qt would map the file: an update that writes over it ends the window.
            try:
                catalogue = place.read_bytes()
            except OSError as error:
                log.warning("no translation: %s", error)
                continue
            translator = QTranslator(self._app)
            if translator.load(catalogue):
                self._app.installTranslator(translator)
                self._installed.append((translator, catalogue))
            else:
                log.warning("no translation in %s", place.name)

    def release(self) -> None:
        """Speak the source's language again."""
        for translator, _catalogue in self._installed:
            self._app.removeTranslator(translator)
        self._installed = []
