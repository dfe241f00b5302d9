"""The place "This computer": gauges that follow, reasons, history, and other computers."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QAccessible, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from desktop.common.settings import Settings
from desktop.engine.device_usage import DeviceUsage
from desktop.hardware.live import CpuLive, GpuLive, LiveSample, MemoryLive, PowerLive
from desktop.hardware.machine_file import read_machine
from desktop.services.history_records import FailureRecord, Rates
from desktop.services.live import LiveMonitor, LiveReading
from desktop.services.wiring import Services
from desktop.ui.machine.gauges import ANSWERS, MEMORY, POWER, PROCESSOR
from desktop.ui.machine.history_chart import HistoryChart
from desktop.ui.machine.page import MachinePage
from desktop.ui.parts.text import Elided
from desktop.ui.rail import CHATS, MACHINE
from tests.services.past import answer, held, load_record, plan_of
from tests.ui.conftest import Driven
from tests.ui.machine.scenes import CARD, GAMING, GIB, busy
from tests.ui.stand_ins import CALM, StillSensors, machine_service

Open = Callable[..., Driven]


def page_of(driven: Driven) -> MachinePage:
    """The page in view, with the machine on it and a first reading."""
    page = driven.window.page(MACHINE)
    assert isinstance(page, MachinePage)
    driven.window.show_place(MACHINE)
    driven.until(lambda: page.here.cards and page.here.live.reading)
    return page


def parts(page: MachinePage, key: str) -> list[str]:
    """What a gauge says at the moment."""
    card = next(card for card in page.here.cards if card.gauge.key.startswith(key))
    return [part.words for part in card.gauge.parts]


def tell(page: MachinePage, *samples: LiveSample, tokens_per_s: float | None = None) -> None:
    """Readings as they come from the monitor."""
    for sample in samples:
        answering = tokens_per_s is not None
        page.here.live._heard([LiveReading(sample, tokens_per_s=tokens_per_s, answering=answering)])


def still(sample: LiveSample) -> Callable[[Services], Services]:
    def change(services: Services) -> Services:
        return replace(services, live=LiveMonitor(lambda: StillSensors(sample)))

    return change


def gaming(services: Services) -> Services:
    live = LiveMonitor(lambda: StillSensors(busy(0)))
    return replace(services, machine_service=machine_service(services.paths, GAMING), live=live)


def test_gauges_name_our_share(driven: Driven) -> None:
    page = page_of(driven)
    assert parts(page, MEMORY) == ["Hausgeist 3.5 GB", "others 6.0 GB", "free 6.5 GB"]
    assert parts(page, PROCESSOR) == ["Hausgeist 5 %", "others 7 %", "52 °C"]


def test_gauges_follow_without_new_widgets(driven: Driven) -> None:
    page = page_of(driven)
    before = list(page.here.cards)
    tell(page, replace(CALM, at=time.monotonic(), cpu=CpuLive(0.9, 0.8, 71.0, 15.0)))
    assert parts(page, PROCESSOR) == ["Hausgeist 80 %", "others 10 %", "71 °C", "15 W"]
    assert page.here.cards == before
    memory, processor = page.here.cards[:2]
    assert memory.meter.value() == 600  # 10 of 16 GB, of 1000 steps
    assert processor.meter.value() == 900


class Layouts(QObject):
    """Counts how often something asks to be laid out anew."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.asked.append(type(_watched).__name__)
        return False


def test_reading_lays_nothing_out_anew(open_window: Open) -> None:
    """A layout of the page costs more than all that is painted in a second."""
    driven = open_window(change=gaming)
    page = page_of(driven)
    page.here.live.look_away()
    page.here.live._wanted = True
    driven.until(lambda: page.here.advice.advice is not None and not page.here.advice.working)
    shelf = driven.desk.house.shelf
    driven.until(lambda: all(shelf.is_judged(model) for model in shelf.models))
    tell(page, *(busy(second) for second in range(12)), tokens_per_s=5.0)  # the reasons settle
    for _ in range(20):  # a layout asks its parent for one, and so on to the top
        QApplication.processEvents()
    layouts = Layouts()
    QApplication.instance().installEventFilter(layouts)  # type: ignore[union-attr]
    for second in range(12, 24):
        tell(page, busy(second), tokens_per_s=5.0 + second)
        QApplication.processEvents()
    QApplication.instance().removeEventFilter(layouts)  # type: ignore[union-attr]
    assert layouts.asked == []


