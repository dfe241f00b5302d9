"""What each device offers: margins, shared memory counted once, what our own models hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.fit.corrections import Corrections
from desktop.fit.devices import rooms
from desktop.fit.types import Plan
from desktop.hardware.machine import Device, EngineInfo, Gpu, Machine, Memory
from tests.fit.machines import GIB, LAPTOP_CPU, desktop, laptop, unified

MIB = 1 << 20
PLAN = Plan(
    gpu_layers=10,
    context=4096,
    kv_type="f16",
    parallel=1,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=512,
    threads=4,
    use_mmap=True,
)


def _apu(
    dedicated: float, free: float | None, *, main: float = 16, available: float = 10
) -> Machine:
    gpu = Gpu(
        "AMD Radeon Graphics",
        "amd",
        "vulkan",
        int((dedicated + main / 2) * GIB),
        None if free is None else int(free * GIB),
        unified=True,
        integrated=True,
        device="Vulkan0",
        dedicated_bytes=int(dedicated * GIB),
    )
    return Machine(Memory(int(main * GIB), int(available * GIB)), LAPTOP_CPU, (gpu,))


def test_on_windows_a_card_keeps_more_for_the_desktop() -> None:
    linux = rooms(replace(desktop(12), system="linux")).gpus[0]
    windows = rooms(replace(desktop(12), system="windows")).gpus[0]
    assert windows.margin_bytes == 1 * GIB > linux.margin_bytes
    assert windows.usable_bytes < linux.usable_bytes <= desktop(12).gpus[0].total_bytes
    # No more than the budget that Windows gives, whatever the adapter could borrow.
    assert windows.usable_bytes < (desktop(12).gpus[0].free_bytes or 0)


def test_shared_graphics_need_no_margin_for_spilling() -> None:
    machine = unified(16, 10, vendor="intel", wired=None)
    one = rooms(machine).gpus[0]
    other = rooms(replace(machine, system="windows")).gpus[0]
    assert one.margin_bytes == other.margin_bytes


@pytest.mark.parametrize(("total", "share"), [(16, 2 / 3), (32, 2 / 3), (64, 3 / 4)])
def test_what_metal_keeps_resident_where_it_does_not_say(total: float, share: float) -> None:
    room = rooms(unified(total, total, wired=None)).gpus[0]
    assert room.available_bytes == pytest.approx(total * share * GIB, rel=0.001)


def test_a_mac_keeps_room_for_its_screen() -> None:
    mac, other = rooms(unified(64, 60, wired=48)), rooms(laptop(64, 60))
    assert mac.cpu.margin_bytes == 3 * GIB > other.cpu.margin_bytes
    party = mac.parties()[0]
    assert mac.usable_bytes(party) == 57 * GIB  # and main memory once


def test_memory_that_the_firmware_took_comes_on_top_once() -> None:
    found = rooms(_apu(4, 4 + 8, available=12))
    party = found.parties()[0]
    assert found.usable_bytes(party) == found.cpu.usable_bytes + 4 * GIB


def test_what_is_taken_of_it_already_does_not() -> None:
    # 8 GiB of main memory can be lent; only 9 of 12 are free, so 3 of the 4 are in use.
    found = rooms(_apu(4, 9, available=12))
    assert found.usable_bytes(found.parties()[0]) == found.cpu.usable_bytes + 1 * GIB


def test_graphics_in_main_memory_have_no_more_than_that() -> None:
    found = rooms(unified(16, 3, vendor="intel", wired=None))
    assert found.gpus[0].available_bytes == 3 * GIB


def test_margins_that_failures_taught_are_added() -> None:
    learned = Corrections(margin_bytes={"CPU": 100 * MIB, "CUDA0": 700 * MIB, "gone": 1})
    before, after = rooms(desktop(8)), rooms(desktop(8), learned)
    assert before.cpu.usable_bytes - after.cpu.usable_bytes == 100 * MIB
    assert before.gpus[0].usable_bytes - after.gpus[0].usable_bytes == 700 * MIB


def test_what_our_own_model_holds_counts_as_free() -> None:
    machine = desktop(8, free=10)
    before, after = rooms(machine), rooms(machine, ours={"CUDA0": 500 * MIB, "CPU": 2 * GIB})
    assert after.gpus[0].usable_bytes - before.gpus[0].usable_bytes == 500 * MIB
    assert after.cpu.usable_bytes - before.cpu.usable_bytes == 2 * GIB
    room = after.gpus[0]
    assert room.others_bytes + room.ours_bytes + room.available_bytes == room.total_bytes


def test_ours_is_never_more_than_what_is_taken() -> None:
    room = rooms(laptop(16, 12), ours={"CPU": 100 * GIB}).cpu
    assert room.ours_bytes == 4 * GIB
    assert rooms(laptop(16, 12), ours={"CPU": -5}).cpu.ours_bytes == 0


def test_a_model_on_shared_graphics_frees_main_memory() -> None:
    machine = unified(16, 6)
    found = rooms(machine, ours={"MTL0": 4 * GIB})
    before = rooms(machine)
    more = found.usable_bytes(found.parties()[0]) - before.usable_bytes(before.parties()[0])
    assert more == 4 * GIB


def test_cards_take_part_from_the_fastest_on() -> None:
    machine = desktop(4, 8, 8)
    named = [
        replace(gpu, name=name)
        for gpu, name in zip(machine.gpus, ("GTX 1050", "RTX 3060", "RTX 4090"), strict=True)
    ]
    parties = rooms(replace(machine, gpus=tuple(named))).parties()
    assert [[room.device for room in party] for party in parties] == [
        ["CUDA2"],
        ["CUDA1", "CUDA2"],
        ["CUDA0", "CUDA1", "CUDA2"],
    ]


def test_of_equal_cards_the_emptier_one_is_first_and_their_order_stays() -> None:
    parties = rooms(desktop(8, 12)).parties()
    assert [[room.device for room in party] for party in parties] == [
        ["CUDA1"],
        ["CUDA0", "CUDA1"],
    ]


def test_graphics_without_own_memory_take_part_alone() -> None:
    integrated = unified(32, 20, vendor="intel", wired=None).gpus[0]
    machine = desktop(12)
    both = rooms(replace(machine, gpus=(integrated, *machine.gpus)))
    assert [[room.device for room in party] for party in both.parties()] == [["CUDA0"], ["Vulkan0"]]


def test_a_card_that_the_engine_looked_for_and_did_not_find() -> None:
    """Its driver is too old for the engine: planned with, the load would end in an error."""
    card = replace(desktop(8).gpus[0], device="")
    here = Device("CPU", "A processor", "cpu", 32 * GIB, 20 * GIB)
    seen = replace(desktop(8), gpus=(card,), engine=EngineInfo("1", ("CPU", "CUDA"), (here,)))
    assert rooms(seen).gpus == ()
    described = replace(seen, engine=EngineInfo("1", ("CPU", "CUDA")))
    assert [room.device for room in rooms(described).gpus] == ["GPU"]


def test_two_devices_never_have_one_name() -> None:
    """A machine file may call a GPU CPU, or two of them alike."""
    machine = desktop(4, 4, 4)
    named = ("CPU", "CUDA0", "CUDA0")
    gpus = tuple(replace(gpu, device=name) for gpu, name in zip(machine.gpus, named, strict=True))
    found = rooms(replace(machine, gpus=gpus))
    assert [room.device for room in found.gpus] == ["GPU", "CUDA0", "GPU2"]


def test_a_device_that_is_gone_has_nothing() -> None:
    found = rooms(desktop(8))
    (room,) = found.taking_part(replace(PLAN, device="CUDA7"))
    assert (room.device, room.total_bytes, room.usable_bytes) == ("CUDA7", 0, 0)


def test_a_plan_without_a_device_means_all_cards_by_their_free_memory() -> None:
    found = rooms(desktop(8, 4))
    shares = found.shares(PLAN)
    assert [share.device for share in shares] == ["CUDA0", "CUDA1"]
    assert shares[0].weight == 2 * shares[1].weight


def test_a_split_is_taken_as_it_is() -> None:
    found = rooms(desktop(8, 4))
    shares = found.shares(replace(PLAN, split=(("CUDA1", 3), ("CUDA0", 7))))
    assert [(share.device, share.weight) for share in shares] == [("CUDA1", 3), ("CUDA0", 7)]
