"""Devices on the PCI bus, as Linux lists them in sysfs."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.hardware.files import Files

AMD, INTEL, NVIDIA = 0x1002, 0x8086, 0x10DE
_DEVICES = "/sys/bus/pci/devices"
_DISPLAY = 0x03  # PCI base class
_NAME_FILES = ("/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids", "/usr/share/pci.ids")


@dataclass(frozen=True, slots=True)
class PciDevice:
    """One device: numbers as in the PCI configuration space, `folder` its place in sysfs."""

    slot: str
    vendor: int
    device: int
    revision: int
    driver: str
    folder: str


def display_devices(files: Files) -> tuple[PciDevice, ...]:
    """Everything that can show a picture, virtual machines' adapters included."""
    found: list[PciDevice] = []
    for slot in files.names(_DEVICES):
        folder = f"{_DEVICES}/{slot}"
        kind = files.number_or_none(f"{folder}/class")
        vendor = files.number_or_none(f"{folder}/vendor")
        device = files.number_or_none(f"{folder}/device")
        if kind is None or kind >> 16 != _DISPLAY or vendor is None or device is None:
            continue
        revision = files.number_or_none(f"{folder}/revision") or 0
        driver = files.link_name(f"{folder}/driver")
        found.append(PciDevice(slot, vendor, device, revision, driver, folder))
    return tuple(found)


def numbers(files: Files) -> set[tuple[int, int]]:
    """(vendor, device) of everything on the bus, whatever class it says it is."""
    found: set[tuple[int, int]] = set()
    for slot in files.names(_DEVICES):
        vendor = files.number_or_none(f"{_DEVICES}/{slot}/vendor")
        device = files.number_or_none(f"{_DEVICES}/{slot}/device")
        if vendor is not None and device is not None:
            found.add((vendor, device))
    return found


def render_node(files: Files, device: PciDevice) -> str:
    """The device file through which programs compute on it (/dev/dri/renderD128), or ""."""
    for name in files.names(f"{device.folder}/drm"):
        if name.startswith("renderD"):
            return f"/dev/dri/{name}"
    return ""


def largest_window_bytes(files: Files, device: PciDevice) -> int:
    """The largest memory range that the device shows to the processor; 0 if not known."""
    sizes = [0]
    for line in files.text_or(f"{device.folder}/resource").splitlines():
        fields = line.split()
        try:
            start, end = int(fields[0], 16), int(fields[1], 16)
        except (IndexError, ValueError):
            continue
        if end > start:
            sizes.append(end - start + 1)
    return max(sizes)


def listed_name(files: Files, device: PciDevice) -> str:
    """The device's name from the system's pci.ids, its marketing name where one stands there."""
    vendor_line, device_start = f"{device.vendor:04x} ", f"\t{device.device:04x} "
    for name in _NAME_FILES:
        inside = False
        for line in files.text_or(name).splitlines():
            if line[:1] not in ("\t", "#", ""):
                if inside:
                    break
                inside = line.startswith(vendor_line)
            elif inside and line.startswith(device_start):
                return _marketing_name(line[len(device_start) :].strip())
    return ""


def _marketing_name(text: str) -> str:
    """ "Navi 31 [Radeon RX 7900 XTX]": people know what stands in the brackets."""
    before, bracket, rest = text.partition("[")
    return rest.rstrip("]").strip() if bracket and rest else before.strip()
