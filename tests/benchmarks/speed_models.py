"""Random models of 100 MB to 1.5 GB in real shapes and quantizations, to measure speed with.

Their answers mean nothing, but every matrix has the size and the type that a real model of that
class has. Written once into the system's folder for temporary files.
"""

from __future__ import annotations

import ctypes
import functools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind

from desktop.engine.llama import llama
from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.values import MetaValue
from tests.benchmarks.vocabularies import add_words

Raw = npt.NDArray[np.uint8]

_POOL_ROWS = 64  # quantized once for each width and repeated: the values do not matter
_DEVIATION = 0.02


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder of the llama family; `experts` 0 is a dense one."""

    architecture: str
    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_size: int
    vocab: int
    tied: bool = True
    experts: int = 0
    experts_used: int = 0
    window: int = 0
    context: int = 8192


@dataclass(frozen=True, slots=True)
class Case:
    """One model of the benchmark: `mix` names its quantization as people know it."""

    name: str
    shape: Shape
    mix: str


LLAMA_1B = Shape("llama", 16, 2048, 8192, 32, 8, 64, 128_256)
SMOL = Shape("llama", 30, 576, 1536, 9, 3, 64, 49_152)
HALF_B = Shape("llama", 24, 1024, 4096, 16, 4, 64, 128_256)
UNTIED = Shape("llama", 22, 2048, 5632, 32, 4, 64, 32_000, tied=False)
QWEN2 = Shape("qwen2", 24, 896, 4864, 14, 2, 64, 151_936)
QWEN3 = Shape("qwen3", 28, 1024, 3072, 16, 8, 128, 151_936)
GEMMA = Shape("gemma3", 26, 1152, 6912, 4, 1, 256, 262_144, window=512)
MOE = Shape("qwen3moe", 16, 1024, 512, 16, 4, 64, 64_000, tied=False, experts=32, experts_used=4)
MOE_LARGE = Shape(
    "qwen3moe", 12, 2048, 768, 32, 4, 128, 64_000, tied=False, experts=32, experts_used=8
)

CASES = (
    Case("llama-1b", LLAMA_1B, "Q4_K_M"),
    Case("llama-1b", LLAMA_1B, "Q8_0"),
    Case("llama-1b", LLAMA_1B, "Q6_K"),
    Case("llama-0.5b", HALF_B, "Q5_K_M"),
    Case("llama-0.5b", HALF_B, "Q3_K_M"),
    Case("llama-0.5b", HALF_B, "Q4_K_M"),
    Case("smol-135m", SMOL, "F16"),
    Case("smol-135m", SMOL, "Q8_0"),
    Case("tiny-llama-1.1b", UNTIED, "Q4_0"),
    Case("tiny-llama-1.1b", UNTIED, "IQ4_NL"),
    Case("tiny-llama-1.1b", UNTIED, "Q2_K"),
    Case("tiny-llama-1.1b", UNTIED, "IQ4_XS"),
    Case("qwen2-0.5b", QWEN2, "Q8_0"),
    Case("qwen2-0.5b", QWEN2, "Q4_K_M"),
    Case("qwen3-0.6b", QWEN3, "Q4_K_M"),
    Case("qwen3-0.6b", QWEN3, "BF16"),
    Case("gemma3-1b", GEMMA, "Q4_0"),
    Case("gemma3-1b", GEMMA, "Q4_K_M"),
    Case("moe-32x4", MOE, "Q4_K_M"),
    Case("moe-32x8", MOE_LARGE, "Q4_K_M"),
    Case("moe-32x8", MOE_LARGE, "Q8_0"),
)


def written(case: Case) -> Path:
    """The path of the case's file."""
    folder = Path(tempfile.gettempdir()) / "hausgeist-benchmarks"
    path = folder / f"speed-{case.name}-{case.mix}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        _write(part, case)
        part.rename(path)
    return path


