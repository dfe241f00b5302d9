"""Plans that llama.cpp takes; known without loading llama.cpp."""

from __future__ import annotations

from desktop.common.errors import LoadError
from desktop.fit.types import Plan
from desktop.fit.wishes import MAX_DRAFT_TOKENS

MAX_CONTEXT_TOKENS = 1 << 26
MAX_UBATCH_TOKENS = 1 << 14
MAX_THREADS = 512  # GGML_MAX_N_THREADS
_MOST_DEVICES = 16  # LLAMA_MAX_DEVICES; ggml knows no more
KV_TYPES = {"f16": 1, "q4_0": 2, "q8_0": 8}  # enum ggml_type


def check_plan(plan: Plan) -> None:
    """Raise LoadError("bad_plan") for what would abort llama.cpp or overflow its integers."""
    limits = {
        "context": (plan.context, 1, MAX_CONTEXT_TOKENS),
        "parallel": (plan.parallel, 1, 256),  # LLAMA_MAX_SEQ
        "ubatch": (plan.ubatch, 1, MAX_UBATCH_TOKENS),
        "threads": (plan.threads, 0, MAX_THREADS),
        "threads_batch": (plan.threads_batch, 0, MAX_THREADS),
        "expert_layers_on_cpu": (plan.expert_layers_on_cpu, 0, 4096),
        "draft_tokens": (plan.draft_tokens, 0, MAX_DRAFT_TOKENS),
        "devices": (len(plan.split), 0, _MOST_DEVICES),
        **{name: (layers, 0, 4097) for name, layers in plan.split},
    }
    if plan.split:
        limits["split"] = (sum(layers for _, layers in plan.split), 1, 4097 * _MOST_DEVICES)
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise LoadError("bad_plan", name=name, value=value, low=low, high=high)
    if plan.kv_type not in KV_TYPES:
        raise LoadError("bad_plan", name="kv_type", value=plan.kv_type, low="f16", high="q4_0")
