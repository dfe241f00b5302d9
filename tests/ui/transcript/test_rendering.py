"""Each kind of Markdown as it stands in the documents of its blocks."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QTextCharFormat, QTextCursor

from desktop.ui.tokens import LIGHT
from desktop.ui.transcript.blocks import Block, CodeBlock, RuleBlock, TableBlock, TextBlock
from desktop.ui.transcript.extract import block_text, visible_text
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.turns import ViewTurn
from tests.ui.transcript.conftest import assistant, user


def blocks_of(stage: Stage, text: str) -> list[Block]:
    stage.set_turns([assistant(1, text)])
    return stage.layout(0).blocks


def format_of(block: Block, word: str) -> QTextCharFormat:
    """The format of the first letter of a word."""
    cursor: QTextCursor = block.document.find(word)
    assert not cursor.isNull(), word
    cursor.setPosition(cursor.selectionStart() + 1)
    return cursor.charFormat()


def test_emphasis(stage: Stage) -> None:
    (block,) = blocks_of(stage, "plain **strong** *slanted* ~~gone~~ `mono`")
    assert block_text(block) == "plain strong slanted gone mono"
    assert format_of(block, "plain").fontWeight() == QFont.Weight.Normal
    assert format_of(block, "strong").fontWeight() == QFont.Weight.DemiBold
    assert format_of(block, "slanted").fontItalic()
    assert format_of(block, "gone").fontStrikeOut()
    assert format_of(block, "mono").background().color() == LIGHT.color("code")


@pytest.mark.parametrize("level", range(1, 7))
def test_headings(stage: Stage, level: int) -> None:
    (block,) = blocks_of(stage, "#" * level + " Title")
    assert format_of(block, "Title").fontWeight() == QFont.Weight.DemiBold
    assert block_text(block) == "Title"


def test_headings_shrink_with_their_level(stage: Stage) -> None:
    blocks = blocks_of(stage, "# Alpha\n\n## Beta\n\n### Gamma\n\n#### Delta")
    sizes = [
        format_of(block, word).fontPointSize()
        for block, word in zip(blocks, ("Alpha", "Beta", "Gamma", "Delta"), strict=True)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4


def test_nested_lists_have_markers_and_indents(stage: Stage) -> None:
    (block,) = blocks_of(stage, "- a\n  - b\n    1. c\n- d")
    assert block_text(block) == "• a\n  ◦ b\n    1. c\n• d"
    assert isinstance(block, TextBlock)
    assert len(block.markers) == 4
    edges = [marker.x for marker in block.markers]
    assert edges[0] < edges[1] < edges[2]
    assert edges[0] == edges[3]


def test_numbers_go_on_over_the_parts_of_a_long_list(stage: Stage) -> None:
    blocks = blocks_of(stage, "".join(f"{number}. item\n" for number in range(1, 21)))
    assert len(blocks) > 1
    assert visible_text(blocks) == "\n".join(f"{number}. item" for number in range(1, 21))


def test_task_lists(stage: Stage) -> None:
    (block,) = blocks_of(stage, "- [x] done\n- [ ] open")
    assert block_text(block) == "☑ done\n☐ open"


def test_quotes_are_told_by_their_depth(stage: Stage) -> None:
    blocks = blocks_of(stage, "> outer\n>\n> > inner\n\noutside")
    assert [(block_text(block), block.quote) for block in blocks] == [
        ("outer", 1),
        ("inner", 2),
        ("outside", 0),
    ]
    assert blocks[0].x < blocks[1].x


def test_a_rule(stage: Stage) -> None:
    assert [type(block) for block in blocks_of(stage, "a\n\n---\n\nb")] == [
        TextBlock,
        RuleBlock,
        TextBlock,
    ]


def test_tables(stage: Stage) -> None:
    (block,) = blocks_of(stage, "| Name | Price |\n|:--|--:|\n| Apple | **1,50** |\n| Pear |")
    assert isinstance(block, TableBlock)
    assert block_text(block) == "Name\tPrice\nApple\t1,50\nPear\t"
    assert format_of(block, "1,50").fontWeight() == QFont.Weight.DemiBold
    alignment = block.document.find("Price").blockFormat().alignment()
    assert alignment == alignment.AlignRight


def test_the_parts_of_a_long_table_share_their_columns(stage: Stage) -> None:
    rows = "".join(f"| {number} | word |\n" for number in range(30))
    blocks = blocks_of(stage, "| n | w |\n|---|---|\n" + rows)
    assert len(blocks) == 3
    assert visible_text(blocks).count("n\tw") == 1
    lefts = {
        block.document.documentLayout()
        .blockBoundingRect(block.document.find("word").block())
        .left()
        for block in blocks
    }
    assert len(lefts) == 1


def test_a_table_with_many_columns_scrolls_to_the_side(stage: Stage) -> None:
    (block,) = blocks_of(stage, "|" + "column|" * 30 + "\n|" + "-|" * 30 + "\n|" + "cell|" * 30)
    assert isinstance(block, TableBlock)
    assert block.most_scroll_x > 0
    assert block.width <= stage.column


def test_more_columns_than_make_sense_are_shown_as_source(stage: Stage) -> None:
    source = "|" + "a|" * 200 + "\n|" + "-|" * 200 + "\n|" + "1|" * 200
    (block,) = blocks_of(stage, source)
    assert isinstance(block, TextBlock)
    assert block_text(block) == source


def test_code(stage: Stage) -> None:
    blocks = blocks_of(stage, "before\n\n```py\ndef f():\n    return 1\n```")
    code = blocks[1]
    assert isinstance(code, CodeBlock)
    assert code.document.toPlainText() == "def f():\n    return 1"
    assert code.head_height > 0


def test_code_in_a_list_is_a_block_of_its_own(stage: Stage) -> None:
    blocks = blocks_of(stage, "1. First:\n   ```sh\n   ls\n   ```\n2. Second")
    assert [type(block) for block in blocks] == [TextBlock, CodeBlock, TextBlock]
    assert blocks[1].x == stage.kit.formats.list_indent
    assert visible_text(blocks) == "1. First:\n\nls\n\n2. Second"


def test_links_and_plain_addresses(stage: Stage) -> None:
    (block,) = blocks_of(stage, "[here](https://a.example/x) or https://b.example/y?z=1.")
    assert format_of(block, "here").anchorHref() == "https://a.example/x"
    assert format_of(block, "https").anchorHref() == "https://b.example/y?z=1"
    assert block_text(block).endswith("z=1.")


def test_dangerous_links_stay_text(stage: Stage) -> None:
    (block,) = blocks_of(stage, "[click](javascript:alert(1)) [file](file:///etc/passwd)")
    assert "javascript:alert(1)" in block_text(block)
    assert not format_of(block, "click").isAnchor()


def test_images_are_never_loaded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = blocks_of(stage, "![a cat](https://example.org/cat.png) <img src='x'>")
    assert visible_text(blocks) == "a cat <img src='x'>"
    assert format_of(blocks[0], "cat").anchorHref() == "https://example.org/cat.png"
    assert not format_of(blocks[0], "cat").isImageFormat()


def test_raw_html_is_shown(stage: Stage) -> None:
    (block,) = blocks_of(stage, "<b>bold?</b> &amp; &copy;")
    assert block_text(block) == "<b>bold?</b> & ©"


def test_line_breaks_of_a_model_are_kept(stage: Stage) -> None:
    (block,) = blocks_of(stage, "Dear Ann,\nthank you  \nfor all")
    assert block_text(block) == "Dear Ann,\nthank you\nfor all"


def test_what_the_user_typed_is_not_read_as_markdown(stage: Stage) -> None:
    stage.set_turns([user(1, "# not a *heading*\n\n- dash\n    indented")])
    assert visible_text(stage.layout(0).blocks) == "# not a *heading*\n\n- dash\n    indented"


def test_a_bubble_is_as_wide_as_its_text_and_stands_right(stage: Stage) -> None:
    stage.set_turns([user(1, "short"), user(2, "long " * 200)])
    short, long = stage.layout(0).bubble, stage.layout(1).bubble
    assert short.width() < stage.column / 4
    assert 0.85 * stage.column < long.width() <= stage.column
    assert short.right() == long.right()


def test_a_failed_turn_offers_to_try_again(stage: Stage) -> None:
    failed = ViewTurn(
        1, "assistant", "", state="failed", error="It did not fit.", can_regenerate=True
    )
    stage.set_turns([failed])
    layout = stage.layout(0)
    assert [target.action for target in layout.targets] == ["retry"]
    assert not layout.error.isNull()