def header_of(case: Case) -> ModelHeader:
    """What the header of the case's file says, without a file."""
    shape, mix = case.shape, _MIXES[case.mix]
    arch = shape.architecture
    metadata: dict[str, MetaValue] = {
        "general.architecture": arch,
        f"{arch}.block_count": shape.layers,
        f"{arch}.context_length": shape.context,
        f"{arch}.embedding_length": shape.width,
        f"{arch}.feed_forward_length": shape.feed_forward,
        f"{arch}.attention.head_count": shape.heads,
        f"{arch}.attention.head_count_kv": shape.kv_heads,
        f"{arch}.attention.key_length": shape.head_size,
        f"{arch}.attention.value_length": shape.head_size,
        f"{arch}.vocab_size": shape.vocab,
    }
    if shape.window:
        metadata[f"{arch}.attention.sliding_window"] = shape.window
    if shape.experts:
        metadata[f"{arch}.expert_count"] = shape.experts
        metadata[f"{arch}.expert_used_count"] = shape.experts_used
    tensors = []
    for name, dims in _tensors(shape):
        kind = _kind(name, dims, mix, shape)
        block, size = gguf.GGML_QUANT_SIZES[kind]
        nbytes = int(np.prod(dims)) // block * size
        tensors.append(TensorInfo(name, dims, int(kind), kind.name, 0, nbytes))
    total = sum(tensor.nbytes for tensor in tensors)
    return ModelHeader((), 3, "little", metadata, tuple(tensors), total, 0, 32)


def _kind(
    name: str, dims: tuple[int, ...], mix: Callable[[str, Shape], Kind], shape: Shape
) -> Kind:
    if len(dims) == 1 or name.endswith("ffn_gate_inp.weight"):
        return Kind.F32
    return _allowed(mix(name, shape), dims[0])


