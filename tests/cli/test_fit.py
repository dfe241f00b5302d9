"""What `hausgeist fit` says of memory: each part in words, companions, the rule of thumb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Cli
from tests.fit.projectors import write_siglip
from tests.fit.real_shapes import shapes
from tests.gguf_files import Tensor, write_gguf
from tests.tiny_models import write_tiny_model

GIB = 1 << 30
CARD: dict[str, Any] = {
    "memory": {"total_bytes": 32 * GIB, "available_bytes": 24 * GIB},
    "gpus": [
        {
            "name": "RTX 4060",
            "vendor": "nvidia",
            "backend": "cuda",
            "total_bytes": 8 * GIB,
            "free_bytes": 7 * GIB,
        }
    ],
}


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Llama 3.1 8B's header alone."""
    return shapes()["llama-3.1-8b"].write(tmp_path / "large.gguf", with_data=False)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(CARD))
    return path


@pytest.fixture
def projector(tmp_path: Path) -> Path:
    return write_siglip(tmp_path / "mmproj.gguf", layers=4)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Main memory", "Graphics memory", "weights", "driver", "other programs", "Rule")),
        ("de", ("Arbeitsspeicher", "Grafikspeicher", "Gewichte", "Treiber", "Faustregel")),
    ],
)
def test_each_part_of_the_memory_in_words(
    cli: Cli, large: Path, machine: Path, language: str, words: tuple[str, ...]
) -> None:
    done = cli("fit", str(large), "--ctx", "4096", "--machine", str(machine), language=language)
    assert (done.code, done.err) == (0, "")
    assert [word for word in words if word not in done.out] == []


def test_the_parts_are_the_whole(cli: Cli, large: Path, machine: Path) -> None:
    report = cli("fit", str(large), "--machine", str(machine), "--json").json
    parts = ("weights", "context", "compute", "output", "repacked", "driver")
    for row in report["memory"]:
        assert sum(row[f"{part}_bytes"] for part in parts) == row["total_bytes"]
    assert sum(row["total_bytes"] for row in report["memory"]) == report["total_bytes"]
    card = report["memory"][1]
    assert card["driver_bytes"] > 0
    assert card["others_bytes"] == GIB
    assert report["companions"] == []
    assert 0.7 < report["rule_of_thumb_bytes"] / report["total_bytes"] < 1


def test_the_rule_of_thumb_with_its_error(cli: Cli, large: Path, machine: Path) -> None:
    report = cli("fit", str(large), "--machine", str(machine), "--json").json
    percent = round(100 * (1 - report["rule_of_thumb_bytes"] / report["total_bytes"]))
    said = cli("fit", str(large), "--machine", str(machine))
    assert f"{percent} % too little" in said.out


def test_what_is_opened_beside_the_model(cli: Cli, large: Path, projector: Path) -> None:
    draft = shapes()["llama-3.2-1b"].write(large.with_name("draft.gguf"), with_data=False)
    alone = cli("fit", str(large), "--ctx", "4096", "--json").json
    words = ("--mmproj", str(projector), "--model-draft", str(draft))
    together = cli("fit", str(large), "--ctx", "4096", *words, "--json").json
    assert [each["kind"] for each in together["companions"]] == ["projector", "draft"]
    more = sum(each["file_bytes"] for each in together["companions"])
    grown = together["memory"][0]["weights_bytes"] - alone["memory"][0]["weights_bytes"]
    assert grown == pytest.approx(more, rel=0.25)  # a tied embedding may lie there twice
    said = cli("fit", str(large), "--ctx", "4096", *words)
    assert "sees pictures" in said.out
    assert "drafts ahead" in said.out


