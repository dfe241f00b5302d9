"""What a machine is, as plain data: the form that fit plans with and that JSON files describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

from desktop.hardware.fields import Fields
from desktop.hardware.speeds import DeviceSpeed, speeds_from_json, speeds_to_json

Vendor = Literal["nvidia", "amd", "intel", "apple", "other"]
Backend = Literal["cuda", "vulkan", "metal", "rocm", "sycl", "rpc", ""]
DeviceType = Literal["cpu", "gpu", "igpu", "accel"]
NoteParam = str | int | float

POOL_BACKEND: Backend = "rpc"
"""Another machine's memory, by llama.cpp's RPC; such a `Gpu` is called by its server's address."""

_BACKEND_ALIASES: Mapping[str, Backend] = {"hip": "rocm", "mtl": "metal", "mps": "metal"}
_MAX_CORES = 1 << 14
_MAX_BANDWIDTH = 10**15
_MAX_DEPTH = 32
_MAX_PATH = 512


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor. A count of 0 and a None mean: not known."""

    name: str = ""
    physical_cores: int = 0
    logical_cores: int = 0
    features: tuple[str, ...] = ()
    memory_bandwidth_bytes_per_s: int | None = None
    performance_cores: int = 0  # physical; 0 where all cores are of one kind or it is not known
    usable_cores: int = 0  # logical cores this process may use (affinity, a container's quota)
    l3_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory as far as this process may use it: a container's limit where that is lower."""

    total_bytes: int
    available_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics processor that can compute.

    `unified`: its memory is main memory and must be counted once. Then `total_bytes` is how much
    of it the GPU may use, and `dedicated_bytes` the part of that which the firmware has taken out
    of main memory, so that `Machine.memory` does not contain it.
    """

    name: str
    vendor: Vendor
    backend: Backend
    total_bytes: int
    free_bytes: int | None
    unified: bool = False
    integrated: bool = False
    driver: str = ""
    compute_capability: str = ""
    device: str = ""  # llama.cpp's name for it (CUDA0, Vulkan0), when known
    wired_limit_bytes: int | None = None  # what Metal may keep resident of unified memory
    dedicated_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system below `path`."""

    path: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Device:
    """A device as llama.cpp's own backends report it."""

    name: str
    description: str
    type: DeviceType
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """The engine's version and what its backends found."""

    version: str = ""
    backends: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know about the detection; its sentence is ``notes.<kind>``."""

    kind: str
    params: tuple[tuple[str, NoteParam], ...] = ()

    @classmethod
    def of(cls, kind: str, **params: NoteParam) -> Self:
        return cls(kind, tuple(params.items()))


@dataclass(frozen=True, slots=True)
class Machine:
    """A whole computer. Only `memory` is certain; everything else may be unknown."""

    memory: Memory
    cpu: Cpu = Cpu()
    gpus: tuple[Gpu, ...] = ()
    disk: Disk | None = None
    engine: EngineInfo | None = None
    npus: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    on_battery: bool | None = None  # None: no battery, or not known
    speeds: tuple[DeviceSpeed, ...] = ()  # measured; none yet, or a machine that is not here
    system: str = ""  # "windows", "macos", "linux"; "" where a description does not say

    @property
    def pool_servers(self) -> tuple[str, ...]:
        """``host:port`` of the other machines' RPC servers, in the order of their devices."""
        return tuple(dict.fromkeys(gpu.name for gpu in self.gpus if gpu.backend == POOL_BACKEND))

    def to_json(self) -> dict[str, object]:
        """The documented form of `hausgeist hardware --json`; `machine_from_json` reads it back."""
        return {
            "cpu": _plain(self.cpu),
            "memory": _plain(self.memory),
            "gpus": [_plain(gpu) for gpu in self.gpus],
            "disk": None if self.disk is None else _plain(self.disk),
            "engine": None if self.engine is None else _plain(self.engine),
            "npus": list(self.npus),
            "notes": [{"kind": note.kind, "params": dict(note.params)} for note in self.notes],
            "on_battery": self.on_battery,
            "speeds": speeds_to_json(self.speeds),
            "system": self.system,
        }


def _plain(value: object) -> object:
    if isinstance(value, (Cpu, Memory, Gpu, Disk, EngineInfo, Device)):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def printable(machine: Machine) -> Machine:
    """`machine` with every text as one short printable line: drivers name themselves freely."""
    return replace(
        machine,
        cpu=replace(machine.cpu, name=_line(machine.cpu.name)),
        gpus=tuple(
            replace(
                gpu,
                name=_line(gpu.name),
                driver=_line(gpu.driver),
                compute_capability=_line(gpu.compute_capability),
            )
            for gpu in machine.gpus
        ),
        disk=machine.disk and replace(machine.disk, path=_line(machine.disk.path, _MAX_PATH)),
        npus=tuple(_line(name) for name in machine.npus),
        notes=tuple(
            Note(
                note.kind,
                tuple((k, _line(v) if isinstance(v, str) else v) for k, v in note.params),
            )
            for note in machine.notes
        ),
    )


