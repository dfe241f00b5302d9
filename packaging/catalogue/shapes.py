"""The shape of every model of the catalogue, with where its numbers are published.

Each is checked against the sizes of the model's real files when the catalogue is built.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from catalogue.blocks import Shape, Value
from catalogue.encoders import bert_small, gemma_embedding
from catalogue.families import (
    dense,
    gemma3,
    gemma4,
    glm_flash,
    gpt_oss,
    olmo3,
    qwen3moe,
    qwen_hybrid,
)
from catalogue.hybrids import granite_hybrid, lfm2, nemotron3_nano

_LLAMA3 = 128_256
_QWEN = 151_936
_QWEN_PADDED = 152_064
_TEKKEN = 131_072
_GRANITE = 100_352
_GRANITE_SCALES: dict[str, Value] = {
    "attention.scale": 0.0078125,
    "embedding_scale": 12.0,
    "residual_scale": 0.22,
    "logit_scale": 10.0,
}

_qwen3 = partial(dense, "qwen3", vocabulary=_QWEN, qk_norm=128)
_llama3 = partial(dense, "llama", vocabulary=_LLAMA3, context=131_072)
_granite = partial(dense, "granite", vocabulary=_GRANITE, context=131_072, more=_GRANITE_SCALES)
_mistral3 = partial(dense, "mistral3", vocabulary=_TEKKEN, context=262_144)


def _mistral_small(context: int) -> Shape:
    return dense("llama", 40, 5120, 32_768, 32, 8, vocabulary=_TEKKEN, context=context, tied=False)


SHAPES: dict[str, Callable[[], Shape]] = {
    "qwen3.5-0.8b": lambda: qwen_hybrid("qwen35", 24, 1024, 8, 2, 16, ff=3584, tied=True),
    "qwen3.5-2b": lambda: qwen_hybrid("qwen35", 24, 2048, 8, 2, 16, ff=6144, tied=True),
    "qwen3.5-4b": lambda: qwen_hybrid("qwen35", 32, 2560, 16, 4, 32, ff=9216, tied=True),
    "qwen3.5-9b": lambda: qwen_hybrid("qwen35", 32, 4096, 16, 4, 32, ff=12_288),
    "qwen3.5-27b": lambda: qwen_hybrid("qwen35", 64, 5120, 24, 4, 48, ff=17_408),
    "qwen3.6-27b": lambda: qwen_hybrid("qwen35", 64, 5120, 24, 4, 48, ff=17_408),
    "qwen3.8-27b": lambda: qwen_hybrid("qwen35", 64, 5120, 24, 4, 48, ff=17_408),
    "qwen3.5-35b-a3b": lambda: qwen_hybrid(
        "qwen35moe", 40, 2048, 16, 2, 32, count=256, used=8, expert_ff=512
    ),
    "qwen3.6-35b-a3b": lambda: qwen_hybrid(
        "qwen35moe", 40, 2048, 16, 2, 32, count=256, used=8, expert_ff=512
    ),
    "qwen3.5-122b-a10b": lambda: qwen_hybrid(
        "qwen35moe", 48, 3072, 32, 2, 64, count=256, used=8, expert_ff=1024
    ),
    "qwen3-next-80b-a3b": lambda: qwen_hybrid(
        "qwen3next", 48, 2048, 16, 2, 32, vocabulary=_QWEN, count=512, used=10, expert_ff=512
    ),
    "qwen3-coder-next": lambda: qwen_hybrid(
        "qwen3next", 48, 2048, 16, 2, 32, vocabulary=_QWEN, count=512, used=10, expert_ff=512
    ),
    "qwen3-4b": lambda: _qwen3(36, 2560, 9728, 32, 8, context=40_960, tied=True),
    "qwen3-4b-instruct-2507": lambda: _qwen3(36, 2560, 9728, 32, 8, context=262_144, tied=True),
    "qwen3-8b": lambda: _qwen3(36, 4096, 12_288, 32, 8, context=40_960, tied=False),
    "qwen3-14b": lambda: _qwen3(40, 5120, 17_408, 40, 8, context=40_960, tied=False),
    "qwen3-30b-a3b": lambda: qwen3moe(48, 2048, 32, 4, 128, 768),
    "qwen3-coder-30b-a3b": lambda: qwen3moe(48, 2048, 32, 4, 128, 768),
    "gemma-4-e2b": lambda: gemma4(
        35,
        1536,
        6144,
        8,
        1,
        period=5,
        window=512,
        context=131_072,
        global_kv=1,
        keys_are_values=False,
        shared=20,
        wide_from=15,
        per_layer=256,
    ),
    "gemma-4-e4b": lambda: gemma4(
        42,
        2560,
        10_240,
        8,
        2,
        period=6,
        window=512,
        context=131_072,
        global_kv=2,
        keys_are_values=False,
        shared=18,
        per_layer=256,
    ),
    "gemma-4-12b": lambda: gemma4(
        48,
        3840,
        15_360,
        16,
        8,
        period=6,
        window=1024,
        context=262_144,
        global_kv=1,
        keys_are_values=True,
    ),
    "gemma-4-26b-a4b": lambda: gemma4(
        30,
        2816,
        2112,
        16,
        8,
        period=6,
        window=1024,
        context=262_144,
        global_kv=2,
        keys_are_values=True,
        count=128,
        used=8,
        expert_ff=704,
    ),
    "gemma-4-31b": lambda: gemma4(
        60,
        5376,
        21_504,
        32,
        16,
        period=6,
        window=1024,
        context=262_144,
        global_kv=4,
        keys_are_values=True,
    ),
    "gemma-3-1b": lambda: gemma3(26, 1152, 6912, 4, 1, 256, 32_768, 512),
    "gemma-3-27b": lambda: gemma3(62, 5376, 21_504, 32, 16, 128, 131_072, 1024),
    "translategemma-12b": lambda: gemma3(48, 3840, 15_360, 16, 8, 256, 131_072, 1024),
    "gpt-oss-20b": lambda: gpt_oss(24, 32),
    "gpt-oss-120b": lambda: gpt_oss(36, 128),
    "ministral-3-3b": lambda: _mistral3(26, 3072, 9216, 32, 8, tied=True),
    "ministral-3-8b": lambda: _mistral3(34, 4096, 14_336, 32, 8, tied=False),
    "ministral-3-14b": lambda: _mistral3(40, 5120, 16_384, 32, 8, tied=False),
    "mistral-small-3.2-24b": lambda: _mistral_small(131_072),
    "magistral-small-2509": lambda: _mistral_small(131_072),
    "devstral-small-2-24b": lambda: _mistral_small(393_216),
    "llama-3.2-1b": lambda: _llama3(16, 2048, 8192, 32, 8, head=64, tied=True),
    "llama-3.2-3b": lambda: _llama3(28, 3072, 8192, 24, 8, tied=True),
    "llama-3.1-8b": lambda: _llama3(32, 4096, 14_336, 32, 8, tied=False),
    "llama-3.3-70b": lambda: _llama3(80, 8192, 28_672, 64, 8, tied=False),
    "smollm3-3b": lambda: dense(
        "smollm3", 36, 2048, 11_008, 16, 4, vocabulary=_LLAMA3, context=65_536, tied=True
    ),
    "granite-4.1-3b": lambda: _granite(40, 2560, 8192, 40, 8, head=64, tied=True),
    "granite-4.1-8b": lambda: _granite(40, 4096, 12_800, 32, 8, tied=False),
    "granite-4.0-h-tiny": granite_hybrid,
    "lfm2.5-1.2b": lambda: lfm2(16, 8192, (2, 5, 8, 10, 12, 14)),
    "lfm2.5-8b-a1b": lambda: lfm2(
        24, 7168, (2, 6, 10, 14, 18, 21), dense_layers=2, count=32, used=4, expert_ff=1792
    ),
    "lfm2-24b-a2b": lambda: lfm2(
        40,
        11_776,
        (2, 6, 10, 14, 18, 22, 26, 30, 34, 38),
        dense_layers=2,
        count=64,
        used=4,
        expert_ff=1536,
    ),
    "olmo-3-7b": lambda: olmo3(32, 4096, 11_008, 32, 100_278),
    "nemotron-3-nano-30b-a3b": nemotron3_nano,
    "nemotron-3.5-lightning-30b-a3b": nemotron3_nano,
    "glm-4.7-flash": glm_flash,
    "deepseek-r1-distill-qwen-14b": lambda: dense(
        "qwen2",
        48,
        5120,
        13_824,
        40,
        8,
        vocabulary=_QWEN_PADDED,
        context=131_072,
        tied=False,
        biases=True,
    ),
    "qwen2.5-coder-7b": lambda: dense(
        "qwen2",
        28,
        3584,
        18_944,
        28,
        4,
        vocabulary=_QWEN_PADDED,
        context=32_768,
        tied=False,
        biases=True,
    ),
    "qwen2.5-vl-3b": lambda: dense(
        "qwen2vl",
        36,
        2048,
        11_008,
        16,
        2,
        vocabulary=_QWEN,
        context=128_000,
        tied=True,
        biases=True,
        more={"rope.dimension_sections": [16, 24, 24, 0]},
    ),
    "eurollm-9b": lambda: dense(
        "llama", 42, 4096, 12_288, 32, 8, vocabulary=128_000, context=4096, tied=False
    ),
    "salamandra-7b": lambda: dense(
        "llama", 32, 4096, 11_008, 32, 8, vocabulary=256_000, context=8192, tied=False
    ),
    "qwen3-embedding-0.6b": lambda: _qwen3(28, 1024, 3072, 16, 8, context=32_768, tied=True),
    "embeddinggemma-300m": gemma_embedding,
    "multilingual-e5-small": bert_small,
}
