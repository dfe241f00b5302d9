"""What a smaller version of a model would be: its size, what it loses, what to be warned of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.common.errors import Param
from desktop.gguf.header import ModelHeader

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


@dataclass(frozen=True, slots=True)
class QuantizationWarning:
    """Something to know before; ``quantize.warning.<kind>`` has its sentence.

    Kinds: lossy_twice, very_low_bits, loses_much, hardly_smaller, mixed_types, loss_unknown.
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


def plan_quantization(header: ModelHeader, quantization: str) -> QuantizationPlan:
    """What making `quantization` (``Q4_K_M``..., in any case) of the model would give.

    Nothing is computed but the header: milliseconds. Raises UsageError: bad_quantization,
    quantization_needs_matrix, quantization_not_smaller, quantization_no_model; UnsafeModelError.
    """
    raise NotImplementedError
