"""Which sequence a new prompt continues, so that what the cache holds is not read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desktop.engine.media import whole_chunks
from desktop.engine.model import Context, Model
from desktop.engine.slot import Slot, Task, common_prefix
from desktop.engine.vocabulary import Vocabulary

_WORTH_A_COPY_TOKENS = 16


class PrefixCache:
    """The sequences of one context, with the rules of their memory.

    Some models can only extend or drop a sequence (recurrent state), some forget what lies
    outside a sliding window: for these a prefix counts only as far as it is really there.
    """

    def __init__(self, model: Model, context: Context, vocabulary: Vocabulary) -> None:
        self._lib: Any = model.llama.lib
        self._memory = context.memory
        self._limit = context.sequence_tokens
        self._vocabulary = vocabulary
        self.append_only = model.refuses_partial_removal
        self._window: int = self._lib.llama_model_n_swa(model.handle)
        self.slots = [Slot(sequence) for sequence in range(context.sequences)]

    def take(self, task: Task) -> Slot | None:
        """A slot for `task`, holding as much of its tokens as can be reused; None: all are busy.

        The slot's `cached` and `pending` are set; `task.tokens` may be replaced by other tokens
        for the same text, where the cache holds that text so.
        """
        idle = [slot for slot in self.slots if slot.task is None]
        if not idle:
            return None
        slot = self._own(task, idle)
        if slot is None:
            slot = min(idle, key=lambda one: (bool(one.cached), one.used_s))
            self.drop(slot)
            self._copy_from_best(task, slot)
        slot.serve(task)
        return slot

    def drop(self, slot: Slot) -> None:
        """Forget a sequence as a whole; llama.cpp never refuses that."""
        self._lib.llama_memory_seq_rm(self._memory, slot.sequence, -1, -1)
        slot.forget()

    def shorten(self, slot: Slot, length: int) -> bool:
        """Keep the first `length` tokens; False, and all dropped, where the memory refuses."""
        if length > 0 and self._lib.llama_memory_seq_rm(self._memory, slot.sequence, length, -1):
            slot.cached, slot.shared = slot.cached[:length], min(slot.shared, length)
            return True
        self.drop(slot)
        return False

    def evict_idle(self) -> bool:
        """Drop the idle sequence that was used longest ago; False when there is none."""
        idle = [slot for slot in self.slots if slot.task is None and slot.cached]
        if not idle:
            return False
        self.drop(min(idle, key=lambda slot: slot.used_s))
        return True

    def _own(self, task: Task, idle: Sequence[Slot]) -> Slot | None:
        """An idle slot that `task` continues in place, cut to the common prefix."""
        best, best_kept = None, 0
        for slot in idle:
            kept = self._reusable(slot, task)
            same_chat = bool(slot.conversation) and slot.conversation == task.request.conversation
            # Cutting another chat's sequence short makes that chat read its history again.
            fair = same_chat or len(idle) == 1 or 2 * kept >= len(slot.cached)
            if fair and kept > best_kept:
                best, best_kept = slot, kept
        if best is None:
            return None
        self._adopt_text(best, task)
        if best_kept < len(best.cached) and not self.shorten(best, best_kept):
            return None
        return best

    def _copy_from_best(self, task: Task, slot: Slot) -> None:
        """Share the longest prefix that another sequence holds; it is not copied, only marked."""
        if self.append_only:
            return
        others = [other for other in self.slots if other is not slot and other.cached]
        source = max(others, key=lambda other: self._reusable(other, task), default=None)
        if source is None:
            return
        length = self._reusable(source, task)
        if length >= _WORTH_A_COPY_TOKENS:
            self._lib.llama_memory_seq_cp(self._memory, source.sequence, slot.sequence, 0, length)
            slot.cached, slot.shared = source.cached[:length], length

    def _reusable(self, slot: Slot, task: Task) -> int:
        """How many cached tokens of `slot` begin the task's; at least one token stays to read."""
        if not slot.cached or slot.adapters != task.adapters:
            return 0
        if self._continues_text(slot, task):
            return len(slot.cached)
        kept = min(common_prefix(slot.cached, task.tokens), len(task.tokens) - 1)
        if task.spans:
            kept = whole_chunks(kept, task.spans)
        if kept == len(slot.cached):
            return kept
        if self.append_only:
            return 0
        if self._window > 0:
            first = self._lib.llama_memory_seq_pos_min(self._memory, slot.sequence)
            if first > max(0, kept - self._window):
                return 0
        return kept

    def _continues_text(self, slot: Slot, task: Task) -> bool:
        prompt = task.prepared.text
        if not slot.text or slot.task is not None or task.requeued:
            return False
        if len(prompt) <= len(slot.text) or not prompt.startswith(slot.text):
            return False
        # A token is a byte at least, so this is sure to fit.
        rest_bytes = len(prompt[len(slot.text) :].encode("utf-8", "replace"))
        return len(slot.cached) + len(slot.pending) + rest_bytes < self._limit

    def _adopt_text(self, slot: Slot, task: Task) -> None:
        """Take the tokens in which the cache holds the prompt's beginning.

        A model may write a text in other tokens than the tokenizer would; read back, the two
        part at the first such place, though the text is the same.
        """
        if slot.text is None or not self._continues_text(slot, task):
            return
        rest = self._vocabulary.tokenize(task.prepared.text[len(slot.text) :], add_special=False)
        task.tokens = slot.cached + slot.pending + rest
        task.prompt_tokens = len(task.tokens)
