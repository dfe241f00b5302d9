from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.hardware.abc import GpuScan
from desktop.hardware.dxgi import Adapter
from desktop.hardware.machine import Gpu, Machine, Memory, machine_from_json, printable
from desktop.hardware.windows import WindowsPlatform
from tests.hardware.test_cpuid import RAPTOR_LAKE, Processor
from tests.hardware.test_windows_cores import cache, core
from tests.hardware.trees import GIB, MIB

DISPLAY = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
NPU = r"SYSTEM\CurrentControlSet\Control\Class\{f01a9d53-3ff6-48d2-9f97-c8a7004be10c}"
CPU = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
MEMORY = Memory(32 * GIB, 20 * GIB)

BASIC = Adapter("Microsoft Basic Render Driver", 0x1414, 0x8C, 0, 16 * GIB, 99, is_software=True)
RADEON = Adapter(
    "AMD Radeon RX 7900 XTX",
    0x1002,
    0x744C,
    25669140480,
    16 * GIB,
    1,
    budget_bytes=24 * GIB,
    used_bytes=GIB,
)
RADEON_780M = Adapter(
    "AMD Radeon 780M Graphics",
    0x1002,
    0x15BF,
    512 * MIB,
    16 * GIB,
    2,
    budget_bytes=15 * GIB,
    used_bytes=GIB,
)
IRIS = Adapter("Intel(R) Iris(R) Xe Graphics", 0x8086, 0xA7A0, 128 * MIB, 16 * GIB, 3)
ARC_140V = Adapter("Intel(R) Arc(TM) 140V GPU (16GB)", 0x8086, 0x64A0, 128 * MIB, 18 * GIB, 4)
ARC_A770 = Adapter("Intel(R) Arc(TM) A770 Graphics", 0x8086, 0x56A0, 16225243136, 16 * GIB, 5)


class FakeWindows:
    """Windows as a registry in a dictionary and a list of adapters."""

    def __init__(
        self,
        *adapters: Adapter,
        registry: dict[str, dict[str, str | int | bytes]] | None = None,
        features: tuple[int, ...] = (),
        records: bytes = b"",
        nvml: bool = False,
    ) -> None:
        self._adapters = adapters
        self._registry = registry or {}
        self._features = features
        self._records = records
        self._nvml = nvml
        self.dxgi: Callable[[], tuple[Adapter, ...]] = lambda: self._adapters

    def adapters(self) -> tuple[Adapter, ...]:
        return self.dxgi()

    def registry_keys(self, key: str) -> tuple[str, ...]:
        below = (path[len(key) + 1 :] for path in self._registry if path.startswith(key + "\\"))
        return tuple(name for name in below if "\\" not in name)

    def registry_value(self, key: str, name: str) -> str | int | bytes | None:
        return self._registry.get(key, {}).get(name)

    def has_feature(self, number: int) -> bool:
        return number in self._features

    def core_records(self) -> bytes:
        return self._records

    def has_nvml(self) -> bool:
        return self._nvml


def driver(
    number: int, name: str, ids: str, version: str = "", memory: int | bytes = 0
) -> dict[str, dict[str, str | int | bytes]]:
    """A display driver's key below the class."""
    key = f"{DISPLAY}\\{number:04}"
    return {
        key: {
            "DriverDesc": name,
            "MatchingDeviceId": ids,
            "DriverVersion": version,
            "HardwareInformation.qwMemorySize": memory,
        }
    }


def _windows(system: FakeWindows, machine: str = "AMD64") -> WindowsPlatform:
    return WindowsPlatform(system, machine, lambda: MEMORY, lambda: None, lambda: None)


def _gpus(*adapters: Adapter, memory: Memory = MEMORY) -> tuple[Gpu, ...]:
    return _windows(FakeWindows(*adapters)).gpus(memory).gpus


def test_a_radeon_card() -> None:
    registry = driver(
        0, "AMD Radeon RX 7900 XTX", r"PCI\VEN_1002&DEV_744C&REV_C8", "32.0.12033.1030"
    )
    scan = _windows(FakeWindows(RADEON, BASIC, registry=registry)).gpus(MEMORY)
    assert scan == GpuScan(
        (
            Gpu(
                name="AMD Radeon RX 7900 XTX",
                vendor="amd",
                backend="vulkan",
                total_bytes=25669140480,
                free_bytes=23 * GIB,
                driver="32.0.12033.1030",
            ),
        )
    )


def test_an_apu() -> None:
    (gpu,) = _gpus(RADEON_780M)
    assert (gpu.unified, gpu.integrated) == (True, True)
    assert gpu.total_bytes == 512 * MIB + 16 * GIB
    assert gpu.dedicated_bytes == 512 * MIB
    assert gpu.free_bytes == 14 * GIB


