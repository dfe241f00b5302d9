"""What llama.cpp's quantizer would make of a model here, tensor by tensor and to the byte.

The rules are those of `llama_tensor_get_type` in the llama.cpp that is shipped; a test compares
them with its own dry run. `mixes.py` is the looser relative for files that others made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.mixes import tensor_bytes
from desktop.gguf.quantization import FILE_TYPES
from desktop.gguf.tensor_types import TENSOR_TYPES

MAIN_TYPES = {
    "F16": "F16",
    "BF16": "BF16",
    "Q8_0": "Q8_0",
    "Q6_K": "Q6_K",
    "Q5_K_M": "Q5_K",
    "Q5_K_S": "Q5_K",
    "Q5_1": "Q5_1",
    "Q5_0": "Q5_0",
    "Q4_K_M": "Q4_K",
    "Q4_K_S": "Q4_K",
    "Q4_1": "Q4_1",
    "Q4_0": "Q4_0",
    "IQ4_NL": "IQ4_NL",
    "IQ4_XS": "IQ4_XS",
    "MXFP4": "MXFP4",
    "Q3_K_L": "Q3_K",
    "Q3_K_M": "Q3_K",
    "Q3_K_S": "Q3_K",
    "IQ3_M": "IQ3_S",
    "IQ3_S": "IQ3_S",
    "Q2_K": "Q2_K",
}
"""What can be made without an importance matrix, and the type of most of its tensors."""

NEED_MATRIX = frozenset(
    {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS", "Q2_K_S"}
)
"""What the quantizer refuses without one: too few bits to be spent evenly."""

FILE_TYPE_NUMBERS = {name: number for number, name in FILE_TYPES.items()}

ALIGNMENT = 32

_KIND_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
_FLOATS = frozenset({"F32", "F16", "BF16"})
_ATTENTION_V = ("attn_qkv.weight", "attn_kv_b.weight", "attn_v.weight")
_FALLBACK = {"IQ3_S": "IQ4_NL", "IQ4_XS": "IQ4_NL", "Q2_K": "Q4_0", "Q3_K": "Q4_0"}
_FALLBACK |= {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}

_KEPT = re.compile(
    r"_norm\.weight|ffn_gate_inp\.weight|ffn_gate_tid2eid\.weight|altup|laurel|"
    r"per_layer_model_proj|ssm_conv1d|shortconv\.conv\.weight|"
    r"indexer\.[kq]_proj\.weight|time_mix_(?:first|[wva][012]|g[12]|decay_w[12]|lerp_fused)\.weight|"
    r"attn_rel_b\.weight|\.position_embd|sam\.pos_embd|sam\.neck\.|sam\.net_|\.rel_pos|"
    r"\.patch_embd|\.patch_merger|a\.rvq\.codebook|mm\.a\.code_embd|"
    r"^position_embd\.weight$|^token_types\.weight$"
)
"""Matrices that stay as they are: norms, routers, positions, and what is small."""

_KEPT_GLM5 = re.compile(
    r"hc_|indexer\.attn_q_b|indexer\.attn_k|indexer\.proj|indexer_compressor_(?:gate|ape)|"
    r"ssm_[fg]_[ab]\.weight|ssm_beta\.weight|attn_kv_a_mqa\.weight|attn_[kv]_b\.weight"
)
_EIGHT_BITS_GLM5 = ("attn_q_a", "attn_q_b", "nextn.eh_proj")
_GLM5 = "glm5-next"


def quantized_types(header: ModelHeader, quantization: str) -> dict[str, int]:
    """ggml's type number of every tensor in the file that the quantizer would write.

    Raises KeyError for a type that is not among `MAIN_TYPES`.
    """
    rules = _Rules(header, quantization, MAIN_TYPES[quantization])
    return {
        tensor.name: _KIND_NUMBERS[rules.type_of(tensor)]
        if allows_quantization(header.architecture, tensor)
        else tensor.type
        for tensor in sorted(header.tensors, key=_place)
    }


def quantized_header(header: ModelHeader, quantization: str) -> ModelHeader:
    """The new file's header: its tensors, and its size to the byte but for what others' headers
    hold beyond the usual (an unusual alignment). Raises KeyError as `quantized_types`."""
    kinds = quantized_types(header, quantization)
    offset = 0
    tensors = []
    for tensor in sorted(header.tensors, key=_place):
        kind = kinds[tensor.name]
        size = tensor_bytes(tensor.dims, kind)
        name = TENSOR_TYPES[kind].name
        tensors.append(
            replace(tensor, type=kind, type_name=name, nbytes=size, offset=offset, part=0)
        )
        offset += _padded(size)
    data_offset = _padded(_metadata_bytes(header))
    file_type = FILE_TYPE_NUMBERS[quantization]
    return replace(
        header,
        metadata=MappingProxyType({**header.metadata, "general.file_type": file_type}),
        tensors=tuple(tensors),
        data_offset=data_offset,
        file_bytes=data_offset + offset,
        alignment=ALIGNMENT,
    )


def allows_quantization(architecture: str, tensor: TensorInfo) -> bool:
    """Whether the quantizer touches this tensor at all."""
    if len(tensor.dims) < 2 or all(dim == 1 for dim in tensor.dims[1:]):
        return False
    if not tensor.name.endswith("weight") or _KEPT.search(tensor.name):
        return False
    return architecture != _GLM5 or _KEPT_GLM5.search(tensor.name) is None


def _place(tensor: TensorInfo) -> tuple[int, bytes]:
    """The order in which llama.cpp goes through a model: by layer, then by name."""
    match = re.match(r"blk\.(\d+)\.", tensor.name)
    return (int(match[1]) if match else -1, tensor.name.encode())


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


_SPLIT_KEYS = {"split.no": 2, "split.count": 2, "split.tensors.count": 4}
_U32_KEYS = ("general.quantization_version", "general.file_type")
_KEY_HEAD = 8 + 4  # the length of the key, and the type of its value


def _metadata_bytes(header: ModelHeader) -> int:
    """What stands before the tensors of the new file; `header.data_offset` is the first part's."""
    size = header.data_offset
    size += sum(_KEY_HEAD + len(key) + 4 for key in _U32_KEYS if key not in header.metadata)
    if not header.is_split:
        return size
    size -= sum(
        _KEY_HEAD + len(key) + value for key, value in _SPLIT_KEYS.items() if key in header.metadata
    )
    listed_elsewhere = (tensor for tensor in header.tensors if tensor.part > 0)
    return size + sum(
        8 + len(tensor.name.encode()) + 4 + 8 * len(tensor.dims) + 4 + 8
        for tensor in listed_elsewhere
    )


