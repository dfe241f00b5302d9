"""A conversation's sequence outside of the context: what was read, kept for its next turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from desktop.engine.adapters import AdapterKey
from desktop.engine.media.media import whole_chunks
from desktop.engine.sequence_memory import SequenceMemory
from desktop.engine.slot import Checkpoint, Task, common_prefix


@dataclass(slots=True, eq=False)
class SavedState:
    """The state of a sequence with the tokens that it stands for, as `Slot` has them.

    `first` is the first position that is really in it. `origin` says where it lay last.
    """

    cached: list[int]
    pending: list[int]
    text: str | None
    conversation: str
    adapters: AdapterKey
    keep_state: bool
    state: bytearray
    checkpoints: list[Checkpoint]
    first: int
    origin: Literal["memory", "disk"] = "memory"
    on_disk: bool = False

    @property
    def bytes(self) -> int:
        return len(self.state) + sum(len(one.state) for one in self.checkpoints)


class Holder(Protocol):
    """A sequence, wherever it is: in the context, in main memory or in a file."""

    @property
    def cached(self) -> list[int]: ...
    @property
    def pending(self) -> Sequence[int]: ...
    @property
    def text(self) -> str | None: ...
    @property
    def adapters(self) -> AdapterKey: ...
    @property
    def checkpoints(self) -> Sequence[Checkpoint]: ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """A holder that is looked at for its tokens alone."""

    cached: list[int]
    adapters: AdapterKey
    checkpoints: Sequence[Checkpoint]
    pending: Sequence[int] = ()
    text: str | None = None


def reusable(holder: Holder, first: int, task: Task, memory: SequenceMemory) -> int:
    """How many of `holder`'s positions begin the task's tokens and can be gone back to.

    `first` is the first position that is really there. At least one token stays to be read.
    """
    if not holder.cached or holder.adapters != task.adapters or task.scores:
        return 0
    if continues_text(holder, task, memory.limit):
        return len(holder.cached)
    kept = min(common_prefix(holder.cached, task.tokens), len(task.tokens) - 1)
    if task.spans:
        kept = whole_chunks(kept, task.spans)
    if kept == len(holder.cached) or can_cut(first, kept, memory):
        return kept
    return max((one.length for one in holder.checkpoints if one.length <= kept), default=0)


def can_cut(first: int, length: int, memory: SequenceMemory) -> bool:
    """Whether the memory can go back to `length` by itself, and all that it looks at is there."""
    if memory.append_only:
        return False
    return memory.window == 0 or first <= max(0, length - memory.window)


def continues_text(holder: Holder, task: Task, limit: int) -> bool:
    """Whether the task's prompt goes on with the very text that `holder` holds.

    A model may write a text in other tokens than the tokenizer would; read back, the two part at
    the first such place, though the text is the same.
    """
    prompt = task.prepared.text
    if not holder.text or task.requeued or task.scores:
        return False
    if len(prompt) <= len(holder.text) or not prompt.startswith(holder.text):
        return False
    # A token is a byte at least, so this is sure to fit.
    rest_bytes = len(prompt[len(holder.text) :].encode("utf-8", "replace"))
    return len(holder.cached) + len(holder.pending) + rest_bytes < limit
