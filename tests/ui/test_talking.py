"""Talk as a user does: write, read, stop, ask again, change what was asked."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.common.errors import LoadError
from desktop.engine.events import PromptProgress, Reasoning
from desktop.ui.rail import CHATS
from tests.ui.conftest import Driven


def write(driven: Driven, text: str) -> None:
    """Type and press Enter."""
    edit = driven.window.chats.composer.edit
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)


def ask(driven: Driven, text: str, count: int = 1) -> None:
    """Write, and wait until the engine was asked."""
    write(driven, text)
    driven.asked(count)
    driven.until(lambda: driven.shown()[-2:] == [text, ""])


def test_first_start_shows_the_machine_and_the_guide(driven: Driven) -> None:
    chats = driven.window.chats
    driven.until(lambda: "16 GB RAM" in chats.welcome.machine_words)
    assert chats.welcome.isVisible()
    assert not chats.transcript.isVisible()
    assert chats.composer.edit.hasFocus()
    assert driven.opener.names == []  # the guide costs no memory before it is needed


def test_text_appears_while_it_is_written(driven: Driven) -> None:
    ask(driven, "What is a model?")
    driven.until(lambda: driven.shown() == ["What is a model?", ""])
    driven.engine.say("A model is ")
    driven.until(lambda: driven.window.chats.transcript.stage.live is not None)
    driven.engine.say("a file.")
    running = driven.desk.house.conversation.running()
    assert running is not None
    driven.until(lambda: running.text == "A model is a file.")
    driven.engine.finish()
    driven.until(lambda: driven.shown() == ["What is a model?", "A model is a file."])
    driven.until(lambda: driven.titles() == ["What is a model?"])
    assert driven.window.chats.transcript.isVisible()
    assert driven.window.chats.composer.text() == ""


def test_the_window_says_that_the_model_thinks(driven: Driven) -> None:
    ask(driven, "What time is it?")
    driven.asked(1)
    stream = driven.engine.streams[-1]
    stream.put(PromptProgress(stream.request_id, 50, 100))
    stage = driven.window.chats.transcript.stage
    driven.until(lambda: stage.live is not None and stage.live.layout.fraction == 0.5)
    stream.put(Reasoning(stream.request_id, "First the clock."))
    driven.until(lambda: stage.live is not None and stage.live.layout.fraction is None)
    assert stage.live is not None
    assert stage.live.layout.waiting
    driven.answer("Noon.")
    driven.until(lambda: driven.shown() == ["What time is it?", "Noon."])
    assert driven.desk.house.conversation.turns[-1].reasoning == "First the clock."


def test_first_key_wakes_the_guide(driven: Driven) -> None:
    QTest.keyClicks(driven.window.chats.composer.edit, "W")
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    assert driven.opener.names == ["guide"]


def test_message_waits_for_the_model_and_then_goes_out(driven: Driven) -> None:
    driven.opener.gate = threading.Event()
    write(driven, "Hello")
    composer = driven.window.chats.composer
    driven.until(lambda: driven.desk.house.conversation.waiting == "Hello")
    assert composer.text() == "Hello"
    assert composer.stop.isVisible()
    driven.opener.gate.set()
    driven.asked(1)
    driven.until(lambda: driven.shown()[:1] == ["Hello"])
    assert composer.text() == ""


def test_stop_while_waiting_gives_the_text_back(driven: Driven) -> None:
    driven.opener.gate = threading.Event()
    write(driven, "Hello")
    driven.until(lambda: driven.desk.house.model.state.phase == "opening")
    QTest.keyClick(driven.window.chats.composer.edit, Qt.Key.Key_Escape)
    driven.until(lambda: driven.desk.house.model.state.phase == "asleep")
    assert driven.window.chats.composer.text() == "Hello"
    assert driven.desk.house.conversation.waiting is None
    assert driven.shown() == []


def test_model_that_does_not_open_is_told_and_nothing_is_lost(driven: Driven) -> None:
    driven.opener.error = LoadError("load_failed")
    write(driven, "Hello")
    driven.until(lambda: driven.desk.house.model.state.phase == "failed")
    driven.until(lambda: driven.window.chats.composer.text() == "Hello")
    assert len(driven.window.banners.texts) == 1
    assert driven.window.chats.top_bar.retry.isVisible()
    driven.opener.error = None
    driven.window.chats.top_bar.retry.click()
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")


def test_escape_stops_and_keeps_what_was_written(driven: Driven) -> None:
    ask(driven, "Tell me a story")
    driven.engine.say("Once upon")
    running = driven.desk.house.conversation.running()
    assert running is not None
    driven.until(lambda: running.text == "Once upon")
    QTest.keyClick(driven.window.chats.composer.edit, Qt.Key.Key_Escape)
    driven.until(lambda: driven.desk.house.conversation.running() is None)
    answer = driven.services.store.thread(driven.desk.house.conversation.current)[-1]
    assert (answer.state, answer.text) == ("stopped", "Once upon")


def test_answer_again_keeps_the_first_as_a_sibling(driven: Driven) -> None:
    ask(driven, "A number?")
    driven.answer("One.")
    talk = driven.desk.house.conversation
    first = talk.turns[-1].id
    driven.window.chats.transcript.regenerate_requested.emit(first)
    driven.asked(2)
    driven.answer("Two.")
    driven.until(lambda: driven.shown() == ["A number?", "Two."])
    assert len(driven.services.store.siblings(talk.turns[-1].id)) == 2


def test_edit_and_resend_starts_a_new_branch(driven: Driven) -> None:
    ask(driven, "What is GUF?")
    driven.answer("I do not know.")
    composer = driven.window.chats.composer
    QTest.keyClicks(composer.edit, "a draft")
    driven.window.chats.transcript.edit_requested.emit(driven.desk.house.conversation.turns[0].id)
    assert composer.text() == "What is GUF?"
    assert composer.editing
    composer.set_text("What is GGUF?")
    QTest.keyClick(composer.edit, Qt.Key.Key_Return)
    driven.asked(2)
    driven.answer("A file format.")
    driven.until(lambda: driven.shown() == ["What is GGUF?", "A file format."])
    assert not composer.editing


def test_leaving_an_edit_brings_the_draft_back(driven: Driven) -> None:
    ask(driven, "One")
    driven.answer("1")
    composer = driven.window.chats.composer
    QTest.keyClicks(composer.edit, "a draft")
    driven.window.chats.transcript.edit_requested.emit(driven.desk.house.conversation.turns[0].id)
    QTest.keyClick(composer.edit, Qt.Key.Key_Escape)
    assert composer.text() == "a draft"


def test_arrow_up_in_an_empty_composer_changes_the_last_message(driven: Driven) -> None:
    ask(driven, "One")
    driven.answer("1")
    QTest.keyClick(driven.window.chats.composer.edit, Qt.Key.Key_Up)
    assert driven.window.chats.composer.text() == "One"


def test_shift_enter_breaks_the_line_and_the_composer_grows(driven: Driven) -> None:
    edit = driven.window.chats.composer.edit
    one_line = edit.height()
    for _ in range(3):
        QTest.keyClicks(edit, "line")
        QTest.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert edit.toPlainText() == "line\nline\nline\n"
    assert edit.height() > 3 * (one_line - driven.desk.look.sizes.space_1)
    edit.setPlainText("line\n" * 100)
    limit = driven.desk.look.sizes.composer_lines
    assert edit.height() <= limit * edit.fontMetrics().lineSpacing() + one_line


def test_enter_on_spaces_sends_nothing(driven: Driven) -> None:
    write(driven, "   ")
    assert not driven.window.chats.composer.send.isEnabled()
    assert driven.desk.house.conversation.waiting is None


def test_failed_answer_says_why_in_the_transcript(driven: Driven) -> None:
    ask(driven, "Hi")
    driven.engine.fail("engine_failed")
    driven.until(lambda: driven.desk.house.conversation.running() is None)
    turn = driven.window.chats.transcript.turns[-1]
    assert turn.state == "failed"
    assert turn.error
    assert turn.can_regenerate


def test_a_model_whose_process_died_is_opened_anew_for_the_next_question(driven: Driven) -> None:
    ask(driven, "Hi")
    dead = driven.engine
    dead.say("As far as")
    dead.fail("engine_died_memory")
    model = driven.desk.house.model
    driven.until(lambda: model.state.phase == "asleep")
    driven.until(lambda: dead.closed)
    turn = driven.window.chats.transcript.turns[-1]
    assert (turn.text, turn.state) == ("As far as", "failed")
    assert turn.error
    ask(driven, "And now?")
    assert driven.engine is not dead
    driven.answer("Now it works.")
    assert driven.opener.names == ["guide", "guide"]


def test_other_chat_can_be_read_while_an_answer_is_written(driven: Driven) -> None:
    ask(driven, "First question")
    driven.answer("First answer")
    first = driven.desk.house.conversation.current
    driven.window.chats.start_new()
    ask(driven, "Second question", 2)
    second = driven.desk.house.conversation.current
    driven.engine.say("Half of ")
    driven.desk.house.conversation.show(first)
    driven.until(lambda: driven.shown() == ["First question", "First answer"])
    driven.engine.say("it all")
    driven.until(lambda: not driven.desk.house.conversation.is_busy(first))
    driven.desk.house.conversation.show(second)
    driven.until(lambda: driven.desk.house.conversation.running() is not None)
    driven.engine.finish()
    driven.until(lambda: driven.shown() == ["Second question", "Half of it all"])


def test_draft_is_kept_for_each_chat(driven: Driven) -> None:
    ask(driven, "Question")
    driven.answer("Answer")
    talk, composer = driven.desk.house.conversation, driven.window.chats.composer
    chat = talk.current
    QTest.keyClicks(composer.edit, "half a thought")
    driven.window.chats.start_new()
    assert composer.text() == ""
    talk.show(chat)
    assert composer.text() == "half a thought"


def test_suggested_question_is_asked_by_a_click(driven: Driven) -> None:
    chip = driven.window.chats.welcome.chips()[0]
    chip.click()
    driven.asked(1)
    assert chip.text() in driven.engine.requests[0].prompt


def test_closing_while_generating_keeps_the_answer_as_stopped(
    open_window: Callable[..., Driven],
) -> None:
    driven = open_window()
    ask(driven, "Tell me a story")
    driven.engine.say("Once upon")
    running = driven.desk.house.conversation.running()
    assert running is not None
    driven.until(lambda: running.text == "Once upon")
    driven.window.close()
    driven.desk.close()
    again = open_window()
    again.until(lambda: again.titles() == ["Tell me a story"])
    again.desk.house.conversation.show(again.desk.house.chats.chats[0].id)
    again.until(lambda: again.shown() == ["Tell me a story", "Once upon"])
    assert again.window.chats.transcript.turns[-1].state == "stopped"


def test_memory_line_says_pages(driven: Driven) -> None:
    status = driven.window.chats.status
    assert not status.meter.isVisible()
    ask(driven, "Question")
    driven.engine.say("Answer")
    driven.engine.finish(tokens=1480)
    driven.until(lambda: driven.desk.house.conversation.running() is None)
    driven.until(lambda: status.used.text() == "4 of 20 pages")
    assert status.meter.isVisible()
    assert driven.window.place == CHATS


def test_collection_rests_only_while_a_chat_is_read(driven: Driven) -> None:
    chat = driven.services.store.create_chat(title="Long", model="guide")
    driven.services.store.add_turn(chat.id, "user", "Hello")
    talk = driven.desk.house.conversation
    heard: list[str] = []
    talk.reading_began.connect(lambda: heard.append("began" if gc.isenabled() else "rests"))
    talk.reading_ended.connect(lambda: heard.append("ended"))
    talk.show(chat.id)
    assert not gc.isenabled()
    driven.until(lambda: driven.shown() == ["Hello"] and gc.isenabled())
    talk.show("no such chat")
    driven.until(lambda: heard.count("ended") == 2)
    assert gc.isenabled()
