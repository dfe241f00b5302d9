"""Owned handles of llama.cpp: a model, and a context that goes before its model does."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from desktop.common.errors import CancelledError, LoadError
from desktop.engine.abort import AbortFlag
from desktop.engine.cancel import CancelToken
from desktop.engine.embedding import Pooling
from desktop.engine.llama import Llama, llama
from desktop.engine.plan_limits import KV_TYPES, MAX_CONTEXT_TOKENS, check_plan
from desktop.fit.types import Plan
from desktop.fit.vectors import ROWS_A_STEP, looks_back_only

Progress = Callable[[float], None]
# Learned places in the place of a formula; mpt has one in some files.
_WITH_TABLE_OF_POSITIONS = frozenset(("bert", "gpt2", "mpt", "starcoder"))
_POOLINGS: dict[str, Pooling] = {"1": "mean", "2": "cls", "3": "last", "4": "rank"}
"""enum llama_pooling_type as GGUF files have it; 0 is a model that writes."""
_TEXTS_A_STEP = 16
_EXPERT_TENSORS = r"blk\.({layers})\.ffn_(up|down|gate|gate_up)_(ch|)exps"


class Model:
    """A loaded model. `no_alloc` reads the header alone and simulates the memory; `vocab_only`
    reads nothing but the vocabulary, and no context can be opened."""

    def __init__(
        self,
        path: Path,
        plan: Plan,
        *,
        no_alloc: bool = False,
        vocab_only: bool = False,
        on_progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Blocks until loaded. Raises LoadError with llama.cpp's words, or CancelledError."""
        check_plan(plan)
        self.llama = llama()
        self.handle: Any = None
        self._contexts = contextlib.ExitStack()
        self._overrides: Any = None
        watcher = _Watcher(on_progress, cancel)
        lib, mark = self.llama.lib, self.llama.log.mark()
        parameters = self._parameters(plan, no_alloc=no_alloc)
        parameters.vocab_only = vocab_only
        # Kept in a name: llama.cpp calls it during the load.
        callback = lib.llama_progress_callback(watcher.report)
        parameters.progress_callback = callback
        self.handle = lib.llama_model_load_from_file(encoded_path(path), parameters)
        if not self.handle:
            watcher.raise_if_stopped()
            raise LoadError("load_failed", path=str(path), detail=self.llama.log.complaints(mark))
        self.buffer_log = _buffer_lines(self.llama, mark)
        self.vocab: Any = lib.llama_model_get_vocab(self.handle)

    def close(self) -> None:
        """Free the contexts, then the model; a second call does nothing."""
        self._contexts.close()
        if self.handle:
            handle, self.handle = self.handle, None
            self.llama.lib.llama_model_free(handle)

    def open_context(
        self, plan: Plan, *, heads_of: Context | None = None, pooling: Pooling | None = None
    ) -> Context:
        """A context that this model frees before itself. Raises LoadError.

        With `heads_of` it computes the layers that predict ahead, beside that context. `pooling`
        other than the file's own makes vectors of a model that writes.
        """
        made = Context(self, plan, heads_of=heads_of, pooling=pooling or self.pooling)
        return self._contexts.enter_context(made)

    @property
    def pooling(self) -> Pooling | None:
        """How the file wants one vector made of a text; None for a model that is to write."""
        architecture = self.metadata("general.architecture")
        stated = self.metadata(f"{architecture}.pooling_type") or ""
        if stated in _POOLINGS:
            return _POOLINGS[stated]
        writes = self.looks_back_only or self.llama.lib.llama_model_is_diffusion(self.handle)
        return None if writes else "mean"

    @property
    def looks_back_only(self) -> bool:
        """Whether each token sees those before it alone, so that a text can be read in parts."""
        architecture = self.metadata("general.architecture") or ""
        stated = self.metadata(f"{architecture}.attention.causal")
        return looks_back_only(architecture, stated_causal=stated != "false")

    @property
    def refuses_partial_removal(self) -> bool:
        """Whether a sequence can only be extended or dropped (recurrent state)."""
        lib = self.llama.lib
        return bool(
            lib.llama_model_is_recurrent(self.handle) or lib.llama_model_is_hybrid(self.handle)
        )

    def metadata(self, key: str) -> str | None:
        """One metadata value as text."""
        lib, name = self.llama.lib, key.encode()
        length = lib.llama_model_meta_val_str(self.handle, name, None, 0)
        if length < 0:
            return None
        buffer = ctypes.create_string_buffer(length + 1)
        lib.llama_model_meta_val_str(self.handle, name, buffer, length + 1)
        return buffer.value.decode("utf-8", "replace")

    def _parameters(self, plan: Plan, *, no_alloc: bool) -> Any:
        lib = self.llama.lib
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = plan.gpu_layers
        parameters.load_mode = lib.LLAMA_LOAD_MODE_NONE if no_alloc else _load_mode(lib, plan)
        parameters.no_alloc = no_alloc
        parameters.load_mtp = plan.mtp
        self._devices = self._device_list(plan)
        if self._devices is not None:
            parameters.devices = ctypes.cast(self._devices, ctypes.c_void_p)
        if plan.gpu_layers > 0 and plan.split:
            # Of as many layers as go to the GPUs, so that each gets its count to the layer.
            self._shares = (ctypes.c_float * lib.llama_max_devices())(*(n for _, n in plan.split))
            parameters.tensor_split = self._shares
        if plan.expert_layers_on_cpu > 0:
            self._overrides = _expert_overrides(self.llama, plan.expert_layers_on_cpu)
            parameters.tensor_buft_overrides = ctypes.cast(self._overrides, ctypes.c_void_p)
        return parameters

    def _device_list(self, plan: Plan) -> Any:
        """NULL-terminated devices: none for the CPU alone, the plan's, or None for llama.cpp's."""
        if plan.gpu_layers == 0:
            return (ctypes.c_void_p * 1)()
        names = [name for name, _ in plan.split] or ([plan.device] if plan.device else [])
        if not names:
            return None
        handles = [self._device(name) for name in names]
        return (ctypes.c_void_p * (len(handles) + 1))(*handles)

    def _device(self, name: str) -> int:
        handle = self.llama.find_device(name)
        if handle is None:
            raise LoadError("device_gone", device=name)
        return handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Context:
    """KV cache and compute buffers of one model, for `plan.parallel` sequences in one cache.

    With `pooling` it makes vectors instead of words: a score a text for "rank", else one a token.
    """

    def __init__(
        self,
        model: Model,
        plan: Plan,
        *,
        heads_of: Context | None = None,
        pooling: Pooling | None = None,
    ) -> None:
        self.llama = model.llama
        lib, mark = self.llama.lib, self.llama.log.mark()
        self.abort = AbortFlag(lib.ggml_abort_callback)
        self.pooling = pooling if pooling in (None, "rank") else "none"
        parameters = self._parameters(plan)
        if self.pooling is not None:
            _make_vectors(parameters, lib, plan, model, scores=self.pooling == "rank")
        if heads_of is not None:
            parameters.ctx_type = lib.LLAMA_CONTEXT_TYPE_MTP
            parameters.ctx_other = heads_of.handle
            parameters.n_outputs_max, parameters.n_rs_seq = plan.parallel, 0
        self.handle: Any = lib.llama_init_from_model(model.handle, parameters)
        if not self.handle:
            raise LoadError(
                "context_failed",
                context_tokens=plan.context,
                detail=self.llama.log.complaints(mark),
            )
        self.buffer_log = _buffer_lines(self.llama, mark)
        self.computes_late = plan.gpu_layers != 0
        self.memory: Any = lib.llama_get_memory(self.handle)
        self.context_tokens: int = lib.llama_n_ctx(self.handle)
        self.sequence_tokens: int = min(lib.llama_n_ctx_seq(self.handle), _positions(model))
        self.batch_tokens: int = lib.llama_n_batch(self.handle)
        self.sequences: int = lib.llama_n_seq_max(self.handle)
        self.output_rows: int = parameters.n_outputs_max
        # Rows of hidden values that are kept: for vectors, or for prediction heads.
        self.hidden_rows: int = self.output_rows if self.pooling is not None else 0
        self.rollback_tokens: int = lib.llama_n_rs_seq(self.handle)

    def _parameters(self, plan: Plan) -> Any:
        lib = self.llama.lib
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = plan.context
        # One micro-batch a call: whatever is aborted or refused is undone as a whole.
        parameters.n_batch = parameters.n_ubatch = plan.batch_tokens
        parameters.n_seq_max = plan.parallel
        # One row of logits a sequence, and one a guess; the default reserves one a token.
        parameters.n_outputs_max = plan.output_rows
        # Recurrent models that can go back by single tokens keep a state for each of them.
        parameters.n_rs_seq = plan.draft_tokens
        parameters.n_threads = plan.threads or os.cpu_count() or 1
        parameters.n_threads_batch = plan.threads_batch or parameters.n_threads
        parameters.type_k = parameters.type_v = KV_TYPES[plan.kv_type]
        parameters.flash_attn_type = _flash_attention(lib, plan)
        parameters.swa_full = False
        parameters.kv_unified = True
        parameters.no_perf = True
        parameters.offload_kqv = plan.gpu_layers != 0
        parameters.op_offload = plan.gpu_layers != 0
        parameters.abort_callback = self.abort.callback
        parameters.abort_callback_data = self.abort.data
        return parameters

    def abort_with(self, other: Context) -> None:
        """Stop computing when `other` is told to."""
        self.abort = other.abort
        self.llama.lib.llama_set_abort_callback(self.handle, self.abort.callback, self.abort.data)

    def set_threads(self, writing: int, reading: int) -> None:
        """From the next step on; between steps only."""
        self.llama.lib.llama_set_n_threads(self.handle, writing, reading)

    def close(self) -> None:
        if self.handle:
            handle, self.handle = self.handle, None
            self.llama.lib.llama_free(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def output_values(model: Model, context: Context) -> int:
    """Numbers that the results of one step take in main memory, at most."""
    lib = model.llama.lib
    values: int = lib.llama_vocab_n_tokens(model.vocab) * context.output_rows
    values += lib.llama_model_n_embd_out(model.handle) * context.hidden_rows
    return values


def _make_vectors(parameters: Any, lib: Any, plan: Plan, model: Model, *, scores: bool) -> None:
    """Change a context's parameters: every token read is an output."""
    rows = plan.batch_tokens
    if model.looks_back_only:
        rows = min(rows, max(ROWS_A_STEP, plan.parallel))
    else:
        parameters.n_seq_max = max(plan.parallel, _TEXTS_A_STEP)
    parameters.embeddings = True
    parameters.n_batch = parameters.n_ubatch = parameters.n_outputs_max = rows
    parameters.n_rs_seq = 0
    kind = lib.LLAMA_POOLING_TYPE_RANK if scores else lib.LLAMA_POOLING_TYPE_NONE
    parameters.pooling_type = kind


def _positions(model: Model) -> int:
    """How many places a sequence may have: behind a table of positions llama.cpp ends the
    process."""
    if model.metadata("general.architecture") not in _WITH_TABLE_OF_POSITIONS:
        return MAX_CONTEXT_TOKENS
    trained: int = model.llama.lib.llama_model_n_ctx_train(model.handle)
    return max(trained, 1)


class _Watcher:
    """Carries llama.cpp's progress to Python, and a wish to stop back."""

    def __init__(self, on_progress: Progress | None, cancel: CancelToken | None) -> None:
        self._on_progress = on_progress
        self._cancel = cancel
        self._error: BaseException | None = None

    def report(self, fraction: float, _user_data: object) -> bool:
        """False stops the load. An exception must not get lost on its way through C."""
        if self._cancel is not None and self._cancel.cancelled:
            return False
        if self._on_progress is not None:
            try:
                self._on_progress(fraction)
            except BaseException as error:  # noqa: BLE001 - raised again by raise_if_stopped
                self._error = error
                return False
        return True

    def raise_if_stopped(self) -> None:
        if self._error is not None:
            raise self._error
        if self._cancel is not None and self._cancel.cancelled:
            raise CancelledError


def _buffer_lines(engine: Llama, mark: int) -> tuple[str, ...]:
    """What llama.cpp has said since `mark` about the memory it took."""
    return tuple(line for line in engine.log.since(mark) if " buffer size" in line)


def _load_mode(lib: Any, plan: Plan) -> int:
    """Whether the file is mapped, and whether its weights are kept from being swapped out."""
    if plan.lock_memory:
        return int(lib.LLAMA_LOAD_MODE_MMAP_MLOCK if plan.use_mmap else lib.LLAMA_LOAD_MODE_MLOCK)
    return int(lib.LLAMA_LOAD_MODE_MMAP if plan.use_mmap else lib.LLAMA_LOAD_MODE_NONE)


def _flash_attention(lib: Any, plan: Plan) -> int:
    """A quantized V cache needs it; otherwise llama.cpp may find that a device lacks it."""
    if plan.kv_type != "f16":
        kind: int = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
    elif plan.flash_attention:
        kind = lib.LLAMA_FLASH_ATTN_TYPE_AUTO
    else:
        kind = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return kind


def _expert_overrides(engine: Llama, layers: int) -> Any:
    """Keep the expert tensors of the first `layers` layers in main memory."""

    class Override(ctypes.Structure):
        _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))

    chosen = "|".join(str(layer) for layer in range(layers))
    pattern = _EXPERT_TENSORS.replace("{layers}", chosen).encode()
    return (Override * 2)(Override(pattern, engine.cpu_buffer_type()), Override(None, None))


def encoded_path(path: Path) -> bytes:
    """llama.cpp reads UTF-8 names on Windows and the system's bytes elsewhere."""
    return str(path).encode() if sys.platform == "win32" else os.fsencode(path)