@pytest.mark.parametrize("adapter", [IRIS, ARC_140V])
def test_integrated_intel_graphics(adapter: Adapter) -> None:
    (gpu,) = _gpus(adapter)
    assert (gpu.vendor, gpu.unified, gpu.integrated) == ("intel", True, True)
    assert gpu.total_bytes == 128 * MIB + adapter.shared_bytes
    assert gpu.free_bytes is not None
    assert gpu.free_bytes <= 128 * MIB + 20 * GIB


def test_an_arc_card() -> None:
    (gpu,) = _gpus(ARC_A770)
    assert (gpu.unified, gpu.integrated, gpu.total_bytes) == (False, False, 16225243136)
    assert gpu.free_bytes is None


@pytest.mark.parametrize(
    ("name", "integrated"),
    [
        ("AMD Radeon(TM) Graphics", True),
        ("AMD Radeon(TM) Vega 8 Graphics", True),
        ("AMD Radeon RX Vega 11 Graphics", True),
        ("AMD Radeon 8060S Graphics", True),
        ("AMD Radeon 890M Graphics", True),
        ("AMD Radeon RX 6600M", False),
        ("AMD Radeon RX 7700S", False),
        ("AMD Radeon RX 580 Series", False),
        ("AMD Radeon PRO W7900", False),
        ("Radeon RX Vega", False),
        ("AMD Radeon VII", False),
    ],
)
def test_cards_and_apus_by_their_names(name: str, integrated: bool) -> None:
    (gpu,) = _gpus(Adapter(name, 0x1002, 0x9999, 8 * GIB, 16 * GIB, 1))
    assert gpu.integrated is integrated


def test_more_shared_than_there_is() -> None:
    lying = Adapter(
        "Intel(R) UHD Graphics", 0x8086, 0x46A6, 0, 1 << 45, 1, budget_bytes=1 << 45, used_bytes=0
    )
    (gpu,) = _gpus(lying)
    assert gpu.total_bytes == MEMORY.total_bytes
    assert gpu.free_bytes == MEMORY.available_bytes


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Microsoft Basic Display Adapter", 0x1414),
        ("VMware SVGA 3D", 0x15AD),
        ("VirtualBox Graphics Adapter (WDDM)", 0x80EE),
        ("Parallels Display Adapter (WDDM)", 0x1AB8),
        ("Red Hat VirtIO GPU DOD controller", 0x1AF4),
        ("llvmpipe (LLVM 17.0.6, 256 bits)", 0x10005),
    ],
)
def test_virtual_displays_are_no_gpus(name: str, vendor: int) -> None:
    adapter = Adapter(name, vendor, 1, 4 * GIB, 16 * GIB, 1)
    assert _windows(FakeWindows(adapter)).gpus(MEMORY) == GpuScan()


def test_a_snapdragons_graphics_are_named() -> None:
    adreno = Adapter("Qualcomm(R) Adreno(TM) X1-85 GPU", 0x4D4F4351, 1, 0, 8 * GIB, 1)
    scan = _windows(FakeWindows(adreno), "ARM64").gpus(MEMORY)
    assert scan.gpus == ()
    assert [note.kind for note in scan.notes] == ["gpu_unsupported"]


def test_a_card_without_memory() -> None:
    scan = _windows(FakeWindows(Adapter("AMD Radeon RX 6600", 0x1002, 0x73FF, 0, GIB, 1))).gpus(
        MEMORY
    )
    assert scan.gpus == ()
    assert [note.kind for note in scan.notes] == ["gpu_implausible"]


@pytest.mark.parametrize("size", [16 * GIB, (16 * GIB).to_bytes(8, "little")])
def test_the_registry_where_dxgi_fails(size: int | bytes) -> None:
    """Number or bytes: drivers write both; the display of a virtual machine has no PCI number."""
    registry = {
        **driver(
            0,
            "AMD Radeon RX 6800 XT",
            r"PCI\VEN_1002&DEV_73BF",
            "31.0",
            memory=size,
        ),
        **driver(1, "Microsoft Remote Display Adapter", "RdpIdd_IndirectDisplay"),
        **driver(2, "Intel(R) UHD Graphics 770", r"PCI\VEN_8086&DEV_4680"),
        f"{DISPLAY}\\Properties": {},
    }
    system = FakeWindows(registry=registry)

    def fail() -> tuple[Adapter, ...]:
        raise OSError("CreateDXGIFactory1: 0x80004005")

    system.dxgi = fail
    card, graphics = _windows(system).gpus(MEMORY).gpus
    assert (card.name, card.total_bytes, card.free_bytes) == (
        "AMD Radeon RX 6800 XT",
        16 * GIB,
        None,
    )
    assert (graphics.integrated, graphics.total_bytes) == (True, 16 * GIB)


