"""The plan found is as good as the best of all plans, tried one by one; it always can be opened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.engine.plan_limits import check_plan
from desktop.fit.companions import NO_COMPANIONS
from desktop.fit.corrections import NO_CORRECTIONS
from desktop.fit.planner import Planner, plan
from desktop.fit.preference import Preference, Where
from desktop.fit.types import Plan, Priority, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Backend, Gpu, Machine, Memory, Vendor
from tests.fit.machines import GIB, LAPTOP_CPU, desktop, unified
from tests.fit.made_headers import MadeShape

EQUAL = 0.02  # a fiftieth of a turn's seconds is no difference that a prediction can tell
DENSE = MadeShape(layers=6)
MIXED = MadeShape(layers=6, embedding=2048, feed_forward=1024, experts=64, experts_used=4)


def _planner(machine: Machine, header: ModelHeader, wish: Wish) -> Planner:
    return Planner(machine, header, wish, None, NO_CORRECTIONS, NO_COMPANIONS, {})


def _where(planner: Planner, wanted: Plan) -> Where:
    if wanted.gpu_layers == 0:
        return "cpu"
    if wanted.gpu_layers < planner.footprint.all_layers or wanted.expert_layers_on_cpu:
        return "split"
    return "shared" if planner.rooms.gpus[0].in_main_memory else "card"


def _worth(planner: Planner, wish: Wish, wanted: Plan) -> float:
    speed = planner.search.predict(wanted)
    return Preference(wish.priority).worth(wanted, speed, _where(planner, wanted))


def _every_plan(planner: Planner, wish: Wish) -> list[Plan]:
    """All that one GPU could be asked to do, whether it fits or not."""
    candidates = planner.search.candidates
    plans = []
    for setting in candidates.settings():
        if candidates.may_use_cpu_alone(setting):
            plans.append(candidates.on_cpu(setting, wish.ubatch or 512))
        for room in planner.rooms.gpus:
            for layers in range(1, planner.footprint.all_layers + 1):
                plans += [
                    candidates.on_party(setting, wish.ubatch or 512, (room,), (layers,), experts)
                    for experts in range(planner.footprint.expert_layers + 1)
                ]
    return plans


def _a_layer_less(wanted: Plan, most_experts: int) -> list[Plan]:
    less = [wanted]
    if wanted.gpu_layers > 1:
        less.append(replace(wanted, gpu_layers=wanted.gpu_layers - 1))
    if wanted.expert_layers_on_cpu < most_experts:
        less.append(replace(wanted, expert_layers_on_cpu=wanted.expert_layers_on_cpu + 1))
    return less


shapes = st.sampled_from(
    [
        DENSE,
        replace(DENSE, tied=True, vocab=30_000),
        replace(DENSE, kv_heads=32, layers=5),
        MIXED,
        replace(MIXED, experts_used=16, layers=4),
        replace(MIXED, kv_heads=16),
    ]
)
priorities: st.SearchStrategy[Priority] = st.sampled_from(["balanced", "quality", "speed"])


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A computer with one GPU that may or may not hold these models of 1 to 3 GB."""
    kinds: list[tuple[str, Backend, bool]] = [
        ("RTX 3060", "cuda", False),
        ("GTX 1050", "vulkan", False),
        ("Arc", "vulkan", True),
    ]
    name, backend, shared = draw(st.sampled_from(kinds))
    free = draw(st.integers(300, 5_000)) << 20
    main = draw(st.integers(500, 8_000)) << 20
    total = 8 * GIB
    vendor: Vendor = "intel" if shared else "nvidia"
    gpu = Gpu(
        name, vendor, backend, total, free, unified=shared, integrated=shared, device="Vulkan0"
    )
    return Machine(Memory(16 * GIB, main), LAPTOP_CPU, (gpu,))


@given(machine=machines(), shape=shapes, priority=priorities)
@settings(max_examples=60, deadline=None)
def test_none_of_all_plans_is_better_by_more_than_a_layer(
    machine: Machine, shape: MadeShape, priority: Priority
) -> None:
    wish = Wish(priority=priority, ubatch=512)
    planner = _planner(machine, shape.header(), wish)
    chosen = planner.search.best()
    bearable = planner.search.is_bearable
    fitting = [
        wanted
        for wanted in _every_plan(planner, wish)
        if planner.rows.fits(wanted) and bearable(wanted)
    ]
    if chosen is None:
        assert not fitting
        return
    assert planner.rows.fits(chosen)
    best = max(fitting, key=lambda wanted: _worth(planner, wish, wanted))
    threshold = min(
        _worth(planner, wish, less) for less in _a_layer_less(best, planner.footprint.expert_layers)
    )
    assert _worth(planner, wish, chosen) >= threshold - EQUAL, (chosen, best)


