"""The window as a program: one instance, its language, its services, and its end."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLoggingCategory, QObject, QTimer
from PySide6.QtWidgets import QApplication

from desktop.common.errors import HausgeistError, StorageError
from desktop.common.messages import Messages, system_language
from desktop.services.start import Start, begin, language_of
from desktop.ui.bridge import Bridge
from desktop.ui.failures import Failures
from desktop.ui.house import House, build_house
from desktop.ui.icons import app_icon
from desktop.ui.instance import Instance
from desktop.ui.language import Translation
from desktop.ui.log import log
from desktop.ui.look import Look
from desktop.ui.notice import Banner
from desktop.ui.quit_signals import QuitSignals
from desktop.ui.session import Session
from desktop.ui.transcript.collecting import Collecting
from desktop.ui.window import MainWindow

if TYPE_CHECKING:
    from desktop.services.crash_marker import CrashRecord
    from desktop.services.wiring import Services

Build = Callable[[Mapping[str, str]], "Services"]

SWITCH_INTERVAL_S = 0.0005
"""How long Python may keep the engine's thread waiting; the default, 5 ms, costs a sampling step
up to 36 ms while the window is busy, this one 6."""

TURNS_END_S = 5.0


def main(arguments: list[str]) -> int:
    """Open the window; returns the exit code. A second start only raises the first one's."""
    try:
        start = begin(os.environ)
    except HausgeistError as error:
        messages = Messages(system_language(os.environ))
        sys.stderr.write(f"{messages.error(error)}\n")
        return error.exit_code
    files = [Path(argument).absolute() for argument in arguments]
    app = make_application()
    instance = Instance(start.paths.data_dir, os.environ)
    if not instance.is_first() and instance.call_first(files):
        return 0
    desk = Desk(app, start, os.environ, instance)
    signals = QuitSignals(desk.window.close)
    desk.open(files)
    code = app.exec()
    desk.close()
    signals.release()
    return code


def make_application() -> QApplication:
    """Qt's application with our name; Fusion, because the style sheet is made for it."""
    QCoreApplication.setApplicationName("Hausgeist")
    # Which scripts a font lacks is no news to anybody who reads a terminal.
    QLoggingCategory.setFilterRules("qt.text.font.db.warning=false")
    app = QApplication(["hausgeist"])
    app.setDesktopFileName("hausgeist")
    app.setStyle("Fusion")
    app.setWindowIcon(app_icon())
    return app


def build_services(env: Mapping[str, str]) -> Services:
    """Imports what is heavy, so it is called after the first paint and in a thread."""
    import desktop.ui.transcript.view  # noqa: F401  (Markdown and colours: for the first answer)
    from desktop.services.wiring import build

    return build(env)


class Desk(QObject):
    """The window and what it stands on, from the first paint to the last turn written."""

    def __init__(
        self,
        app: QApplication,
        start: Start,
        env: Mapping[str, str],
        instance: Instance,
        build: Build = build_services,
    ) -> None:
        super().__init__()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._app = app
        self._env = env
        self._start = start
        self._instance = instance
        self._build = build
        self._files: list[Path] = []
        self._log: logging.Handler | None = None
        self._translation = Translation(app)
        self._translation.use(start.messages.language)
        self.bridge = Bridge(self)
        self.look = Look(app, start.settings.theme)
        self.session = Session(
            self.bridge, start.paths, start.settings_store, start.settings, start.messages
        )
        self._failures = Failures(self.session, self.bridge)
        self.house: House = build_house(self.look, self.session)
        self.window = MainWindow(self.house)
        self._collecting = Collecting(self)
        self._settled = False
        self._closed = False
        self.house.watch.changed.connect(self._settle)
        talk = self.house.conversation
        for began, ended in (
            (talk.answer_began, talk.answer_ended),
            (talk.reading_began, talk.reading_ended),  # a long chat is many objects at once
        ):
            began.connect(self._collecting.pause)
            ended.connect(self._collecting.resume)
        self.session.settings_changed.connect(self._settings_changed)
        self.window.painted.connect(self._painted)
        instance.called.connect(self._called)

    def open(self, files: list[Path]) -> None:
        """Show the window; `files` are offered for import once the library is there."""
        self._files = files
        self.window.show()

    def close(self) -> None:
        """Answers end as stopped and are written; then the threads end. A second call: nothing."""
        if self._closed:
            return
        self._closed = True
        self.window.hide()
        self.house.conversation.stop_all()
        self.house.shelf.finish()
        self.house.downloads.finish()
        self.house.browsing.close()
        services = self.session.services
        if services is not None:
            services.chat_service.close(TURNS_END_S)
        self.house.model.close()
        self.bridge.close()
        if services is not None:
            services.close()
        self._instance.close()
        self._failures.release()
        self._translation.release()
        self.look.release()
        if self._log is not None:
            from desktop.common.logs import stop_log

            stop_log(self._log)

    def _painted(self) -> None:
        # Once more around the loop, so that the picture reaches the screen before the work begins.
        QTimer.singleShot(0, self._begin)

    def _begin(self) -> None:
        self.window.chats.focus_composer()
        self._instance.listen()
        self.bridge.run("wiring", lambda: self._build(self._env), self._wired, self._not_wired)

    def _wired(self, services: Services) -> None:
        from desktop.common.logs import start_log  # with its handlers: after the first paint

        try:
            self._log = start_log(self.session.paths.log_file)
        except StorageError as error:
            log.warning("no log file: %s", error)
        for problem in services.problems:
            self._tell_problem(problem)
        told = {problem.kind for problem in services.problems}
        first = self._start.settings_store.problem
        if first is not None and first.kind not in told:
            self._tell_problem(first)
        for crash in services.crashes:
            self._tell_crash(crash)
        self.session.provide(services)
        files, self._files = self._files, []
        self.window.offer_files(files)

    def _settle(self) -> None:
        """Once the first look at the machine is over: the start's work has left nothing behind
        that would be kept for good, such as the buffers that its memory is measured with."""
        if not self._settled and not self.house.watch.looking:
            self._settled = True
            self._collecting.settle()

    def _not_wired(self, error: HausgeistError) -> None:
        self.session.tell_error(error)

    def _tell_problem(self, problem: HausgeistError) -> None:
        words = self.session.messages.error(problem)
        self.session.tell(Banner(f"problem.{problem.kind}", words, "warn"))

    def _tell_crash(self, crash: CrashRecord) -> None:
        model = crash.model_path.stem
        if crash.activity == "loading":
            words = self.tr(
                "Last time Hausgeist ended while “{model}” was being opened. It is now opened one "
                "step smaller, so that this does not happen again."
            )
        else:
            words = self.tr(
                "Last time Hausgeist ended while “{model}” was answering. What was written is "
                "kept. If it happens again, a smaller model helps."
            )
        self.session.tell(Banner(f"crash.{model}", words.format(model=model), "warn"))

    def _called(self, files: list[Path], token: str) -> None:
        """Another start called: come forward, take its files."""
        if token:
            os.environ["XDG_ACTIVATION_TOKEN"] = token
        self.window.come_forward()
        self.window.offer_files(files)

    def _settings_changed(self) -> None:
        settings = self.session.settings
        self.look.choose(settings.theme)
        language = language_of(settings, self._env)
        if language != self.session.language:
            self._translation.use(language)
            self.session.speak(Messages(language))
            # Not from within a signal of a widget that is about to go.
            QTimer.singleShot(0, self.window.rebuild)
