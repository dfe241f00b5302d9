"""What is recommended: it runs well, is good enough, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.common.messages import Messages
from desktop.common.reading import COMFORTABLE_TOKENS_PER_S
from desktop.fit.corrections import Corrections
from desktop.fit.quality import is_good
from desktop.hardware.machine import Cpu, Disk, Machine, Memory
from desktop.library.catalog import TASKS, Catalog, Task, shipped_catalog
from desktop.services.model_choice import (
    DISK_MARGIN_BYTES,
    MIN_CONTEXT_TOKENS,
    MIN_PROMPT_TOKENS_PER_S,
    Chooser,
    in_order,
    runs_well,
)
from desktop.services.recommend import MOST, Recommendation, recommend
from tests.fit.machines import GIB, LAPTOP_CPU, desktop, laptop, unified

MACHINES = {
    "laptop8": laptop(8, 5),
    "laptop16": laptop(),
    "laptop32": laptop(32, 24),
    "gpu8": desktop(8),
    "gpu12": desktop(12),
    "gpu24": desktop(24, total=64, free=56),
    "apple": unified(),
}


def with_disk(machine: Machine, gib: float) -> Machine:
    return replace(machine, disk=Disk("/models", int(gib * GIB)))


def catalog_of(*identifiers: str) -> Catalog:
    shipped = shipped_catalog()
    models = tuple(model for model in shipped.models if model.id in identifiers)
    assert len(models) == len(identifiers)
    return Catalog(models, shipped.licences)


def assert_runs_well(item: Recommendation, task: Task) -> None:
    assert item.report.verdict != "too_large"
    speed = item.report.speed
    assert (speed.prompt_tokens_per_s or 0) >= MIN_PROMPT_TOKENS_PER_S
    if task != "embedding":
        assert item.tokens_per_s == speed.tokens_per_s
        assert item.tokens_per_s >= COMFORTABLE_TOKENS_PER_S
        assert item.report.plan.context >= MIN_CONTEXT_TOKENS
    for memory in item.report.memory:
        assert memory.available_bytes is None or memory.total_bytes <= memory.available_bytes


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", MACHINES)
def test_everything_recommended_runs_well_and_is_good(name: str, task: Task) -> None:
    found = recommend(MACHINES[name], task)
    assert 1 <= len(found) <= MOST
    assert len({item.model.id for item in found}) == len(found)
    assert found[0].label == "best"
    assert [item.label for item in found].count("fast") <= 1
    assert [item.label for item in found].count("small") <= 1
    for item in found:
        assert task in item.model.tasks
        assert_runs_well(item, task)
        native = item.file.quantization == item.model.native_quantization
        assert native or is_good(item.file.quantization)
        assert (item.projector is not None) == (task == "vision")


@pytest.mark.parametrize("name", MACHINES)
def test_fast_is_faster_and_small_is_smaller(name: str) -> None:
    found = {item.label: item for item in recommend(MACHINES[name]) if item.label != "other"}
    best = found["best"]
    if "fast" in found:
        assert found["fast"].tokens_per_s > 1.5 * best.tokens_per_s
    if "small" in found:
        assert found["small"].disk_bytes <= best.disk_bytes / 2
        assert found["small"].tokens_per_s >= best.tokens_per_s


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", [*MACHINES, "plenty"])
def test_nothing_in_the_list_is_smaller_than_what_is_called_small(name: str, task: Task) -> None:
    """Once "small" was a model of 3.3 GB, and the fast one above it had 0.8 GB."""
    machine = MACHINES.get(name) or laptop(24, 21)
    found = recommend(machine, task, "de")
    for small in (item for item in found if item.label == "small"):
        assert small.disk_bytes == min(item.disk_bytes for item in found)
    for fast in (item for item in found if item.label == "fast"):
        says_so = fast.reason_key.endswith("_small")
        assert says_so == (fast.disk_bytes <= found[0].disk_bytes / 2)


@pytest.mark.parametrize("language", ["", "de"])
def test_only_the_ablest_of_the_list_is_called_the_most_capable(language: str) -> None:
    """Ministral 14B was, above the larger Qwen3 Coder Next that names no German."""
    reasons = set()
    for machine in MACHINES.values():
        for task in ("chat", "code"):
            chooser = Chooser(machine, task, language)
            found = recommend(machine, task, language)
            ability = [chooser.ability(item.model, item.file) for item in found]
            reasons.add(found[0].reason_key)
            if found[0].reason_key == "recommend.reason.best":
                assert ability[0] == max(ability)
    assert "recommend.reason.best_overall" in reasons


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_reason_and_note_is_a_sentence(language: str) -> None:
    messages = Messages("de" if language == "de" else "en")
    for machine in MACHINES.values():
        for task in TASKS:
            for item in recommend(machine, task, language):
                words = messages.text(item.reason_key, **item.reason_params)
                notes = [
                    messages.text(f"recommend.note.{note.kind}", **note.params)
                    for note in item.remarks
                ]
                for sentence in (words, *notes):
                    assert sentence.endswith(".")
                    assert "{" not in sentence
                    assert "recommend." not in sentence


def test_more_memory_never_means_a_weaker_best() -> None:
    worth = []
    for total in (8, 16, 32, 64):
        machine = laptop(total, total * 0.75)
        chooser = Chooser(machine, "chat", "")
        best = recommend(machine)[0]
        worth.append(chooser.capability(best.model))
    assert worth == sorted(worth)


def test_a_good_small_model_before_a_large_one_in_two_bits() -> None:
    """Gemma 4 31B would fit a 14 GB card in two bits only; the smaller one is taken."""
    machine = desktop(14, total=16, free=3)
    catalog = catalog_of("gemma-4-31b", "ministral-3-14b")
    (best, *_) = recommend(machine, catalog=catalog)
    assert best.model.id == "ministral-3-14b"
    assert best.reason_key == "recommend.reason.best_before_larger"
    assert best.reason_params["larger"] == "Gemma 4 31B"
    assert not is_good(str(best.reason_params["quantization"]))


def test_a_model_that_is_only_too_slow_is_no_reason() -> None:
    catalog = catalog_of("qwen3.6-27b", "granite-4.1-3b")
    (best, *_) = recommend(laptop(64, 56), catalog=catalog)
    assert best.model.id == "granite-4.1-3b"
    assert best.reason_key == "recommend.reason.best"


def test_nothing_for_a_machine_without_memory() -> None:
    assert recommend(Machine(Memory(2 * GIB, 0))) == ()
    assert recommend(Machine(Memory(256 << 20))) == ()


def test_a_slow_machine_gets_small_models_or_none() -> None:
    slow = Cpu(physical_cores=2, memory_bandwidth_bytes_per_s=4_000_000_000)
    for item in recommend(Machine(Memory(64 * GIB, 60 * GIB), slow)):
        assert item.file.file_bytes < 1.5e9


def test_the_disk_is_respected() -> None:
    machine = with_disk(laptop(32, 24), 6)
    for task in TASKS:
        for item in recommend(machine, task):
            assert item.disk_bytes <= 6 * GIB - DISK_MARGIN_BYTES
    assert recommend(with_disk(laptop(), 0)) == ()


def test_german_is_preferred_and_said() -> None:
    catalog = catalog_of("gemma-4-e4b", "qwen3.5-9b", "granite-4.1-8b")
    german = recommend(laptop(), "chat", "de", catalog=catalog)
    assert german[0].model.german
    for item in german:
        kinds = [note.kind for note in item.remarks]
        assert ("german_named" if item.model.german else "german_not_stated") in kinds
    english = recommend(laptop(), "chat", "en", catalog=catalog)
    assert not any("german" in note.kind for item in english for note in item.remarks)


def test_code_prefers_what_was_made_for_it() -> None:
    catalog = catalog_of("qwen3-30b-a3b", "qwen3-coder-30b-a3b")
    assert recommend(laptop(32, 26), "code", catalog=catalog)[0].model.specialist


def test_pictures_need_their_projector_in_memory_and_on_disk() -> None:
    catalog = catalog_of("gemma-4-e2b")
    (text,) = recommend(laptop(), "chat", catalog=catalog)
    (seeing,) = recommend(laptop(), "vision", catalog=catalog)
    assert seeing.projector is not None
    assert seeing.disk_bytes == seeing.file.file_bytes + seeing.projector.file_bytes
    if text.file == seeing.file:
        more = seeing.report.total_bytes - text.report.total_bytes
        assert more >= seeing.projector.file_bytes * 0.9


def test_what_was_learned_counts() -> None:
    machine = laptop()
    wary = Corrections(margin_bytes={"CPU": 7 * GIB})
    usual, warned = recommend(machine), recommend(machine, corrections=wary)
    assert warned[0].report.total_bytes < usual[0].report.total_bytes
    assert all(item.report.total_bytes < 4 * GIB for item in warned)


def test_what_unloading_would_free_counts() -> None:
    machine = laptop(32, 3)
    alone = recommend(machine)[0].file.file_bytes
    assert recommend(machine, ours={"CPU": 20 * GIB})[0].file.file_bytes > alone


def test_the_same_machine_gets_the_same_list() -> None:
    first, second = recommend(laptop()), recommend(laptop())
    assert [item.file for item in first] == [item.file for item in second]


@settings(max_examples=25, deadline=None)
@given(
    total=st.integers(0, 256 * GIB),
    free=st.none() | st.integers(0, 256 * GIB),
    bandwidth=st.none() | st.integers(1, 10**12),
    task=st.sampled_from(TASKS),
    language=st.sampled_from(["", "de", "en"]),
)
def test_no_machine_is_too_odd(
    total: int, free: int | None, bandwidth: int | None, task: Task, language: str
) -> None:
    cpu = replace(LAPTOP_CPU, memory_bandwidth_bytes_per_s=bandwidth)
    catalog = catalog_of(
        "qwen3.5-2b", "gemma-4-26b-a4b", "multilingual-e5-small", "qwen2.5-coder-7b"
    )
    for item in recommend(Machine(Memory(total, free), cpu), task, language, catalog=catalog):
        assert_runs_well(item, task)


@pytest.mark.parametrize("name", ["laptop16", "gpu12", "apple"])
def test_the_short_cuts_miss_nothing(name: str) -> None:
    """Not every file is planned for; the one that is taken is as good as if it were."""
    chooser = Chooser(MACHINES[name], "chat", "")
    catalog = catalog_of(
        "qwen3.5-9b", "gemma-4-e4b", "granite-4.1-3b", "granite-4.1-8b", "ministral-3-14b"
    )
    for model in catalog.models:
        judged = [chooser.judged(model, file) for file in model.files]
        good = [
            choice.worth
            for choice in judged
            if choice is not None
            and runs_well(choice, "chat")
            and is_good(choice.file.quantization)
        ]
        found = chooser.best(model)
        assert (found is None) == (not good)
        if found is not None:
            assert found.worth >= max(good) - 0.005
    order = [choice.worth for choice in in_order(chooser, catalog.models)]
    assert order == sorted(order, reverse=True)
    assert len(order) >= 2


def test_a_lying_header_recommends_nothing() -> None:
    """A header out of the cache may be anything: fit refuses it, and nothing is raised."""
    model = shipped_catalog().get("granite-4.1-3b")
    assert model is not None
    header = model.header(model.files[0])
    assert header is not None
    lies = {**header.metadata, "granite.block_count": 4_000_000_000}
    lying = replace(header, metadata=lies)
    catalog = Catalog((model,), shipped_catalog().licences)
    assert recommend(laptop(), catalog=catalog, headers=lambda _file: lying) == ()
