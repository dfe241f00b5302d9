"""Chat templates of models, rendered in a child that may be killed; ChatML where they fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from desktop.common.errors import TemplateError
from desktop.engine.chat import Message
from desktop.engine.child_limits import TEMPLATE_BYTES
from desktop.engine.process import Child, ChildDiedError

MOST_CPU_S = 1.0
"""A whole chat renders in a millisecond; a second of computing is a loop without end."""
MOST_WALL_S = 10.0
_LOOK_EVERY_S = 0.05


class TemplateRenderer:
    """A child process for templates, started at once and again after it had to be killed.

    Starting it costs a tenth of a second: create it before a model loads, not after. Safe for
    several threads, one at a time.
    """

    def __init__(self, *, most_cpu_s: float = MOST_CPU_S, most_bytes: int = TEMPLATE_BYTES) -> None:
        self._most_cpu_s = most_cpu_s
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._child: Child | None = Child("template")
        self._closed = False
        self._count = 0

    def render(self, template: str, variables: Mapping[str, Any]) -> str:
        """The text. Raises TemplateError: ``bad_template``, ``template_too_slow``,
        ``template_refuses`` (the template's own words for why it does not want this chat)."""
        with self._lock:
            if self._closed:
                raise TemplateError("engine_closed")
            if self._child is None:
                self._child = Child("template")
            try:
                answer = self._ask(self._child, template, variables)
            except ChildDiedError as death:
                self._end_child()
                raise TemplateError("bad_template", detail=str(death)) from death
            except TemplateError:
                self._end_child()
                raise
        if "prompt" in answer:
            return str(answer["prompt"])
        kind = "template_refuses" if answer["error"] == "TemplateError" else "bad_template"
        raise TemplateError(kind, reason=answer["detail"], detail=answer["error"])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._end_child()

    def _ask(self, child: Child, template: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        self._count += 1
        child.send({"id": self._count, "template": template, "variables": dict(variables)})
        process = psutil.Process(child.pid)
        deadline = time.monotonic() + MOST_WALL_S
        used_before_s: float | None = None
        # Its own computing time counts, so that a busy machine does not look like a bad template.
        while time.monotonic() < deadline:
            answer = child.receive(_LOOK_EVERY_S)
            if answer is not None and answer.get("id") == self._count:
                return answer
            try:
                times, held_bytes = process.cpu_times(), process.memory_info().rss
            except psutil.NoSuchProcess:
                continue  # dead: the next `receive` says how
            # Its own limit holds under Linux alone.
            if held_bytes > self._most_bytes:
                raise TemplateError("bad_template", reason=f"more than {self._most_bytes} bytes")
            used_s = times.user + times.system
            if used_before_s is None:
                used_before_s = used_s
            elif used_s - used_before_s > self._most_cpu_s:
                break
        raise TemplateError("template_too_slow", limit_s=self._most_cpu_s)

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


def chatml(messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
    """The plainest of the formats that many models know."""
    turns = [f"<|im_start|>{one.role}\n{one.content}<|im_end|>\n" for one in messages]
    return "".join(turns) + ("<|im_start|>assistant\n" if add_generation_prompt else "")
