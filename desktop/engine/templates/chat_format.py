"""How one model wants a conversation written, found out by trying its template."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from desktop.common.errors import RequestError, TemplateError
from desktop.engine.chat import Chat, Message, Rendered, ToolCall
from desktop.engine.output.learn import learn_output
from desktop.engine.output.marks import ending_words
from desktop.engine.output.output_format import OutputFormat
from desktop.engine.request import MAX_STOP_CHARACTERS
from desktop.engine.templates.chat_template import TemplateRenderer, chatml
from desktop.engine.templates.reasoning import ReasoningStyle
from desktop.engine.templates.reasoning_trial import find_reasoning, known_style
from desktop.engine.templates.template_traits import Traits, find_traits, words
from desktop.engine.templates.template_trial import (
    ANSWER,
    NEXT,
    QUESTION,
    TOOL,
    TemplateTrial,
    say,
    tool,
)
from desktop.engine.templates.template_variables import (
    MessageShaper,
    media_of,
    shaped_tools,
    with_descriptions,
)
from desktop.engine.vocabulary import Vocabulary

_CHATML_STOP = ("<|im_end|>", "<|im_start|>")
_OUR_VARIABLES = ("messages", "tools", "add_generation_prompt", "bos_token", "eos_token")
_LOOK_FOR_END_TOKENS = 24


class ChatFormat:
    """Renders with the model's own template, or with ChatML where that is of no use.

    `name` says which; `problem` says why not the model's own. What a template refuses or drops
    silently (system messages, tools, two questions in a row) is written in a way that it takes.
    `traits` is what it takes, `reasoning` how the model reasons (None: not), `output` how it
    writes calls and what stands around its answers.
    """

    def __init__(
        self, renderer: TemplateRenderer, template: str | None, vocabulary: Vocabulary
    ) -> None:
        self._renderer = renderer
        self._template = template or ""
        self._tokens = {"bos_token": vocabulary.bos_text, "eos_token": vocabulary.eos_text}
        self._strip_bos = vocabulary.bos_text if vocabulary.adds_bos else ""
        self.name: Literal["model", "chatml"] = "model"
        self.problem = ""
        self.stop: tuple[str, ...] = ()
        self.traits = Traits()
        self.reasoning: ReasoningStyle | None
        self.output: OutputFormat
        try:
            self._try_out(vocabulary)
        except TemplateError as error:
            self.name, self.stop, self.traits = "chatml", _CHATML_STOP, Traits()
            self.problem = error.kind if template else "missing"
            self.reasoning = known_style("", _is_token(vocabulary))
            self.output = learn_output(_writes_none)
            self._shaper = MessageShaper(self.traits, "", self.output.calls.write)

    @property
    def takes_tools(self) -> bool:
        """Whether the template itself tells the model of tools."""
        return bool(self.traits.tools)

    def render(self, chat: Chat) -> Rendered:
        """Raises TemplateError where the template refuses this very conversation, and
        RequestError("bad_request") for a chat that cannot be continued."""
        if chat.continue_last:
            return self._continued(chat)
        prompt = self._write(chat, add_generation_prompt=chat.add_generation_prompt)
        begun = self._begun(prompt, chat) if chat.add_generation_prompt else ""
        return self._rendered(chat, prompt, begun)

    def _rendered(self, chat: Chat, prompt: str, begun: str = "") -> Rendered:
        """`begun` is written behind the prompt: it is ours and not the template's."""
        style = self.reasoning
        whole = (prompt + begun).removeprefix(self._strip_bos)
        is_open = style is not None and style.is_open(whole)
        media = media_of(chat.messages)
        return Rendered(whole, self.stop, media=media, reasoning_open=is_open)

    def _write(self, chat: Chat, *, add_generation_prompt: bool) -> str:
        """The first form of the chat that the template takes."""
        tools = shaped_tools(self.traits, () if chat.tool_choice == "none" else chat.tools)
        messages = self._instructed(chat)
        if self.name == "chatml":
            arranged = self._shaper.arranged(messages)
            return chatml(arranged, add_generation_prompt=add_generation_prompt)
        variables = {
            **self._wishes(chat),
            **{k: v for k, v in chat.template_values.items() if k not in _OUR_VARIABLES},
            "tools": tools,
            "add_generation_prompt": add_generation_prompt,
        }
        refusal: TemplateError | None = None
        tried: list[dict[str, Any]] = []
        for attempt in self._attempts(messages, tools):
            if attempt in tried:
                continue
            tried.append(attempt)
            try:
                return self._by_template({**variables, **attempt})
            except TemplateError as error:
                if error.kind not in ("template_refuses", "bad_template"):
                    raise
                refusal = refusal or error
        raise refusal or TemplateError("bad_template")

    def _attempts(
        self, messages: Sequence[Message], tools: list[dict[str, Any]] | None
    ) -> Iterator[dict[str, Any]]:
        """The chat's own form, then what helps against some refusals."""
        shaped = self._shaper.attempts(messages)
        first = next(shaped)
        yield {"messages": first}
        if tools:
            yield {"messages": first, "tools": with_descriptions(tools)}
        yield from ({"messages": one} for one in shaped)

    def _by_template(self, variables: Mapping[str, Any]) -> str:
        usual: dict[str, Any] = {"documents": None, "tools": None, **self._tokens}
        # Names that some templates have for the same.
        if "functions" in self._template:
            tools = variables.get("tools")
            usual["functions"] = json.dumps(tools, ensure_ascii=False) if tools else ""
        if "datetime" in self._template:
            usual["datetime"] = time.strftime("%Y-%m-%d")
        return self._renderer.render(self._template, {**usual, **variables})

    # -- what the chat wishes ----------------------------------------------------------------

    def _instructed(self, chat: Chat) -> Sequence[Message]:
        """The messages, with system messages for what the template has no other way to say."""
        told: list[str] = []
        offers = bool(chat.tools) and chat.tool_choice != "none"
        if offers and not self.traits.tools:
            told.append(self.output.calls.instructions(chat.tools))
        switch = self.reasoning.switch if self.reasoning is not None else None
        if switch is not None and reasoning_wish(chat) != "auto":
            told.append(switch.on_word if reasoning_wish(chat) == "on" else switch.off_word)
        instructions = [Message("system", text) for text in told if text]
        messages = chat.led_messages
        is_led = bool(messages) and messages[0].role in ("system", "developer")
        if offers and self.traits.tools_need_system and not is_led and not instructions:
            return [Message("system", ""), *messages]
        if not instructions:
            return messages
        return [messages[0], *instructions, *messages[1:]] if is_led else [*instructions, *messages]

    def _wishes(self, chat: Chat) -> dict[str, Any]:
        """Variables for what the chat wants of the model."""
        values: dict[str, Any] = {}
        if chat.tools:
            values["tool_choice"] = chat.tool_choice
            values["parallel_tool_calls"] = chat.parallel_tools
        style = self.reasoning
        if style is None:
            return values
        wish = reasoning_wish(chat)
        if style.switch is not None and wish != "auto":
            values |= style.switch.on if wish == "on" else style.switch.off
        if chat.reasoning_effort and wish != "off":
            values |= style.effort(chat.reasoning_effort)
        if chat.keep_reasoning is not None:
            values |= style.keep if chat.keep_reasoning else style.drop
        return values

    def _begun(self, prompt: str, chat: Chat) -> str:
        """What begins or skips the reasoning where the template itself has not done so."""
        style, wish = self.reasoning, reasoning_wish(chat)
        if style is None or wish == "auto":
            return ""
        has_switch = style.switch is not None
        if wish == "on":
            begins = style.is_open(prompt) or style.answer_header or has_switch
            return "" if begins else f"{style.open}\n"
        if style.is_open(prompt):
            return f"\n{style.close}\n\n"
        # With headers a call has one of its own: none may be written ahead of it.
        if has_switch or (style.answer_header and chat.tools):
            return ""
        return style.skipped

    def _continued(self, chat: Chat) -> Rendered:
        """The prompt ends with the last message's words, for the model to go on with."""
        last = chat.messages[-1] if chat.messages else None
        if last is None or last.role != "assistant" or last.tool_calls:
            raise RequestError("bad_request", name="continue_last")
        style = self.reasoning
        before = replace(
            chat, messages=chat.messages[:-1], continue_last=False, add_generation_prompt=True
        )
        if last.content:
            marked = replace(last, content=ANSWER)
            whole = self._write(
                replace(chat, messages=(*before.messages, marked)), add_generation_prompt=False
            )
            head, found, _ = whole.rpartition(ANSWER)
            if not found:
                head = self.render(replace(before, reasoning="off")).prompt
            rendered = self._rendered(chat, head + last.content)
            return replace(rendered, reasoning_open=False)
        rendered = self.render(before)
        if style is None or not last.reasoning:
            return rendered
        opening = "" if rendered.reasoning_open else f"{style.open}\n"
        prompt = rendered.prompt + opening + last.reasoning
        return replace(rendered, prompt=prompt, reasoning_open=True)

    # -- finding out -------------------------------------------------------------------------

    def _try_out(self, vocabulary: Vocabulary) -> None:
        """Raises TemplateError when the template cannot write a plain chat."""
        if not self._template:
            raise TemplateError("bad_template", reason="missing")
        tried = TemplateTrial(self._by_template, self._template)
        self.traits = find_traits(tried)
        self.reasoning = find_reasoning(tried, self.traits, _is_token(vocabulary))
        self.output = self._learn_output(tried, vocabulary)
        key = self.reasoning.key if self.reasoning is not None else ""
        self._shaper = MessageShaper(self.traits, key, self.output.calls.write)
        self.stop = self._find_stop(tried, vocabulary)

    def _learn_output(self, tried: TemplateTrial, vocabulary: Vocabulary) -> OutputFormat:
        question = say("user", words(QUESTION, parts=self.traits.parts))
        before = tried.write([question], add_generation_prompt=False)
        shaper = MessageShaper(self.traits, "", _write_none)

        def write(content: str, calls: Sequence[ToolCall]) -> str:
            if calls and self.traits.calls is None:
                raise TemplateError("template_refuses", reason="no calls")
            message = Message("assistant", content, tool_calls=tuple(calls))
            shaped = shaper.shaped([Message("user", QUESTION), message])
            written = tried.must_write(shaped, add_generation_prompt=False)
            return (
                written[len(before) :]
                if written.startswith(before)
                else (written.partition(QUESTION)[2])
            )

        offered = None
        if self.traits.tools:
            wrapped = tool(TOOL)
            offered = [wrapped if self.traits.tools == "wrapped" else wrapped["function"]]
        begun = tried.write([question]).partition(QUESTION)[2]
        shown = tried.write([question], tools=offered) if offered else ""
        return learn_output(
            write,
            begun,
            shown,
            endings=partial(ending_words, vocabulary),
            is_token=lambda text: vocabulary.single_token(text) is not None,
        )

    def _find_stop(self, tried: TemplateTrial, vocabulary: Vocabulary) -> tuple[str, ...]:
        """What stands between an answer and the next question, if it must be a stop string.

        Nothing where a token follows that ends an answer anyway; the control token there; or, in
        a template of plain words, the words that introduce the user.
        """
        parts = self.traits.parts
        chat = [
            say(role, words(text, parts=parts))
            for role, text in (("user", QUESTION), ("assistant", ANSWER), ("user", NEXT))
        ]
        style = self.reasoning
        inner = style.open + style.between + style.close if style is not None else ""
        inner += "".join(self.output.framing)
        written = tried.write(chat, add_generation_prompt=False)
        after = written.partition(ANSWER)[2].partition(NEXT)[0]
        for token in vocabulary.tokenize(after, add_special=False)[:_LOOK_FOR_END_TOKENS]:
            if vocabulary.ends_answer(token):
                return ()
            if vocabulary.is_control(token):
                text = vocabulary.special_text(token)
                # Where the same token ends the reasoning, it would end the answer before it began;
                # the words of a call must come whole.
                if text not in inner:
                    return (text,)
        spoken = after.strip()
        return (spoken,) if 3 <= len(spoken) <= MAX_STOP_CHARACTERS else ()


def reasoning_wish(chat: Chat) -> Literal["auto", "on", "off"]:
    """What the chat wants of the model's reasoning: no budget and no effort mean none."""
    if chat.reasoning_budget == 0 or chat.reasoning_effort == "none":
        return "off"
    return chat.reasoning


def _is_token(vocabulary: Vocabulary) -> Callable[[str], bool]:
    return lambda text: len(vocabulary.tokenize(text, add_special=False)) == 1


def _writes_none(_content: str, _calls: Sequence[ToolCall]) -> str:
    raise TemplateError("template_refuses", reason="no template")


def _write_none(_calls: Sequence[ToolCall]) -> str:
    return ""
