"""One request as the JSON document that a server understands."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from desktop.common.errors import EngineError, RequestError
from desktop.engine.chat import Chat
from desktop.engine.constraint import Constraint
from desktop.engine.remote.dialect import Dialect
from desktop.engine.remote.messages import (
    REASONING_FIELD,
    messages_of,
    tool_choice_of,
    tools_of,
)
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling

CHAT = "/chat/completions"
TEXT = "/completions"
CHOICE_KEY = "choice"
"""Where a server knows only schemas, a choice is an object with this one key."""

_MOST_STOPS = 4  # more are refused by OpenAI; all of them are looked for here anyway
_OFF = Sampling(
    temperature=0.0,
    top_k=0,
    top_p=1.0,
    min_p=0.0,
)
_ALWAYS = frozenset({"temperature", "top_p", "top_k", "min_p", "repeat_penalty"})
_EFFORT_ON = "medium"

Unwrap = Literal["", "choice"]


@dataclass(frozen=True, slots=True)
class Body:
    """Where to, and what. `optional` are the fields that an answer may do without: a server that
    refuses one is asked again without it. `unwrap`: how the text of the answer is packed."""

    path: str
    document: dict[str, Any] = field(repr=False)
    optional: frozenset[str] = frozenset()
    unwrap: Unwrap = ""


def body_of(
    request: Request,
    model: str,
    dialect: Dialect,
    *,
    own_sampling: bool = False,
    refused: Collection[str] = (),
) -> Body:
    """`own_sampling` leaves sampling to the server; `refused` are fields that it does not take.

    Raises RequestError for what is wrong in itself, EngineError("not_offered").
    """
    builder = _Builder(request, model, dialect, frozenset(refused))
    if not own_sampling:
        builder.sample(request.sampling)
    builder.limit()
    if request.chat is not None:
        builder.chat(request.chat)
    else:
        builder.text()
    builder.constrain(request.constraint)
    return builder.body()


class _Builder:
    def __init__(
        self, request: Request, model: str, dialect: Dialect, refused: frozenset[str]
    ) -> None:
        self._request = request
        self._dialect = dialect
        self._refused = refused
        self._path = TEXT if request.chat is None else CHAT
        self._document: dict[str, Any] = {"model": model, "stream": True}
        self._optional: set[str] = set()
        self._unwrap: Unwrap = ""
        self._may("stream_options", {"include_usage": True})
        if dialect.has_own_fields:
            self._may("return_progress", True)  # noqa: FBT003

    def body(self) -> Body:
        return Body(self._path, self._document, frozenset(self._optional), self._unwrap)

    def sample(self, sampling: Sampling) -> None:
        """What is switched off here is said only where servers have it on by themselves."""
        for ours, theirs in self._dialect.samplers.items():
            value = getattr(sampling, ours)
            if value is None or (ours not in _ALWAYS and value == getattr(_OFF, ours)):
                continue
            if self._dialect.kind == "vllm" and ours == "top_k" and value == 0:
                value = -1
            self._may(theirs, list(value) if isinstance(value, tuple) else value)
        if sampling.logit_bias:
            self._must(
                "logit_bias",
                {str(token): max(-100.0, bias) for token, bias in sampling.logit_bias},
            )

    def limit(self) -> None:
        """How long, where it ends, and what is told about each token."""
        request = self._request
        if request.max_tokens is not None:
            modern = "max_tokens" in self._refused
            self._document["max_completion_tokens" if modern else "max_tokens"] = request.max_tokens
            self._optional.add("max_tokens")
        elif self._path == TEXT:
            self._document["max_tokens"] = None  # else 16 by OpenAI's old rule
        if request.stop:
            self._document["stop"] = list(request.stop[:_MOST_STOPS])
        if request.ignore_eos:
            if not (self._dialect.has_own_fields or self._dialect.kind == "vllm"):
                raise EngineError("not_offered", what="ignore_eos")
            self._must("ignore_eos", True)  # noqa: FBT003
        if request.adapters:
            raise EngineError("not_offered", what="LoRA")
        if request.logprobs is not None and self._path == TEXT:
            self._must("logprobs", request.logprobs)
        elif request.logprobs is not None:
            self._must("logprobs", True)  # noqa: FBT003
            self._must("top_logprobs", request.logprobs)

    def text(self) -> None:
        """A prompt as it stands: text, tokens, or both in turn where the server takes that."""
        request = self._request
        parts: list[int | str] = list(request.parts)
        if not parts:
            self._document["prompt"] = request.prompt
        elif all(isinstance(part, str) for part in parts):
            self._document["prompt"] = "".join(str(part) for part in parts)
        elif self._dialect.has_own_fields or all(isinstance(part, int) for part in parts):
            self._document["prompt"] = parts
        else:
            raise EngineError("not_offered", what="prompt")
        if request.echo and not echo_of(request):
            self._must("echo", True)  # noqa: FBT003

    def chat(self, chat: Chat) -> None:
        """Messages, tools, and whether to reason."""
        if not chat.messages:
            raise RequestError("nothing_to_answer")
        if self._request.echo:
            raise EngineError("not_offered", what="echo")
        kind = self._dialect.kind
        reasoning = kind != "openai" and REASONING_FIELD not in self._refused
        reasoning = reasoning and chat.keep_reasoning is not False
        self._document["messages"] = messages_of(
            chat, developer=kind in ("openai", "hausgeist"), reasoning=reasoning
        )
        if any(message.reasoning for message in chat.messages):
            self._optional.add(REASONING_FIELD)
        if chat.tools:
            self._document["tools"] = tools_of(chat.tools)
            choice = tool_choice_of(chat)
            if choice is not None:
                self._document["tool_choice"] = choice
            if not chat.parallel_tools:
                self._may("parallel_tool_calls", False)  # noqa: FBT003
        self._continue(chat)
        self._reason(chat)

    def _continue(self, chat: Chat) -> None:
        if not chat.continue_last:
            if not chat.add_generation_prompt:
                self._may("add_generation_prompt", False)  # noqa: FBT003
            return
        if self._dialect.kind == "vllm":
            self._document["add_generation_prompt"] = False
            self._document["continue_final_message"] = True
        elif not self._dialect.has_own_fields:  # llama-server goes on with a last answer by itself
            raise EngineError("not_offered", what="continue")

    def _reason(self, chat: Chat) -> None:
        """Wishes: a server or model that cannot does without."""
        kind = self._dialect.kind
        values = dict(chat.template_values)
        by_template = kind not in ("openai", "ollama", "lmstudio")
        effort = chat.reasoning_effort
        if chat.reasoning != "auto" and by_template:
            for name in ("enable_thinking", "thinking"):
                values.setdefault(name, chat.reasoning == "on")
        elif chat.reasoning == "off":
            effort = "none"
        elif chat.reasoning == "on":
            effort = effort or _EFFORT_ON
        if effort and self._dialect.has_own_fields:
            values.setdefault("reasoning_effort", effort)
        elif effort:
            self._may("reasoning_effort", effort)
        if values and by_template:
            self._may("chat_template_kwargs", values)
        if chat.reasoning_budget is not None and self._dialect.has_own_fields:
            self._may("reasoning_budget_tokens", chat.reasoning_budget)

    def constrain(self, constraint: Constraint | None) -> None:
        """By the name that the server has for it. Raises EngineError("not_offered")."""
        if constraint is None:
            return
        if constraint.kind == "json_object":
            self._must("response_format", {"type": "json_object"})
        elif constraint.kind == "json_schema":
            self._schema(_schema_of(constraint.source))
        elif constraint.kind == "grammar":
            self._grammar(constraint.source)
        else:
            self._choice(constraint.choices)

    def _schema(self, schema: Any) -> None:
        if self._dialect.kind == "llama_cpp_python":
            self._must("response_format", {"type": "json_object", "schema": schema})
            return
        named = {"name": "answer", "schema": schema, "strict": True}
        self._must("response_format", {"type": "json_schema", "json_schema": named})

    def _grammar(self, text: str) -> None:
        if self._dialect.kind == "vllm":
            self._vllm("grammar", text)
        elif self._dialect.has_grammar:
            self._must("grammar", text)
        else:
            raise EngineError("not_offered", what="grammar")

    def _choice(self, choices: tuple[str, ...]) -> None:
        if not choices:
            raise RequestError("bad_request", name="choices")
        if self._dialect.kind == "vllm":
            self._vllm("choice", list(choices))
        elif self._dialect.has_grammar:
            self._must("grammar", grammar_of(choices))
        else:
            schema = {
                "type": "object",
                "properties": {CHOICE_KEY: {"type": "string", "enum": list(choices)}},
                "required": [CHOICE_KEY],
                "additionalProperties": False,
            }
            self._schema(schema)
            self._unwrap = "choice"

    def _vllm(self, name: str, value: Any) -> None:
        if self._dialect.has_structured_outputs:
            self._must("structured_outputs", {name: value})
        else:
            self._must(f"guided_{name}", value)

    def _must(self, name: str, value: Any) -> None:
        """Without it the answer would not be what was asked for."""
        if name in self._refused:
            raise EngineError("not_offered", what=name)
        self._document[name] = value

    def _may(self, name: str, value: Any) -> None:
        if name not in self._refused:
            self._document[name] = value
            self._optional.add(name)


def echo_of(request: Request) -> str:
    """The prompt that is put before the answer here, since not every server does it in a stream.
    "" where only the server can: tokens, or the chances of each of them."""
    if not request.echo or request.logprobs is not None or request.chat is not None:
        return ""
    texts = [part for part in request.parts if isinstance(part, str)]
    if len(texts) != len(request.parts):
        return ""
    return "".join(texts) if texts else request.prompt


def grammar_of(choices: tuple[str, ...]) -> str:
    """GBNF that writes one of `choices`."""
    return "root ::= " + " | ".join(f'"{_escaped(choice)}"' for choice in choices)


def _escaped(text: str) -> str:
    plain = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(plain.get(sign, sign) for sign in text)


def _schema_of(text: str) -> Any:
    """Raises RequestError("bad_schema")."""
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError("bad_schema", reason=str(error)[:200], path="") from error
    if not isinstance(schema, dict | bool):
        raise RequestError("bad_schema", reason="no object", path="")
    return schema
