"""What the context's memory holds of each sequence: cut, shared, taken out and put back."""

from __future__ import annotations

import ctypes
from typing import Any

from desktop.engine.model import Context, Model


class SequenceMemory:
    """llama.cpp's memory of one context, with the rules of its kind. One thread's property.

    Attention keeps every position: it may be cut anywhere. A recurrent state is only that after
    the last token (`append_only`), and a sliding window forgets what lies too far back
    (`window`, 0 without one): these need what was saved earlier to go back.
    """

    def __init__(self, model: Model, context: Context) -> None:
        self._lib: Any = model.llama.lib
        self._context = context.handle
        self._memory = context.memory
        self.limit = context.sequence_tokens
        self.append_only = model.refuses_partial_removal
        self.window: int = self._lib.llama_model_n_swa(model.handle)
        # A step back that was taken, but not computed from yet, is not shared with a copy.
        self.shares = not (self.append_only and context.rollback_tokens > 0)

    @property
    def goes_back(self) -> bool:
        """Whether any cut is possible without a checkpoint."""
        return not self.append_only and self.window == 0

    def drop(self, sequence: int) -> None:
        """Forget a sequence as a whole; llama.cpp never refuses that."""
        self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def cut(self, sequence: int, length: int) -> bool:
        """Keep the first `length` positions; False, and nothing done, where it refuses."""
        return bool(self._lib.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def copy(self, source: int, target: int, length: int) -> None:
        """Mark the first `length` positions as the empty `target`'s too; nothing is moved."""
        self._lib.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def first(self, sequence: int) -> int:
        """The first position that is really there: later than 0 where a window has moved on."""
        position: int = self._lib.llama_memory_seq_pos_min(self._memory, sequence)
        return position

    def first_saved(self, sequence: int, length: int) -> int:
        """The first position that the state of `length` positions holds: of a sliding window
        llama.cpp saves only what the next token looks at."""
        first = self.first(sequence)
        return max(first, length - self.window) if self.window > 0 else first

    def last(self, sequence: int) -> int:
        """The last position that is there, -1 for none."""
        position: int = self._lib.llama_memory_seq_pos_max(self._memory, sequence)
        return position

    def size(self, sequence: int, *, partial: bool = False) -> int:
        """Bytes that `save` would take; 0 where the sequence cannot be saved."""
        size: int = self._lib.llama_state_seq_get_size_ext(
            self._context, sequence, self._flags(partial)
        )
        return size

    def save(self, sequence: int, *, partial: bool = False) -> bytearray | None:
        """Its state as bytes; `partial`: only what cannot be cut. None where that failed."""
        size = self.size(sequence, partial=partial)
        if size <= 0:
            return None
        state = bytearray(size)
        written = self._lib.llama_state_seq_get_data_ext(
            self._context, _bytes(state), size, sequence, self._flags(partial)
        )
        return state if written == size else None

    def load(self, sequence: int, state: bytearray, *, partial: bool = False) -> bool:
        """Put back what `save` gave; False where it does not fit in, and nothing is there then."""
        read = self._lib.llama_state_seq_set_data_ext(
            self._context, _bytes(state), len(state), sequence, self._flags(partial)
        )
        if read == len(state):
            return True
        self.drop(sequence)
        return False

    def _flags(self, partial: bool) -> int:
        flags: int = (
            self._lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
            if partial
            else self._lib.LLAMA_STATE_SEQ_FLAGS_NONE
        )
        return flags


def _bytes(state: bytearray) -> Any:
    """Not as an array: ctypes makes a new class for every length."""
    return ctypes.byref(ctypes.c_uint8.from_buffer(state))
