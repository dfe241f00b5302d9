"""The lines at a model card's top: what people write there, and what some would like to do."""

from __future__ import annotations

import time

import pytest

from desktop.hub.front_matter import MAX_CHARACTERS, read_front_matter, split_front_matter, texts


def test_the_matter_and_the_text_are_told_apart() -> None:
    assert split_front_matter("---\na: b\n---\n\n# Title\n") == ("a: b\n", "# Title\n")
    assert split_front_matter("\ufeff---\r\na: b\r\n---\r\nText") == ("a: b\r\n", "Text")
    assert split_front_matter("# Title\n---\na: b\n---\n")[0] == ""
    assert split_front_matter("---\na: b\nnever ends") == ("", "---\na: b\nnever ends")
    assert split_front_matter("") == ("", "")


def test_as_cards_are_written() -> None:
    found = read_front_matter(
        "license: apache-2.0\n"
        "license_name: 'my: own'  # a remark\n"
        "language:\n- en\n- 'de'\n  # indented remark\n- fr # the last\n"
        'tags: [gguf, "a b", chat]\n'
        "base_model:\n  - org/model\n"
        "model-index:\n- name: x\n  results:\n  - task: y\n"
        "extra_gated_prompt: >-\n  First line\n  goes on.\n\n  Second part.\n"
        "extra_gated_heading: |\n  One\n  Two\n"
        "empty:\nlink: https://a.example/b#part\n"
        "license: twice\n"
    )
    assert found["license"] == "apache-2.0"
    assert found["license_name"] == "my: own"
    assert found["language"] == ("en", "de", "fr")
    assert found["tags"] == ("gguf", "a b", "chat")
    assert found["base_model"] == ("org/model",)
    assert found["model-index"] == ""
    assert found["extra_gated_prompt"] == "First line goes on.\n\nSecond part."
    assert found["extra_gated_heading"] == "One\nTwo"
    assert found["empty"] == ""
    assert found["link"] == "https://a.example/b#part"
    assert texts(found["license"]) == ("apache-2.0",)
    assert texts(found["empty"]) == texts(None) == ()


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "a: !!python/object/apply:os.system ['true']",
        "a: {b: c}",
        "? complex\n: value",
        ": none",
        "- only\n- items",
        "a: [never, ends",
        "a: 'never ends",
        "\x00\x01: x",
        "a:\n" + "  " * 5000 + "- deep",
    ],
)
def test_what_is_no_plain_value_is_read_as_nothing_or_text(text: str) -> None:
    for value in read_front_matter(text).values():
        assert all(isinstance(item, str) for item in texts(value))


@pytest.mark.parametrize(
    "line", ["a: [x,\n", "a:\n- x\n", "a: '\n", "- - - \n", "a: >\n  b\n", "\t\n"]
)
def test_a_flood_takes_no_time(line: str) -> None:
    text = line * (2 * MAX_CHARACTERS // len(line))
    started = time.process_time()
    read_front_matter(text)
    split_front_matter("---\n" + text)
    assert time.process_time() - started < 2.0
