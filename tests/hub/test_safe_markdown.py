"""A stranger's Markdown: nothing is loaded, nothing runs, no link hides where it leads."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from desktop.hub.safe_markdown import MAX_CHARACTERS, safe_markdown, true_host

READER = MarkdownIt("commonmark").enable("table")


def tokens(text: str) -> list[Token]:
    """All tokens that a reader of Markdown sees, with HTML allowed: the most careless one."""
    found = []
    for token in READER.parse(text):
        found += [token, *(token.children or [])]
    return found


def links(text: str) -> list[str]:
    return [str(t.attrs["href"]) for t in tokens(text) if t.type == "link_open"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("A [page](https://a.example/x).", "A [page](https://a.example/x) (a.example)."),
        ("[a.example](https://www.a.example/x)", "[a.example](https://www.a.example/x)"),
        ("[b.example](https://e.example)", "[b.example](https://e.example) (e.example)"),
        ("[x](https://b.example@e.example/)", "[x](https://b.example@e.example/) (e.example)"),
        ("[run](javascript:alert(1))", "run"),
        ("[open](file:///etc/passwd) [mail](mailto:a@b.example)", "open mail"),
        ("[the licence](./LICENSE) and [below](#use)", "the licence and below"),
        ("[x][one]\n\n[one]: https://a.example 'title'", "[x](https://a.example) (a.example)"),
        ("[one][]\n\n[ONE]: https://a.example", "[one](https://a.example) (a.example)"),
        ("![a picture](https://t.example/pixel.png)", "*(a picture)*"),
        ("![](https://t.example/pixel.png)text", "text"),
        ('<img src="https://t.example/p.png" alt="logo">', "*(logo)*"),
        ("<a href='https://a.example'>A <b>b</b></a>", "[A b](https://a.example) (a.example)"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("a<br>b<script>alert('x')</script>c<!-- hidden -->d", "a\nbcd"),
        ("<details><summary>More</summary>text</details>", "More\ntext"),
        ("&lt;script&gt;x", "\\<script>x"),
        ("it <think>s</think> a <b>lot</b> <|im_end|>",
         "it \\<think>s\\</think> a lot \\<|im_end|>"),
        ("1 < 2 and a<b", "1 \\< 2 and a\\<b"),
        ("`<b>[x](y)</b>`", "`<b>[x](y)</b>`"),
        ("```html\n<b>[x](y)</b>\n```\n", "```html\n<b>[x](y)</b>\n```"),
    ],
)  # fmt: skip
def test_as_it_is_shown(given: str, expected: str) -> None:
    assert safe_markdown(given) == expected


@pytest.mark.parametrize(
    "text",
    [
        "![a](<https://t.example/a b.png>)",
        "![a](\nhttps://t.example/x.png\n)",
        "![a][r]\n\n[r]:\nhttps://t.example/x.png",
        "![r]\n\n[r]: https://t.example/x.png",
        "![a\\]](https://t.example/x.png)",
        "[![a](https://t.example/x.png)](https://t.example)",
        "&#33;&#91;a](https://t.example/x.png)",
        "!<b></b>[a](https://t.example/x.png)",
        "<im<b>g src='https://t.example/x.png'>",
        "<img\nsrc='https://t.example/x.png'\n>",
        "<picture><source srcset='https://t.example/x.png'></picture>",
        "<style>@import url(https://t.example/x.css)</style>",
        "<iframe src='https://t.example'></iframe>",
        "```\nnever closed\n![a](https://t.example/x.png)",
        "~~~\n```\n![a](https://t.example/x.png)\n~~~\n![a](https://t.example/x.png)",
        "<scr<script>ipt>alert(1)</script>",
        "&lt;img src=https://t.example/x.png&gt;",
        "`\n`</script>`",  # which of the marks belong together is not clear from afar
        "- a\n\n  ```\n  x\n```\ny\n```\n<img src=x> ![a](https://t.example)\n```\n",
    ],
)
def test_no_image_and_no_html_is_left(text: str) -> None:
    kinds = {token.type for token in tokens(safe_markdown(text))}
    assert not kinds & {"image", "html_block", "html_inline"}


@pytest.mark.parametrize(
    "text",
    [
        "[b.example]( <https://e.example/a b> 'title' )",
        "[b.example](https://e.example/((((a))))b)",
        "[b.example\\]](https://e.example)",
        "[b.example](https://e.example 'a\ntitle')",
        "[b.example][r\\]]\n\n[r\\]]: https://e.example",
        "[b.example]\n\n[b.example]:\n   https://e.example",
        "> [b.example]\n>\n> [b.example]: https://e.example",
        "[bank`.`example](https://e.example)",
        "\ue000https://e.example)",
        "- a\n\n  ```\n  x\n```\ny\n```\n[b.example](https://e.example)\n```\n",
    ],
)
def test_a_link_tells_its_host_or_is_none(text: str) -> None:
    shown = safe_markdown(text)
    for link in links(shown):
        assert f"({true_host(link)})" in shown


def test_letters_that_look_like_others_are_spelled_out() -> None:
    shown = safe_markdown("[example](https://ex\u0430mple.example/x)")
    assert shown.endswith("(xn--exmple-4nf.example)")
    assert links(shown)


def test_what_most_cards_hold_stays_as_it_is() -> None:
    """The second reading takes nothing apart that needs it not."""
    card = """# Title

A **[bold](https://a.example/x)** word, `code[0](x)`, a<b and [https://b.example](https://b.example).

| a | [c](https://c.example) |
|---|---|
| x | y |

```python
x = f[0](1) if y < z else "<think>"
```

- [one](https://d.example/(x)) [two](https://d.example)
"""
    shown = safe_markdown(card)
    assert "\u200b" not in shown
    assert len(links(shown)) == 5
    assert 'x = f[0](1) if y < z else "<think>"' in shown


def test_true_hosts() -> None:
    assert true_host("https://WWW.A.example:8080/x") == "a.example"
    for none in (
        "",
        "x",
        "//a.example",
        "http://localhost/",
        "javascript:x",
        "http://[::1",
        "ftp://a.example",
    ):
        assert true_host(none) == ""


def test_a_flood_is_cut_and_takes_no_time() -> None:
    pieces = ["[a](", "`", "<img ", "[[a]", "<a ", "](x", "\n \n", "[a]", "![a][", "[a](b (c",
              "<!--", "<a>", "<script>", "[a]:", "&lt;", "```\n", "x", "(", "<",
              "[a]: b\n", "!["]  # fmt: skip
    for piece in pieces:
        started = time.process_time()
        assert len(safe_markdown(piece * (300_000 // len(piece)))) <= MAX_CHARACTERS + 2
        assert time.process_time() - started < 3.0, piece


PARTS = st.sampled_from(
    ["[", "]", "(", ")", "!", "<", ">", "`", "```", "\n", "\n\n", "\\", ":", " ", "a", "&lt;",
     "&#91;", "https://e.example/x", "[r]", "[r]: ", "<img src=", "<a href='", "</a>", "'", '"',
     "<script>", "</script>", "![a](https://t.example)", "~~~", "    ", "> ", "- ", "<!--", "-->",
     "|", "\ue000"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PARTS, max_size=30))
def test_whatever_is_written(parts: list[str]) -> None:
    shown = safe_markdown("".join(parts))
    for token in tokens(shown):
        assert token.type not in ("image", "html_block", "html_inline")
    for link in links(shown):
        assert (
            re.search(re.escape(f"({true_host(link)})"), shown) or f"[{true_host(link)}]" in shown
        )
