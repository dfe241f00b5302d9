"""Intel graphics: which are Arc cards with memory of their own, and how much that is."""

from __future__ import annotations

import re

_GIB = 1 << 30
# Discrete cards by PCI device id: name, memory. Where a card is sold with two sizes, the smaller
# one stands here; a larger memory window on the bus then tells the larger card.
_CARDS: dict[int, tuple[str, int]] = {
    0x4905: ("Intel Iris Xe MAX Graphics", 4),
    0x56A0: ("Intel Arc A770", 8),
    0x56A1: ("Intel Arc A750", 8),
    0x56A2: ("Intel Arc A580", 8),
    0x56A5: ("Intel Arc A380", 6),
    0x56A6: ("Intel Arc A310", 4),
    0x5690: ("Intel Arc A770M", 16),
    0x5691: ("Intel Arc A730M", 12),
    0x5692: ("Intel Arc A550M", 8),
    0x5693: ("Intel Arc A370M", 4),
    0x5694: ("Intel Arc A350M", 4),
    0x5696: ("Intel Arc A570M", 8),
    0x5697: ("Intel Arc A530M", 4),
    0x56B0: ("Intel Arc Pro A30M", 4),
    0x56B1: ("Intel Arc Pro A40/A50", 6),
    0x56B2: ("Intel Arc Pro A60M", 12),
    0x56B3: ("Intel Arc Pro A60", 12),
    0xE20B: ("Intel Arc B580", 12),
    0xE20C: ("Intel Arc B570", 10),
    0xE211: ("Intel Arc Pro B60", 24),
    0xE212: ("Intel Arc Pro B50", 16),
}
_INTEGRATED_SLOT = "0000:00:02.0"  # Intel's own graphics have always sat here
_DISCRETE_NAME = re.compile(r"Arc(\(TM\))? (Pro )?[AB]\d{2,3}M?\b|Iris(\(R\))? Xe MAX", re.I)


def is_integrated(slot: str, device: int) -> bool:
    return device not in _CARDS and slot == _INTEGRATED_SLOT


def is_card_name(name: str) -> bool:
    """Whether a driver's name for it is a card's ("Arc(TM) B580"), not a processor's graphics."""
    return bool(_DISCRETE_NAME.search(name))


def card_name(device: int) -> str:
    return _CARDS[device][0] if device in _CARDS else ""


def card_bytes(device: int, window_bytes: int) -> int:
    """A card's memory; 0 if not known.

    `window_bytes` is its largest range on the PCI bus: with a resizable BAR the whole memory,
    rounded up to a power of two; without, 256 MiB, which says nothing.
    """
    known = _CARDS[device][1] * _GIB if device in _CARDS else 0
    if known:
        return 2 * known if window_bytes == 2 * known and known == 8 * _GIB else known
    return window_bytes if window_bytes >= _GIB else 0


def integrated_share_bytes(memory_bytes: int) -> int:
    """What Linux' Vulkan driver offers of main memory: half up to 4 GiB, else three quarters.

    Source: Mesa, src/intel/vulkan, the size of the system heap.
    """
    return memory_bytes // 2 if memory_bytes <= 4 * _GIB else memory_bytes // 4 * 3
