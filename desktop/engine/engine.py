"""What every engine can do, wherever its model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from desktop.engine.device_usage import DeviceUsage
from desktop.engine.request import Message, Rendered, Request, Sampling
from desktop.engine.stream import Stream
from desktop.fit.types import Plan


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The open model. `template_name` is "chatml" where the file's own template is of no use.

    `template_problem` says why (``missing``, or the error of the template), `sampling` is what
    the file recommends, `context_tokens` what one conversation may hold.
    """

    path: Path
    name: str
    architecture: str
    context_tokens: int
    plan: Plan
    vocab_size: int
    template_name: Literal["model", "chatml"]
    template_problem: str = ""
    sampling: Sampling | None = None
    trained_context_tokens: int = 0
    parameters: int = 0


class Engine(Protocol):
    """An open model that answers. All methods may be called from any thread."""

    @property
    def info(self) -> ModelInfo: ...

    def submit(self, request: Request) -> Stream:
        """Never raises for a request that is wrong in itself: its stream ends with Failed."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is as a part of a prompt."""
        ...

    def render(
        self, messages: Sequence[Message], *, add_generation_prompt: bool = True
    ) -> Rendered:
        """The conversation by the model's chat template. Raises TemplateError."""
        ...

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        """What the model holds of each device: at the load, and after `close` what it held last.

        None where nobody tells.
        """
        ...

    def close(self) -> None:
        """End every stream with an event and free the model; a second call does nothing."""
        ...