@dataclass(slots=True)
class _Rules:
    """Goes through the tensors in the quantizer's own order, because some rules count them."""

    header: ModelHeader
    quantization: str
    main: str
    _values_seen: int = 0
    _downs_seen: int = 0
    _gates_seen: int = 0
    _layers: int = field(init=False)
    _experts: int = field(init=False)
    _shares_heads: bool = field(init=False)
    _is_tied: bool = field(init=False)
    _values: int = field(init=False)

    def __post_init__(self) -> None:
        header = self.header
        self._layers = header.block_count
        self._experts = header.expert_count
        heads_kv = _first(header, "attention.head_count_kv", header.head_count)
        heads = _first(header, "attention.head_count", header.head_count)
        self._shares_heads = heads_kv > 0 and heads // heads_kv >= 4
        self._is_tied = header.tensor("output.weight") is None
        self._values = sum(_is_value(tensor.name) for tensor in header.tensors)

    def type_of(self, tensor: TensorInfo) -> str:
        """The type's name, for a tensor that may be quantized."""
        if self.main in _FLOATS:
            return self.main
        return _fitting(self._chosen(tensor), tensor.dims[0])

    def _chosen(self, tensor: TensorInfo) -> str:
        name, main = tensor.name, self.main
        if self.header.architecture == _GLM5 and any(part in name for part in _EIGHT_BITS_GLM5):
            return "Q8_0"
        is_embedding = name in ("token_embd.weight", "per_layer_token_embd.weight")
        if name == "output.weight" or (self._is_tied and is_embedding):
            return self._output_type(tensor)
        if main == "MXFP4":
            return self._mxfp4_type(tensor)
        if is_embedding:
            return main
        if _is_value(name):
            return self._counted_value()
        if "attn_k.weight" in name:
            return "Q8_0" if self._experts == 8 else main
        if "attn_q.weight" in name:
            return main
        if "attn_output.weight" in name:
            return self._attention_output()
        if "ffn_up" not in name and "ffn_gate" not in name and "ffn_down" in name:
            kind = self._down(_layer(name) if self._experts > 1 else self._downs_seen)
            self._downs_seen += 1
            return kind
        return main

    def _output_type(self, tensor: TensorInfo) -> str:
        block = TENSOR_TYPES[_KIND_NUMBERS[self.main]].block_values
        if self.main == "MXFP4" or self.header.architecture == "falcon" or tensor.dims[0] % block:
            return "Q8_0"
        return self.main if self.main == "Q8_0" else "Q6_K"

    def _mxfp4_type(self, tensor: TensorInfo) -> str:
        """Experts alone; the rest keeps eight bits."""
        is_expert = len(tensor.dims) > 2 and tensor.dims[2] > 1
        if self.header.architecture == "bailingmoe3":
            is_expert = is_expert and re.search("ffn_(?:up|gate|down)", tensor.name) is not None
        return "MXFP4" if is_expert else "Q8_0"

    def _counted_value(self) -> str:
        kind = self._value(self._values_seen)
        self._values_seen += 1
        if _is_70b(self.header) and kind in ("Q3_K", "Q4_K"):
            kind = "Q5_K"
        return "Q8_0" if self._experts == 8 else kind

    def _value(self, number: int) -> str:
        """Of the matrices that make the values, to which answers are most sensitive."""
        quantization = self.quantization
        if quantization == "Q2_K":
            return "Q4_K" if self._shares_heads else "Q3_K"
        if quantization == "IQ3_S" and self._shares_heads:
            return "Q4_K"
        if quantization in ("IQ4_NL", "IQ4_XS") and self._shares_heads:
            return "Q5_K"
        if quantization == "Q4_K_S" and number < 4:
            return "Q5_K"
        if quantization in ("Q4_K_M", "Q5_K_M") and _more_bits(number, self._values):
            return "Q6_K"
        always: dict[str, str] = {
            "IQ3_M": "Q4_K",
            "Q3_K_M": "Q5_K" if number < 2 else "Q4_K",
            "Q3_K_L": "Q5_K",
        }
        return always.get(quantization, self.main)

    def _down(self, layer: int) -> str:
        layers, is_falcon = self._layers, self.header.architecture == "falcon"
        rules: dict[str, Callable[[], str | None]] = {
            "Q2_K": lambda: "Q3_K",
            "Q3_K_M": lambda: (
                "Q5_K"
                if layer < layers // 16
                else "Q4_K"
                if not is_falcon or _more_bits(layer, layers)
                else None
            ),
            "IQ3_M": lambda: (
                "Q4_K"
                if layer < layers // 8 or (self._experts == 8 and _more_bits(layer, layers))
                else None
            ),
            "Q3_K_L": lambda: "Q4_K" if is_falcon else "Q5_K",
            "Q4_K_M": lambda: self._down_of_q4_k_m(layer),
            "Q5_K_M": lambda: "Q6_K" if _more_bits(layer, layers) else None,
            "Q4_K_S": lambda: "Q5_K" if not is_falcon and layer < layers // 8 else None,
            "IQ4_NL": lambda: "Q5_K" if layer < layers // 8 else None,
            "IQ4_XS": lambda: "Q5_K" if layer < layers // 8 else None,
        }
        rule = rules.get(self.quantization)
        return (rule() if rule is not None else None) or self.main

    def _down_of_q4_k_m(self, layer: int) -> str | None:
        more = _more_bits(layer, self._layers)
        if self.header.architecture != "falcon":
            return "Q6_K" if more else None
        if layer < self._layers // 16:
            return "Q6_K"
        return "Q5_K" if more else None

    def _attention_output(self) -> str:
        quantization = self.quantization
        if self.header.architecture == "falcon":
            return "Q4_K" if quantization == "Q3_K_L" else self.main
        if self._experts == 8:
            is_small = quantization.startswith(("Q2", "Q3", "IQ")) or self.main == "Q4_K"
            return "Q5_K" if is_small and quantization != "Q3_K_L" else self.main
        better = {"Q2_K": "Q3_K", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}
        return better.get(quantization, self.main)


