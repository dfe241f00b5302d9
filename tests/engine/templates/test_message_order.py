"""Messages in the order that templates take."""

from __future__ import annotations

from desktop.engine.chat import Media, Message, ToolCall
from desktop.engine.templates.message_order import (
    fold_system,
    lead_with_system,
    merge_roles,
    one_call_each,
    user_first,
)

USER, ANSWER = Message("user", "Frage"), Message("assistant", "Antwort")
FIRST, SECOND = ToolCall("a", "uhr", "{}"), ToolCall("b", "wetter", "{}")
BOTH = Message("assistant", "Moment", reasoning="Hm", tool_calls=(FIRST, SECOND))


def test_neighbours_of_one_role_are_joined() -> None:
    merged = merge_roles([USER, Message("user", "noch"), ANSWER])
    assert merged == [Message("user", "Frage\n\nnoch"), ANSWER]


def test_media_stay_before_their_words() -> None:
    image = Media("image", b"x", at=2)
    merged = merge_roles([USER, Message("user", "da!", media=(image,))])[0]
    assert merged.content == "Frage\n\nda!"
    assert merged.content[merged.media[0].at :] == "!"


def test_calls_and_results_are_never_joined() -> None:
    results = [Message("tool", "1", tool_call_id="a"), Message("tool", "2", tool_call_id="b")]
    assert merge_roles([USER, BOTH, ANSWER, *results]) == [USER, BOTH, ANSWER, *results]


def test_system_messages_lead_as_one_and_late_ones_stay_or_fold() -> None:
    messages = [Message("system", "A"), Message("developer", "B"), USER, ANSWER,
                Message("system", "C"), USER]  # fmt: skip
    kept = lead_with_system(messages, fold_late=False)
    assert [one.role for one in kept] == ["system", "user", "assistant", "system", "user"]
    assert kept[0].content == "A\n\nB"
    folded = lead_with_system(messages, fold_late=True)
    assert [one.content for one in folded] == ["A\n\nB", "Frage", "Antwort", "C\n\nFrage"]


def test_a_system_message_at_the_end_is_a_question() -> None:
    assert fold_system([ANSWER, Message("system", "C")]) == [ANSWER, Message("user", "C")]


def test_an_answer_at_the_front_gets_a_question() -> None:
    system = Message("system", "A")
    assert user_first([system, ANSWER]) == [system, Message("user", ""), ANSWER]
    assert user_first([system]) == [system, Message("user", "")]
    assert user_first([system, USER]) == [system, USER]


def test_parallel_calls_one_after_the_other() -> None:
    late, early = Message("tool", "2", tool_call_id="b"), Message("tool", "1", tool_call_id="a")
    apart = one_call_each([USER, BOTH, late, early, ANSWER])
    assert [one.tool_calls for one in apart] == [(), (FIRST,), (), (SECOND,), (), ()]
    assert [one.content for one in apart] == ["Frage", "Moment", "1", "", "2", "Antwort"]
    assert apart[3].reasoning == ""


def test_results_without_names_belong_to_the_calls_in_order() -> None:
    apart = one_call_each([BOTH, Message("tool", "1"), Message("tool", "2"), Message("tool", "3")])
    assert [one.content for one in apart] == ["Moment", "1", "", "2", "3"]