def test_dxgi_sizes_that_end_at_4_gib_are_corrected() -> None:
    registry = driver(
        0,
        "AMD Radeon RX 6800 XT",
        r"PCI\VEN_1002&DEV_73BF",
        memory=16 * GIB,
    )
    adapter = Adapter("AMD Radeon RX 6800 XT", 0x1002, 0x73BF, 4 * GIB - 1, GIB, 1)
    (gpu,) = _windows(FakeWindows(adapter, registry=registry)).gpus(MEMORY).gpus
    assert gpu.total_bytes == 16 * GIB


def test_nvidia_cards() -> None:
    registry = driver(0, "NVIDIA GeForce RTX 4060 Laptop GPU", r"pci\ven_10de&dev_28e0")
    assert _windows(FakeWindows(registry=registry)).nvidia_cards() == (
        "NVIDIA GeForce RTX 4060 Laptop GPU",
    )
    assert _windows(FakeWindows(nvml=True)).nvidia_cards() == ()
    assert _windows(FakeWindows()).nvidia_cards() is None


def test_npus() -> None:
    registry: dict[str, dict[str, str | int | bytes]] = {
        f"{NPU}\\0000": {"DriverDesc": "Intel(R) AI Boost"},
        f"{NPU}\\0001": {"DriverDesc": "Intel(R) AI Boost"},
        f"{NPU}\\Configuration": {},
    }
    assert _windows(FakeWindows(registry=registry)).npus() == ("Intel(R) AI Boost",)
    assert _windows(FakeWindows()).npus() == ()


def test_the_processor() -> None:
    registry: dict[str, dict[str, str | int | bytes]] = {
        CPU: {"ProcessorNameString": "AMD Ryzen 7 7840U w/ Radeon  780M Graphics     "}
    }
    records = b"".join(core(3 << 2 * number) for number in range(8)) + cache(3, 16 * MIB)
    cpu = _windows(FakeWindows(registry=registry, records=records)).cpu()
    assert cpu.name == "AMD Ryzen 7 7840U w/ Radeon 780M Graphics"
    assert (cpu.physical_cores, cpu.logical_cores, cpu.l3_bytes) == (8, 16, 16 * MIB)
    assert cpu.features == ()


def test_features_come_from_cpuid() -> None:
    system = FakeWindows(features=(38, 39, 40))
    with_cpuid = WindowsPlatform(
        system, "AMD64", lambda: MEMORY, lambda: None, lambda: Processor(RAPTOR_LAKE)
    )
    assert "avx_vnni" in with_cpuid.cpu().features
    assert _windows(system).cpu().features == ("sse4_2", "avx", "avx2")
    on_arm = WindowsPlatform(
        system, "ARM64", lambda: MEMORY, lambda: None, lambda: Processor(RAPTOR_LAKE)
    )
    assert on_arm.cpu().features == ()


def test_an_arm_processor() -> None:
    old = FakeWindows(features=(19, 43))
    assert _windows(old, "ARM64").cpu().features == ("neon", "dotprod")
    with_sve = FakeWindows(features=(19, 43, 46, 57))
    assert set(_windows(with_sve, "ARM64").cpu().features) == {"neon", "dotprod", "sve", "i8mm"}
    new = FakeWindows(features=(19, 43, 66, 67, 68))
    assert "i8mm" in _windows(new, "ARM64").cpu().features


def test_core_records_that_make_no_sense() -> None:
    cpu = _windows(FakeWindows(records=b"\1\2\3")).cpu()
    assert (cpu.physical_cores, cpu.logical_cores) == (0, 0)


_SIZES = st.sampled_from((0, 1, 128 * MIB, 4 * GIB, 64 * GIB, 1 << 60, (1 << 64) - 1))
_ADAPTERS = st.builds(
    Adapter,
    name=st.sampled_from(
        ("", "AMD Radeon 780M Graphics", "Intel(R) Arc(TM) A770 Graphics", "\ud800")
    ),
    vendor=st.sampled_from((0x1002, 0x8086, 0x10DE, 0x4D4F4351, 0)),
    device=st.sampled_from((0x744C, 0x15BF, 0x56A0, 0)),
    dedicated_bytes=_SIZES,
    shared_bytes=_SIZES,
    luid=st.integers(0, 5),
    is_software=st.booleans(),
    budget_bytes=st.none() | _SIZES,
    used_bytes=st.none() | _SIZES,
)


@given(st.lists(_ADAPTERS, max_size=3))
def test_whatever_windows_says_there_is_a_machine(adapters: list[Adapter]) -> None:
    scan = _windows(FakeWindows(*adapters)).gpus(MEMORY)
    machine = printable(Machine(MEMORY, gpus=scan.gpus, notes=scan.notes))
    assert machine_from_json(machine.to_json()) == machine
