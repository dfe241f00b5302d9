"""Code is coloured line by line, with nothing lost and what is open remembered."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.token import Token
from pytestqt.qtbot import QtBot

from desktop.ui.transcript.blocks import CodeBlock
from desktop.ui.transcript.languages import LexerShelf, display_name, languages, make_lexer
from desktop.ui.transcript.lexing import LineLexer
from desktop.ui.transcript.stage import Stage
from tests.ui.transcript.conftest import assistant

SAMPLE = """def f(a: int) -> str:  # note
    '''two
    lines'''
class A { int x = 5; /* open
 closed */ }
{"key": [1, true]}
<p class="x">{{ y }}</p>
SELECT name FROM t WHERE n = 'x';
- item: value
"""


@pytest.mark.parametrize("name", languages())
def test_no_language_loses_a_letter(name: str) -> None:
    lexer = LineLexer(make_lexer(name))
    for line in SAMPLE.split("\n"):
        assert "".join(text for _kind, text in lexer.line(line)) == line


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_is_lost(text: str) -> None:
    lexer = LineLexer(make_lexer("Python"))
    for line in text.splitlines():
        assert "".join(part for _kind, part in lexer.line(line)) == line


def test_a_docstring_goes_on_over_lines() -> None:
    lexer = LineLexer(make_lexer("Python"))
    lexer.line('"""first')
    assert {kind[:2] for kind, _text in lexer.line("def inside")} == {("Literal", "String")}
    lexer.line('"""')
    assert lexer.line("def outside")[0][0][:1] == ("Keyword",)


def test_a_very_long_line_is_not_lexed() -> None:
    assert LineLexer(make_lexer("Python")).line("x" * 10_000) == [(Token.Text, "x" * 10_000)]


def test_names() -> None:
    assert display_name("py") == "Python"
    assert display_name("") == ""
    assert display_name("brainfog") == "Brainfog"


def test_unknown_languages_have_no_lexer() -> None:
    shelf = LexerShelf()
    assert shelf.get("brainfog") is None
    assert not shelf.waits_for("brainfog")


def test_code_is_coloured_as_soon_as_its_lexer_is_ready(qtbot: QtBot, stage: Stage) -> None:
    stage.set_turns([assistant(1, "```python\ndef f():\n    return 1\n```")])
    block = stage.layout(0).blocks[0]
    assert isinstance(block, CodeBlock)
    qtbot.waitUntil(lambda: not stage.kit.shelf.busy)
    stage.recolour()
    cursor = block.document.find("def")
    cursor.setPosition(cursor.selectionStart() + 1)
    keyword = stage.kit.formats.token(Token.Keyword)
    assert cursor.charFormat().foreground() == keyword.foreground()
    assert block.document.toPlainText() == "def f():\n    return 1"