def _write(path: Path, case: Case) -> None:
    shape = case.shape
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_name(f"Random {case.name}")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_size)
    writer.add_value_length(shape.head_size)
    writer.add_rope_dimension_count(shape.head_size)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(500_000.0)
    writer.add_feed_forward_length(shape.feed_forward)
    if shape.window:
        writer.add_sliding_window(shape.window)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.experts_used)
        writer.add_expert_feed_forward_length(shape.feed_forward)
    add_words(writer, shape.vocab)
    mix = _MIXES[case.mix]
    for name, dims in _tensors(shape):
        kind = _kind(name, dims, mix, shape)
        if kind == Kind.F32:
            writer.add_tensor(name, np.ones(dims[::-1], dtype=np.float32))
            continue
        rows = int(np.prod(dims[1:]))
        data = _rows(kind, rows, dims[0])
        writer.add_tensor(name, data.reshape(*dims[:0:-1], -1), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors(shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    e, f = shape.width, shape.feed_forward
    q, kv = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    yield "token_embd.weight", (e, shape.vocab)
    yield "output_norm.weight", (e,)
    if not shape.tied:
        yield "output.weight", (e, shape.vocab)
    for layer in range(shape.layers):
        parts: dict[str, tuple[int, ...]] = {
            "attn_norm.weight": (e,),
            "attn_q.weight": (e, q),
            "attn_k.weight": (e, kv),
            "attn_v.weight": (e, kv),
            "attn_output.weight": (q, e),
            "ffn_norm.weight": (e,),
        }
        if shape.architecture == "qwen2":
            parts |= {f"attn_{n}.bias": (size,) for n, size in (("q", q), ("k", kv), ("v", kv))}
        if shape.architecture in ("qwen3", "qwen3moe", "gemma3"):
            parts |= {f"attn_{n}_norm.weight": (shape.head_size,) for n in "qk"}
        if shape.architecture == "gemma3":
            parts |= {f"post_{n}_norm.weight": (e,) for n in ("attention", "ffw")}
        if shape.experts:
            parts["ffn_gate_inp.weight"] = (e, shape.experts)
            for n, dims in (("gate", (e, f)), ("up", (e, f)), ("down", (f, e))):
                parts[f"ffn_{n}_exps.weight"] = (*dims, shape.experts)
        else:
            parts |= {"ffn_gate.weight": (e, f), "ffn_up.weight": (e, f), "ffn_down.weight": (f, e)}
        yield from ((f"blk.{layer}.{name}", dims) for name, dims in parts.items())


def _plain(kind: Kind, ends: Kind | None = None) -> Callable[[str, Shape], Kind]:
    """All matrices of one type, the output (the embedding where both are one) of `ends`."""

    def choose(name: str, shape: Shape) -> Kind:
        last = "token_embd.weight" if shape.tied else "output.weight"
        return ends if ends is not None and name == last else kind

    return choose


def _mixed(kind: Kind, better: Kind) -> Callable[[str, Shape], Kind]:
    """As the _M mixes: half of the layers' values and second halves of the feed-forward better."""
    ends = _plain(kind, Kind.Q6_K)

    def choose(name: str, shape: Shape) -> Kind:
        found = ends(name, shape)
        if found == kind and (".attn_v." in name or ".ffn_down" in name):
            return better if int(name.split(".")[1]) % 2 == 0 else kind
        return found

    return choose


_MIXES: dict[str, Callable[[str, Shape], Kind]] = {
    "F16": _plain(Kind.F16),
    "BF16": _plain(Kind.BF16),
    "Q8_0": _plain(Kind.Q8_0),
    "Q6_K": _plain(Kind.Q6_K),
    "Q4_0": _plain(Kind.Q4_0, Kind.Q6_K),
    "IQ4_NL": _plain(Kind.IQ4_NL, Kind.Q6_K),
    "IQ4_XS": _plain(Kind.IQ4_XS, Kind.Q6_K),
    "Q2_K": _mixed(Kind.Q2_K, Kind.Q3_K),
    "Q3_K_M": _mixed(Kind.Q3_K, Kind.Q5_K),
    "Q4_K_M": _mixed(Kind.Q4_K, Kind.Q6_K),
    "Q5_K_M": _mixed(Kind.Q5_K, Kind.Q6_K),
}
# What llama.cpp's quantizer takes for rows that 256 does not divide.
_INSTEAD = {
    Kind.Q2_K: Kind.Q4_0,
    Kind.Q3_K: Kind.Q4_0,
    Kind.IQ4_XS: Kind.IQ4_NL,
    Kind.Q4_K: Kind.Q5_0,
    Kind.Q5_K: Kind.Q5_1,
    Kind.Q6_K: Kind.Q8_0,
}


def _allowed(kind: Kind, columns: int) -> Kind:
    return kind if columns % gguf.GGML_QUANT_SIZES[kind][0] == 0 else _INSTEAD[kind]


def _rows(kind: Kind, rows: int, columns: int) -> Raw:
    pool = _pool(kind, columns)
    return np.resize(pool, (rows, pool.shape[1]))


@functools.cache
def _pool(kind: Kind, columns: int) -> Raw:
    values = np.random.default_rng(0).standard_normal((_POOL_ROWS, columns), np.float32)
    values *= np.float32(_DEVIATION)
    if kind in (Kind.F16, Kind.BF16):
        plain: Raw = gguf.quants.quantize(values, kind).view(np.uint8)
        return plain.reshape(_POOL_ROWS, -1)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    row_bytes = columns // block * size
    target = np.empty((_POOL_ROWS, row_bytes), np.uint8)
    quantize = llama().ggml(
        "ggml-base",
        "ggml_quantize_chunk",
        ctypes.c_size_t,
        ctypes.c_int,
        *[ctypes.c_void_p] * 2,
        *[ctypes.c_int64] * 3,
        ctypes.c_void_p,
    )
    quantize(int(kind), values.ctypes.data, target.ctypes.data, 0, _POOL_ROWS, columns, None)
    return target
