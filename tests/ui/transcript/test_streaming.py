"""A message that is being written: it ends as if it had been there, and moves nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.ui.tokens import DARK, LIGHT
from desktop.ui.transcript.blocks import Kit
from desktop.ui.transcript.formats import Formats
from desktop.ui.transcript.languages import LexerShelf
from desktop.ui.transcript.live import LiveTurn
from desktop.ui.transcript.rows import Row
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import assistant, dialogue, shown, user

ANSWER = (
    "# Title\n\nA paragraph with **bold** words.\nSecond line.\n\n"
    + "".join(f"{number}. item *{number}*\n" for number in range(1, 20))
    + "\n```python\ndef f():\n    '''doc\n    more'''\n    return 1\n```\n\n"
    + "| a | b |\n|---|--:|\n"
    + "".join(f"| row {number} | {number} |\n" for number in range(30))
    + "\n> quote\n> goes on\n\nEnd 😀 漢字."
)
lines = st.sampled_from([line + "\n" for line in ANSWER.split("\n")] + ["\n", "- x\n", "word "])
STREAMING = ViewTurn(100, "assistant", "", author="Hausgeist", state="streaming")


def stream(view: TranscriptView, text: str, size: int = 7) -> None:
    view.append_turn(STREAMING)
    view.begin_stream(STREAMING.id)
    for start in range(0, len(text), size):
        view.feed(STREAMING.id, text[start : start + size])


def finish(view: TranscriptView, text: str) -> None:
    view.end_stream(STREAMING.id, replace(STREAMING, text=text, state="complete", footer="3 s"))


@pytest.mark.usefixtures("qapp")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lines, max_size=20).map("".join), st.lists(st.integers(1, 40), min_size=1))
def test_a_streamed_answer_looks_as_if_it_had_been_there(text: str, sizes: list[int]) -> None:
    kit = Kit(Formats(LIGHT), LexerShelf())
    once, slowly = Stage(kit), Stage(kit)
    once.set_turns([assistant(1, text)])
    slowly.set_turns([replace(assistant(1, ""), state="streaming")])
    slowly.begin_live(0)
    position = number = 0
    while position < len(text):
        size = sizes[number % len(sizes)]
        slowly.feed_live(text[position : position + size])
        slowly.layout(len(slowly.rows) - 1)
        position, number = position + size, number + 1
    slowly.end_live(assistant(1, text))
    assert shown(slowly) == shown(once)
    heights = [slowly.layout(row).height for row in range(len(slowly.rows))]
    assert heights == [once.layout(row).height for row in range(len(once.rows))]


def test_the_whole_answer_is_there_at_the_end(view: TranscriptView) -> None:
    view.set_turns(dialogue(4))
    stream(view, ANSWER)
    finish(view, ANSWER)
    text = shown(view.stage)
    assert "19. item 19" in text
    assert "row 29\t29" in text
    assert text.endswith("End 😀 漢字.")


def test_a_very_long_answer_goes_on_in_further_rows(view: TranscriptView) -> None:
    view.set_turns([user(1, "Tell me all")])
    long = ANSWER * 12
    stream(view, long, 300)
    assert len(view.stage.rows) > 4
    finish(view, long)
    streamed = shown(view.stage)
    view.set_turns([user(1, "Tell me all"), assistant(100, long)])
    assert streamed.replace("\n", "") == shown(view.stage).replace("\n", "")


def test_finished_blocks_keep_their_documents(stage: Stage) -> None:
    live = LiveTurn(stage.kit, STREAMING, Row(0, ""))
    live.feed("First paragraph.\n\nSecond one.\n\nThird")
    first = live.layout.blocks[0].document
    live.feed(" goes on.\n\nFourth.\n\n")
    assert live.layout.blocks[0].document is first
    assert live.finished >= 2


def test_a_torn_line_break_is_one_line_break(stage: Stage) -> None:
    live = LiveTurn(stage.kit, STREAMING, Row(0, ""))
    for part in ("one\r", "\ntwo\r", "\n"):
        live.feed(part)
    assert live.text == "one\ntwo\n"


def test_the_end_stays_in_view(view: TranscriptView) -> None:
    view.set_turns(dialogue(30))
    stream(view, ANSWER)
    assert view.at_end
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum()
    row, y = view.stage.visible[-1]
    assert row == len(view.stage.rows) - 1
    assert y + view.stage.layout(row).height <= view.viewport().height()


def test_who_has_scrolled_up_is_left_in_peace(view: TranscriptView) -> None:
    view.set_turns(dialogue(30))
    view.append_turn(STREAMING)
    view.begin_stream(STREAMING.id)
    view.feed(STREAMING.id, "Beginning. ")
    bar = view.verticalScrollBar()
    bar.setValue(bar.value() - 400)
    before = view.stage.visible[0]
    view.feed(STREAMING.id, ANSWER)
    assert not view.at_end
    assert view.stage.visible[0] == before


def test_the_end_button_leads_back(view: TranscriptView, qtbot: QtBot) -> None:
    view.set_turns(dialogue(30))
    with qtbot.waitSignal(view.at_end_changed) as signal:
        view.verticalScrollBar().setValue(0)
    assert signal.args == [False]
    assert view._end_button.isVisible()
    view._end_button.click()
    assert view.at_end
    assert not view._end_button.isVisible()


def test_until_the_first_word_it_says_what_it_does(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    view.append_turn(STREAMING)
    view.begin_stream(STREAMING.id)
    live = view.stage.live
    assert live is not None
    assert live.layout.waiting
    view.set_progress(STREAMING.id, 0.4)
    assert live.layout.fraction == 0.4
    assert not view.stage.layout(len(view.stage.rows) - 1).progress.isNull()
    view.feed(STREAMING.id, "Hello")
    assert view.stage.layout(len(view.stage.rows) - 1).progress.isNull()


def test_without_motion_nothing_beats(view: TranscriptView) -> None:
    view.set_motion(enabled=False)
    view.set_turns(dialogue(2))
    view.append_turn(STREAMING)
    view.begin_stream(STREAMING.id)
    assert not view._pulse.isActive()


def test_text_for_another_turn_is_not_shown(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    stream(view, "Mine.")
    view.feed(2, "Stray.")
    assert "Stray" not in shown(view.stage)


def test_a_final_text_that_differs_is_shown_instead(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    stream(view, "What came in pieces")
    finish(view, "What was kept")
    assert shown(view.stage).endswith("What was kept")


def test_the_theme_can_change_in_the_middle(view: TranscriptView) -> None:
    view.set_turns(dialogue(4))
    stream(view, ANSWER)
    before = shown(view.stage)
    view.set_theme(DARK)
    assert shown(view.stage) == before
    view.feed(STREAMING.id, "\n\nAnd more.")
    finish(view, ANSWER + "\n\nAnd more.")
    assert shown(view.stage).endswith("And more.")


def test_a_turn_of_another_chat_ends_unseen(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    stream(view, "half")
    view.set_turns(dialogue(3))
    view.feed(STREAMING.id, " of it")
    finish(view, "half of it")
    assert len(view.turns) == 3


def test_coming_back_to_a_chat_that_is_being_written(view: TranscriptView) -> None:
    view.set_turns([*dialogue(2), replace(STREAMING, text="So far")])
    view.begin_stream(STREAMING.id)
    view.feed(STREAMING.id, ", so good.")
    finish(view, "So far, so good.")
    assert shown(view.stage).endswith("So far, so good.")


def test_only_the_last_turn_can_be_written(view: TranscriptView) -> None:
    view.set_turns(dialogue(4))
    with pytest.raises(ValueError, match="last"):
        view.begin_stream(2)


def test_a_turn_added_while_one_is_written_comes_after_it(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    stream(view, "Unfinished")
    view.append_turn(user(200, "Never mind"))
    view.feed(STREAMING.id, " business")
    assert shown(view.stage).endswith("Unfinished\nNever mind")
    finish(view, "Unfinished business")
    assert shown(view.stage).endswith("Unfinished business\nNever mind")


def test_what_is_shown_of_a_turn_can_change_while_it_is_written(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    stream(view, "Some text")
    view.replace_turn(replace(STREAMING, detail="Another model"))
    view.feed(STREAMING.id, " more")
    assert shown(view.stage).endswith("Some text more")
    assert view.stage.layout(len(view.stage.rows) - 1).turn.detail == "Another model"


def test_what_is_on_screen_is_what_would_be_drawn(view: TranscriptView, qtbot: QtBot) -> None:
    # While text streams only its tail is drawn, and the rest moved.
    view.set_turns(dialogue(8))
    view.append_turn(STREAMING)
    view.begin_stream(STREAMING.id)
    screen = view.screen()
    for start in range(0, len(ANSWER), 23):
        view.feed(STREAMING.id, ANSWER[start : start + 23])
        QApplication.processEvents()
        qtbot.waitUntil(lambda: not view._recolour.isActive())
        on_screen = screen.grabWindow(view.winId()).toImage()
        drawn = view.grab().toImage().convertToFormat(on_screen.format())
        assert on_screen == drawn, start
