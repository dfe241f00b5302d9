from __future__ import annotations

from desktop.hardware.devices import with_engine
from desktop.hardware.machine import Device, EngineInfo, Gpu, Machine, Memory
from tests.hardware.trees import GIB, MIB

MEMORY = Memory(32 * GIB, 20 * GIB)
CPU = Device("CPU", "AMD Ryzen 9 7950X 16-Core Processor", "cpu", 32 * GIB, 20 * GIB)
RTX = Gpu("NVIDIA GeForce RTX 4090", "nvidia", "cuda", 24 * GIB, 22 * GIB)
RADEON = Gpu("AMD Radeon RX 7900 XTX", "amd", "vulkan", 24 * GIB, 23 * GIB)
APU = Gpu(
    "AMD Radeon 780M Graphics", "amd", "vulkan", 16 * GIB, 9 * GIB, unified=True, integrated=True
)


def _cuda(number: int, name: str, free: int = 21 * GIB) -> Device:
    return Device(f"CUDA{number}", name, "gpu", 24 * GIB, free)


def _vulkan(number: int, name: str, total: int = 24 * GIB, free: int = 22 * GIB) -> Device:
    kind = "igpu" if "780M" in name or "Xe" in name else "gpu"
    return Device(f"Vulkan{number}", name, kind, total, free)  # type: ignore[arg-type]


def _join(gpus: tuple[Gpu, ...], *devices: Device) -> Machine:
    return with_engine(Machine(MEMORY, gpus=gpus), EngineInfo("1", (), (CPU, *devices)))


def test_a_card_is_joined_with_its_device() -> None:
    machine = _join((RTX,), _cuda(0, "NVIDIA GeForce RTX 4090"))
    (gpu,) = machine.gpus
    assert (gpu.device, gpu.backend, gpu.free_bytes) == ("CUDA0", "cuda", 21 * GIB)
    assert machine.notes == ()
    assert machine.engine is not None
    assert machine.engine.version == "1"


def test_the_faster_backend_is_preferred() -> None:
    name = "NVIDIA GeForce RTX 4090"
    (gpu,) = _join((RTX,), _vulkan(0, name), _cuda(0, name)).gpus
    assert (gpu.device, gpu.backend) == ("CUDA0", "cuda")
    (only_vulkan,) = _join((RTX,), _vulkan(0, name)).gpus
    assert (only_vulkan.device, only_vulkan.backend) == ("Vulkan0", "vulkan")


def test_two_equal_cards_in_two_backends() -> None:
    name = "NVIDIA GeForce RTX 4090"
    devices = (_cuda(0, name), _cuda(1, name), _vulkan(0, name), _vulkan(1, name))
    assert [gpu.device for gpu in _join((RTX, RTX), *devices).gpus] == ["CUDA0", "CUDA1"]


def test_a_laptop_with_two_radeons() -> None:
    devices = (
        _vulkan(0, "AMD Radeon 780M Graphics (RADV PHOENIX)", 16 * GIB, 15 * GIB),
        _vulkan(1, "AMD Radeon RX 7900 XTX (RADV NAVI31)"),
    )
    card, apu = _join((RADEON, APU), *devices).gpus
    assert (card.device, apu.device) == ("Vulkan1", "Vulkan0")
    assert apu.free_bytes == 9 * GIB  # the system saw what others use; Vulkan does not


def test_a_card_known_by_its_number_only() -> None:
    nameless = Gpu("AMD Radeon (744c)", "amd", "vulkan", 24 * GIB, None)
    (gpu,) = _join((nameless,), _vulkan(0, "AMD Radeon RX 7900 XTX (RADV NAVI31)")).gpus
    assert (gpu.name, gpu.free_bytes) == ("AMD Radeon RX 7900 XTX", 22 * GIB)


def test_the_engine_knows_a_cards_size() -> None:
    arc = Gpu("Intel Arc A770", "intel", "vulkan", 8 * GIB, None)
    (gpu,) = _join((arc,), _vulkan(0, "Intel(R) Arc(tm) A770 Graphics (DG2)", 16 * GIB)).gpus
    assert (gpu.total_bytes, gpu.free_bytes) == (16 * GIB, 16 * GIB)


def test_a_driver_that_reports_more_free_than_there_is() -> None:
    iris = Gpu(
        "Intel Iris Xe Graphics", "intel", "vulkan", 12 * GIB, None, unified=True, integrated=True
    )
    device = _vulkan(0, "Intel(R) Iris(R) Xe Graphics", 12 * GIB, 46 * GIB)
    assert _join((iris,), device).gpus[0].free_bytes == 12 * GIB


def test_metal_tells_its_own_limit() -> None:
    apple = Gpu(
        "Apple M3",
        "apple",
        "metal",
        16 * GIB,
        9 * GIB,
        unified=True,
        integrated=True,
        wired_limit_bytes=10 * GIB,
    )
    device = Device("MTL0", "Apple M3", "gpu", 12124 * MIB, 12123 * MIB)
    (gpu,) = _join((apple,), device).gpus
    assert (gpu.device, gpu.wired_limit_bytes) == ("MTL0", 12124 * MIB)
    assert (gpu.total_bytes, gpu.free_bytes) == (16 * GIB, 9 * GIB)


def test_a_build_that_cannot_use_the_card() -> None:
    machine = _join((RTX,))
    assert machine.gpus == (RTX,)
    assert [note.kind for note in machine.notes] == ["gpu_no_backend"]


def test_software_and_remote_devices_are_nobodys_card() -> None:
    pipe = Device("Vulkan0", "llvmpipe (LLVM 15.0.6, 256 bits)", "gpu", 2 * GIB, 2 * GIB)
    remote = Device("RPC0", "RPC to 127.0.0.1", "gpu", 8 * GIB, 8 * GIB)
    machine = _join((RADEON,), pipe, remote)
    assert machine.gpus[0].device == ""
    assert [note.kind for note in machine.notes] == ["gpu_no_backend"]


def test_a_machine_without_gpus() -> None:
    assert _join(()).gpus == ()