def _line(text: str, most: int = 200) -> str:
    if len(text) <= most and text.isprintable():
        return text
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:most]


def machine_from_json(obj: object) -> Machine:
    """The machine that parsed JSON describes; unknown keys are skipped, null counts as missing.

    Raises MachineError("bad_machine", field, problem, found, expected) for whatever no machine
    has: wrong types, negative, huge or non-finite numbers, no `memory.total_bytes`.
    """
    root = Fields.root(obj, max_depth=_MAX_DEPTH)
    memory = root.required_group("memory")
    disk = root.group("disk")
    engine = root.group("engine")
    return Machine(
        memory=_memory(memory),
        cpu=_cpu(root.group("cpu")),
        gpus=tuple(_gpu(item, _memory(memory)) for item in root.groups("gpus")),
        disk=None if disk is None else Disk(disk.text("path"), disk.size("free_bytes", default=0)),
        engine=None if engine is None else _engine(engine),
        npus=root.texts("npus"),
        notes=tuple(_note(item) for item in root.groups("notes")),
        on_battery=root.optional_flag("on_battery"),
        speeds=speeds_from_json(root),
        system=root.text("system").casefold(),
    )


def _memory(fields: Fields) -> Memory:
    total = fields.required_size("total_bytes")
    return Memory(total, fields.optional_size("available_bytes", most=total))


def _cpu(fields: Fields | None) -> Cpu:
    if fields is None:
        return Cpu()
    logical = fields.count("logical_cores", most=_MAX_CORES)
    within = logical or _MAX_CORES
    return Cpu(
        name=fields.text("name"),
        physical_cores=fields.count("physical_cores", most=within),
        logical_cores=logical,
        features=fields.texts("features"),
        memory_bandwidth_bytes_per_s=fields.optional_size(
            "memory_bandwidth_bytes_per_s", least=1, most=_MAX_BANDWIDTH
        ),
        performance_cores=fields.count("performance_cores", most=within),
        usable_cores=fields.count("usable_cores", most=within),
        l3_bytes=fields.optional_size("l3_bytes"),
    )


def _gpu(fields: Fields, memory: Memory) -> Gpu:
    """Without a size: all of main memory where that is shared, else 0, which nobody plans with."""
    unified = fields.flag("unified")
    free = fields.optional_size("free_bytes")
    total = fields.size("total_bytes", default=memory.total_bytes if unified else free or 0)
    return Gpu(
        name=fields.text("name"),
        vendor=_vendor(fields.text("vendor")),
        backend=_backend(fields.text("backend")),
        total_bytes=total,
        free_bytes=fields.optional_size("free_bytes", most=total),
        unified=unified,
        integrated=fields.flag("integrated"),
        driver=fields.text("driver"),
        compute_capability=fields.text("compute_capability"),
        device=fields.text("device"),
        wired_limit_bytes=fields.optional_size("wired_limit_bytes"),
        dedicated_bytes=fields.optional_size("dedicated_bytes", most=total),
    )


def _vendor(text: str) -> Vendor:
    """A vendor's name as other tools may write it; whoever is not known is "other"."""
    for vendor in get_args(Vendor):
        if vendor == text.casefold():
            found: Vendor = vendor
            return found
    return "other"


def _backend(text: str) -> Backend:
    """A backend's name as other tools may write it; one that is not known is "" (unknown)."""
    name = text.casefold()
    for backend in get_args(Backend):
        if backend == name:
            found: Backend = backend
            return found
    return _BACKEND_ALIASES.get(name, "")


def _engine(fields: Fields) -> EngineInfo:
    return EngineInfo(
        version=fields.text("version"),
        backends=fields.texts("backends"),
        devices=tuple(_device(item) for item in fields.groups("devices")),
    )


def _device(fields: Fields) -> Device:
    total = fields.size("total_bytes", default=0)
    return Device(
        name=fields.text("name"),
        description=fields.text("description"),
        type=fields.choice("type", get_args(DeviceType), default="cpu"),
        total_bytes=total,
        free_bytes=fields.size("free_bytes", default=0, most=total),
    )


def _note(fields: Fields) -> Note:
    params = fields.group("params")
    pairs = () if params is None else params.scalars()
    return Note(fields.text("kind"), pairs)