def _is_value(name: str) -> bool:
    return name not in ("output.weight", "token_embd.weight") and any(
        part in name for part in _ATTENTION_V
    )


def _more_bits(number: int, count: int) -> bool:
    """The first and last eighth, and every third between."""
    eighth = count // 8
    return number < eighth or number >= 7 * count // 8 or (number - eighth) % 3 == 2


def _layer(name: str) -> int:
    match = re.match(r"blk\.(\d+)\.", name)
    return int(match[1]) if match else 0


def _fitting(kind: str, columns: int) -> str:
    """`kind`, or a type of smaller blocks where a row is no whole number of its blocks."""
    if columns % TENSOR_TYPES[_KIND_NUMBERS[kind]].block_values:
        kind = _FALLBACK.get(kind, kind)
        if columns % TENSOR_TYPES[_KIND_NUMBERS[kind]].block_values:
            return "F16"
    return kind


def _first(header: ModelHeader, key: str, default: int) -> int:
    """The first layer's figure."""
    value = header.per_layer(key)
    if isinstance(value, tuple):
        return value[0] if value else default
    return default if value is None else value


_LAYERS_OF_70B = {"llama": 80, "qwen2": 80, "deci": 80, "olmo": 80, "jais2": 68}


def _is_70b(header: ModelHeader) -> bool:
    """Whether llama.cpp calls it "70B": its values are then kept better."""
    if header.block_count != _LAYERS_OF_70B.get(header.architecture):
        return False
    heads_kv = _first(header, "attention.head_count_kv", header.head_count)
    return header.architecture != "llama" or heads_kv != _first(
        header, "attention.head_count", header.head_count
    )
