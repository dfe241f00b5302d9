from __future__ import annotations

import json
import math
import string
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.errors import MachineError
from desktop.common.messages import Messages
from desktop.hardware.fields import MAX_BYTES
from desktop.hardware.machine import (
    Cpu,
    Device,
    DeviceType,
    Disk,
    EngineInfo,
    Gpu,
    Machine,
    Memory,
    Note,
    machine_from_json,
)
from desktop.hardware.speeds import DeviceSpeed, KernelSpeed

MINIMAL: dict[str, Any] = {"memory": {"total_bytes": 16 << 30}}

text = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=40)
size = st.integers(0, MAX_BYTES)
count = st.integers(0, 512)


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    total = draw(st.integers(1, MAX_BYTES))
    return Memory(total, draw(st.none() | st.integers(0, total)))


@st.composite
def cpus(draw: st.DrawFn) -> Cpu:
    logical = draw(st.integers(1, 512))
    within = st.integers(0, logical)
    return Cpu(
        name=draw(text),
        physical_cores=draw(within),
        logical_cores=logical,
        features=tuple(draw(st.lists(text, max_size=4))),
        memory_bandwidth_bytes_per_s=draw(st.none() | st.integers(1, 10**13)),
        performance_cores=draw(within),
        usable_cores=draw(within),
        l3_bytes=draw(st.none() | size),
    )


@st.composite
def gpus(draw: st.DrawFn) -> Gpu:
    total = draw(st.integers(1, MAX_BYTES))
    within = st.none() | st.integers(0, total)
    return Gpu(
        name=draw(text),
        vendor=draw(st.sampled_from(("nvidia", "amd", "intel", "apple", "other"))),
        backend=draw(st.sampled_from(("cuda", "vulkan", "metal", "rocm", "sycl", ""))),
        total_bytes=total,
        free_bytes=draw(within),
        unified=draw(st.booleans()),
        integrated=draw(st.booleans()),
        driver=draw(text),
        compute_capability=draw(text),
        device=draw(text),
        wired_limit_bytes=draw(st.none() | size),
        dedicated_bytes=draw(within),
    )


@st.composite
def devices(draw: st.DrawFn) -> Device:
    total = draw(size)
    kind: DeviceType = draw(st.sampled_from(get_args(DeviceType)))
    return Device(draw(text), draw(text), kind, total, draw(st.integers(0, total)))


params = st.lists(
    st.tuples(text, text | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9)),
    max_size=3,
    unique_by=lambda pair: pair[0],
)
rate = st.floats(1.0, 1e18)
seconds = st.floats(0.0, 60.0)


@st.composite
def speeds(draw: st.DrawFn) -> DeviceSpeed:
    kernels = st.lists(st.builds(KernelSpeed, text, rate, rate), max_size=3)
    return DeviceSpeed(
        device=draw(text),
        threads=draw(count),
        kernels=tuple(draw(kernels)),
        step_s=draw(seconds),
        copy_bytes_per_s=draw(st.none() | rate),
        node_s=draw(seconds),
    )


machines = st.builds(
    Machine,
    memory=memories(),
    cpu=cpus(),
    gpus=st.lists(gpus(), max_size=3).map(tuple),
    disk=st.none() | st.builds(Disk, text, size),
    engine=st.none()
    | st.builds(
        EngineInfo,
        text,
        st.lists(text, max_size=3).map(tuple),
        st.lists(devices(), max_size=3).map(tuple),
    ),
    npus=st.lists(text, max_size=2).map(tuple),
    notes=st.lists(st.builds(Note, text, params.map(tuple)), max_size=2).map(tuple),
    on_battery=st.none() | st.booleans(),
    speeds=st.lists(speeds(), max_size=2).map(tuple),
)


@given(machines)
def test_what_is_written_is_read_back(machine: Machine) -> None:
    assert machine_from_json(json.loads(json.dumps(machine.to_json()))) == machine


