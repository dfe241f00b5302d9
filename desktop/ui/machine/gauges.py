"""What the gauges of this computer say: its devices with what is going on in them now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from desktop.common.reading import COMFORTABLE_TOKENS_PER_S
from desktop.common.wording import (
    Language,
    format_bytes,
    format_duration,
    format_memory,
    format_number,
)
from desktop.hardware.live import GpuLive, LiveSample
from desktop.hardware.machine import Gpu, Machine
from desktop.ui.machine.cards import Fact, free_disk, own_memory
from desktop.ui.machine.live_words import Part
from desktop.ui.machine.shares_meter import OTHERS, OURS
from desktop.ui.words import page_time, tokens_per_s

if TYPE_CHECKING:
    from desktop.services.live import LiveReading

MEMORY, PROCESSOR, GRAPHICS, DISK, ANSWERS, POWER = (
    "memory",
    "processor",
    "graphics",
    "disk",
    "answers",
    "power",
)
_SCARCE = 0.06
_LEAST_SWAP_BYTES = 200_000_000
_READING_BYTES_PER_S = 500_000


@dataclass(frozen=True, slots=True)
class Gauge:
    """One card. `ours` and `others` are shares of the device, None where there is no bar;
    `parts` change every second, `words` do not."""

    key: str
    name: str
    figure: str
    words: str = ""
    ours: float | None = None
    others: float = 0.0
    alarm: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """What is known at this moment: the newest reading and the answers' speeds."""

    reading: LiveReading | None = None
    last_tokens_per_s: float | None = None
    predicted_tokens_per_s: float | None = None


def gauges(machine: Machine, now: Now, language: Language, known: Sequence[Fact]) -> list[Gauge]:
    """The cards in the order in which they matter; `known` are the machine's own `facts`."""
    sample = LiveSample(0.0) if now.reading is None else now.reading.sample
    names = [MEMORY, PROCESSOR]
    names += [f"{GRAPHICS}{number}" for number in range(max(1, len(machine.gpus)))]
    names += [DISK] if machine.disk is not None else []
    live = _matched(machine.gpus, sample.gpus)
    found: list[Gauge] = []
    for key, fact in zip(names, known, strict=True):
        figure, words = fact.figure, fact.words
        ours: float | None = None
        others, alarm = 0.0, False
        parts: tuple[Part, ...] = ()
        if key == MEMORY:
            words, (ours, others, alarm, parts) = "", _memory(machine, sample, language)
        elif key == PROCESSOR:
            ours, others, parts = _processor(sample, language)
        elif key == DISK:
            parts = _disk(sample, language)
            if sample.disk.free_bytes is not None:
                figure = free_disk(sample.disk.free_bytes, language)
        elif machine.gpus:
            number = int(key.removeprefix(GRAPHICS))
            gpu, seen = machine.gpus[number], live[number]
            if seen is not None and not gpu.unified:
                words = own_memory(gpu, language)  # what is free of it follows every second
            ours, others, alarm, parts = _graphics(gpu, seen, now, language)
        found.append(Gauge(key, fact.name, figure, words, ours, others, alarm, parts))
    found.insert(len(found) - (machine.disk is not None), _answers(now, language))
    found += _power(sample, language)
    return found


Level = tuple[float | None, float, bool, tuple[Part, ...]]


def _memory(machine: Machine, sample: LiveSample, language: Language) -> Level:
    memory = sample.memory
    total = memory.total_bytes or machine.memory.total_bytes
    free, others = memory.free_bytes, memory.others_bytes
    if free is None or others is None or not total:
        available = machine.memory.available_bytes
        if available is None:
            return None, 0.0, False, ()
        part = Part(_free(_box_gb(available, language)))
        used = max(0.0, 1 - available / total)
        return 0.0, used, available < _SCARCE * total, (part,)
    parts = [
        Part(_ours(_box_gb(memory.held_bytes, language)), OURS),
        Part(_others(_box_gb(others, language)), OTHERS),
        Part(_free(_box_gb(free, language))),
    ]
    if (memory.swap_used_bytes or 0) >= _LEAST_SWAP_BYTES:
        moved = QCoreApplication.translate("Machine", "{size} moved to the disk")
        size = format_memory(memory.swap_used_bytes or 0, language)
        parts.append(Part(moved.format(size=size)))
    alarm = (memory.available_bytes or 0) < _SCARCE * total
    return memory.held_bytes / total, others / total, alarm, tuple(parts)


