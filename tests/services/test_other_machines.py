"""Computers that one could buy: presets that can be planned for, and what each step brings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.messages import Messages
from desktop.common.wording import Language
from desktop.fit.types import Verdict
from desktop.hardware.machine import Cpu, EngineInfo, Gpu, Machine, Memory, machine_from_json
from desktop.library.catalog import shipped_catalog
from desktop.library.library import Library
from desktop.services.machine_advice import MachineAdviser
from desktop.services.other_machines import (
    Advise,
    Step,
    Suggestion,
    changes,
    preset,
    presets,
    steps_up,
    with_card,
    with_memory,
)
from desktop.services.recommend import Recommendation, recommend
from tests.tiny_models import write_tiny_model

GIB = 1 << 30
LAPTOP = Machine(
    Memory(16 * GIB, 7 * GIB),
    Cpu("A CPU", 8, 16, memory_bandwidth_bytes_per_s=48_000_000_000),
    engine=EngineInfo("b1", ("CPU",)),
)
CARD = Gpu("RTX", "nvidia", "cuda", 12 * GIB, None, device="CUDA0")


def suggestion(
    name: str, billions: float, speed: float = 10.0, verdict: Verdict = "cpu"
) -> Suggestion:
    return Suggestion(name, int(billions * GIB), int(billions * 1e9), speed, verdict)


def by_room(machine: Machine) -> tuple[Suggestion | None, Suggestion | None]:
    """One billion parameters a GB of memory, faster on a card."""
    card = max((gpu.total_bytes for gpu in machine.gpus), default=0)
    room = max(card, machine.memory.total_bytes // 2) // GIB
    return suggestion(f"{room}B", room, 40.0 if card else 8.0), None


def nothing(_machine: Machine) -> list[Suggestion]:
    return []


def steps(machine: Machine, advise: Advise = by_room) -> list[Step]:
    return list(steps_up(machine, advise, nothing))


def test_presets_can_be_written_and_read_like_any_machine() -> None:
    found = presets()
    assert len({one.key for one in found}) == len(found)
    for one in found:
        assert machine_from_json(one.machine.to_json()) == one.machine
        assert preset(one.key) == one
    assert {4, 6, 8, 12, 16, 24, 32} & {
        one.machine.gpus[0].total_bytes // GIB for one in found if one.group == "gpu"
    } == {6, 8, 12, 16, 24, 32}
    assert {one.machine.memory.total_bytes // GIB for one in found if one.group == "laptop"} == {
        8,
        16,
        32,
        64,
    }
    assert preset("none") is None


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_preset_and_step_has_a_name(language: Language) -> None:
    messages = Messages(language)
    for one in presets():
        name = messages.text(f"machine.preset.{one.group}", **one.params)
        assert str(one.params["ram_gb"]) in name
        for step in changes(one.machine):
            assert messages.text(f"machine.step.{step.kind}", **step.params)
    assert messages.text("machine.step.now")


def test_steps_of_a_laptop() -> None:
    found = steps(LAPTOP)
    assert [
        (step.kind, step.params.get("ram_gb") or step.params.get("gpu_gb")) for step in found
    ] == [
        ("now", None),
        ("ram", 32),
        ("ram", 64),
        ("gpu", 8),
        ("gpu", 12),
        ("gpu", 16),
    ]
    assert found[0].machine is LAPTOP


def test_step_that_brings_nothing_is_left_out() -> None:
    def same(_machine: Machine) -> tuple[Suggestion, None]:
        return suggestion("8B", 8.0), None

    assert [step.kind for step in steps(LAPTOP, same)] == ["now"]


def test_twice_as_fast_is_worth_it() -> None:
    def on_card(machine: Machine) -> tuple[Suggestion, None]:
        return suggestion("8B", 8.0, 40.0 if machine.gpus else 8.0), None

    # Larger cards than the first that does it bring nothing more.
    assert [s.params.get("gpu_gb") for s in steps(LAPTOP, on_card)] == [None, 8]


def test_own_model_that_would_fit_is_worth_it() -> None:
    def mine(machine: Machine) -> list[Suggestion]:
        fits = machine.memory.total_bytes >= 64 * GIB
        return [suggestion("70B", 70.0, verdict="cpu" if fits else "too_large")]

    def same(_machine: Machine) -> tuple[Suggestion, None]:
        return suggestion("8B", 8.0), None

    found = list(steps_up(LAPTOP, same, mine))
    assert [step.params.get("ram_gb") for step in found] == [None, 64]
    assert found[1].mine[0].verdict == "cpu"


def test_nothing_runs_now_so_whatever_runs_is_worth_it() -> None:
    def with_room(machine: Machine) -> tuple[Suggestion | None, None]:
        return (suggestion("1B", 1.0) if machine.memory.total_bytes > 16 * GIB else None), None

    assert [step.kind for step in steps(LAPTOP, with_room)] == ["now", "ram"]


def test_larger_card_than_the_one_that_is_there() -> None:
    machine = with_card(LAPTOP, CARD)
    sizes = [step.params["gpu_gb"] for step in changes(machine) if step.kind == "gpu"]
    assert sizes == [16, 24, 32]


def test_mac_gets_a_larger_mac() -> None:
    mac = next(one.machine for one in presets() if one.group == "apple")
    assert {step.kind for step in changes(mac)} == {"mac"}
    assert [step.params["ram_gb"] for step in changes(mac)] == [24, 32, 48]


def test_more_memory_keeps_what_is_measured_and_grows_shared_graphics() -> None:
    shared = Gpu(
        "Iris", "intel", "vulkan", 8 * GIB, 4 * GIB, unified=True, integrated=True,
        dedicated_bytes=0,
    )  # fmt: skip
    grown = with_memory(replace(LAPTOP, gpus=(shared,)), 32)
    assert grown.memory == Memory(32 * GIB)
    assert grown.cpu == LAPTOP.cpu
    assert grown.gpus[0].total_bytes == 16 * GIB
    assert grown.gpus[0].free_bytes is None


def test_card_takes_the_place_of_a_card_and_is_believed() -> None:
    integrated = Gpu("Iris", "intel", "vulkan", 8 * GIB, None, unified=True, integrated=True)
    machine = replace(LAPTOP, gpus=(Gpu("GTX", "nvidia", "cuda", 2 * GIB, None), integrated))
    changed = with_card(machine, CARD)
    assert [gpu.name for gpu in changed.gpus] == ["RTX", "Iris"]
    assert changed.engine is None  # which has no part for that card yet
    assert changed.memory.available_bytes is None


@pytest.fixture
def library(tmp_path: Path) -> Library:
    guide = write_tiny_model(tmp_path / "guide.gguf")
    return Library.in_memory(guide)


def test_advice_of_the_real_catalogue_grows_step_by_step(library: Library) -> None:
    few = replace(shipped_catalog(), models=shipped_catalog().for_task("chat")[:6])

    def recommended(machine: Machine, language: str) -> tuple[Recommendation, ...]:
        return recommend(machine, "chat", language, catalog=few)

    found = list(MachineAdviser(library, recommended).advise(LAPTOP, "de"))
    assert [len(advice.steps) for advice in found] == list(range(1, len(found) + 1))
    last = found[-1]
    assert last.machine is LAPTOP
    assert last.recommended
    assert last.steps[0].best is not None
    assert last.steps[0].best.name == last.recommended[0].model.name
    best = [step.best.parameters or 0 for step in last.steps if step.best is not None]
    assert max(best) > best[0]


def test_machine_where_nothing_runs(library: Library) -> None:
    tiny = Machine(Memory(1 * GIB))
    (first, *_) = MachineAdviser(library, lambda _machine, _language: ()).advise(tiny, "")
    assert first.recommended == ()
    assert first.steps[0].best is None