def test_only_the_total_memory_is_needed() -> None:
    machine = machine_from_json(MINIMAL)
    assert machine == Machine(Memory(16 << 30))
    assert machine.cpu.logical_cores == 0
    assert machine.gpus == ()


def test_the_documented_form() -> None:
    document = Machine(Memory(8 << 30), disk=Disk("/home", 5)).to_json()
    assert {"cpu", "memory", "gpus", "disk", "engine"} <= document.keys()
    cpu, memory, disk = document["cpu"], document["memory"], document["disk"]
    assert isinstance(cpu, dict)
    assert isinstance(memory, dict)
    assert isinstance(disk, dict)
    assert {
        "name",
        "physical_cores",
        "logical_cores",
        "features",
        "memory_bandwidth_bytes_per_s",
    } <= cpu.keys()
    assert memory == {"total_bytes": 8 << 30, "available_bytes": None}
    assert disk == {"path": "/home", "free_bytes": 5}


def test_others_spelling_of_vendors_and_backends() -> None:
    gpu = {"name": "x", "total_bytes": 8, "vendor": "NVIDIA", "backend": "CUDA"}
    card = {"name": "y", "total_bytes": 8, "vendor": "Moore Threads", "backend": "hip"}
    machine = machine_from_json({**MINIMAL, "gpus": [gpu, card]})
    assert [(gpu.vendor, gpu.backend) for gpu in machine.gpus] == [
        ("nvidia", "cuda"),
        ("other", "rocm"),
    ]


def test_numbers_as_people_write_them() -> None:
    assert machine_from_json({"memory": {"total_bytes": 16e9}}).memory.total_bytes == 16 * 10**9


def test_unknown_fields_are_for_later_versions() -> None:
    assert machine_from_json({**MINIMAL, "quantum": {"qubits": 5}}) == Machine(Memory(16 << 30))


def test_a_gpu_whose_size_nobody_said() -> None:
    gpus = [{"name": "card"}, {"name": "M2", "unified": True}, {"free_bytes": 7 << 30}]
    found = machine_from_json({**MINIMAL, "gpus": gpus})
    assert [gpu.total_bytes for gpu in found.gpus] == [0, 16 << 30, 7 << 30]
    assert machine_from_json(found.to_json()) == found


def _with(path: str, value: object) -> dict[str, Any]:
    """The minimal machine with one more value at a dotted path; `gpus` becomes a list."""
    document: dict[str, Any] = json.loads(json.dumps(MINIMAL))
    first, _, rest = path.partition(".")
    if not rest:
        document[first] = value
    elif first == "gpus":
        document["gpus"] = [{"total_bytes": 8 << 30, rest: value}]
    else:
        document.setdefault(first, {})[rest] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("memory", None, "memory.total_bytes", "missing"),
        ("memory", {}, "memory.total_bytes", "missing"),
        ("memory", [], "memory", "not_an_object"),
        ("memory.total_bytes", None, "memory.total_bytes", "missing"),
        ("memory.total_bytes", 0, "memory.total_bytes", "too_small"),
        ("memory.total_bytes", -1, "memory.total_bytes", "too_small"),
        ("memory.total_bytes", 1 << 60, "memory.total_bytes", "too_large"),
        ("memory.total_bytes", 10**5000, "memory.total_bytes", "too_large"),
        ("memory.total_bytes", math.nan, "memory.total_bytes", "not_whole"),
        ("memory.total_bytes", math.inf, "memory.total_bytes", "not_whole"),
        ("memory.total_bytes", 1.5, "memory.total_bytes", "not_whole"),
        ("memory.total_bytes", True, "memory.total_bytes", "not_a_number"),
        ("memory.total_bytes", "16 GB", "memory.total_bytes", "not_a_number"),
        ("memory.available_bytes", (16 << 30) + 1, "memory.available_bytes", "too_large"),
        ("cpu", "Ryzen", "cpu", "not_an_object"),
        ("cpu.name", 7840, "cpu.name", "not_a_text"),
        ("cpu.name", "x" * 5000, "cpu.name", "too_long"),
        ("cpu.name", "\x1b[2Jgone", "cpu.name", "not_printable"),
        ("cpu.name", "\ud800", "cpu.name", "not_printable"),
        ("cpu.physical_cores", False, "cpu.physical_cores", "not_a_number"),
        ("cpu.logical_cores", 10**6, "cpu.logical_cores", "too_large"),
        ("cpu.features", "avx2", "cpu.features", "not_a_list"),
        ("cpu.features", ["avx2", 5], "cpu.features[1]", "not_a_text"),
        ("cpu.memory_bandwidth_bytes_per_s", 0, "cpu.memory_bandwidth_bytes_per_s", "too_small"),
        ("gpus", {}, "gpus", "not_a_list"),
        ("gpus", [5], "gpus[0]", "not_an_object"),
        ("gpus", [{}] * 5000, "gpus", "too_many"),
        ("gpus.free_bytes", (8 << 30) + 1, "gpus[0].free_bytes", "too_large"),
        ("gpus.unified", "yes", "gpus[0].unified", "not_a_flag"),
        ("disk.free_bytes", -5, "disk.free_bytes", "too_small"),
        ("engine.devices", [{"type": "tpu"}], "engine.devices[0].type", "not_a_choice"),
        ("notes", [{"kind": "x", "params": {"a": []}}], "notes[0].params.a", "not_a_scalar"),
        ("notes", [{"params": {"a": math.nan}}], "notes[0].params.a", "out_of_range"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "value",
)
def test_nonsense_is_refused_with_its_place(
    path: str, value: object, field: str, problem: str
) -> None:
    with pytest.raises(MachineError) as caught:
        machine_from_json(_with(path, value))
    assert caught.value.kind == "bad_machine"
    assert (caught.value.params["field"], caught.value.params["problem"]) == (field, problem)
    for language in ("de", "en"):
        assert field in Messages(language).error(caught.value)


