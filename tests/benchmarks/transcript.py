"""Measures the transcript: opening a long chat, and streaming 200 tokens a second into it.

Run as `python tests/benchmarks/transcript.py [--messages N] [--seconds S] [--block KIND]`; prints
one line of JSON. A frame is the time between two deliveries of text (33 ms); what counts is the
CPU time of the drawing thread in it, layout and painting included, so that a busy machine does not
count. RSS is that of this process, which holds nothing but Qt, the chat and the view.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

from desktop.ui.look import Look
from desktop.ui.transcript.collecting import Collecting
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.view import TranscriptView

FRAME_MS = 33
BUDGET_MS = 16
TOKENS_PER_S = 200
TEXT = (
    "der Kessel im Keller summt leise und die Katze schläft auf dem warmen Brief während draußen "
    "Regen fällt we bake bread at dawn then count the apples twice and write every price into a "
    "small green book because winter is long and the road to town is often closed by snow"
)
WORDS = TEXT.split()
CODE = """def weigh(apples, tare=0.4):
    '''Weight of the apples in kilograms.'''
    total = 0.0
    for apple in apples:
        if apple.kind in ("Boskop", "Elstar"):
            total += apple.weight - tare  # the basket
        elif apple.rotten:
            continue
    return round(total, 3)

"""
ROWS = [f"| Korb {number} | {number * 3} | {number * 2.75:.2f} € |" for number in range(9)]
TABLE = "| Ware | Stück | Preis |\n|---|---:|---:|\n" + "\n".join(ROWS)


def sentence(chance: random.Random, length: int) -> str:
    words = [chance.choice(WORDS) for _ in range(length)]
    if length > 14:
        words[4] = f"**{words[4]}**"
        words[8] = f"*{words[8]}*"
        words[11] = f"`{words[11]}`"
    return " ".join(words).capitalize() + "."


def chat(messages: int) -> list[ViewTurn]:
    """A long chat: paragraphs, now and then a list, code or a table."""
    chance = random.Random(7)
    turns = []
    for number in range(messages):
        user = number % 2 == 0
        parts = [sentence(chance, chance.randint(25, 90)) for _ in range(1 if user else 2)]
        if number % 7 == 3:
            parts.append("\n".join("- " + sentence(chance, 9) for _ in range(5)))
        if number % 5 == 0:
            parts.append(f"```python\n{CODE}{CODE}```")
        if number % 10 == 1:
            parts.append(TABLE)
        turns.append(
            ViewTurn(
                number,
                "user" if user else "assistant",
                "\n\n".join(parts),
                author="" if user else "Hausgeist",
                detail="" if user else "Qwen3 8B",
                footer="" if user else "24 s · 9 tokens/s",
                can_edit=user,
                can_regenerate=not user,
            )
        )
    return turns


def answer_tokens(count: int, block: str) -> list[str]:
    """An answer as the pieces of up to four letters in which it arrives."""
    chance = random.Random(11)
    parts: list[str] = []
    only: dict[str, Callable[[], str]] = {
        "paragraph": lambda: sentence(chance, count),
        "list": lambda: "\n".join("- " + sentence(chance, 12) for _ in range(count // 12)),
        "code": lambda: "```python\n" + CODE * (count // 60) + "```",
        "table": lambda: TABLE + "\n" + "\n".join(ROWS * (count // 90)),
    }
    if block:
        parts.append(only[block]())
    while not block and sum(map(len, parts)) < 4 * count:
        parts.append("## " + sentence(chance, 5))
        parts.append(sentence(chance, 110))
        parts.append("\n".join(f"{n}. {sentence(chance, 12)}" for n in range(1, 16)))
        parts.append(f"```python\n{CODE * 4}```")
        parts.append(TABLE)
        parts.append(sentence(chance, 140))
    found: list[str] = re.findall(r"\s*\S{1,4}", "\n\n".join(parts))
    return found[:count]


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def stream(view: TranscriptView, turn: ViewTurn, pieces: list[str]) -> dict[str, object]:
    """Deliver the pieces at their pace and measure each frame."""
    view.append_turn(turn)
    view.begin_stream(turn.id)
    loop = QEventLoop()
    frames: list[float] = []
    counts: list[int] = []
    begun = time.perf_counter()
    sent = 0
    last = -1.0

    def deliver() -> None:
        nonlocal sent, last
        now = time.thread_time()
        if last >= 0:
            frames.append(1000 * (now - last))
        last = now
        before = sent
        due = min(len(pieces), int((time.perf_counter() - begun) * TOKENS_PER_S))
        if due > sent:
            view.feed(turn.id, "".join(pieces[sent:due]))
            sent = due
        elif sent == len(pieces):
            loop.quit()
        counts.append(sent - before)

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(deliver)
    timer.start(FRAME_MS)
    cpu = time.process_time()
    loop.exec()
    cpu = time.process_time() - cpu
    timer.stop()
    final = replace(turn, text="".join(pieces), state="complete", footer="9 tokens/s")
    started = time.thread_time()
    view.end_stream(turn.id, final)
    QApplication.processEvents()
    return {
        "frames": len(frames),
        "frame_cpu_ms_median": round(percentile(frames, 0.5), 2),
        "frame_cpu_ms_p99": round(percentile(frames, 0.99), 2),
        "frame_cpu_ms_max": round(max(frames), 2),
        "slow_frames": [
            # A machine that stood still hands over the text of many frames in one.
            {"ms": round(ms, 1), "tokens": count}
            for ms, count in zip(frames, counts, strict=False)
            if ms > BUDGET_MS
        ],
        "end_cpu_ms": round(1000 * (time.thread_time() - started), 1),
        "process_cpu_percent": round(100 * cpu / (time.perf_counter() - begun), 1),
    }


def settle(seconds: float) -> None:
    """Let what is done while idle be done."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--block", choices=("paragraph", "list", "code", "table"), default="")
    parser.add_argument("--profile", default="", metavar="FILE", help="for the standard pstats")
    options = parser.parse_args()
    app = QApplication([])
    app.setStyle("Fusion")
    look = Look(app, "light")
    window = QMainWindow()
    view = TranscriptView(look.theme, icon_of=look.icon)
    window.setCentralWidget(view)
    window.resize(look.sizes.window_width, look.sizes.window_height)
    window.show()
    QApplication.processEvents()
    collecting = Collecting()
    turns = chat(options.messages)
    collecting.settle()
    rss_before = psutil.Process().memory_info().rss

    started, cpu = time.perf_counter(), time.thread_time()
    view.set_turns(turns)
    view.viewport().repaint()
    open_ms = 1000 * (time.perf_counter() - started)
    open_cpu_ms = 1000 * (time.thread_time() - cpu)
    settle(1.5)
    rss_open = psutil.Process().memory_info().rss

    pieces = answer_tokens(int(options.seconds * TOKENS_PER_S), options.block)
    collecting.settle()
    collecting.pause()
    turn = ViewTurn(10**9, "assistant", "", author="Hausgeist", state="streaming")
    if options.profile:
        import cProfile

        profile = cProfile.Profile()
        profile.enable()
    streamed = stream(view, turn, pieces)
    if options.profile:
        profile.disable()
        profile.dump_stats(options.profile)
    collecting.resume()
    scrolled = []
    for step in range(60):
        cpu = time.thread_time()
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() * step // 60)
        view.viewport().repaint()
        scrolled.append(1000 * (time.thread_time() - cpu))
    cpu = time.thread_time()
    window.resize(800, 700)
    view.viewport().repaint()
    figures = {
        "messages": options.messages,
        "open_ms": round(open_ms, 1),
        "open_cpu_ms": round(open_cpu_ms, 1),
        "rss_before_mb": round(rss_before / 1e6, 1),
        "rss_open_mb": round(rss_open / 1e6, 1),
        "rss_end_mb": round(psutil.Process().memory_info().rss / 1e6, 1),
        **streamed,
        "jump_cpu_ms_max": round(max(scrolled), 1),
        "resize_cpu_ms": round(1000 * (time.thread_time() - cpu), 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