def _processor(
    sample: LiveSample, language: Language
) -> tuple[float | None, float, tuple[Part, ...]]:
    cpu = sample.cpu
    if cpu.load is None:
        return 0.0, 0.0, ()
    ours = cpu.ours or 0.0
    parts = [
        Part(_ours(_percent(ours, language)), OURS),
        Part(_others(_percent(max(0.0, cpu.load - ours), language)), OTHERS),
        *_heat_and_power(cpu.temperature_c, cpu.power_w, None, language),
    ]
    if cpu.throttled:
        parts.append(Part(QCoreApplication.translate("Machine", "slowed down for its heat")))
    return ours, max(0.0, cpu.load - ours), tuple(parts)


def _graphics(gpu: Gpu, live: GpuLive | None, now: Now, language: Language) -> Level:
    if live is None:
        return None, 0.0, False, ()
    parts: list[Part] = []
    ours_share: float | None = None
    others_share, alarm = 0.0, False
    total = live.total_bytes or gpu.total_bytes
    ours = live.ours_bytes
    if ours is None and now.reading is not None:
        ours = now.reading.engine.device_bytes.get(gpu.device)
    if not gpu.unified and live.used_bytes is not None and total:
        mine = min(ours or 0, live.used_bytes)
        others, free = live.used_bytes - mine, max(0, total - live.used_bytes)
        ours_share, others_share = mine / total, others / total
        alarm = free < _SCARCE * total
        if ours is not None:
            parts.append(Part(_ours(_box_gb(mine, language)), OURS))
            parts.append(Part(_others(_box_gb(others, language)), OTHERS))
        else:
            used = QCoreApplication.translate("Machine", "in use {size}")
            parts.append(Part(used.format(size=_box_gb(others, language)), OTHERS))
        parts.append(Part(_free(_box_gb(free, language))))
    if live.load is not None:
        busy = QCoreApplication.translate("Machine", "{percent} busy")
        parts.append(Part(busy.format(percent=_percent(live.load, language))))
    parts += _heat_and_power(live.temperature_c, live.power_w, live.power_limit_w, language)
    return ours_share, others_share, alarm, tuple(parts)


def _heat_and_power(
    celsius: float | None, watts: float | None, limit_w: float | None, language: Language
) -> Iterator[Part]:
    if celsius is not None:
        yield Part(f"{format_number(celsius, language)} °C")
    if watts is not None and limit_w:
        words = QCoreApplication.translate("Machine", "{watts} of {limit} W")
        limit = format_number(limit_w, language)
        yield Part(words.format(watts=format_number(watts, language), limit=limit))
    elif watts is not None:
        yield Part(f"{format_number(watts, language)} W")


def _disk(sample: LiveSample, language: Language) -> tuple[Part, ...]:
    ours, all_bytes = sample.disk.ours_read_bytes_per_s, sample.disk.read_bytes_per_s
    if ours is None and all_bytes is None:
        return ()
    if (ours or 0.0) >= _READING_BYTES_PER_S:
        reads = QCoreApplication.translate("Machine", "Hausgeist reads {size}/s")
        return (Part(reads.format(size=format_bytes(round(ours or 0.0), language)), OURS),)
    if (all_bytes or 0.0) >= _READING_BYTES_PER_S:
        reads = QCoreApplication.translate("Machine", "others read {size}/s")
        return (Part(reads.format(size=format_bytes(round(all_bytes or 0.0), language)), OTHERS),)
    return (Part(QCoreApplication.translate("Machine", "nothing is being read")),)


