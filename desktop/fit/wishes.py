"""Checks what somebody asked for before anything is computed from it."""

from __future__ import annotations

from typing import get_args

from desktop.common.errors import UsageError
from desktop.fit.types import KvType, Priority, Wish

MAX_CONTEXT = 1 << 24
MAX_PARALLEL = 256  # llama.cpp's LLAMA_MAX_SEQ
MAX_UBATCH = 1 << 14  # the most that the engine opens a context with
MAX_THREADS = 512  # ggml's GGML_MAX_N_THREADS
MAX_DRAFT_TOKENS = 256
MIN_CONTEXT_A_SEQUENCE = 64


def check_wish(wish: Wish) -> None:
    """Raise UsageError: bad_wish (field, value, least, most), bad_kv_type, bad_priority,
    wish_too_narrow.
    """
    _require("context", wish.context, 1, MAX_CONTEXT)
    _require("parallel", wish.parallel, 1, MAX_PARALLEL)
    _require("gpu_layers", wish.gpu_layers, 0, 1 << 31)
    _require("ubatch", wish.ubatch, 1, MAX_UBATCH)
    _require("threads", wish.threads, 1, MAX_THREADS)
    _require("draft_tokens", wish.draft_tokens, 0, MAX_DRAFT_TOKENS)
    _require("expert_layers_on_cpu", wish.expert_layers_on_cpu, 0, 4096)
    if wish.kv_type is not None and wish.kv_type not in get_args(KvType):
        choices = ", ".join(get_args(KvType))
        raise UsageError("bad_kv_type", value=str(wish.kv_type), choices=choices)
    if wish.priority not in get_args(Priority):
        choices = ", ".join(get_args(Priority))
        raise UsageError("bad_priority", value=str(wish.priority), choices=choices)
    if wish.context is not None and wish.context < wish.parallel * MIN_CONTEXT_A_SEQUENCE:
        raise UsageError(
            "wish_too_narrow",
            context=wish.context,
            parallel=wish.parallel,
            least=wish.parallel * MIN_CONTEXT_A_SEQUENCE,
        )


def _require(field: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise UsageError("bad_wish", field=field, value=value, least=least, most=most)
