"""How fast the chat store opens a long chat and takes a growing answer; prints one JSON line.

`_cpu_` figures are this thread's own time, which a busy machine distorts least.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from desktop.chats.store import ChatStore

TURNS = 10_000
APPENDS = 2_000
REPEAT = 21


def timed(work: Callable[[], object], repeat: int) -> dict[str, float]:
    """Median and smallest wall time and the median of the CPU time, in ms."""
    wall: list[float] = []
    cpu: list[float] = []
    for _ in range(repeat):
        started, started_cpu = time.perf_counter(), time.thread_time()
        work()
        wall.append((time.perf_counter() - started) * 1000)
        cpu.append((time.thread_time() - started_cpu) * 1000)
    return {
        "ms_median": round(statistics.median(wall), 3),
        "ms_min": round(min(wall), 3),
        "cpu_ms_median": round(statistics.median(cpu), 3),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        store = ChatStore.open(path)
        chat = store.create_chat("benchmark", "model")
        text = "Ein Satz mit Umlauten wie ä, ö und ü. " * 8
        started = time.perf_counter()
        for number in range(TURNS):
            is_question = number % 2 == 0
            turn = store.add_turn(chat.id, "user" if is_question else "assistant", text)
            if not is_question:
                store.finish_turn(turn.id, state="complete", tokens_per_s=9.1, seconds=13.4)
        add_s = time.perf_counter() - started
        store.close()
        opening = timed(lambda: ChatStore.open(path).close(), REPEAT)
        store = ChatStore.open(path)
        assert len(store.thread(chat.id)) == TURNS
        reading = timed(lambda: store.thread(chat.id), REPEAT)
        listing = timed(store.list_chats, REPEAT)
        answer = store.add_turn(chat.id, "assistant", "", state="streaming")
        appending = timed(lambda: store.append_text(answer.id, " Wort"), APPENDS)
        store.close()
        print(
            json.dumps(
                {
                    "turns": TURNS,
                    "turns_added_per_s": round(TURNS / add_s),
                    "open": opening,
                    "thread": reading,
                    "list": listing,
                    "append": appending,
                    "appends_per_s": round(1000 / appending["ms_median"]),
                    "file_bytes": path.stat().st_size,
                }
            )
        )


if __name__ == "__main__":
    main()