def test_full_memory_is_an_alarm(driven: Driven) -> None:
    page = page_of(driven)
    tell(page, replace(CALM, memory=MemoryLive(16 * GIB, GIB // 2, 9 * GIB, 0, 0, 3 * GIB)))
    card = page.here.cards[0]
    assert card.gauge.alarm
    assert parts(page, MEMORY)[-1] == "3 GB moved to the disk"


def test_card_with_memory_of_its_own(open_window: Open) -> None:
    page = page_of(open_window(change=gaming))
    assert parts(page, "graphics") == [
        "Hausgeist 5.0 GB",
        "others 2.0 GB",
        "free 1.0 GB",
        "40 % busy",
        "74 °C",
        "88 of 115 W",
    ]
    assert parts(page, POWER) == ["on battery", "lasts about 2 hours", "takes 20 W"]


def test_card_that_vanishes_leaves_its_name(open_window: Open) -> None:
    page = page_of(open_window(change=gaming))
    tell(page, replace(busy(1), gpus=()))
    assert parts(page, "graphics") == []
    assert CARD.name in page.texts()


def test_cards_share_by_the_engine_where_the_driver_tells_none(open_window: Open) -> None:
    driven = open_window(change=gaming)
    page = page_of(driven)
    sample = busy(1)
    card = GpuLive(CARD.name, "GPU-1", 8 * GIB, 7 * GIB)
    reading = LiveReading(replace(sample, gpus=(card,)))
    page.here.live._heard([reading])
    assert parts(page, "graphics") == ["in use 7.0 GB", "free 1.0 GB"]
    share = replace(reading.engine, device_bytes={"CUDA0": 4 * GIB})
    page.here.live._heard([replace(reading, engine=share)])
    assert parts(page, "graphics") == ["Hausgeist 4.0 GB", "others 3.0 GB", "free 1.0 GB"]


def test_speed_of_answers_now_then_of_the_last(driven: Driven) -> None:
    page = page_of(driven)
    answers = next(card for card in page.here.cards if card.gauge.key == ANSWERS)
    assert answers.gauge.figure == "–"
    tell(page, replace(CALM, at=1.0), tokens_per_s=12.0)
    assert answers.gauge.figure == "12 tokens/s"
    assert parts(page, ANSWERS) == ["a page in about 35 seconds", "writing now"]


def test_written_answers_reach_the_gauge(driven: Driven) -> None:
    """From the chat's stream to the page, through the listener that counts."""
    page = page_of(driven)
    live = driven.services.live
    driven.window.show_place(CHATS)
    driven.desk.house.conversation.send("How are you?")
    driven.asked(1)
    driven.answer("Fine, thank you.")
    assert live.speed.last is not None
    assert live.speed.last.tokens_per_s == pytest.approx(8.9)
    driven.window.show_place(MACHINE)
    driven.until(lambda: parts(page, ANSWERS)[-1] == "the last answer")


def test_open_models_share_is_told_to_the_monitor(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_of(driven)
    live = driven.services.live
    assert live.engine.model == ""
    driven.desk.house.model.wake()
    driven.until(lambda: live.engine.model == "guide")
    # Without figures of the engine, what the plan says.
    assert live.engine.device_bytes == {"CPU": 6 * 10**9 + 5 * 10**8}
    usage = (DeviceUsage("CUDA0", 1, 2, 3, 4),)
    monkeypatch.setattr(type(driven.engine), "memory_usage", lambda _self: usage)
    driven.desk.house.model.changed.emit()
    assert live.engine.device_bytes == {"CUDA0": 10}
    driven.desk.house.model.forget("guide")
    driven.until(lambda: live.engine.model == "")


def test_sensors_rest_while_another_place_is_shown(driven: Driven) -> None:
    page_of(driven)
    live = driven.services.live
    assert len(live._listeners) == 1
    driven.window.show_place(CHATS)
    assert live._listeners == []
    driven.window.show_place(MACHINE)
    assert len(live._listeners) == 1
    driven.window.hide()
    assert live._listeners == []


def test_another_language_leaves_no_listener_behind(driven: Driven) -> None:
    page_of(driven)
    driven.desk.session.change(language="de")
    driven.until(lambda: page_of(driven).texts()[0] == "Dieser Rechner")
    page = page_of(driven)
    driven.until(lambda: len(driven.services.live._listeners) == 1)
    assert parts(page, MEMORY)[1] == "andere 6,0 GB"


def test_nothing_slows_it_down(driven: Driven) -> None:
    page = page_of(driven)
    driven.until(lambda: page.here.slow.known)
    assert page.here.slow.kinds == ()
    assert "Nothing slows the answers down at the moment." in page.texts()


def test_reasons_with_what_helps(open_window: Open) -> None:
    full = MemoryLive(16 * GIB, GIB, 9 * GIB, 0, swap_in_bytes_per_s=5e7)
    sample = replace(CALM, memory=full, power=PowerLive(on_battery=True))
    driven = open_window(change=still(sample), settings=Settings(language="de"))
    page = page_of(driven)
    tell(page, *(replace(sample, at=time.monotonic() + second) for second in range(6)))
    assert page.here.slow.kinds == ("swapping", "battery")
    assert "Schließen Sie das Netzteil an." in page.texts()


def test_what_was_read_before_is_in_the_chart_at_once(open_window: Open) -> None:
    def with_past(services: Services) -> Services:
        now = time.monotonic()
        past: list[LiveReading] = []
        past += [LiveReading(replace(busy(n), at=now - 100 + n)) for n in range(100)]
        services = gaming(services)
        services.live._kept.extend(past)
        return services

    page = page_of(open_window(change=with_past))
    assert page.here.history.chart.points("processor") >= 50
    assert page.here.history.chart.points("speed") == 0


def test_chart_keeps_five_minutes_and_leaves_gaps(driven: Driven) -> None:
    chart: HistoryChart = page_of(driven).here.history.chart
    chart.clear()
    for second in range(0, 1000, 2):
        chart.add(float(second), {"processor": 0.5, "memory": None})
    assert 150 <= chart.points("processor") <= 152
    assert chart.points("memory") == 0
    chart.add(1100.0, {"processor": 0.5})
    chart.add(1102.0, {"processor": 2.0})
    assert len(chart._lines["processor"].runs) == 2
    chart.add(3000.0, {"processor": None})
    assert chart.points("processor") <= 1
    assert not chart.grab().isNull()


def test_lines_of_the_chart_by_keyboard(driven: Driven) -> None:
    page = page_of(driven)
    chart, button = page.here.history.chart, page.here.history.buttons["memory"]
    assert chart.is_shown("memory")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert not chart.is_shown("memory")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert chart.is_shown("memory")


def test_what_was_measured_stands_beside_what_was_expected(driven: Driven) -> None:
    page = page_of(driven)
    assert page.here.measured.isHidden()
    for record in (
        load_record(1, model="Qwen3 8B", actual=(held(),), told=Rates(None, 9.5)),
        answer(1, generation=9.1),
        load_record(2, model="On the card", plan=plan_of(gpu_layers=20, device="CUDA0")),
        FailureRecord(9.0, "machine", "CUDA0", GIB, 2 * GIB, "out_of_memory"),
    ):
        driven.services.history.add(record)
    page.here.measured.refresh()
    driven.until(lambda: not page.here.measured.isHidden())
    texts = page.texts()
    assert "9.1 tokens/s (9.5 expected) · 4.6 GB in memory (4.6 GB expected)" in texts
    assert "opened, but no answer yet" in texts
    assert {"processor, 2 threads", "graphics card: 20 layers"} <= set(texts)
    assert page.here.measured.summary.text().startswith("Memory was predicted to within 0.0 %.")


def test_screen_readers_hear_the_gauges(driven: Driven) -> None:
    page = page_of(driven)
    card = page.here.cards[0]
    heard = QAccessible.queryAccessibleInterface(card.live)
    assert heard.text(QAccessible.Text.Name) == "Hausgeist 3.5 GB, others 6.0 GB, free 6.5 GB"
    meter = QAccessible.queryAccessibleInterface(card.meter)
    assert meter.text(QAccessible.Text.Name) == "Memory (RAM)"
    chart = QAccessible.queryAccessibleInterface(page.here.history.chart)
    assert chart.text(QAccessible.Text.Name) == "The last five minutes"


def choose(page: MachinePage, words: str) -> None:
    """An entry of the menu of other computers."""
    action = next(a for a in page.choice.actions_shown() if words in a.text())
    action.trigger()


def test_other_computer_from_the_list_and_back(driven: Driven) -> None:
    page = page_of(driven)
    choose(page, "RTX 4060")
    assert page.here.isHidden()
    assert page.other.name.text() == "NVIDIA GeForce RTX 4060 with 8 GB, 32 GB RAM"
    assert driven.services.live._listeners == []  # nobody looks at this one
    driven.until(lambda: page.other.advice.advice is not None)
    assert "Best" in page.texts()
    page.show_this()
    assert page.other.isHidden()
    driven.until(lambda: len(driven.services.live._listeners) == 1)


class Windows(QObject):
    """Everything that becomes a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.shown.append(type(watched).__name__)
        return False


def test_no_part_of_the_page_is_a_window_for_a_moment(open_window: Open) -> None:
    """Figures and lines were shown before they had a parent: they flashed, and the window that
    lost the focus to them heard no key any more."""
    driven = open_window(change=gaming)
    windows = Windows()
    QApplication.instance().installEventFilter(windows)  # type: ignore[union-attr]
    page = page_of(driven)
    driven.bot.waitUntil(lambda: not page.here.advice.working, timeout=60_000)
    choose(page, "RTX 4060")
    driven.until(lambda: page.other.advice.advice is not None)
    QApplication.instance().removeEventFilter(windows)  # type: ignore[union-attr]
    assert windows.shown == []


def test_a_narrow_window_cuts_no_model_name(open_window: Open) -> None:
    """ "Qwen3. …" stood there: the name gave way to its numbers."""
    driven = open_window(settings=Settings(language="de"))
    driven.window.resize(760, 560)
    page = page_of(driven)
    choose(page, "RTX 4060")
    driven.until(lambda: page.other.advice.advice is not None)
    driven.bot.waitUntil(lambda: not page.other.advice.working, timeout=60_000)
    QApplication.processEvents()
    cut = [
        label.text()
        for label in page.other.findChildren(Elided)
        if label.isVisible() and label.fontMetrics().horizontalAdvance(label.text()) > label.width()
    ]
    assert page.other.findChildren(Elided)
    assert cut == []


def described(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "office-pc.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_computer_from_a_file(driven: Driven, tmp_path: Path) -> None:
    page = page_of(driven)
    page.choice.read(described(tmp_path, {"memory": {"total_bytes": 64 * GIB}}))
    driven.until(lambda: not page.other.isHidden())
    assert page.other.name.text() == "office-pc"
    assert "64 GB" in page.texts()


def test_description_of_this_computer_can_be_opened_again(
    driven: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(driven)
    path = tmp_path / "here.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    page.here.save_description()
    driven.until(path.exists)
    driven.until(lambda: driven.window.toast.text == "The description was saved.")
    assert read_machine(path) == driven.desk.house.watch.machine
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    page.choice.open_file()
    driven.until(lambda: not page.other.isHidden())
    assert page.other.name.text() == "here"


def test_description_that_cannot_be_written_is_told(
    driven: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(driven)
    (tmp_path / "no folder").write_text("")
    inside = tmp_path / "no folder" / "here.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(inside), ""))
    page.here.save_description()
    driven.until(lambda: driven.window.banners.texts)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    page.here.save_description()


@pytest.mark.parametrize(
    "document", [{}, [], {"memory": {"total_bytes": -1}}, {"memory": {"total_bytes": 1e300}}]
)
def test_file_with_nonsense_is_a_sentence(driven: Driven, tmp_path: Path, document: object) -> None:
    page = page_of(driven)
    page.choice.read(described(tmp_path, document))
    driven.until(lambda: driven.window.banners.texts)
    assert page.other.isHidden()
    assert "Traceback" not in driven.window.banners.texts[0]


def drop(driven: Driven, *paths: Path) -> QDropEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    at, action = QPoint(300, 300), Qt.DropAction.CopyAction
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with warnings.catch_warnings():  # Qt 6.12 would have a QPointF, which 6.11 does not take
        warnings.simplefilter("ignore", DeprecationWarning)
        entering = QDragEnterEvent(at, action, data, left, none)
    driven.window.dragEnterEvent(entering)
    event = QDropEvent(at.toPointF(), action, data, left, none)
    driven.window.dropEvent(event)
    return event


def test_description_dropped_on_the_window(driven: Driven, tmp_path: Path) -> None:
    path = described(tmp_path, {"memory": {"total_bytes": 8 * GIB}})
    assert drop(driven, path).isAccepted()
    assert driven.window.place == MACHINE
    page = driven.window.page(MACHINE)
    assert isinstance(page, MachinePage)
    driven.until(lambda: not page.other.isHidden())


def test_steps_up_are_worked_out_beside_the_window(driven: Driven) -> None:
    page = page_of(driven)
    driven.bot.waitUntil(lambda: not page.here.advice.working, timeout=60_000)
    advice = page.here.advice.advice
    assert advice is not None
    assert len(advice.steps) > 1
    assert "With 32 GB of memory" in page.texts()
