"""Streaming ends in the same pieces as parsing at once, however the text arrives."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktop.ui.transcript.cutter import Limits
from desktop.ui.transcript.pieces import Piece, Splitter, with_emphasis_closed

SMALL = Limits(
    window=400, text=120, text_lines=9, list=160, list_items=3, chunk=60, table_rows=3,
    code=150, code_lines=6, settled_line=20,
)  # fmt: skip

lines = st.sampled_from(
    [
        *("", "", "plain words", "**bold** and `code`", "# Heading", "===", "---", "#", "***"),
        *("- item", "- [ ] open", "  - nested", "1. first", "7. seventh", "   continued", "-"),
        *("* star", "+ plus", "1) paren", "\t- tab", "> quote", "> > deeper", "lazy"),
        *("```", "```python", "``", "x = 1", "~~~", "    indented"),
        *("| a | b |", "|---|:-:|", "| 1 | 2 |", "a | b", "-|-"),
        *("[x]: http://y.z", "<b>raw</b>", "long " * 30, "x" * 200, "\\", "![i](u)", "[l](u)"),
    ]
)
texts = st.lists(lines, max_size=25).map("\n".join)
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=12)


def essence(pieces: list[Piece]) -> list[object]:
    return [
        (
            piece.kind,
            piece.code,
            piece.info,
            piece.carry,
            [(token.type, token.content, token.info) for token in piece.tokens],
        )
        for piece in pieces
    ]


def at_once(text: str, limits: Limits) -> list[object]:
    splitter = Splitter(limits=limits)
    return essence(splitter.feed(text) + splitter.close())


def streamed(text: str, sizes: list[int], limits: Limits) -> list[object]:
    splitter = Splitter(limits=limits)
    pieces: list[Piece] = []
    position = number = 0
    while position < len(text):
        size = sizes[number % len(sizes)]
        pieces += splitter.feed(text[position : position + size])
        splitter.live()
        position, number = position + size, number + 1
    return essence(pieces + splitter.close())


@settings(max_examples=400, deadline=None)
@given(texts, cuts)
@example("foo\na|b\n-|-x", [1])
@example("foo\n#bar", [5, 1])
@example("- a\n-\n- b\n- c\n- d\n-e", [1])
@example("```\ncode\n``\n```", [1])
@example("x" * 119 + "\n- item", [1])
@example("**bold** and `code`\n   continued\nx = 1\n" + "x" * 80 + "\n- item", [1])
@example("x = 1\n" + "x" * 400 + "\n\n", [1])
@example("x" * 119 + "\na | b\n-|-", [1])
def test_the_way_text_arrives_does_not_matter(text: str, sizes: list[int]) -> None:
    assert streamed(text, sizes, SMALL) == at_once(text, SMALL)
    assert streamed(text, sizes, Limits()) == at_once(text, Limits())


@settings(deadline=None)
@given(texts)
def test_pieces_are_bounded(text: str) -> None:
    splitter = Splitter(limits=SMALL)
    for piece in splitter.feed(text) + splitter.close():
        assert len(piece.code) <= SMALL.code
        assert piece.code.count("\n") < SMALL.code_lines
        assert len(piece.source) <= SMALL.list + 60


def test_a_list_is_cut_after_some_items_and_goes_on_counting() -> None:
    splitter = Splitter(limits=SMALL)
    pieces = splitter.feed("".join(f"{number}. item\n" for number in range(3, 12)))
    pieces += splitter.close()
    assert [piece.carry.number for piece in pieces] == [0, 6, 9]


def test_a_table_is_cut_after_some_rows_and_keeps_its_columns() -> None:
    splitter = Splitter(limits=SMALL)
    text = "| a | b |\n|---|---|\n" + "| x | wide cell |\n" * 7
    pieces = splitter.feed(text) + splitter.close()
    assert len(pieces) == 3
    assert {piece.carry.weights for piece in pieces[1:]} == {(6, 9)}
    assert all(piece.tokens[0].type == "table_open" for piece in pieces)


def test_the_closing_line_of_a_fence_does_not_flicker_as_code() -> None:
    splitter = Splitter()
    splitter.feed("```\ncode\n``")
    assert [piece.code for piece in splitter.live()] == ["code"]
    splitter.feed("x")
    assert [piece.code for piece in splitter.live()] == ["code\n``x"]


def test_html_stays_text() -> None:
    splitter = Splitter()
    pieces = splitter.feed("<script>alert(1)</script>\n\n<img src=x>") + splitter.close()
    kinds = {token.type for piece in pieces for token in piece.tokens}
    inline = {
        child.type for piece in pieces for token in piece.tokens for child in token.children or []
    }
    assert "html_block" not in kinds
    assert inline == {"text"}


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("plain", "plain"),
        ("some **bold wor", "some **bold wor**"),
        ("some **", "some "),
        ("done **bold** and", "done **bold** and"),
        ("call `f(x", "call `f(x`"),
        ("call `", "call "),
        ("first `one\n\nsecond", "first `one\n\nsecond"),
    ],
)
def test_emphasis_that_has_begun_is_shown_as_such(source: str, shown: str) -> None:
    assert with_emphasis_closed(source) == shown


def test_bold_words_are_bold_before_their_end_has_come() -> None:
    splitter = Splitter()
    splitter.feed("1. **First ste")
    inline = [
        child.type
        for piece in splitter.live()
        for token in piece.tokens
        for child in token.children or []
    ]
    assert inline == ["text", "strong_open", "text", "strong_close", "text"]