def _answers(now: Now, language: Language) -> Gauge:
    """How fast it writes now; else the last answer, else what is expected."""
    name = QCoreApplication.translate("Machine", "Answers")
    reading = now.reading
    if reading is not None and reading.tokens_per_s:
        speed, state = reading.tokens_per_s, QCoreApplication.translate("Machine", "writing now")
    elif reading is not None and reading.answering:
        speed = now.last_tokens_per_s or 0.0
        state = QCoreApplication.translate("Machine", "reading the question")
    elif now.last_tokens_per_s:
        speed = now.last_tokens_per_s
        state = QCoreApplication.translate("Machine", "the last answer")
    else:
        speed = now.predicted_tokens_per_s or 0.0
        state = QCoreApplication.translate("Machine", "expected of the open model")
    if not speed:
        words = QCoreApplication.translate("Machine", "No answer yet since the start.")
        return Gauge(ANSWERS, name, "–", parts=(Part(words),))
    dot = OURS if speed >= COMFORTABLE_TOKENS_PER_S else "warn"
    parts = (Part(page_time(speed, language), dot), Part(state))
    return Gauge(ANSWERS, name, tokens_per_s(speed, language), parts=parts)


def _power(sample: LiveSample, language: Language) -> Iterator[Gauge]:
    power = sample.power
    if power.battery is None and power.system_w is None:
        return
    parts: list[Part] = []
    if power.on_battery is not None:
        on_battery = QCoreApplication.translate("Machine", "on battery")
        plugged = QCoreApplication.translate("Machine", "plugged in")
        parts.append(Part(on_battery if power.on_battery else plugged))
    if power.seconds_left and power.on_battery:
        left = QCoreApplication.translate("Machine", "lasts about {time}")
        rounded = max(1, round(power.seconds_left / 600)) * 600
        parts.append(Part(left.format(time=format_duration(rounded, language))))
    if power.system_w is not None:
        watts = QCoreApplication.translate("Machine", "takes {watts} W")
        parts.append(Part(watts.format(watts=format_number(power.system_w, language))))
    if power.saving:
        parts.append(Part(QCoreApplication.translate("Machine", "saving power"), "warn"))
    charge = power.battery
    figure = "–" if charge is None else _percent(charge, language)
    name = QCoreApplication.translate("Machine", "Battery")
    low = charge is not None and charge < 0.15 and bool(power.on_battery)
    yield Gauge(POWER, name, figure, "", charge, 0.0, low, tuple(parts))


def _matched(gpus: tuple[Gpu, ...], live: tuple[GpuLive, ...]) -> list[GpuLive | None]:
    """Each graphics processor with its readings: by name, cards of one name in order."""
    left = list(live)
    found: list[GpuLive | None] = []
    for gpu in gpus:
        seen = next((one for one in left if one.name == gpu.name), None)
        if seen is None and len(gpus) == len(live) == 1:
            seen = live[0]  # the engine's name for it is not the driver's
        if seen is not None and seen in left:
            left.remove(seen)
        found.append(seen)
    return found


def _box_gb(size_bytes: int, language: Language) -> str:
    """Memory is sold in GB of 2^30 bytes, and its parts must add up to that."""
    return f"{format_number(size_bytes / 2**30, language, 1)} GB"


def _percent(share: float, language: Language) -> str:
    return f"{format_number(share * 100, language)} %"


def _ours(amount: str) -> str:
    return QCoreApplication.translate("Machine", "Hausgeist {amount}").format(amount=amount)


def _others(amount: str) -> str:
    return QCoreApplication.translate("Machine", "others {amount}").format(amount=amount)


def _free(amount: str) -> str:
    return QCoreApplication.translate("Machine", "free {amount}").format(amount=amount)
