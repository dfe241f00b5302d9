"""A long message in sections: nothing lost, nothing long, fences and tables carried over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.transcript.sections import NOTHING, plain_sections, sections, weight

line = st.sampled_from(
    ["", "text here", "- item", "```python", "```", "| a | b |", "|---|---|", "# Head", "x" * 90]
)
texts = st.lists(line, max_size=80).map("\n".join)


@given(texts)
def test_joined_they_are_the_message(text: str) -> None:
    assert "".join(part.text for part in sections(text, 200, 400)) == text
    assert "".join(part.text for part in plain_sections(text, 200)) == text


@given(texts)
def test_none_is_much_longer_than_the_limit(text: str) -> None:
    for part in sections(text, 200, 400):
        assert weight(part.text) <= 400 + 40


def test_a_short_message_is_one_section() -> None:
    assert [part.text for part in sections("# Hello\n\nthere")] == ["# Hello\n\nthere"]


def test_a_cut_at_a_new_block_carries_nothing() -> None:
    parts = sections("word " * 30 + "\n\n" + "next " * 60, 100, 300)
    assert parts[1].text.startswith("next")
    assert parts[1].carry == NOTHING


def test_a_cut_within_a_fence_carries_its_first_line() -> None:
    parts = sections("```python\n" + "x = 1\n" * 100 + "```\nafter", 200, 400)
    assert len(parts) > 2
    assert {part.carry.opening for part in parts[1:-1]} == {"```python\n"}
    assert {part.carry.kind for part in parts[1:-1]} == {"fence"}


def test_a_cut_within_a_table_carries_its_head() -> None:
    parts = sections("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 100, 200, 400)
    assert {part.carry.opening for part in parts[1:]} == {"| a | b |\n|---|---|\n"}


def test_a_line_without_end_is_cut_at_a_space() -> None:
    parts = sections("word " * 1000, 200, 400)
    assert all(part.text.endswith(" ") for part in parts)
