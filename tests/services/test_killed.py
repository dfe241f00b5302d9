"""kill -9 in the middle of an answer: at most the last second is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from desktop.services.wiring import build

# The test's clock moves half a second with every piece, so nobody has to wait.
SCRIPT = """
import os, signal, sys
from desktop.services.wiring import build
from desktop.services.chat_turn import ChatService
from desktop.services.turn_events import TurnText
from tests.services.fake_engine import FakeEngine
from tests.services.listening import Listener

services = build(os.environ)
now = 0.0
chats = ChatService(services.store, services.crash_marker, clock=lambda: now)
chat = services.store.create_chat()
engine, listener = FakeEngine(), Listener()
chats.send(chat.id, "Erzähl mir etwas Langes", engine, listener)
turn = engine.next_turn()
for number in range(20):
    turn.say(f"Wort{number} ")
    listener.next()
    now += 0.5
os.kill(os.getpid(), signal.SIGKILL) if os.name != "nt" else os._exit(9)
"""


def test_a_killed_answer_is_there_but_for_its_last_second(hausgeist_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    services = build({"HAUSGEIST_HOME": str(hausgeist_home)})
    assert services.interrupted_turns == 1
    (chat,) = services.store.list_chats()
    question, answer = services.store.thread(chat.id)
    assert question.text == "Erzähl mir etwas Langes"
    assert answer.state == "interrupted"
    assert answer.text.startswith("Wort0 Wort1 ")
    assert "Wort17" in answer.text  # two pieces are a second
    assert [crash.activity for crash in services.crashes] == ["generating"]
    services.close()
