"""Input that nobody meant to send: shown somehow, within bounds, and never a crash."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.ui.tokens import LIGHT
from desktop.ui.transcript.blocks import Kit
from desktop.ui.transcript.clean import clean
from desktop.ui.transcript.formats import Formats
from desktop.ui.transcript.languages import LexerShelf
from desktop.ui.transcript.sections import HARD_LIMIT, SOFT_LIMIT, weight
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import assistant, shown, user

HUGE = {
    "prose": "Some words that go on. " * 45_000,
    "mixed": "# h\n\ntext **b**\n\n- a\n- b\n\n```python\nx = 1\n```\n\n|a|b|\n|-|-|\n|1|2|\n\n"
    * 14_000,
    "one fence": "```python\n" + "x = f(1, 'a')\n" * 70_000,
    "one word": "x" * 1_000_000,
    "one paragraph": "word " * 20_000,
    "lines": "a\n" * 200_000,
    "list": "- a\n" * 200_000,
    "table": "|a|b|\n|-|-|\n" + "|1|2|\n" * 100_000,
    "emoji": "👩‍👩‍👧😀" * 20_000,
    "han": "漢字" * 50_000,
}
STRANGE = {
    "quotes": ">" * 20_000 + " a",
    "nested lists": "".join("  " * depth + "- a\n" for depth in range(200)),
    "brackets": "[" * 4_000,
    "stars": "*a " * 4_000,
    "ticks": "`" * 9_000,
    "wide table": "|" + "a|" * 3_000 + "\n|" + "-|" * 3_000,
    "marks above": ("a" + "\u0301" * 50) * 300,
    "spaces": " " * 50_000,
    "tabs": "\t" * 20_000 + "a",
    "open emphasis": "**" * 3_000 + "a",
    "fences": "```\n" * 3_000,
    "crlf": "a\r\n\r\nb\rc\r\n",
    "html": "<div onload=x><script>" * 1_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_message_is_laid_out_only_where_it_is_seen(view: TranscriptView, name: str) -> None:
    text = HUGE[name]
    for turn in (assistant(1, text), user(1, text)):
        view.set_turns([turn])
        rows = view.stage.rows
        assert len(rows) > 3
        assert "".join(row.text for row in rows) == text
        assert max(weight(row.text) for row in rows) <= max(HARD_LIMIT, 2 * SOFT_LIMIT) + 40
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
        view.viewport().repaint()
        assert len(view.stage._layouts) < 20
        assert all(len(view.stage.layout(row).blocks) < 150 for row, _y in view.stage.visible)


@pytest.mark.parametrize("name", STRANGE)
def test_strange_text_is_shown_and_streamed(view: TranscriptView, name: str) -> None:
    text = STRANGE[name]
    view.set_turns([user(1, text), assistant(2, text)])
    view.append_turn(ViewTurn(3, "assistant", "", state="streaming"))
    view.begin_stream(3)
    for start in range(0, len(text), 2_000):
        view.feed(3, text[start : start + 2_000])
    view.end_stream(3, assistant(3, text))
    view.verticalScrollBar().setValue(0)
    view.viewport().repaint()
    view.select_all()
    assert view.selected_text()


def test_what_is_nested_too_deep_is_shown_as_its_source(stage: Stage) -> None:
    stage.set_turns([assistant(1, ">" * 100 + " deep inside")])
    assert "deep inside" in shown(stage)


@pytest.mark.parametrize(
    "character", ["\0", "\x1b", "\ufdd0", "\ufdd1", "\ufffc", "\ud800", "\u2028", "\u2029", "\x85"]
)
def test_characters_that_would_do_harm(view: TranscriptView, character: str) -> None:
    text = f"a{character}b `c{character}d`\n\n```\ne{character}f\n```"
    view.set_turns([user(1, text), assistant(2, text)])
    view.viewport().repaint()
    assert character not in shown(view.stage)
    assert clean(text).count("\n") + clean(text).count("\ufffd") >= 3
    view.copy_turn(2)


def test_clean_leaves_good_text_alone() -> None:
    text = "Tab\there, 😀 漢字 عربي\nand é"
    assert clean(text) is text
    assert clean("a\r\nb\rc") == "a\nb\nc"


def test_right_to_left_text_stands_right(stage: Stage) -> None:
    stage.set_turns([assistant(1, "مرحبا\n\n- عربي\n\nleft")])
    blocks = stage.layout(0).blocks
    assert blocks[0].document.begin().textDirection().name == "RightToLeft"
    assert blocks[2].document.begin().textDirection().name == "LeftToRight"


anything = st.text(
    st.characters(codec="utf-8", categories=["Lu", "Ll", "Nd", "Po", "Sm", "Cc", "Zs", "Co"]),
    max_size=200,
)
marks = st.sampled_from(["\n", "```", "> ", "- ", "1. ", "| ", "**", "`", "[", "](", "#", "  "])


@pytest.mark.usefixtures("qapp")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(anything, marks), max_size=30).map("".join))
def test_any_text_is_shown(text: str) -> None:
    stage = Stage(Kit(Formats(LIGHT), LexerShelf()))
    stage.set_turns([assistant(1, text), user(2, text)])
    stage.place()
    assert stage.total > 0
    shown(stage)
