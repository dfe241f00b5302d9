"""Headers that lie: whatever stands in them, sizes come out that are none too small to be sizes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import hypothesis.strategies as st
from hypothesis import given, settings

from desktop.fit.companions import Companions, companion_bytes, projector_compute_bytes
from desktop.fit.compute import estimated_compute
from desktop.fit.memory import Footprint, Share
from desktop.fit.overheads import output_bytes
from desktop.fit.rule_of_thumb import rule_of_thumb_bytes
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.values import MetaValue
from tests.fit.test_memory_shapes import EVERY

KEYS = sorted(
    {key for case in EVERY["architectures"].values() for key in case["differs"]}
    | set(EVERY["common"])
    | {"attention.key_length_swa", "attention.shared_kv_layers", "nextn_predict_layers"}
    | {"attention.compress_ratios", "num_loops", "n_deepstack_layers", "token_shift_count"}
    | {"embedding_length_per_layer_input", "expert_count", "expert_used_count", "vocab_size"}
)
NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1) | st.integers(-3, 600)
VALUES = (
    NUMBERS
    | st.lists(NUMBERS, max_size=6).map(tuple)
    | st.lists(st.booleans(), max_size=6).map(tuple)
    | st.floats()
    | st.booleans()
    | st.text(max_size=5)
)
NAMES = st.sampled_from(
    [f"blk.{n}.{name}" for n in (0, 1, 7, 10**9) for name in ("attn_q.weight", "ffn_up.weight")]
    + ["blk.0.ffn_up_exps.weight", "token_embd.weight", "output.weight", "rope_freqs.weight"]
    + ["blk.0.ffn_down.weight", "blk.0.ffn_gate.weight", "cls.weight", "v.blk.0.ln1.weight", ""]
)
DIMS = st.lists(st.integers(1, 1 << 20), min_size=1, max_size=4).map(tuple)


@st.composite
def headers(draw: st.DrawFn, blocks: int = 8) -> ModelHeader:
    arch = draw(st.sampled_from([*EVERY["architectures"], "unheard-of", "clip"]))
    metadata: dict[str, MetaValue] = {"general.architecture": arch}
    drawn: Mapping[str, MetaValue] = draw(st.dictionaries(st.sampled_from(KEYS), VALUES))
    metadata |= {f"{arch}.{key}": value for key, value in drawn.items()}
    metadata[f"{arch}.block_count"] = draw(st.integers(-5, blocks))
    named = draw(st.dictionaries(NAMES, DIMS, max_size=8))
    tensors = tuple(
        TensorInfo(name, dims, 12, draw(st.sampled_from(["Q4_K", "F32"])), 0, dims[0] * 4)
        for name, dims in named.items()
    )
    return ModelHeader((), 3, "little", MappingProxyType(metadata), tensors, 0, 0, 32)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    return Plan(
        gpu_layers=draw(st.integers(0, 20)),
        context=draw(st.integers(1, 1 << 26)),
        kv_type=draw(st.sampled_from(("f16", "q8_0", "q4_0"))),
        parallel=draw(st.integers(1, 256)),
        flash_attention=draw(st.booleans()),
        expert_layers_on_cpu=draw(st.integers(0, 4096)),
        ubatch=draw(st.integers(1, 1 << 14)),
        threads=1,
        use_mmap=draw(st.booleans()),
    )


@settings(max_examples=300)
@given(headers(), plans(), st.integers(0, 3))
def test_sizes_whatever_the_header_says(header: ModelHeader, plan: Plan, cards: int) -> None:
    footprint = Footprint(header, frozenset(("Q4_K",)))
    shares = tuple(Share(f"CUDA{n}", n + 1) for n in range(cards)) if plan.gpu_layers else ()
    for placed in footprint.place(plan, shares).values():
        assert placed.weights_bytes >= 0
        assert placed.context_bytes >= 0
        assert placed.repacked_bytes >= 0
    devices = tuple(share.device for share in shares)
    assert all(size >= 0 for size in estimated_compute(footprint, plan, devices).values())
    assert output_bytes(header, plan) >= 0
    assert rule_of_thumb_bytes(header) >= 0
    assert footprint.allows("f16")
    assert isinstance(footprint.allows("q8_0"), bool)


@settings(max_examples=100)
@given(headers(), headers(), plans())
def test_companions_whatever_their_headers_say(
    header: ModelHeader, other: ModelHeader, plan: Plan
) -> None:
    companions = Companions(projector=other, draft=other, loras=(other,), predict_ahead=True)
    shares = (Share("CUDA0"),) if plan.gpu_layers else ()
    beside = companion_bytes(companions, plan, shares, Footprint(header))
    for sizes in beside.values():
        assert min(sizes.weights_bytes, sizes.context_bytes, sizes.compute_bytes) >= 0
    assert projector_compute_bytes(other) >= 0