def test_several_adapters(cli: Cli, tiny_model: Path, tmp_path: Path) -> None:
    lora = write_gguf(
        tmp_path / "lora.gguf",
        {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"},
        [
            Tensor("blk.0.attn_q.weight.lora_a", (64, 8)),
            Tensor("blk.0.attn_q.weight.lora_b", (8, 64)),
        ],
    )
    alone = cli("fit", str(tiny_model), "--json").json["memory"][0]
    taken = cli("fit", str(tiny_model), "--lora", str(lora), "--lora", str(lora), "--json").json
    assert taken["memory"][0]["weights_bytes"] == alone["weights_bytes"] + 2 * 2 * 64 * 8 * 4


@pytest.mark.parametrize(
    ("option", "kind"), [("--mmproj", "not_a_projector"), ("--lora", "not_an_adapter")]
)
def test_files_given_as_what_they_are_not(
    cli: Cli, tiny_model: Path, option: str, kind: str
) -> None:
    done = cli("fit", str(tiny_model), option, str(tiny_model), "--json")
    assert (done.code, done.json["error"]["kind"]) == (1, kind)
    assert done.json["error"]["message"]


def test_a_vision_part_is_no_draft(cli: Cli, tiny_model: Path, projector: Path) -> None:
    done = cli("fit", str(tiny_model), "--model-draft", str(projector), "--json")
    assert (done.code, done.json["error"]["kind"]) == (1, "no_language_model")


def test_experts_that_stay_in_main_memory_are_named(
    cli: Cli, machine: Path, tmp_path: Path
) -> None:
    model = shapes()["qwen3-30b-a3b"].write(tmp_path / "moe.gguf", with_data=False)
    plan = cli("fit", str(model), "--machine", str(machine), "--json").json["plan"]
    assert plan["expert_layers_on_cpu"] > 0
    said = cli("fit", str(model), "--machine", str(machine)).out
    assert f"the experts of the first {plan['expert_layers_on_cpu']}" in said


def test_what_the_engine_refuses_is_not_called_fitting(cli: Cli, tmp_path: Path) -> None:
    """The answer began with "Fits well", and the refusal stood at the end."""
    path = write_tiny_model(tmp_path / "m.gguf", metadata={"tokenizer.ggml.model": "unheard-of"})
    done = cli("fit", str(path))
    assert done.code == 0
    assert done.out.startswith("The engine could not open")
    assert "Fits" not in done.out
    assert cli("fit", str(path), "--json").json["reason"].startswith("The engine could not open")


def test_cards_are_called_by_their_names(cli: Cli, large: Path, tmp_path: Path) -> None:
    """Two cards were "GPU" and "GPU1"."""
    card = {**CARD["gpus"][0], "total_bytes": 4 * GIB, "free_bytes": 4 * GIB}
    path = tmp_path / "two.json"
    path.write_text(json.dumps({**CARD, "gpus": [card, {**card, "name": "RTX 3050"}]}))
    done = cli("fit", str(large), "--machine", str(path))
    assert "RTX 4060 (GPU" in done.out
    assert "RTX 3050 (GPU" in done.out


def test_what_is_too_large_has_no_speed(cli: Cli, large: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(json.dumps({"memory": {"total_bytes": 4 * GIB, "available_bytes": 2 * GIB}}))
    done = cli("fit", str(large), "--machine", str(path))
    assert done.out.startswith("Too large")
    assert "only 2 GB is free" in done.out
    assert "Speed" not in done.out


def test_a_plan_that_does_not_load_does_not_pretend_to(
    cli: Cli, large: Path, tmp_path: Path
) -> None:
    """The nearest attempt is shown, said not to load, with what lacks and without a speed."""
    path = tmp_path / "small.json"
    path.write_text(json.dumps({"memory": {"total_bytes": 4 * GIB, "available_bytes": 2 * GIB}}))
    report = cli("fit", str(large), "--machine", str(path), "--json").json
    row = report["memory"][0]
    assert (report["verdict"], report["loads"]) == ("too_large", False)
    usable = row["available_bytes"] - row["margin_bytes"]
    assert report["missing_bytes"] == row["total_bytes"] - usable > 0
    assert report["speed"]["tokens_per_s"] is None
    path.write_text(json.dumps(CARD))
    fitting = cli("fit", str(large), "--machine", str(path), "--json").json
    assert (fitting["loads"], fitting["missing_bytes"]) == (True, 0)