def test_where_main_memory_is_short_too_whole_layers_go_before_experts() -> None:
    """Once half the context was given up, although fewer layers with their experts fitted."""
    card = Gpu("GTX 1050", "nvidia", "vulkan", 8 * GIB, 747 << 20, device="Vulkan0")
    machine = Machine(Memory(16 * GIB, 1654 << 20), LAPTOP_CPU, (card,))
    chosen = plan(machine, MIXED.header(), Wish(priority="quality", ubatch=512)).plan
    assert chosen.context == 8_192
    assert 0 < chosen.gpu_layers < 7


@pytest.mark.parametrize("free", [2.0, 2.6, 3.2])
def test_layers_on_two_cards_are_as_many_as_on_any_division(free: float) -> None:
    header = replace(DENSE, layers=24).header()
    machine = desktop(free, free / 2)
    planner = _planner(machine, header, Wish(context=4096, kv_type="f16", ubatch=512))
    chosen = planner.search.best()
    assert chosen is not None
    most = 0
    for first in range(planner.footprint.all_layers + 1):
        for second in range(planner.footprint.all_layers + 1 - first):
            split = replace(
                chosen,
                gpu_layers=first + second,
                device="",
                split=(("CUDA1", second), ("CUDA0", first)),
            )
            if first + second and planner.rows.fits(split):
                most = max(most, first + second)
    assert chosen.gpu_layers >= most - 1
    assert most > 1


wishes = st.builds(
    Wish,
    context=st.none() | st.integers(256, 1 << 24),
    kv_type=st.sampled_from([None, "f16", "q8_0", "q4_0"]),
    parallel=st.integers(1, 4),
    gpu_layers=st.none() | st.integers(0, 1 << 31),
    ubatch=st.none() | st.integers(1, 1 << 14),
    threads=st.none() | st.integers(1, 512),
    priority=priorities,
)
sizes = st.integers(0, 1 << 50)


@st.composite
def any_machines(draw: st.DrawFn) -> Machine:
    """Whatever a machine file may say."""
    total = draw(st.integers(1, 1 << 50))
    gpus = []
    for place in range(draw(st.integers(0, 3))):
        size = draw(sizes)
        gpus.append(
            Gpu(
                draw(st.sampled_from(["RTX 4090", "Intel UHD Graphics 620", "Apple M2", ""])),
                draw(st.sampled_from(["nvidia", "amd", "intel", "apple", "other"])),
                draw(st.sampled_from(["cuda", "vulkan", "metal", "rocm", ""])),
                size,
                draw(st.none() | st.integers(0, size)),
                unified=draw(st.booleans()),
                integrated=draw(st.booleans()),
                device=draw(st.sampled_from(["", "CPU", "CUDA0", f"Vulkan{place}"])),
                wired_limit_bytes=draw(st.none() | sizes),
                dedicated_bytes=draw(st.none() | st.integers(0, size)),
            )
        )
    cores = draw(st.integers(0, 1 << 14))
    cpu = replace(LAPTOP_CPU, physical_cores=cores, logical_cores=2 * cores)
    available = draw(st.none() | st.integers(0, total))
    system = draw(st.sampled_from(["", "windows", "linux", "macos"]))
    return Machine(Memory(total, available), cpu, tuple(gpus), system=system)


@given(machine=any_machines(), shape=shapes, wish=wishes)
@settings(max_examples=150, deadline=None)
def test_every_plan_can_be_opened_and_fits_unless_it_says_otherwise(
    machine: Machine, shape: MadeShape, wish: Wish
) -> None:
    header = shape.header()
    report = plan(machine, header, wish)
    check_plan(report.plan)
    assert report.plan.gpu_layers <= header.block_count + 1
    assert sum(layers for _, layers in report.plan.split) in (0, report.plan.gpu_layers)
    for row in report.memory:
        assert min(row.weights_bytes, row.context_bytes, row.compute_bytes) >= 0
        if report.verdict != "too_large":
            free = row.capacity_bytes if row.available_bytes is None else row.available_bytes
            assert row.total_bytes <= free
    if report.verdict != "too_large":
        _counted_once(machine, report.plan, sum(row.total_bytes for row in report.memory))


def _counted_once(machine: Machine, chosen: Plan, needed: int) -> None:
    """Whatever is called what: not more than all memory there is."""
    own = sum(
        (gpu.dedicated_bytes or 0) if gpu.unified or gpu.integrated else gpu.total_bytes
        for gpu in machine.gpus
    )
    free = machine.memory.available_bytes
    main = machine.memory.total_bytes if free is None else free
    assert needed <= main + (own if chosen.gpu_layers else 0)


def test_a_plan_for_shared_memory_never_counts_it_twice() -> None:
    header = replace(DENSE, layers=24).header()
    for free in (1.0, 2.0, 3.0, 3.5, 4.0, 5.0):
        report = plan(unified(8, free, wired=None), header, Wish())
        if report.verdict != "too_large":
            assert sum(row.total_bytes for row in report.memory) <= free * GIB
