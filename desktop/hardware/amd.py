"""AMD graphics: which of them are part of a processor (APU) and share its memory."""

from __future__ import annotations

import re

# PCI device ids of AMD's APUs, by family.
_APU_DEVICES = frozenset(
    (
        *range(0x1304, 0x131E),  # Kaveri
        *range(0x9830, 0x9840),  # Kabini
        *range(0x9850, 0x9858),  # Mullins
        *range(0x9870, 0x9878),  # Carrizo, Bristol Ridge
        0x98E4,  # Stoney Ridge
        *(0x15DD, 0x15D8),  # Raven Ridge, Picasso
        *(0x1636, 0x1638, 0x164C, 0x15E7),  # Renoir, Cezanne, Lucienne, Barcelo
        *(0x163F, 0x1435),  # Van Gogh (Steam Deck)
        *(0x164D, 0x1681),  # Rembrandt
        *(0x164E, 0x13C0, 0x1506),  # Raphael, Granite Ridge, Mendocino
        *(0x15BF, 0x15C8, 0x164F, 0x1900, 0x1901),  # Phoenix, Hawk Point
        *(0x150E, 0x1586, 0x1114),  # Strix Point, Strix Halo, Krackan Point
    )
)
_CARD = re.compile(
    r"\b(RX \d{3,4}|Radeon (Pro )?W\d|Radeon AI PRO|Radeon VII|Instinct|FirePro)", re.I
)
_APU = re.compile(
    r"Vega \d+ Graphics|Radeon(\(TM\))? (R\d )?Graphics|\b\d{3,4}[MS] Graphics|HD \d+G", re.I
)


def is_apu(device: int, name: str) -> bool:
    """Whether this is a processor's own graphics, by its PCI device id, else by its name."""
    if device in _APU_DEVICES:
        return True
    return bool(_APU.search(name)) and not _CARD.search(name)
