"""What a model holds of one device, as a record: read without loading llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class DeviceUsage:
    """Bytes on one device (llama.cpp's name); `output_bytes` are the logits, on the host.

    A mapped file's weights count as held, and once more where the processor rearranged them.
    """

    device: str
    weights_bytes: int
    context_bytes: int
    compute_bytes: int
    output_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.weights_bytes + self.context_bytes + self.compute_bytes + self.output_bytes

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """What `to_json` made. Raises ValueError where a field is missing or of another type."""
        try:
            values = {field.name: document[field.name] for field in fields(cls)}
        except KeyError as error:
            raise ValueError(f"usage without {error}") from error
        for name, value in values.items():
            if type(value) is not (str if name == "device" else int):
                raise ValueError(f"usage with {name} {value!r}")
        return cls(**values)