def test_physical_cores_cannot_exceed_logical_ones() -> None:
    with pytest.raises(MachineError, match="physical_cores"):
        machine_from_json({**MINIMAL, "cpu": {"physical_cores": 9, "logical_cores": 8}})


@pytest.mark.parametrize("document", [None, 5, "memory", [], [MINIMAL]])
def test_a_document_that_is_no_object(document: object) -> None:
    with pytest.raises(MachineError) as caught:
        machine_from_json(document)
    assert caught.value.params["field"] == "$"


def test_deep_nesting_is_refused_without_recursion() -> None:
    deep: object = 1
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(MachineError) as caught:
        machine_from_json({**MINIMAL, "extra": deep})
    assert caught.value.params["problem"] == "too_deep"
    while isinstance(deep, list):  # taken apart by hand: freeing it at once would recurse
        deep = deep.pop()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                (
                    "memory",
                    "total_bytes",
                    "cpu",
                    "gpus",
                    "free_bytes",
                    "name",
                    "notes",
                    "params",
                    "type",
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def _machine_or_error(document: object) -> Machine | MachineError:
    try:
        return machine_from_json(document)
    except MachineError as error:
        return error


@given(json_values)
def test_any_json_gives_a_machine_or_a_machine_error(document: object) -> None:
    result = _machine_or_error(document)
    if isinstance(result, Machine):
        assert result.memory.total_bytes > 0
        assert machine_from_json(result.to_json()) == result
    else:
        assert result.kind == "bad_machine"
        assert set(result.params) == {"field", "problem", "found", "expected"}
        assert Messages("de").error(result).isprintable()


@given(machines, st.data())
def test_a_machine_with_one_value_spoilt(machine: Machine, data: st.DataObject) -> None:
    document = json.loads(json.dumps(machine.to_json()))
    section = data.draw(st.sampled_from(sorted(document)))
    if isinstance(document[section], dict) and document[section]:
        key = data.draw(st.sampled_from(sorted(document[section])))
        document[section][key] = data.draw(json_values)
    else:
        document[section] = data.draw(json_values)
    result = _machine_or_error(document)
    assert isinstance(result, Machine) or str(result.params["field"]).startswith((section, "$"))
