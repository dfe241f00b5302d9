"""From what happened to what to expect: measured against predicted, device by device.

Everything here is plain arithmetic on samples, newest last; services/history.py keeps them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from desktop.fit.corrections import Corrections

LAST = 9
"""So many of the newest samples count: an odd number, so that one outlier moves no median."""

MOST_FACTOR = 8.0
"""A speed further off than this is a fault of the measurement, not of the machine."""

MOST_MARGIN_SHARE = 0.6
"""Of a device's memory: however often a load failed, the device is not given up for good."""

# How far a factor goes with n samples: n / (n + this) of the way on a logarithmic scale.
_DOUBT = 0.5
# A failed load shows that much was missing at least, beside the slack that it had.
_LEAST_MISSING_BYTES = 128 << 20
_MISSING_SHARE = 1 / 16
_USUAL_MARGIN_BYTES = 256 << 20  # every plan keeps it free: part of the slack that was not enough
_HALVED_AFTER = 6  # successful loads of that size


@dataclass(frozen=True, slots=True)
class SpeedSample:
    """Measured ÷ predicted (without corrections) for one model under one plan.

    `devices`: where its weights lie; a ratio over several devices tells less about each.
    """

    devices: tuple[str, ...]
    ratio: float


@dataclass(frozen=True, slots=True)
class MemorySample:
    """What one load took of `device` beyond its prediction; negative where it took less."""

    device: str
    beyond_bytes: int


@dataclass(frozen=True, slots=True)
class FailedLoad:
    """A load that did not fit although it should have.

    `available_bytes`: what the device claimed to have free. `out_of_memory`: it is known to have
    died of that. `successes_since`: later loads on the device of half that size or more.
    """

    device: str
    predicted_bytes: int
    available_bytes: int | None
    out_of_memory: bool = False
    successes_since: int = 0


def learn(
    capacity_bytes: Mapping[str, int],
    *,
    generation: Sequence[SpeedSample] = (),
    prompt: Sequence[SpeedSample] = (),
    memory: Sequence[MemorySample] = (),
    failures: Sequence[FailedLoad] = (),
) -> Corrections:
    """Corrections for the devices of `capacity_bytes`; a device without samples gets none."""
    devices = tuple(capacity_bytes)
    margins = {
        device: _margin(device, capacity_bytes[device], memory, failures) for device in devices
    }
    return Corrections(
        margin_bytes={device: margin for device, margin in margins.items() if margin > 0},
        generation=_factors(devices, generation),
        prompt=_factors(devices, prompt),
    )


def _factors(devices: Iterable[str], samples: Sequence[SpeedSample]) -> dict[str, float]:
    factors: dict[str, float] = {}
    for device in devices:
        alone = [sample.ratio for sample in samples if sample.devices == (device,)]
        shared = [sample.ratio for sample in samples if device in sample.devices]
        if ratios := _usable(alone) or _usable(shared):
            factors[device] = _factor(ratios)
    return factors


def _usable(ratios: Iterable[float]) -> list[float]:
    return [ratio for ratio in ratios if math.isfinite(ratio) and ratio > 0][-LAST:]


def _factor(ratios: Sequence[float]) -> float:
    """The median ratio, drawn towards 1 while there are few."""
    middle = math.log(statistics.median(ratios))
    trusted = len(ratios) / (len(ratios) + _DOUBT)
    return min(MOST_FACTOR, max(1 / MOST_FACTOR, math.exp(middle * trusted)))


def _margin(
    device: str,
    capacity_bytes: int,
    memory: Sequence[MemorySample],
    failures: Sequence[FailedLoad],
) -> int:
    """The larger of what loads take beyond their predictions and what failed loads have shown."""
    beyond = [max(0, sample.beyond_bytes) for sample in memory if sample.device == device][-LAST:]
    failed = [failure for failure in failures if failure.device == device]
    wanted = max(
        float(_upper_quartile(beyond)),
        sum(_step(failure) for failure in failed),
        max((_missing(failure) for failure in failed), default=0.0),
    )
    return min(int(wanted), int(capacity_bytes * MOST_MARGIN_SHARE))


def _step(failed: FailedLoad) -> float:
    """What one failure more is worth, whatever it died of; nothing where it was predicted."""
    if failed.available_bytes is not None and failed.available_bytes < failed.predicted_bytes:
        return 0.0
    step = max(_LEAST_MISSING_BYTES, failed.predicted_bytes * _MISSING_SHARE)
    return float(step * 0.5 ** (failed.successes_since / _HALVED_AFTER))


def _missing(failed: FailedLoad) -> float:
    """How much must stay free so that this plan would not have been made: its slack, and a step.

    Only where it was memory that was missing: else a broken driver would cost half of a card.
    """
    if not failed.out_of_memory or failed.available_bytes is None:
        return 0.0
    slack = failed.available_bytes - failed.predicted_bytes
    halved = 0.5 ** (failed.successes_since / _HALVED_AFTER)
    return float(max(0, slack - _USUAL_MARGIN_BYTES) * halved) + _step(failed)


def _upper_quartile(sizes: Sequence[int]) -> int:
    """A margin is for the worse loads, but not for the one worst; 0 of none."""
    if not sizes:
        return 0
    ordered = sorted(sizes)
    return ordered[math.ceil(0.75 * len(ordered)) - 1]
