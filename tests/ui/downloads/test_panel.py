"""The downloads in the window: shown, steered by mouse and keyboard, told when they end."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtNetwork import QNetworkInformation
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.common.errors import HubError, StorageError
from desktop.common.settings import Settings
from desktop.services.downloads import Downloads
from desktop.ui.downloads.panel import DownloadsPanel
from desktop.ui.downloads.reachability import Reachability
from desktop.ui.downloads.row import MIME, DownloadRow
from desktop.ui.models.page import ModelsPage
from desktop.ui.rail import CHATS, MODELS
from tests.ui.conftest import Driven
from tests.ui.downloads.scenes import GB, entry, model, moments, running, troubles, under_way
from tests.ui.downloads.still_downloads import StillDownloads

Open = Callable[..., Driven]


class Bench:
    """A window on a queue that says what it is told."""

    def __init__(self, open_window: Open, *entries: object, **more: object) -> None:
        self.queue = StillDownloads(*entries)  # type: ignore[arg-type]
        downloads = cast("Downloads", self.queue)
        self.driven = open_window(change=lambda s: replace(s, downloads=downloads), **more)
        self.driven.until(lambda: self.queue.is_started)
        self.model = self.driven.desk.house.downloads
        self.driven.until(lambda: len(self.model.entries) == len(entries))

    @property
    def panel(self) -> DownloadsPanel:
        self.driven.window.show_place(MODELS)
        page = self.driven.window.page(MODELS)
        assert isinstance(page, ModelsPage)
        return page.downloads

    def row(self, number: int) -> DownloadRow:
        return self.panel.rows[number]

    def ids(self) -> list[str]:
        return [entry.id for entry in self.model.entries]


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_nothing_no_panel(open_window: Open) -> None:
    bench = Bench(open_window)
    panel = bench.panel
    assert not panel.isVisible()
    bench.queue.say(running())
    bench.driven.until(panel.isVisible)
    bench.queue.say()
    bench.driven.until(lambda: not panel.isVisible())


def test_what_stands_in_a_row(open_window: Open) -> None:
    bench = Bench(open_window, *under_way())
    faces = [(row.face.name, row.face.words) for row in bench.panel.rows]
    assert faces == [
        ("Qwen3 8B", "3.1 of 5.0 GB · 11 MB/s · 3 minutes left"),
        ("Gemma 3 12B", "waits for its turn · 7.3 GB"),
        ("Phi 4 mini", "paused · 1.0 of 2.5 GB"),
        ("Gemma 3 4B", "is here, checked · 2.5 GB"),
    ]
    buttons = [[b.text() for b in (r.main, r.other) if b.isVisible()] for r in bench.panel.rows]
    assert buttons == [["Pause", "Cancel"], ["Pause", "Cancel"], ["Go on", "Cancel"], ["Chat now"]]
    first = bench.row(0)
    assert first.accessibleName() == "Qwen3 8B"
    assert first.accessibleDescription() == "3.1 of 5.0 GB · 11 MB/s · 3 minutes left"
    assert first.main.accessibleName() == "Pause: Qwen3 8B"


def test_what_is_in_the_way_is_said(open_window: Open) -> None:
    bench = Bench(open_window, *troubles())
    notes = [row.note.text() for row in bench.panel.rows]
    assert "Make some room there, and it goes on by itself" in notes[0]
    assert "switched to offline" in notes[1]
    assert "asks for a break" in notes[2]
    assert "paid by volume" in notes[3]
    assert "agree to their terms" in notes[4]
    assert bench.row(2).face.words.endswith("again in 48 seconds")
    assert [row.main.text() for row in bench.panel.rows] == [
        "Try now", "Pause", "Try now", "Pause", "Try again",
    ]  # fmt: skip


def test_what_passes_quickly(open_window: Open) -> None:
    bench = Bench(open_window, *moments())
    said = [row.face.words for row in bench.panel.rows]
    assert said[0].startswith("asking what there is")
    assert said[1].endswith("connecting …")
    assert "damaged" in said[2]
    assert "being checked" in said[3]
    assert said[4] == "0.1 of 5.0 GB · 90 kB/s · 6 hours left"
    assert "waits for the internet" in said[5]
    assert not bench.row(0).face.has_bar


def _says(row: DownloadRow, wanted: str) -> bool:
    return wanted in row.face.words


class LayoutWatch(QObject):
    """Counts what is laid out anew."""

    def __init__(self, *watched: QWidget) -> None:
        super().__init__()
        self.count = 0
        for widget in watched:
            widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def test_figures_lay_nothing_out(open_window: Open) -> None:
    bench = Bench(open_window, running(), entry("b"))
    panel = bench.panel
    watch = LayoutWatch(panel, *panel.rows, *(row.face for row in panel.rows))
    watch.count = -1
    while watch.count:  # what the visit of the place itself lays out, now and a little later
        watch.count = 0
        bench.driven.bot.wait(200)
    for step in range(1, 9):
        bench.queue.become("qwen", bytes=3 * GB + step * GB // 10, bytes_per_s=1e6 * step)
        wanted = f"{step}.0 MB/s"
        bench.driven.until(functools.partial(_says, panel.rows[0], wanted))
    QApplication.processEvents()
    assert watch.count == 0
    bench.queue.become("qwen", state="paused")  # this one is more than figures
    bench.driven.until(lambda: watch.count)


def test_paused_and_gone_on(open_window: Open) -> None:
    bench = Bench(open_window, running())
    click(bench.row(0).main)
    bench.driven.until(lambda: bench.row(0).main.text() == "Go on")
    click(bench.row(0).main)
    bench.driven.until(lambda: bench.row(0).main.text() == "Pause")
    assert [what for what, *_ in bench.queue.asked if what in ("pause", "resume")] == [
        "pause",
        "resume",
    ]


def test_all_of_them(open_window: Open) -> None:
    bench = Bench(open_window, running(), entry("b"))
    assert bench.panel.all.text() == "Pause all"
    click(bench.panel.all)
    bench.driven.until(lambda: bench.panel.all.text() == "All go on")
    click(bench.panel.all)
    bench.driven.until(lambda: bench.panel.all.text() == "Pause all")
    assert not bench.panel.tidy.isVisible()


def test_ended_ones_are_tidied_up(open_window: Open) -> None:
    bench = Bench(
        open_window,
        entry("a", state="done"),
        entry("b", state="failed", error=StorageError("read_only", path="x")),
        running(),
    )
    click(bench.panel.tidy)
    bench.driven.until(lambda: bench.ids() == ["qwen"])


def test_cancelled_with_a_way_back(open_window: Open) -> None:
    bench = Bench(open_window, running(), entry("b"))
    click(bench.row(0).other)
    assert bench.ids() == ["b"]
    assert ("pause", "qwen") in bench.queue.asked
    assert "Qwen3 8B" in bench.driven.window.toast.text
    assert bench.driven.window.toast.undo()
    bench.driven.until(lambda: bench.ids() == ["qwen", "b"])
    assert ("resume", "qwen") in bench.queue.asked
    assert ("cancel", "qwen") not in bench.queue.asked


def test_a_paused_one_stays_paused_when_kept(open_window: Open) -> None:
    bench = Bench(open_window, entry("a", state="paused"))
    click(bench.row(0).other)
    assert bench.driven.window.toast.undo()
    bench.driven.until(lambda: bench.ids() == ["a"])
    assert ("resume", "a") not in bench.queue.asked


def test_cancelled_for_good_when_the_window_closes(open_window: Open) -> None:
    bench = Bench(open_window, running())
    click(bench.row(0).other)
    bench.driven.desk.close()
    assert ("cancel", "qwen") in bench.queue.asked
    assert bench.queue.listeners == []
    assert bench.queue.is_closed


def test_added_again_within_the_time_for_undo(open_window: Open) -> None:
    bench = Bench(open_window, running())
    click(bench.row(0).other)
    bench.model.add("maker/qwen-GGUF:Q4_K_M")
    bench.driven.until(lambda: bench.ids() == ["qwen"])
    bench.driven.desk.close()
    assert ("cancel", "qwen") not in bench.queue.asked


def test_arrived(open_window: Open) -> None:
    bench = Bench(open_window, running())
    arrived: list[object] = []
    bench.model.arrived.connect(arrived.append)
    bench.queue.become("qwen", state="done", model=model("Qwen3-8B"))
    bench.driven.until(lambda: "Qwen3 8B" in bench.driven.window.toast.text)
    assert len(arrived) == 1
    assert bench.driven.window.toast.undo()  # "Chat now"
    bench.driven.until(lambda: bench.driven.window.place == CHATS)
    assert bench.driven.desk.house.model.state.name == "Qwen3-8B"
    bench.driven.until(lambda: bench.ids() == [])


def test_failed(open_window: Open) -> None:
    bench = Bench(open_window, running())
    bench.queue.become("qwen", state="failed", error=HubError("hub_gated", repo="x"))
    bench.driven.until(lambda: "could not be downloaded" in bench.driven.window.toast.text)
    assert bench.driven.window.toast.undo()  # "Show"
    bench.driven.until(lambda: bench.driven.window.place == MODELS)
    click(bench.row(0).main)
    assert ("retry", "qwen") in bench.queue.asked


def test_what_ended_before_the_window_opened_is_not_told(open_window: Open) -> None:
    bench = Bench(open_window, entry("a", state="failed", error=HubError("hub_gated", repo="x")))
    assert bench.driven.window.toast.text == ""


def test_by_keyboard(open_window: Open) -> None:
    bench = Bench(open_window, running(), entry("b"), entry("c"))
    row = bench.row(0)
    row.setFocus()
    QTest.keyClick(row, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    bench.driven.until(lambda: bench.ids() == ["b", "qwen", "c"])
    assert QApplication.focusWidget() is row  # it keeps the keyboard where it goes
    QTest.keyClick(row, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    bench.driven.until(lambda: bench.ids() == ["qwen", "b", "c"])
    QTest.keyClick(row, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)  # it is first already
    QTest.keyClick(row, Qt.Key.Key_Space)
    bench.driven.until(lambda: ("pause", "qwen") in bench.queue.asked)
    QTest.keyClick(row, Qt.Key.Key_Delete)
    assert bench.ids() == ["b", "c"]


def test_tab_goes_through_in_order(open_window: Open) -> None:
    bench = Bench(open_window, running(), entry("b"))
    first, second = bench.panel.rows
    first.setFocus()
    wanted = [first.main, first.other, second, second.main, second.other]
    for widget in wanted:
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is widget


@pytest.mark.parametrize(
    ("id", "gap", "order"),
    [
        ("a", 3, ["b", "c", "a"]),
        ("c", 0, ["c", "a", "b"]),
        ("a", 1, ["a", "b", "c"]),
        ("b", 3, ["a", "c", "b"]),
    ],
)
def test_dragged(open_window: Open, id: str, gap: int, order: list[str]) -> None:
    bench = Bench(open_window, entry("a"), entry("b"), entry("c"))
    panel = bench.panel
    QApplication.processEvents()
    rows = [row.geometry() for row in panel.rows]
    y = rows[gap].top() + 1 if gap < len(rows) else rows[-1].bottom()
    data = QMimeData()
    data.setData(MIME, id.encode())
    event = QDropEvent(
        QPointF(QPoint(20, y)),
        Qt.DropAction.MoveAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    panel.dropEvent(event)
    bench.driven.until(lambda: bench.ids() == order)


def test_a_mark_at_the_rail(open_window: Open) -> None:
    bench = Bench(open_window, running(bytes=GB, total_bytes=4 * GB))
    mark = bench.driven.window.downloads_mark
    bench.driven.until(mark.isVisible)
    assert mark.share == 0.25
    button = bench.driven.window.rail.button(MODELS)
    assert button.accessibleDescription() == "1 download, 25 % here"
    bench.queue.become("qwen", state="paused")
    bench.driven.until(lambda: not mark.isVisible())
    assert button.accessibleDescription() == ""


def test_settings_reach_the_queue(open_window: Open) -> None:
    settings = Settings(download_limit_bytes_per_s=2_000_000, downloads_at_once=2)
    bench = Bench(open_window, settings=settings)
    assert ("set_limit", 2_000_000) in bench.queue.asked
    assert ("set_at_once", 2) in bench.queue.asked
    bench.driven.desk.session.change(download_unmetered_only=True)
    assert ("set_unmetered_only", True) in bench.queue.asked
    bench.queue.asked.clear()
    bench.driven.desk.session.change(offline=True)
    assert ("wake",) in bench.queue.asked


def test_a_damaged_list_is_told(open_window: Open) -> None:
    queue = StillDownloads(problem=StorageError("downloads_damaged", path="a", kept_as="b"))
    downloads = cast("Downloads", queue)
    driven = open_window(change=lambda services: replace(services, downloads=downloads))
    driven.until(lambda: any("list of downloads" in text for text in driven.window.banners.texts))


def test_no_reference_is_told(open_window: Open) -> None:
    bench = Bench(open_window)
    bench.model.add("what")
    assert bench.driven.window.banners.texts
    assert bench.model.is_known("what") is None


def test_the_window_in_another_language(open_window: Open) -> None:
    bench = Bench(open_window, running())
    assert bench.row(0).main.text() == "Pause"
    bench.driven.desk.session.change(language="de")
    bench.driven.until(lambda: "noch 3 Minuten" in bench.row(0).face.words)
    assert bench.row(0).other.text() == "Abbrechen"


def test_what_was_here_already_is_told(open_window: Open) -> None:
    """It may be done before the window has seen it in the queue."""
    bench = Bench(open_window)
    bench.model.add("maker/here-GGUF:Q8_0", name="Here")
    bench.queue.become("d0", state="done", model=model("Here"))
    bench.driven.until(lambda: "Here" in bench.driven.window.toast.text)


def test_a_network_that_is_back_is_used_at_once(
    open_window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.ui.downloads.reachability.SETTLE_MS", 0)
    bench = Bench(open_window, running())
    bench.queue.asked.clear()
    reach = bench.model.findChild(Reachability)
    assert reach is not None
    states = QNetworkInformation.Reachability
    reach.changed(states.Online)  # as it was all the time
    reach.changed(states.Disconnected)
    bench.driven.bot.wait(20)
    assert ("wake",) not in bench.queue.asked
    reach.changed(states.Online)
    bench.driven.until(lambda: ("wake",) in bench.queue.asked)
