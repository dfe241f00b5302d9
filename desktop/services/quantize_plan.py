"""What a smaller version of a model would be: its size, what it loses, what to be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from desktop.common.errors import Param, UsageError
from desktop.fit.quality import GOOD_LOSS_NATS, quantization_loss
from desktop.gguf.header import ModelHeader
from desktop.gguf.quantizer import (
    MAIN_TYPES,
    NEED_MATRIX,
    allows_quantization,
    quantized_header,
)
from desktop.gguf.safety import check
from desktop.gguf.shown import printable
from desktop.gguf.tensor_types import TENSOR_TYPES

OFFERED = (
    "Q8_0",
    "Q6_K",
    "Q5_K_M",
    "Q5_K_S",
    "Q4_K_M",
    "Q4_K_S",
    "IQ4_XS",
    "Q3_K_L",
    "Q3_K_M",
    "Q3_K_S",
    "Q2_K",
)
"""The types that the window offers, largest first; more can be asked for by name."""


ALIASES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M", "Q8": "Q8_0", "MXFP4_MOE": "MXFP4"}

_SIXTEEN_BITS = frozenset({"F32", "F16", "BF16"})
_LITTLE_NATS = 0.001
_HARDLY_SMALLER = 0.1  # of the original's bytes
_VERY_LOW = ("Q2_K",)

LossTier = Literal["none", "little", "some", "much", "unknown"]
_TIERS: tuple[tuple[float, LossTier], ...] = ((0.005, "none"), (GOOD_LOSS_NATS, "little"))
_SOME_NATS = 0.2


@dataclass(frozen=True, slots=True)
class QuantizationWarning:
    """Something to know before; ``quantize.warning.<kind>`` has its sentence.

    Kinds: lossy_twice, lossy_twice_little (from eight bits), very_low_bits, loses_much,
    hardly_smaller, loss_unknown, unusual_shape (some tensors keep more bits).
    """

    kind: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class QuantizationPlan:
    """`file_bytes` is what the new file takes, `source_bytes` what the model takes now.

    `header` is the new file's, tensor by tensor, for planning with it. `loss_nats` is the expected
    text loss a token against 16 bits (None where nobody measured), `more_loss_nats` what of it is
    new, against the file that it is made from.
    """

    source: ModelHeader
    quantization: str
    header: ModelHeader
    file_bytes: int
    source_bytes: int
    bits_per_weight: float
    loss_nats: float | None
    more_loss_nats: float | None
    warnings: tuple[QuantizationWarning, ...]

    @property
    def saved_bytes(self) -> int:
        """How much less disk the new file takes than the original."""
        return self.source_bytes - self.file_bytes

    @property
    def loss_tier(self) -> LossTier:
        """What `loss_nats` means to a reader; ``quantize.loss.<tier>`` says it."""
        return loss_tier(self.loss_nats)


def plan_quantization(header: ModelHeader, quantization: str) -> QuantizationPlan:
    """What making `quantization` (``Q4_K_M``..., in any case) of the model would give.

    Nothing is computed but the header: milliseconds. Raises UsageError: bad_quantization,
    quantization_needs_matrix, quantization_not_smaller, quantization_foreign_bytes; ModelFileError
    and UnsafeModelError as `check`.
    """
    wanted = _known(quantization)
    check(header)
    if header.byte_order != "little":
        raise UsageError("quantization_foreign_bytes", name=header.name)
    new = quantized_header(header, wanted)
    if new.file_bytes >= header.file_bytes:
        raise UsageError(
            "quantization_not_smaller",
            quantization=wanted,
            source=header.quantization,
            file_bytes=new.file_bytes,
            source_bytes=header.file_bytes,
        )
    before, more = source_loss(header), quantization_loss(wanted)
    # Errors of two roundings are independent: their squares, and so their losses, add up.
    loss = None if before is None or more is None else before + more
    return QuantizationPlan(
        source=header,
        quantization=wanted,
        header=new,
        file_bytes=new.file_bytes,
        source_bytes=header.file_bytes,
        bits_per_weight=new.bits_per_weight,
        loss_nats=loss,
        more_loss_nats=more,
        warnings=tuple(_warnings(header, new, wanted, loss)),
    )


def source_loss(header: ModelHeader) -> float | None:
    """Nats that the file at hand has lost already; None where nobody measured its kind."""
    return quantization_loss(header.quantization)


def loss_tier(loss_nats: float | None) -> LossTier:
    if loss_nats is None:
        return "unknown"
    for most_nats, tier in _TIERS:
        if loss_nats <= most_nats:
            return tier
    return "some" if loss_nats <= _SOME_NATS else "much"


def _known(quantization: str) -> str:
    plain = quantization.strip().upper()
    plain = ALIASES.get(plain, plain)
    if plain in NEED_MATRIX:
        raise UsageError("quantization_needs_matrix", quantization=plain)
    if plain not in MAIN_TYPES:
        choices = ", ".join(MAIN_TYPES)
        raise UsageError("bad_quantization", quantization=printable(quantization), choices=choices)
    return plain


def _warnings(
    source: ModelHeader, new: ModelHeader, wanted: str, loss: float | None
) -> Iterator[QuantizationWarning]:
    made_of = source.quantization
    if made_of not in _SIXTEEN_BITS:
        lost = source_loss(source)
        little = lost is not None and lost <= _LITTLE_NATS
        kind = "lossy_twice_little" if little else "lossy_twice"
        yield QuantizationWarning(kind, {"source": made_of, "quantization": wanted})
    if wanted in _VERY_LOW:
        yield QuantizationWarning("very_low_bits", {"quantization": wanted})
    elif loss is None:
        yield QuantizationWarning("loss_unknown", {"quantization": wanted})
    elif loss_tier(loss) in ("some", "much"):
        yield QuantizationWarning("loses_much", {"quantization": wanted})
    if new.file_bytes > (1 - _HARDLY_SMALLER) * source.file_bytes:
        saved = source.file_bytes - new.file_bytes
        yield QuantizationWarning("hardly_smaller", {"saved": saved})
    unusual = _unusual(new, wanted)
    if unusual:
        yield QuantizationWarning("unusual_shape", {"count": unusual, "quantization": wanted})


def _unusual(new: ModelHeader, wanted: str) -> int:
    """Tensors whose rows are no whole number of blocks: they are stored with more bits."""
    block = next(
        kind.block_values for kind in TENSOR_TYPES.values() if kind.name == MAIN_TYPES[wanted]
    )
    return sum(
        tensor.dims[0] % block != 0
        for tensor in new.tensors
        if allows_quantization(new.architecture, tensor)
    )
