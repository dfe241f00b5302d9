"""AMD's and Intel's GPUs on Linux while they work: load, memory, heat, power, our share."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop.hardware import pci, sysfs_gpus
from desktop.hardware.drm_clients import DrmUse, own_use
from desktop.hardware.files import Files
from desktop.hardware.live import GpuLive
from desktop.hardware.machine import Gpu, Memory
from desktop.hardware.pci import PciDevice
from desktop.hardware.rates import Rate


@dataclass(slots=True)
class _Card:
    device: PciDevice
    gpu: Gpu
    hwmon: str
    busy: Rate = field(default_factory=Rate)
    energy: Rate = field(default_factory=Rate)


class SysfsLive:
    """Every GPU that `sysfs_gpus` finds; one that sleeps is not woken by being looked at."""

    def __init__(self, files: Files, memory: Memory) -> None:
        self._files = files
        self._cards = [
            _Card(device, gpu, self._hwmon(device))
            for device, gpu in sysfs_gpus.usable(files, memory)
        ]

    def sample(self, pids: tuple[int, ...], at: float) -> tuple[GpuLive, ...]:
        """All of them; `pids` are this app's processes."""
        if not self._cards:
            return ()
        uses = own_use(self._files, pids)
        return tuple(self._read(card, uses.get(card.device.slot), at) for card in self._cards)

    def _read(self, card: _Card, use: DrmUse | None, at: float) -> GpuLive:
        gpu, folder = card.gpu, card.device.folder
        total = gpu.total_bytes
        ours = None if use is None else use.own_bytes
        if use is not None and gpu.unified:
            ours = use.own_bytes + use.shared_bytes
        if self._files.text_or(f"{folder}/power/runtime_status") == "suspended":
            return GpuLive(gpu.name, card.device.slot, total, None, ours, load=0.0, ours_load=0.0)
        used, shared = self._memory(card)
        busy = self._files.number_or_none(f"{folder}/gpu_busy_percent")
        ours_busy = card.busy.per_s(None if use is None else use.busy_ns, at)
        return GpuLive(
            name=gpu.name,
            key=card.device.slot,
            total_bytes=total,
            used_bytes=used,
            ours_bytes=ours,
            shared_bytes=shared,
            load=None if busy is None else min(max(busy, 0), 100) / 100,
            ours_load=None if ours_busy is None else min(ours_busy / 1e9, 1.0),
            temperature_c=self._scaled(card, "temp1_input", 1e3),
            power_w=self._power_w(card, at),
            power_limit_w=self._scaled(card, "power1_cap", 1e6),
        )

    def _memory(self, card: _Card) -> tuple[int | None, int | None]:
        """In use, and main memory used beside a card's own; Intel's drivers tell neither."""
        folder = card.device.folder
        own = self._files.number_or_none(f"{folder}/mem_info_vram_used")
        mapped = self._files.number_or_none(f"{folder}/mem_info_gtt_used")
        if own is None:
            return None, None
        if card.gpu.unified:
            return own + (mapped or 0), None
        return own, mapped

    def _power_w(self, card: _Card, at: float) -> float | None:
        for name in ("power1_average", "power1_input"):
            if (watts := self._scaled(card, name, 1e6)) is not None:
                return watts
        if not card.hwmon:
            return None
        rate = card.energy.per_s(self._files.number_or_none(f"{card.hwmon}/energy1_input"), at)
        return None if rate is None else rate / 1e6

    def _scaled(self, card: _Card, name: str, unit: float) -> float | None:
        value = self._files.number_or_none(f"{card.hwmon}/{name}") if card.hwmon else None
        return None if value is None or value <= 0 else value / unit

    def _hwmon(self, device: PciDevice) -> str:
        folders = self._files.names(f"{device.folder}/hwmon")
        return f"{device.folder}/hwmon/{folders[0]}" if folders else ""


def nvidia_sleeps(files: Files) -> bool:
    """Whether every NVIDIA card is switched off to save power: asking its driver would wake it."""
    cards = [device for device in pci.display_devices(files) if device.vendor == pci.NVIDIA]
    return bool(cards) and all(
        files.text_or(f"{card.folder}/power/runtime_status") == "suspended" for card in cards
    )
