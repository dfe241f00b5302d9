"""How fast the chat store opens a long chat and takes a growing answer; prints one JSON line."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from desktop.chats.store import ChatStore

TURNS = 10_000
APPENDS = 2_000
REPEAT = 21


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        store = ChatStore.open(path)
        chat = store.create_chat("benchmark", "model")
        text = "Ein Satz mit Umlauten wie ä, ö und ü. " * 8

        started = time.perf_counter()
        for number in range(TURNS):
            store.add_turn(chat.id, "user" if number % 2 == 0 else "assistant", text)
        add_s = time.perf_counter() - started
        store.close()

        opened: list[float] = []
        for _ in range(REPEAT):
            started = time.perf_counter()
            store = ChatStore.open(path)
            opened.append(time.perf_counter() - started)
            store.close()

        store = ChatStore.open(path)
        read: list[float] = []
        for _ in range(REPEAT):
            started = time.perf_counter()
            turns = store.thread(chat.id)
            read.append(time.perf_counter() - started)
            assert len(turns) == TURNS

        turn = store.add_turn(chat.id, "assistant", "", state="streaming")
        appended: list[float] = []
        for _ in range(APPENDS):
            started = time.perf_counter()
            store.append_text(turn.id, " Wort")
            appended.append(time.perf_counter() - started)
        appended.sort()
        store.close()
        print(
            json.dumps(
                {
                    "turns": TURNS,
                    "add_turns_per_s": round(TURNS / add_s),
                    "open_ms_median": round(statistics.median(opened) * 1000, 2),
                    "thread_ms_median": round(statistics.median(read) * 1000, 2),
                    "thread_ms_min": round(min(read) * 1000, 2),
                    "appends_per_s": round(APPENDS / sum(appended)),
                    "append_ms_p99": round(appended[int(APPENDS * 0.99)] * 1000, 3),
                    "file_bytes": path.stat().st_size,
                }
            )
        )


if __name__ == "__main__":
    main()
