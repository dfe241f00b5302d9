"""Values in a well-formed header that make llama.cpp abort, or load and then misbehave.

llama.cpp checks some numbers with assertions, which end the whole process. The rules are its
own, measured with files that carry one such value each; what cannot be seen in a header
(a vocabulary with a token twice) is left to the first load in a child process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeGuard

from desktop.common.errors import ModelFileError, Param, UnsafeModelError
from desktop.gguf.header import ModelHeader
from desktop.gguf.shown import printable
from desktop.gguf.values import ArrayRef, MetaValue, TextRef

MAX_LAYERS = 512
MAX_EXPERTS = 1024
_MAX_CONTEXT = 1 << 30
_MAX_WIDTH = 1 << 20
_ROPE_SCALINGS = ("", "none", "linear", "yarn", "longrope")
_EPSILONS = ("layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon")
_ENDS = ("tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id")
_NO_TEXT = ("no_vocab", "none")
_PARTS_OF_MODELS = ("clip", "mmproj", "adapter", "imatrix", "controlvector")

_Problem = tuple[str, MetaValue | None]


def check(header: ModelHeader) -> None:
    """Raise UnsafeModelError("unsafe_model", key, value) for the first value that would hurt.

    Raises ModelFileError: no_language_model for a vision part, an adapter or the like;
    malformed_gguf where no architecture is named.
    """
    path = str(header.paths[0]) if header.paths else ""
    kind = header.text("general.type") or ""
    if header.architecture in _PARTS_OF_MODELS or kind in _PARTS_OF_MODELS:
        raise ModelFileError("no_language_model", path=path, what=header.architecture or kind)
    if not header.architecture:
        raise ModelFileError("malformed_gguf", path=path, problem="no architecture")
    for key, value in _problems(header):
        raise UnsafeModelError("unsafe_model", path=path, key=key, value=_shown(value))


def _problems(header: ModelHeader) -> Iterator[_Problem]:
    yield from _size_problems(header)
    yield from _expert_problems(header)
    yield from _number_problems(header)
    yield from _tokenizer_problems(header)


def _size_problems(header: ModelHeader) -> Iterator[_Problem]:
    yield from _outside(header, "block_count", 1, MAX_LAYERS)
    yield from _outside(header, "context_length", 1, _MAX_CONTEXT)
    yield from _outside(header, "embedding_length", 1, _MAX_WIDTH)
    yield from _outside(header, "nextn_predict_layers", 0, header.block_count, optional=True)
    for key in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        yield from _outside(header, key, 0, 1 << 24, optional=True)
        value = header.per_layer(key)
        if isinstance(value, tuple) and len(value) < header.block_count:
            yield _full(header, key), value


def _expert_problems(header: ModelHeader) -> Iterator[_Problem]:
    experts = header.arch_integer("expert_count")
    yield from _outside(header, "expert_count", 0, MAX_EXPERTS, optional=True)
    # HunYuan's dense models carry one expert, which llama.cpp reads as none.
    if header.architecture.startswith("hunyuan") and experts <= 1:
        return
    used = header.arch_integer("expert_used_count")
    if not (1 <= used <= experts if experts else used == 0):
        yield _full(header, "expert_used_count"), header.per_layer("expert_used_count")
    groups = header.arch_integer("expert_group_count")
    used_groups = header.arch_integer("expert_group_used_count")
    if groups and groups >= experts:
        yield _full(header, "expert_group_count"), groups
    if groups > 1 and experts % groups:
        yield _full(header, "expert_group_count"), groups
    if groups > 1 and not 0 < used_groups < groups:
        yield _full(header, "expert_group_used_count"), used_groups


def _number_problems(header: ModelHeader) -> Iterator[_Problem]:
    for name in _EPSILONS:
        key = _full(header, f"attention.{name}")
        value = header.metadata.get(key, 0.0)
        if not _is_number(value) or not (math.isfinite(value) and value >= 0):
            yield key, value
    key = _full(header, "rope.scaling.type")
    scaling = header.metadata.get(key, "none")
    if scaling not in _ROPE_SCALINGS:
        yield key, scaling
    for name in ("rope.freq_base", "rope.scaling.factor", "rope.scale_linear"):
        key = _full(header, name)
        value = header.metadata.get(key, 1.0)
        if not _is_number(value) or not (math.isfinite(value) and value >= 0):
            yield key, value


def _tokenizer_problems(header: ModelHeader) -> Iterator[_Problem]:
    model = header.metadata.get("tokenizer.ggml.model")
    if model in _NO_TEXT:
        yield "tokenizer.ggml.model", model
    if header.vocab_size == 0:
        return
    for key in _ENDS:
        value = header.metadata.get(key, 0)
        if not isinstance(value, int) or not 0 <= value < header.vocab_size:
            yield key, value


def _outside(
    header: ModelHeader, key: str, least: int, most: int, *, optional: bool = False
) -> Iterator[_Problem]:
    """The value of `<architecture>.<key>`, or of one layer, where it is out of its range."""
    value = header.per_layer(key)
    if value is None:
        present = _full(header, key) in header.metadata
        if not optional or present:
            yield _full(header, key), header.metadata.get(_full(header, key))
        return
    numbers = value if isinstance(value, tuple) else (value,)
    if any(not least <= number <= most for number in numbers):
        yield _full(header, key), value


def _full(header: ModelHeader, key: str) -> str:
    return f"{header.architecture}.{key}"


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: MetaValue | None) -> Param:
    if value is None:
        return "-"
    if isinstance(value, bool | tuple | ArrayRef | TextRef):
        return printable(str(value))
    return printable(value) if isinstance(value, str) else value
