"""What is in view stays where it is while things change above, below and around it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QColor

from desktop.ui.tokens import DARK, LIGHT
from desktop.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import assistant, dialogue, shown, user


def test_a_long_chat_opens_at_its_end_with_little_laid_out(view: TranscriptView) -> None:
    view.set_turns(dialogue(3000))
    assert view.at_end
    assert view.stage.visible[-1][0] == 2999
    assert len(view.stage._layouts) < 50


def test_layouts_of_what_is_far_away_are_dropped(view: TranscriptView) -> None:
    view.set_turns(dialogue(400))
    bar = view.verticalScrollBar()
    for step in range(100):
        bar.setValue(bar.maximum() * step // 100)
    assert len(view.stage._layouts) <= 48


def test_scrolling_down_and_up_again_comes_back(view: TranscriptView) -> None:
    view.set_turns(dialogue(60))
    bar = view.verticalScrollBar()
    bar.setValue(0)
    assert view.stage.visible[0] == (0, view.stage.head)
    for _step in range(40):
        bar.setValue(bar.value() + 37)
    for _step in range(40):
        bar.setValue(bar.value() - 37)
    assert view.stage.visible[0] == (0, view.stage.head)


def test_a_small_step_moves_by_that_step_over_rows_never_seen(view: TranscriptView) -> None:
    view.set_turns([assistant(number, "word " * 400 * (number % 3)) for number in range(1, 80)])
    bar = view.verticalScrollBar()
    for _step in range(60):
        places = dict(view.stage.visible)
        bar.setValue(bar.value() - 60)
        now = dict(view.stage.visible)
        common = places.keys() & now.keys()
        assert common
        assert {now[row] - places[row] for row in common} == {60}


def test_a_change_above_moves_nothing(view: TranscriptView) -> None:
    view.set_turns(dialogue(60))
    view.verticalScrollBar().setValue(view.stage.most // 2)
    before = view.stage.visible
    view.replace_turn(assistant(2, "now much longer\n\n" * 50))
    assert [view.stage.rows[row].turn for row, _y in view.stage.visible] == [
        row for row, _y in before
    ]
    assert [y for _row, y in view.stage.visible] == [y for _row, y in before]


def test_resizing_keeps_the_message_in_view(view: TranscriptView) -> None:
    view.set_turns(dialogue(60))
    view.verticalScrollBar().setValue(view.stage.most // 2)
    first = view.stage.visible[0][0]
    view.resize(500, 600)
    assert view.stage.visible[0][0] == first


def test_a_narrow_view_keeps_a_margin(view: TranscriptView) -> None:
    view.set_turns(dialogue(4))
    view.resize(420, 600)
    assert view.stage.column < 420 - 2 * LIGHT.sizes.space_2
    view.resize(1600, 600)
    assert view.stage.column == LIGHT.sizes.column


def test_a_short_chat_stands_at_the_top(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    assert view.stage.visible[0] == (0, view.stage.head)
    assert view.verticalScrollBar().maximum() == 0


def test_replacing_and_removing_turns(view: TranscriptView) -> None:
    view.set_turns(dialogue(6))
    view.replace_turn(replace(view.turns[3], text="changed"))
    assert "changed" in shown(view.stage)
    view.remove_after(4)
    assert [turn.id for turn in view.turns] == [1, 2, 3, 4]
    assert shown(view.stage).endswith("changed")
    view.append_turn(user(9, "and on"))
    assert shown(view.stage).endswith("and on")
    view.remove_after(None)
    assert view.turns == []
    assert shown(view.stage) == ""


def test_removing_the_turn_that_is_written(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    view.append_turn(replace(assistant(3, ""), state="streaming"))
    view.begin_stream(3)
    view.feed(3, "some text")
    view.remove_after(2)
    view.feed(3, "late text")
    assert "text" not in shown(view.stage)


def test_an_empty_chat(view: TranscriptView) -> None:
    view.set_turns([])
    view.select_all()
    view.copy()
    assert view.selected_text() == ""
    view.viewport().repaint()


def test_the_theme_changes_all_colours(view: TranscriptView) -> None:
    view.set_turns(dialogue(6))
    assert view.grab().toImage().pixelColor(2, 2) == QColor(LIGHT.background)
    view.set_theme(DARK)
    assert view.grab().toImage().pixelColor(2, 2) == QColor(DARK.background)
    block = view.stage.layout(1).blocks[0]
    assert block.kit.formats.theme is DARK


def test_a_notice_stands_below_the_last_message(view: TranscriptView) -> None:
    view.set_turns(dialogue(2))
    before = view.stage.total
    view.set_notice("The model was unloaded.")
    assert view.stage.total > before
    view.set_notice("")
    assert view.stage.total == before


def test_a_mark_takes_room_above_its_turn(view: TranscriptView) -> None:
    view.set_turns([user(1, "a")])
    before = view.stage.layout(0).height
    view.replace_turn(replace(user(1, "a"), mark="Older messages were left out"))
    assert view.stage.layout(0).height == before + LIGHT.sizes.target
