"""Our own share of AMD's and Intel's GPUs on Linux, as their drivers tell it for open files.

/proc/PID/fdinfo of an open /dev/dri node holds lines ``drm-pdev: 0000:03:00.0``,
``drm-resident-vram0: 12 MiB``, ``drm-engine-compute: 812 ns`` (the kernel's drm-usage-stats).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desktop.hardware.files import Files

_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
# What really lies there, or else what was asked for; a driver may report several of them.
_SIZES = ("drm-resident-", "drm-memory-", "drm-total-")


@dataclass(slots=True)
class DrmUse:
    """What we use of one GPU: memory of its own, main memory through it, engine time so far."""

    own_bytes: int = 0
    shared_bytes: int = 0
    busy_ns: int = 0


def own_use(files: Files, pids: Iterable[int]) -> dict[str, DrmUse]:
    """By the GPU's slot on the bus; each open client counts once, however many files share it."""
    found: dict[str, DrmUse] = {}
    seen: set[tuple[str, str]] = set()
    for pid in pids:
        for number in files.names(f"/proc/{pid}/fd"):
            if not files.link_name(f"/proc/{pid}/fd/{number}").startswith(("renderD", "card")):
                continue
            lines = _lines(files.text_or(f"/proc/{pid}/fdinfo/{number}"))
            slot, client = lines.get("drm-pdev", ""), lines.get("drm-client-id", number)
            if not slot or (slot, client) in seen:
                continue
            seen.add((slot, client))
            _add(found.setdefault(slot, DrmUse()), lines)
    return found


def _lines(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _add(use: DrmUse, lines: dict[str, str]) -> None:
    named = next((p for p in _SIZES if any(key.startswith(p) for key in lines)), None)
    regions = {
        key.removeprefix(named): _bytes(value)
        for key, value in lines.items()
        if named is not None and key.startswith(named)
    }
    for region, size in regions.items():
        if region.startswith("vram"):
            use.own_bytes += size
        else:
            use.shared_bytes += size
    engines = [
        _number(value.removesuffix("ns"))
        for key, value in lines.items()
        if key.startswith("drm-engine-") and not key.startswith("drm-engine-capacity-")
    ]
    use.busy_ns += max(engines, default=0)


def _bytes(text: str) -> int:
    number, _, unit = text.partition(" ")
    return _number(number) * _UNITS.get(unit.strip(), 0)


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() else 0
