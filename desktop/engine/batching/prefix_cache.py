"""Which sequence a new prompt continues, so that what the cache holds is not read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desktop.engine.model import Context, Model
from desktop.engine.retold import retold
from desktop.engine.sequence_memory import SequenceMemory
from desktop.engine.slot import Slot, Task, common_prefix
from desktop.engine.states.checkpoints import Checkpoints
from desktop.engine.states.saved_state import SavedState, Tokens, can_cut, continues_text, reusable
from desktop.engine.states.states import States
from desktop.engine.vocabulary import Vocabulary

_WORTH_A_COPY_TOKENS = 16
_WORTH_A_WAIT_TOKENS = 64
WORTH_SAVING_TOKENS = 64


class PrefixCache:
    """The sequences of one context, and the states of those that had to give theirs away.

    Some models can only extend or drop a sequence (recurrent state), some forget what lies
    outside a sliding window: for these a prefix counts only as far as it is really there, or as
    a checkpoint lets them go back.
    """

    def __init__(
        self,
        model: Model,
        context: Context,
        vocabulary: Vocabulary,
        states: States | None = None,
    ) -> None:
        self.memory = SequenceMemory(model, context)
        self._vocabulary = vocabulary
        self._states = states
        self._checkpoints = Checkpoints(self.memory)
        self.slots = [Slot(sequence) for sequence in range(context.sequences)]

    @property
    def append_only(self) -> bool:
        return self.memory.append_only

    @property
    def has_idle(self) -> bool:
        return any(slot.task is None for slot in self.slots)

    def take(self, task: Task) -> Slot | None:
        """A slot for `task`, holding as much of its tokens as can be reused; None: all are busy.

        The slot's `cached` and `pending` are set; `task.tokens` may be replaced by other tokens
        for the same text, where the cache holds that text so.
        """
        idle = [slot for slot in self.slots if slot.task is None]
        if not idle:
            return None
        self._retell(task, idle)
        slot = self._restored(task, idle) or self._own(task, idle)
        if slot is None:
            slot = self._emptied(task, idle)
            self._copy_from_best(task, slot)
        slot.serve(task)
        self._checkpoints.plan(slot, task)
        return slot

    def _retell(self, task: Task, idle: Sequence[Slot]) -> None:
        """Let `task` begin with the tokens in which its text is held already."""
        saved = [] if self._states is None else list(self._states.all())
        tokens = retold(task, [*idle, *saved], self._vocabulary, self.memory.limit)
        if tokens is not None:
            task.tokens = tokens
            task.prompt_tokens = len(tokens)

    def leader(self, task: Task) -> tuple[Slot, Task, int] | None:
        """A sequence that is about to read more of the task's beginning than anyone holds now,
        for whom, and up to where: waiting for it is faster than reading it once more."""
        best: Slot | None = None
        best_length = 0
        for slot in self.slots:
            if slot.task is None or not slot.reading or slot.adapters != task.adapters:
                continue
            coming = slot.cached + slot.pending
            length = min(common_prefix(coming, task.tokens), len(task.tokens) - 1)
            if length > max(best_length, len(slot.cached)):
                best, best_length = slot, length
        if best is None or best.task is None:
            return None
        there = max((self._reusable(slot, task) for slot in self.slots), default=0)
        if best_length < there + _WORTH_A_WAIT_TOKENS:
            return None
        if not self.memory.goes_back:
            best.stop_at(best_length)
        return best, best.task, best_length

    def read(self, slot: Slot) -> None:
        """A step has read a part of a prompt."""
        if not self.memory.goes_back:
            self._checkpoints.passed(slot, self.slots)

    def drop(self, slot: Slot) -> None:
        """Forget a sequence as a whole."""
        self.memory.drop(slot.sequence)
        slot.forget()

    def put_away(self, slot: Slot) -> None:
        """Drop a sequence, but keep its state where that is worth it."""
        self._save(slot)
        self.drop(slot)

    def shorten(self, slot: Slot, length: int) -> bool:
        """Keep the first `length` tokens; False, and all dropped, where the memory refuses."""
        if length > 0 and self.memory.cut(slot.sequence, length):
            slot.cached, slot.shared = slot.cached[:length], min(slot.shared, length)
            if slot.checkpoints:
                slot.checkpoints = [one for one in slot.checkpoints if one.length <= length]
            return True
        self.drop(slot)
        return False

    def evict_idle(self) -> bool:
        """Give up the idle sequence that was used longest ago; False when there is none."""
        idle = [slot for slot in self.slots if slot.task is None and slot.cached]
        if not idle:
            return False
        self.put_away(min(idle, key=lambda slot: slot.used_s))
        return True

    def saved(self, slot: Slot) -> SavedState | None:
        """The state of an idle sequence, copied; None where it is not to be kept."""
        if not slot.keep_state or len(slot.cached) < WORTH_SAVING_TOKENS or slot.media_cells:
            return None
        states = self._states
        if states is None or not states.takes(self.memory.size(slot.sequence)):
            return None
        state = self.memory.save(slot.sequence)
        if state is None:
            return None
        return SavedState(
            list(slot.cached),
            list(slot.pending) if slot.task is None else [],
            slot.text,
            slot.conversation if slot.task is None else slot.task.request.conversation,
            slot.adapters,
            slot.keep_state,
            state,
            list(slot.checkpoints),
            self.memory.first_saved(slot.sequence, len(slot.cached)),
        )

    def changed(self) -> Iterator[SavedState]:
        """Copies of the idle conversations' states that are not in a file as they are now."""
        for slot in sorted(self.slots, key=lambda one: -one.used_s):
            if slot.task is None and slot.conversation and slot.on_disk != len(slot.cached):
                state = self.saved(slot)
                if state is not None:
                    slot.on_disk = len(slot.cached)
                    yield state

    def forget(self, conversation: str) -> None:
        """Drop what is idle of a conversation, and keep nothing of what still runs."""
        for slot in self.slots:
            if slot.task is not None and slot.task.request.conversation == conversation:
                slot.keep_state = False
            elif slot.task is None and slot.conversation == conversation:
                self.drop(slot)

    def _save(self, slot: Slot) -> None:
        state = self.saved(slot)
        if state is not None and self._states is not None:
            self._states.put(state)

    def _restored(self, task: Task, idle: Sequence[Slot]) -> Slot | None:
        """A slot with the state of this conversation from memory, where that saves most."""
        if self._states is None:
            return None
        state, kept = self._states.find(task, self.memory)
        there = max(self._reusable(slot, task) for slot in self.slots)
        if state is None or kept < there + _WORTH_A_COPY_TOKENS:
            return None
        slot = self._emptied(task, idle)
        while not self.memory.load(slot.sequence, state.state):
            # No room for it, most likely: others that are idle go first.
            if not self.evict_idle():
                self._states.take(state)
                return None
        self._states.take(state)
        if self.memory.last(slot.sequence) >= len(state.cached):
            self.drop(slot)  # it says more than its tokens do: not what it seems to be
            return None
        slot.cached, slot.pending, slot.text = list(state.cached), list(state.pending), state.text
        slot.conversation, slot.adapters = state.conversation, state.adapters
        slot.checkpoints = list(state.checkpoints)
        slot.on_disk = len(slot.cached) if state.on_disk else 0
        if self._adopt(slot, task, kept):
            task.restored = state.origin
        return slot

    def _own(self, task: Task, idle: Sequence[Slot]) -> Slot | None:
        """An idle slot that `task` continues in place, cut to the common prefix."""
        best, best_kept = None, 0
        for slot in idle:
            kept = self._reusable(slot, task)
            # Cutting another chat's sequence short makes that chat read its history again.
            fair = _same_chat(slot, task) or len(idle) == 1 or 2 * kept >= len(slot.cached)
            if fair and kept > best_kept:
                best, best_kept = slot, kept
        if best is None:
            return None
        if not _same_chat(best, task) and len(best.cached) - best_kept >= WORTH_SAVING_TOKENS:
            self._save(best)
        return best if self._adopt(best, task, best_kept) else None

    def _adopt(self, slot: Slot, task: Task, kept: int) -> bool:
        """Go on in `slot` from `kept` positions; False, and it is empty, where that fails."""
        if continues_text(slot, task, self.memory.limit):
            # In the tokens in which the cache holds the prompt's beginning.
            held = slot.text or ""
            rest = self._vocabulary.tokenize(task.prepared.text[len(held) :], add_special=False)
            task.tokens = slot.cached + slot.pending + rest
            task.prompt_tokens = len(task.tokens)
            return True
        if kept == len(slot.cached):
            return True
        if can_cut(self.memory.first(slot.sequence), kept, self.memory):
            return self.shorten(slot, kept)
        if self._checkpoints.go_back(slot, kept):
            return self.shorten(slot, kept)
        self.drop(slot)
        return False

    def _emptied(self, task: Task, idle: Sequence[Slot]) -> Slot:
        """The slot that is missed least: this chat's own, an empty one, the one idle longest."""
        source = self._source(task)
        others = [slot for slot in idle if slot is not source] or idle
        slot = min(
            others,
            key=lambda one: (not _same_chat(one, task), bool(one.cached), one.used_s),
        )
        self.put_away(slot)
        return slot

    def _source(self, task: Task) -> Slot | None:
        """The slot from which most can be taken over."""
        return max(
            (slot for slot in self.slots if slot.cached),
            key=lambda slot: self._copyable(slot, task),
            default=None,
        )

    def _copy_from_best(self, task: Task, slot: Slot) -> None:
        """Share the longest prefix that another sequence holds; it is not copied, only marked."""
        source = self._source(task)
        if source is None or source is slot:
            return
        length = self._copyable(source, task)
        if length < _WORTH_A_COPY_TOKENS:
            return
        self.memory.copy(source.sequence, slot.sequence, length)
        slot.cached, slot.shared, slot.adapters = source.cached[:length], length, source.adapters
        slot.checkpoints = [one for one in source.checkpoints if one.length <= length]
        if length < len(source.cached) and not self.memory.goes_back:
            first = self.memory.first(source.sequence)
            if not can_cut(first, length, self.memory) and not (
                self._checkpoints.go_back(slot, length) and self.shorten(slot, length)
            ):
                self.drop(slot)

    def _copyable(self, source: Slot, task: Task) -> int:
        """How much another sequence can take over. Its text is not looked at: the tokens that
        were sampled last are not in the cache, and are the other's alone."""
        if not self.memory.shares or source.adapters != task.adapters:
            return 0
        held = Tokens(source.cached, source.adapters, source.checkpoints)
        return reusable(held, self.memory.first(source.sequence), task, self.memory)

    def _reusable(self, slot: Slot, task: Task) -> int:
        if not slot.cached:
            return 0
        if slot.task is not None:
            return self._copyable(slot, task)
        return reusable(slot, self.memory.first(slot.sequence), task, self.memory)


def _same_chat(slot: Slot, task: Task) -> bool:
    return bool(slot.conversation) and slot.conversation == task.request.conversation
