"""What earlier loads have taught about this machine: margins and factors for the next plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Corrections:
    """By llama.cpp's device name (``CPU``, ``CUDA0``); a device that is missing needs none.

    `margin_bytes`: to be kept free beside the usual margin, learned from loads that failed or took
    more than predicted. `generation` and `prompt`: measured ÷ predicted speed of work done there.
    """

    margin_bytes: Mapping[str, int] = field(default_factory=dict)
    generation: Mapping[str, float] = field(default_factory=dict)
    prompt: Mapping[str, float] = field(default_factory=dict)


NO_CORRECTIONS = Corrections()
