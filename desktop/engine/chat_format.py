"""How one model wants a conversation written, found out by trying its template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from desktop.common.errors import TemplateError
from desktop.engine.chat import Chat, Message, Rendered
from desktop.engine.chat_template import TemplateRenderer, chatml
from desktop.engine.message_order import fold_system, lead_with_system
from desktop.engine.request import MAX_STOP_CHARACTERS
from desktop.engine.vocabulary import Vocabulary

_CHATML_STOP = ("<|im_end|>", "<|im_start|>")
# Words that no template contains, for finding them again in what it writes.
_SYSTEM, _QUESTION, _ANSWER, _NEXT = "Qsysq", "Qfirstq", "Qanswerq", "Qnextq"


class ChatFormat:
    """Renders with the model's own template, or with ChatML where that is of no use.

    `name` says which; `problem` says why not the model's own. A system message that the
    template refuses or drops silently goes in front of the first user message instead.
    """

    def __init__(
        self, renderer: TemplateRenderer, template: str | None, vocabulary: Vocabulary
    ) -> None:
        self._renderer = renderer
        self._template = template or ""
        self._tokens = {"bos_token": vocabulary.bos_text, "eos_token": vocabulary.eos_text}
        self._strip_bos = vocabulary.bos_text if vocabulary.adds_bos else ""
        self._folds_system = False
        self.name: Literal["model", "chatml"] = "model"
        self.problem = ""
        self.stop: tuple[str, ...] = ()
        try:
            self._try_out(vocabulary)
        except TemplateError as error:
            self.name, self.stop = "chatml", _CHATML_STOP
            self.problem = error.kind if template else "missing"

    def render(self, chat: Chat) -> Rendered:
        """Raises TemplateError where the template refuses this very conversation."""
        messages = lead_with_system(chat.led_messages, fold_late=self._folds_system)
        if self.name == "chatml":
            return Rendered(
                chatml(messages, add_generation_prompt=chat.add_generation_prompt), self.stop
            )
        if self._folds_system:
            messages = fold_system(messages)
        prompt = self._by_template(messages, add_generation_prompt=chat.add_generation_prompt)
        return Rendered(prompt.removeprefix(self._strip_bos), self.stop)

    def _by_template(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        variables: dict[str, Any] = {
            "messages": [{"role": one.role, "content": one.content} for one in messages],
            "add_generation_prompt": add_generation_prompt,
            **self._tokens,
        }
        return self._renderer.render(self._template, variables)

    def _try_out(self, vocabulary: Vocabulary) -> None:
        """Raises TemplateError when the template cannot write a plain chat."""
        if not self._template:
            raise TemplateError("bad_template", reason="missing")
        question = Message("user", _QUESTION)
        plain = self._by_template([question], add_generation_prompt=True)
        if _QUESTION not in plain:
            raise TemplateError("bad_template", reason="the message is not in the prompt")
        try:
            system = Message("system", _SYSTEM)
            written = self._by_template([system, question], add_generation_prompt=True)
            self._folds_system = _SYSTEM not in written
        except TemplateError as error:
            if error.kind == "template_too_slow":
                raise
            self._folds_system = True
        chat = [question, Message("assistant", _ANSWER), Message("user", _NEXT)]
        self.stop = _end_of_answer(self._by_template(chat, add_generation_prompt=False), vocabulary)


def _end_of_answer(chat: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What stands between an answer and the next question, if it must be a stop string.

    Nothing where that begins with a token that ends an answer anyway; the control token there;
    or, in a template of plain words, the words that introduce the user.
    """
    after = chat.partition(_ANSWER)[2].partition(_NEXT)[0]
    for token in vocabulary.tokenize(after, add_special=False)[:8]:
        if vocabulary.ends_answer(token):
            return ()
        if vocabulary.is_control(token):
            return (vocabulary.special_text(token),)
    words = after.strip()
    return (words,) if 3 <= len(words) <= MAX_STOP_CHARACTERS else ()
