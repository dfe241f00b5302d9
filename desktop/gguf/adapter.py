"""Whether a LoRA adapter belongs to a model, by the headers of both.

llama.cpp compares two of its tensors' sizes and ends the process where the others do not fit,
or where a value has another type than it expects.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from desktop.common.errors import ModelFileError
from desktop.gguf.header import ModelHeader, TensorInfo

_A, _B = ".lora_a", ".lora_b"
_ALPHA, _INVOCATION = "adapter.lora.alpha", "adapter.alora.invocation_tokens"
_IGNORED = "_norm.weight"
_EMBEDDING = "token_embd.weight"


def check_adapter(adapter: ModelHeader, base: ModelHeader) -> None:
    """Raise ModelFileError: not_an_adapter, activated_adapter, adapter_of_another_model."""
    path = str(adapter.paths[0]) if adapter.paths else ""
    if adapter.text("general.type") != "adapter" or adapter.text("adapter.type") != "lora":
        raise ModelFileError("not_an_adapter", path=path)
    if _INVOCATION in adapter.metadata:
        raise ModelFileError("activated_adapter", path=path)
    alpha = adapter.metadata.get(_ALPHA, 0.0)
    if not isinstance(alpha, float) or not math.isfinite(alpha):
        raise ModelFileError("malformed_gguf", path=path, problem=_ALPHA)
    if adapter.architecture != base.architecture:
        raise ModelFileError("adapter_of_another_model", path=path, detail=adapter.architecture)
    for name, problem in _problems(adapter, base):
        raise ModelFileError("adapter_of_another_model", path=path, detail=f"{name}: {problem}")


def _problems(adapter: ModelHeader, base: ModelHeader) -> Iterator[tuple[str, str]]:
    pairs: dict[str, dict[str, TensorInfo]] = {}
    for tensor in adapter.tensors:
        ending = tensor.name[-len(_A) :]
        if ending in (_A, _B):
            pairs.setdefault(tensor.name.removesuffix(ending), {})[ending] = tensor
        elif not tensor.name.endswith(_IGNORED):
            yield tensor.name, "an unknown kind of tensor"
    if not pairs:
        yield "", "no tensors"
    # Where the model has no output of its own, its embedding is that too, and the adapter's
    # matrices would be multiplied the wrong way round.
    tied = base.tensor("output.weight") is None
    for name, pair in pairs.items():
        changed = base.tensor(name)
        if changed is None:
            yield name, "not in the model"
        elif len(pair) != 2:
            yield name, "one of two is missing"
        elif name == _EMBEDDING:
            fits = not tied and _fits_embedding(_four(changed), _four(pair[_A]), _four(pair[_B]))
            if not fits:
                yield name, "other sizes"
        elif not _fits(_four(changed), _four(pair[_A]), _four(pair[_B])):
            yield name, "other sizes"


def _fits(changed: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return (
        changed[0] == a[0] and changed[1] == b[1] and a[1] == b[0] and changed[2:] == a[2:] == b[2:]
    )


def _fits_embedding(changed: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return changed[0] == b[1] and changed[1] == a[1] and a[0] == b[0] and a[2:] == b[2:] == (1, 1)


def _four(tensor: TensorInfo) -> tuple[int, ...]:
    return (*tensor.dims, 1, 1, 1, 1)[:4]
