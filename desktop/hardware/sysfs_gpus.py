"""AMD and Intel GPUs on Linux: their memory as the kernel's drivers show it in sysfs.

Files of amdgpu: mem_info_vram_* (the card's own memory, or what the firmware set aside for an
APU) and mem_info_gtt_* (main memory that the GPU may map), documented with the kernel driver.
"""

from __future__ import annotations

import os

from desktop.hardware import amd, intel, pci
from desktop.hardware.abc import GpuScan
from desktop.hardware.fields import MAX_BYTES
from desktop.hardware.files import Files
from desktop.hardware.machine import Gpu, Memory, Note
from desktop.hardware.pci import PciDevice

_AMD_NAMES = "/usr/share/libdrm/amdgpu.ids"
# Not "radeon" (cards before 2012, without Vulkan) nor "vfio-pci" (lent to a virtual machine).
_DRIVERS = ("amdgpu", "i915", "xe")
_APU_METRICS = (2, 3)  # format revisions of amdgpu's gpu_metrics that only APUs have


def scan(files: Files, memory: Memory) -> GpuScan:
    """Every AMD and Intel GPU that this user may compute on, and notes about the others.

    Other vendors' display adapters (virtual machines', servers') are no GPUs here.
    """
    gpus: list[Gpu] = []
    notes: list[Note] = []
    for device in pci.display_devices(files):
        if device.vendor not in (pci.AMD, pci.INTEL):
            continue
        found = _read(files, device, memory)
        if isinstance(found, Gpu):
            gpus.append(found)
        else:
            notes.append(found)
    return GpuScan(tuple(gpus), tuple(notes))


def usable(files: Files, memory: Memory) -> tuple[tuple[PciDevice, Gpu], ...]:
    """The GPUs of `scan`, each with its device on the bus."""
    found: list[tuple[PciDevice, Gpu]] = []
    for device in pci.display_devices(files):
        if device.vendor in (pci.AMD, pci.INTEL):
            gpu = _read(files, device, memory)
            if isinstance(gpu, Gpu):
                found.append((device, gpu))
    return tuple(found)


def _read(files: Files, device: PciDevice, memory: Memory) -> Gpu | Note:
    name = _amd_name(files, device) if device.vendor == pci.AMD else _intel_name(files, device)
    if not device.driver:
        return Note.of("gpu_no_driver", name=name)
    if device.driver not in _DRIVERS:
        return Note.of("gpu_unsupported", name=name)
    node = pci.render_node(files, device)
    if not node or not os.access(files.path(node), os.R_OK | os.W_OK):
        return Note.of("gpu_no_access", name=name)
    try:
        if device.vendor == pci.AMD:
            gpu = _amd(files, device, name, memory)
        else:
            gpu = _intel(files, device, name, memory)
    except (OSError, ValueError) as error:
        return Note.of("gpu_unreadable", name=name, detail=str(error))
    if not 0 < gpu.total_bytes <= MAX_BYTES or (gpu.dedicated_bytes or 0) < 0:
        return Note.of("gpu_implausible", name=name)
    return gpu


def _amd(files: Files, device: PciDevice, name: str, memory: Memory) -> Gpu:
    """Raises OSError, ValueError where the driver's memory files do not let themselves be read."""
    own = files.number(f"{device.folder}/mem_info_vram_total")
    own_free = _left(own, files.number(f"{device.folder}/mem_info_vram_used"))
    if not _is_apu(files, device, name):
        return Gpu(name, "amd", "vulkan", own, own_free, driver=device.driver)
    # The kernel may let the GPU map more than there is; main memory is the limit.
    mapped = files.number(f"{device.folder}/mem_info_gtt_total")
    mapped_used = files.number(f"{device.folder}/mem_info_gtt_used")
    shared = min(max(mapped, 0), memory.total_bytes)
    shared_free = _left(mapped, mapped_used)
    if memory.available_bytes is not None:
        shared_free = min(shared_free, memory.available_bytes)
    return Gpu(
        name=name,
        vendor="amd",
        backend="vulkan",
        total_bytes=own + shared,
        free_bytes=own_free + min(shared_free, shared),
        unified=True,
        integrated=True,
        driver=device.driver,
        dedicated_bytes=own,
    )


def _left(total: int, used: int) -> int:
    """What is free of `total`, whatever the driver says is in use."""
    return total - min(max(used, 0), total)


def _is_apu(files: Files, device: PciDevice, name: str) -> bool:
    """By the driver's own words where it says something, else by device id and name."""
    try:
        with files.path(f"{device.folder}/gpu_metrics").open("rb") as file:
            header = file.read(4)  # u16 size, u8 format revision, u8 content revision
    except OSError:
        header = b""
    if len(header) == 4:
        return header[2] in _APU_METRICS
    for folder in files.names(f"{device.folder}/hwmon"):
        # The voltage of the north bridge is shown for APUs only.
        if files.text_or(f"{device.folder}/hwmon/{folder}/in1_label") == "vddnb":
            return True
    return amd.is_apu(device.device, name)


def _intel(files: Files, device: PciDevice, name: str, memory: Memory) -> Gpu:
    if intel.is_integrated(device.slot, device.device):
        total = intel.integrated_share_bytes(memory.total_bytes)
        available = memory.available_bytes
        return Gpu(
            name=name,
            vendor="intel",
            backend="vulkan",
            total_bytes=total,
            free_bytes=None if available is None else min(total, available),
            unified=True,
            integrated=True,
            driver=device.driver,
            dedicated_bytes=0,
        )
    total = intel.card_bytes(device.device, pci.largest_window_bytes(files, device))
    if not total:
        raise ValueError(f"{device.slot}: memory size not told by {device.driver}")
    return Gpu(name, "intel", "vulkan", total, None, driver=device.driver)


def _amd_name(files: Files, device: PciDevice) -> str:
    """From libdrm's list ``device, revision, name``, else from the system's pci.ids."""
    wanted = (f"{device.device:X}", f"{device.revision:X}")
    for line in files.text_or(_AMD_NAMES).splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        if len(parts) == 3 and (parts[0].upper(), parts[1].upper().lstrip("0") or "0") == wanted:
            return parts[2]
    name = files.text_or(f"{device.folder}/product_name") or pci.listed_name(files, device)
    if not name:
        return f"AMD Radeon ({device.device:04x})"
    return name if name.startswith("AMD") else f"AMD {name}"


def _intel_name(files: Files, device: PciDevice) -> str:
    name = intel.card_name(device.device) or pci.listed_name(files, device)
    if not name:
        return f"Intel Graphics ({device.device:04x})"
    return name if name.startswith("Intel") else f"Intel {name}"
