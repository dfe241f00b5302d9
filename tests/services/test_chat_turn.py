"""Turns of a chat on an engine that the test plays."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest

from desktop.chats.store import ChatStore
from desktop.common.errors import RequestError, StorageError
from desktop.engine.events import Reasoning
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream
from desktop.services.chat_turn import ChatService, TurnHandle
from desktop.services.crash_marker import CrashMarker
from desktop.services.turn_events import TurnEvent, TurnProgress, TurnText
from tests.services.fake_engine import FakeEngine
from tests.services.listening import WAIT_S, Listener


def test_a_turn_is_stored_and_heard(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    listener = Listener()
    handle = chats.send(chat.id, "Was ist ein Modell?", FakeEngine([["Ein ", "Modell."]]), listener)
    ended = listener.ended(handle)
    assert (ended.state, ended.reason, ended.error_kind) == ("complete", "stop", "")
    assert listener.text() == "Ein Modell."
    question, answer = store.thread(chat.id)
    assert (question.role, question.text) == ("user", "Was ist ein Modell?")
    assert (answer.text, answer.state, answer.model) == ("Ein Modell.", "complete", "fake")
    assert answer.completion_tokens == 2
    assert answer.tokens_per_s == pytest.approx(50.0)
    assert chats.running(chat.id) is None


def test_text_is_in_the_store_while_the_answer_still_grows(
    tmp_path: Path, store: ChatStore, marker: CrashMarker
) -> None:
    now = 0.0
    chats = ChatService(store, marker, clock=lambda: now)
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Hallo", engine, listener)
    turn = engine.next_turn()
    turn.say("Eins ")
    assert listener.next() == TurnText(handle.assistant_turn.id, "Eins ")
    now = 0.5  # half a second later at the latest it must be written
    turn.say("zwei ")
    listener.next()
    turn.say("drei")
    listener.next()  # the text before it has been through the writer by now
    second = ChatStore.open(tmp_path / "chats.db")
    stored = second.turn(handle.assistant_turn.id)
    second.close()
    assert stored.text.startswith("Eins zwei")
    assert stored.state == "streaming"
    turn.finish()
    assert listener.ended(handle).state == "complete"
    assert store.turn(handle.assistant_turn.id).text == "Eins zwei drei"


def test_stopping_keeps_what_was_written(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Erzähl", engine, listener)
    engine.next_turn().say("Es war")
    listener.next()
    handle.cancel()
    ended = listener.ended(handle)
    assert (ended.state, ended.reason) == ("stopped", "cancelled")
    assert store.turn(handle.assistant_turn.id).text == "Es war"
    handle.cancel()  # harmless


def test_a_failed_engine_is_told_and_the_question_stays(
    store: ChatStore, chats: ChatService
) -> None:
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Hallo", engine, listener)
    turn = engine.next_turn()
    turn.say("Ha")
    turn.fail("engine_failed")
    ended = listener.ended(handle)
    assert (ended.state, ended.error_kind) == ("failed", "engine_failed")
    answer = store.turn(handle.assistant_turn.id)
    assert (answer.state, answer.text, answer.error_kind) == ("failed", "Ha", "engine_failed")


def test_a_question_after_a_failed_answer_joins_the_one_before(
    store: ChatStore, chats: ChatService
) -> None:
    """Two questions in a row make many templates refuse the conversation."""
    chat = store.create_chat()
    first, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Eins?", first, listener)
    first.next_turn().fail()
    listener.ended(handle)
    second = FakeEngine([["ja"]])
    listener = Listener()
    listener.ended(chats.send(chat.id, "Zwei?", second, listener))
    assert second.requests[0].prompt.startswith("<user> Eins?\n\nZwei? </user>")


def test_regenerate_adds_a_sibling(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    engine = FakeEngine([["eins"], ["zwei"]])
    listener = Listener()
    first = chats.send(chat.id, "Sag etwas", engine, listener)
    listener.ended(first)
    second = chats.regenerate(first.assistant_turn.id, engine, listener)
    listener.ended(second)
    assert second.user_turn is None
    assert [turn.text for turn in store.thread(chat.id)] == ["Sag etwas", "zwei"]
    siblings = store.siblings(first.assistant_turn.id)
    assert siblings == [first.assistant_turn.id, second.assistant_turn.id]
    assert engine.requests[0].prompt == engine.requests[1].prompt


def test_regenerate_from_a_question_whose_answer_never_came(
    store: ChatStore, chats: ChatService
) -> None:
    chat = store.create_chat()
    question = store.add_turn(chat.id, "user", "Bist du da?")
    listener = Listener()
    listener.ended(chats.regenerate(question.id, FakeEngine([["Ja."]]), listener))
    assert [turn.text for turn in store.thread(chat.id)] == ["Bist du da?", "Ja."]


def test_edit_and_resend_starts_a_branch_and_keeps_the_old_one(
    store: ChatStore, chats: ChatService
) -> None:
    chat = store.create_chat()
    engine = FakeEngine([["a1"], ["a2"], ["b2"]])
    listener = Listener()
    first = chats.send(chat.id, "q1", engine, listener)
    listener.ended(first)
    second = chats.send(chat.id, "q2", engine, listener)
    listener.ended(second)
    assert second.user_turn is not None
    edited = chats.edit_and_resend(second.user_turn.id, "q2 besser", engine, listener)
    listener.ended(edited)
    assert [t.text for t in store.thread(chat.id)] == ["q1", "a1", "q2 besser", "b2"]
    old = store.thread(chat.id, second.assistant_turn.id)
    assert [t.text for t in old] == ["q1", "a1", "q2", "a2"]
    assert "q2 besser" in engine.requests[2].prompt
    assert "a2" not in engine.requests[2].prompt


def test_editing_the_first_question(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    listener = Listener()
    first = chats.send(chat.id, "alt", FakeEngine([["a"]]), listener)
    listener.ended(first)
    assert first.user_turn is not None
    engine = FakeEngine([["b"]])
    listener.ended(chats.edit_and_resend(first.user_turn.id, "neu", engine, listener))
    assert [t.text for t in store.thread(chat.id)] == ["neu", "b"]


def test_one_answer_at_a_time_in_a_chat(store: ChatStore, chats: ChatService) -> None:
    chat, other = store.create_chat(), store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Hallo", engine, listener)
    assert chats.running(chat.id) is handle
    with pytest.raises(RequestError, match="turn_running"):
        chats.send(chat.id, "Noch etwas", engine, listener)
    elsewhere = Listener()
    beside = chats.send(other.id, "Hallo", engine, elsewhere)
    engine.next_turn().finish()
    engine.next_turn().finish()
    listener.ended(handle)
    elsewhere.ended(beside)
    assert store.turn_count(chat.id) == 2


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_an_empty_message_is_not_sent(store: ChatStore, chats: ChatService, text: str) -> None:
    chat = store.create_chat()
    with pytest.raises(RequestError, match="empty_message"):
        chats.send(chat.id, text, FakeEngine(), Listener())
    assert store.turn_count(chat.id) == 0


def test_the_first_question_names_the_chat_once(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    engine = FakeEngine([["a"], ["b"]])
    listener = Listener()
    listener.ended(chats.send(chat.id, "Was kostet Strom?", engine, listener))
    assert store.chat(chat.id).title == "Was kostet Strom?"
    listener.ended(chats.send(chat.id, "Und Wasser?", engine, listener))
    assert store.chat(chat.id).title == "Was kostet Strom?"
    named = store.create_chat(title="Mein Titel")
    listener.ended(chats.send(named.id, "Hallo", FakeEngine([["c"]]), listener))
    assert store.chat(named.id).title == "Mein Titel"


def test_oldest_turns_are_left_out_and_told(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    for number in range(10):
        store.add_turn(chat.id, "user", f"frage{number} " + "wort " * 20)
        store.add_turn(chat.id, "assistant", f"antwort{number} " + "wort " * 20)
    engine, listener = FakeEngine([["gut"]], context_tokens=200), Listener()
    handle = chats.send(chat.id, "jetzt?", engine, listener)
    assert listener.ended(handle).state == "complete"
    left_out = listener.started().left_out_turns
    assert left_out > 0
    assert left_out % 2 == 0
    prompt = engine.requests[0].prompt
    assert f"antwort{left_out // 2 - 1} " not in prompt
    assert f"frage{left_out // 2} " in prompt
    assert engine.count_tokens(prompt) <= 150


def test_a_text_that_can_never_fit_is_refused_with_figures(
    store: ChatStore, chats: ChatService
) -> None:
    chat = store.create_chat()
    engine, listener = FakeEngine([["x"]], context_tokens=100), Listener()
    handle = chats.send(chat.id, "wort " * 500, engine, listener)
    ended = listener.ended(handle)
    assert (ended.state, ended.error_kind) == ("failed", "prompt_too_long")
    assert ended.error_params == {"prompt_tokens": 503, "context_tokens": 100}
    assert engine.requests == []


def test_progress_of_reading_is_heard(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "lang", engine, listener)
    turn = engine.next_turn()
    turn.start(cached_tokens=1)
    listener.next()
    turn.read(100, 300)
    assert listener.next() == TurnProgress(handle.assistant_turn.id, 100, 300)
    turn.finish("length")
    ended = listener.ended(handle)
    assert (ended.state, ended.reason) == ("complete", "length")
    assert listener.started().cached_tokens == 1


def test_the_models_own_sampling_unless_told(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    own = Sampling(temperature=0.3)
    engine = FakeEngine([["a"], ["b"]], sampling=own)
    listener = Listener()
    listener.ended(chats.send(chat.id, "x", engine, listener))
    asked = Sampling(temperature=1.0)
    listener.ended(chats.send(chat.id, "y", engine, listener, sampling=asked))
    assert [request.sampling for request in engine.requests] == [own, asked]
    assert {request.conversation for request in engine.requests} == {chat.id}


def test_stopping_while_the_prompt_is_made_does_not_wait(
    store: ChatStore, chats: ChatService
) -> None:
    """It did: the pump held its lock while the engine wrote and split the chat."""
    began, go_on = threading.Event(), threading.Event()

    class Slow(FakeEngine):
        def submit(self, request: Request) -> Stream:
            began.set()
            assert go_on.wait(WAIT_S)
            return super().submit(request)

    chat, listener = store.create_chat(), Listener()
    handle = chats.send(chat.id, "Hallo", Slow(), listener)
    assert began.wait(WAIT_S)
    handle.cancel()  # would never come back
    go_on.set()
    ended = listener.ended(handle)
    assert (ended.state, ended.reason) == ("stopped", "cancelled")


def test_reasoning_is_heard_and_stored_apart(store: ChatStore, chats: ChatService) -> None:
    chat, listener, engine = store.create_chat(), Listener(), FakeEngine()
    handle = chats.send(chat.id, "Wie spät?", engine, listener)
    turn = engine.next_turn()
    turn.start()
    turn.stream.put(Reasoning(turn.request.id, "Erst die Uhr."))
    turn.say("Zwölf.")
    turn.finish()
    listener.ended(handle)
    assert listener.text() == "Zwölf."
    answer = store.turn(handle.assistant_turn.id)
    assert (answer.text, answer.reasoning) == ("Zwölf.", "Erst die Uhr.")
    assert store.thread(chat.id)[1].reasoning == "Erst die Uhr."
    listener = Listener()
    handle = chats.send(chat.id, "Und jetzt?", engine, listener)
    asked = engine.next_turn()
    asked.finish()
    listener.ended(handle)
    assert asked.request.chat is not None
    assert [one.reasoning for one in asked.request.chat.messages] == ["", "Erst die Uhr.", ""]


class _FullDisk(ChatStore):
    """A disk that is full while the test says so."""

    is_full = False

    def append_text(self, turn_id: int, text: str, reasoning: str = "") -> None:
        if self.is_full:
            raise StorageError("disk_full", path="chats.db")
        super().append_text(turn_id, text, reasoning)


def test_a_full_disk_stops_no_answer(tmp_path: Path, marker: CrashMarker) -> None:
    store = cast(_FullDisk, _FullDisk.open(tmp_path / "chats.db"))
    store.is_full = True
    chats = ChatService(store, marker)
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Hallo", engine, listener)
    turn = engine.next_turn()
    turn.say("Guten ")
    turn.say("Tag")
    turn.finish()
    ended = listener.ended(handle)
    assert (ended.state, ended.error_kind) == ("complete", "disk_full")
    assert listener.text() == "Guten Tag"
    store.close()


def test_text_that_a_full_disk_refused_is_written_when_there_is_room_again(
    tmp_path: Path, marker: CrashMarker
) -> None:
    now = 0.0
    store = cast(_FullDisk, _FullDisk.open(tmp_path / "chats.db"))
    chats = ChatService(store, marker, clock=lambda: now)
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Hallo", engine, listener)
    turn = engine.next_turn()
    store.is_full = True
    now = 1.0
    turn.say("Guten ")
    listener.next()
    turn.say("Tag")
    listener.next()
    store.is_full = False
    turn.finish()
    assert listener.ended(handle).error_kind == ""
    assert store.turn(handle.assistant_turn.id).text == "Guten Tag"
    store.close()


def test_a_listener_that_breaks_leaves_no_open_turn(store: ChatStore, chats: ChatService) -> None:
    chat = store.create_chat()
    engine = FakeEngine([["a", "b"]])
    heard: list[TurnEvent] = []

    def broken(event: TurnEvent) -> None:
        heard.append(event)
        if isinstance(event, TurnText):
            raise ValueError("a fault in the window")

    handle = chats.send(chat.id, "Hallo", engine, broken)
    assert handle.done.wait(WAIT_S)
    answer = store.turn(handle.assistant_turn.id)
    assert (answer.state, answer.error_kind) == ("failed", "internal")
    assert chats.running(chat.id) is None


def test_closing_stops_and_stores_every_answer(store: ChatStore, marker: CrashMarker) -> None:
    chats = ChatService(store, marker)
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Hallo", engine, listener)
    engine.next_turn().say("Ich")
    listener.next()
    assert chats.close()
    answer = store.turn(handle.assistant_turn.id)
    assert (answer.state, answer.text) == ("stopped", "Ich")


def test_the_crash_marker_stands_while_an_answer_is_made(
    tmp_path: Path, store: ChatStore, marker: CrashMarker
) -> None:
    chats = ChatService(store, marker)
    chat = store.create_chat()
    engine, listener = FakeEngine(), Listener()
    handle = chats.send(chat.id, "Hallo", engine, listener)
    turn = engine.next_turn()
    later = CrashMarker(tmp_path / "running.json", alive=lambda _process: False)
    later._own_file = tmp_path / "running-of-another.json"  # as if another process looked
    (crash,) = later.collect()
    assert (crash.activity, crash.model_path) == ("generating", Path("fake.gguf"))
    turn.finish()
    listener.ended(handle)
    assert later.collect() == ()


def test_two_threads_that_send_at_once(tmp_path: Path, marker: CrashMarker) -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(ChatStore):
        def turn_count(self, chat_id: str) -> int:
            entered.set()
            assert go_on.wait(WAIT_S)
            return super().turn_count(chat_id)

    store = Slow.open(tmp_path / "chats.db")
    chats = ChatService(store, marker)
    chat = store.create_chat()
    listener = Listener()
    handles: list[TurnHandle] = []
    engine = FakeEngine([["a"]])
    first = threading.Thread(
        target=lambda: handles.append(chats.send(chat.id, "eins", engine, listener))
    )
    first.start()
    assert entered.wait(WAIT_S)
    with pytest.raises(RequestError, match="turn_running"):
        chats.send(chat.id, "zwei", engine, listener)
    go_on.set()
    first.join()
    listener.ended(handles[0])
    assert [turn.text for turn in store.thread(chat.id)] == ["eins", "a"]
    store.close()
