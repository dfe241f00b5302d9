"""hardware, fit, list, import, remove: what scripts and people get."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.hardware.machine import Machine, Memory, machine_from_json
from desktop.services.machine import MachineService
from tests.cli.running import Cli
from tests.tiny_models import write_tiny_model

BIG_MACHINE = {
    "memory": {"total_bytes": 64 * 2**30},
    "cpu": {"logical_cores": 16, "memory_bandwidth_bytes_per_s": 80_000_000_000},
    "gpus": [
        {
            "name": "RTX 4090",
            "vendor": "nvidia",
            "backend": "cuda",
            "total_bytes": 24 * 2**30,
            "free_bytes": 23 * 2**30,
        }
    ],
}


@pytest.fixture
def big_machine(tmp_path: Path) -> Path:
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(BIG_MACHINE))
    return path


@pytest.mark.usefixtures("looks_anew")
def test_hardware_json_has_the_documented_fields(cli: Cli) -> None:
    done = cli("hardware", "--json")
    assert done.code == 0
    found = done.json
    assert {"name", "physical_cores", "logical_cores", "features"} <= found["cpu"].keys()
    assert "memory_bandwidth_bytes_per_s" in found["cpu"]
    assert found["memory"]["total_bytes"] >= found["memory"]["available_bytes"] > 0
    assert isinstance(found["gpus"], list)
    assert found["disk"]["free_bytes"] > 0
    assert found["engine"]["version"]
    assert "CPU" in found["engine"]["backends"]
    assert machine_from_json(found).to_json() == found


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("RAM", "Processor", "free")), ("de", ("Arbeitsspeicher", "Prozessor", "frei"))],
)
def test_hardware_for_a_person(cli: Cli, language: str, words: tuple[str, ...]) -> None:
    done = cli("hardware", language=language)
    assert (done.code, done.err) == (0, "")
    assert all(word in done.out for word in words)
    assert "llama-cpp-python" in done.out


def test_fit_json_has_the_documented_fields(cli: Cli, tiny_model: Path) -> None:
    done = cli("fit", str(tiny_model), "--json")
    assert (done.code, done.err) == (0, "")
    report = done.json
    assert set(report["model"]) >= {
        "name", "architecture", "quantization", "parameters", "file_bytes", "layers",
    }  # fmt: skip
    assert set(report["plan"]) >= {
        "gpu_layers", "context", "kv_type", "parallel", "flash_attention", "expert_layers_on_cpu",
    }  # fmt: skip
    assert set(report["memory"][0]) >= {
        "device", "weights_bytes", "context_bytes", "compute_bytes", "total_bytes",
        "available_bytes",
    }  # fmt: skip
    assert report["verdict"] in ("gpu", "partly_gpu", "cpu")
    assert set(report["speed"]) >= {"prompt_tokens_per_s", "tokens_per_s", "basis"}
    assert report["method"] == "dry_run"
    assert report["reason"].endswith((".", "!"))


def test_fit_obeys_the_wishes(cli: Cli, tmp_path: Path) -> None:
    # Heads of 32 values: with fewer llama.cpp has no quantized context.
    model = write_tiny_model(tmp_path / "heads.gguf", width=128)
    plan = cli(
        "fit", str(model), "--ctx", "1024", "--kv-type", "q8_0", "--parallel", "2",
        "--gpu-layers", "0", "--ubatch", "128", "--json",
    ).json["plan"]  # fmt: skip
    assert (plan["context"], plan["kv_type"], plan["parallel"]) == (1024, "q8_0", 2)
    assert (plan["gpu_layers"], plan["ubatch"]) == (0, 128)


def test_fit_weighs_quality_and_speed(cli: Cli, big_machine: Path, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "long.gguf", width=128, context=65_536)
    contexts = [
        cli(
            "fit", str(model), "--machine", str(big_machine), "--priority", each, "--json"
        ).json["plan"]["context"]
        for each in ("balanced", "quality")
    ]  # fmt: skip
    assert contexts == [16_384, 32_768]


def test_fit_on_another_machine(cli: Cli, tiny_model: Path, big_machine: Path) -> None:
    report = cli("fit", str(tiny_model), "--machine", str(big_machine), "--json").json
    assert report["verdict"] == "gpu"
    assert report["method"] == "header"
    said = cli("fit", str(tiny_model), "--machine", str(big_machine))
    assert report["reason"] in said.out


def test_hardwares_own_output_is_a_machine(cli: Cli, tiny_model: Path, tmp_path: Path) -> None:
    here = tmp_path / "here.json"
    here.write_text(cli("hardware", "--json").out)
    report = cli("fit", str(tiny_model), "--machine", str(here), "--json").json
    assert report["verdict"] == cli("fit", str(tiny_model), "--json").json["verdict"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, "machine_file_unreadable"),
        ("{", "machine_file_not_json"),
        ("[" * 100_000, "machine_file_not_json"),
        ("{}", "bad_machine"),
        ('{"memory": {"total_bytes": -1}}', "bad_machine"),
        ('{"memory": {"total_bytes": "16 GB"}}', "bad_machine"),
        ('{"memory": {"total_bytes": 1e999}}', "bad_machine"),
    ],
)
def test_bad_machine_files(
    cli: Cli, tiny_model: Path, tmp_path: Path, content: str | None, kind: str
) -> None:
    path = tmp_path / "machine.json"
    if content is not None:
        path.write_text(content)
    done = cli("fit", str(tiny_model), "--machine", str(path), "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] == kind
    assert "unexpected" not in done.json["error"]["message"]


def test_a_header_without_its_data_is_answered(cli: Cli, tiny_model: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_model.read_bytes()[:-100_000])
    whole, partial = cli("fit", str(tiny_model), "--json"), cli("fit", str(cut), "--json")
    assert partial.code == 0
    for report in (whole.json, partial.json):
        assert report["memory"][0]["weights_bytes"] == whole.json["memory"][0]["weights_bytes"]
    assert partial.json["model"]["file_bytes"] == whole.json["model"]["file_bytes"]


def test_list_import_run_remove(cli: Cli, tmp_path: Path, hausgeist_home: Path) -> None:
    folder = tmp_path / "Meine Modelle"
    folder.mkdir()
    file = write_tiny_model(folder / "Größe.gguf", seed=3)
    assert [model["name"] for model in cli("list", "--json").json] == ["guide"]

    imported = cli("import", str(folder), "--json")
    assert imported.code == 0
    (model,) = imported.json["imported"]
    assert (model["path"], model["source"]) == (str(file), "import")
    assert not list((hausgeist_home / "models").iterdir())

    listed = cli("list", "--json").json
    assert [item["verdict"] for item in listed] == ["cpu", "cpu"]
    assert listed[1]["name"] == model["name"]
    assert model["name"] in cli("list").out

    assert cli("fit", model["name"], "--json").json["model"]["layers"] == 2

    removed = cli("remove", model["name"], "--json")
    assert removed.json == {
        "removed": model["name"],
        "path": str(file),
        "deleted": False,
        "trashed": False,
        "files": [],
        "freed_bytes": 0,
        "belongs_to": "user",
    }
    assert file.exists()
    assert cli("remove", model["name"], "--json").json["error"]["kind"] == "unknown_model"


def test_import_with_copy_and_remove_deletes_the_copy(
    cli: Cli, tmp_path: Path, hausgeist_home: Path
) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=4)
    (model,) = cli("import", str(file), "--copy", "--json").json["imported"]
    copy = Path(model["path"])
    assert copy.is_relative_to(hausgeist_home / "models")
    done = cli("remove", str(copy))
    assert done.code == 0
    assert not copy.exists()
    assert file.exists()


def test_import_tells_of_every_failure(cli: Cli, tmp_path: Path) -> None:
    good = write_tiny_model(tmp_path / "good.gguf", seed=5)
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GIF89a")
    done = cli("import", str(good), str(bad), "--json")
    assert done.code == 1
    assert len(done.json["imported"]) == 1
    assert done.json["failed"][0]["path"] == str(bad)
    assert done.json["error"]["kind"] == "not_gguf"
    said = cli("import", str(bad), str(tmp_path / "nowhere.gguf"))
    assert said.code == 1
    assert len(said.err.strip().splitlines()) == 2


def test_a_folder_of_rubbish_does_not_flood_the_terminal(cli: Cli, tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.gguf").write_bytes(b"GIF89a")
    write_tiny_model(tmp_path / "good.gguf", seed=8)
    (tmp_path / "the same.gguf").write_bytes((tmp_path / "good.gguf").read_bytes())
    done = cli("import", str(tmp_path))
    assert done.code == 1
    assert len(done.out.strip().splitlines()) == 1
    assert len(done.err.strip().splitlines()) == 11
    assert "20 files more" in done.err
    assert len(cli("import", str(tmp_path), "--json").json["failed"]) == 30


def test_the_list_says_why_a_model_is_too_large(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("import", str(write_tiny_model(tmp_path / "good.gguf", seed=9)))

    def machine(total_bytes: int, available_bytes: int) -> None:
        found = Machine(Memory(total_bytes, available_bytes))
        monkeypatch.setattr(MachineService, "machine", lambda _self, **_more: found)

    machine(1 << 20, 1 << 20)
    assert "too large for this computer" in cli("list").out
    machine(16 << 30, 1 << 20)
    assert "too large at the moment" in cli("list").out


def test_the_guide_cannot_be_removed(cli: Cli) -> None:
    done = cli("remove", "guide", "--json")
    assert (done.code, done.json["error"]["kind"]) == (2, "guide_stays")


def test_a_missing_file_is_listed_as_missing(cli: Cli, tmp_path: Path) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=6)
    cli("import", str(file))
    file.unlink()
    listed = cli("list", "--json").json[1]
    assert (listed["problem"], listed["verdict"]) == ("vanished", None)
    said = cli("list")
    assert said.code == 0
    assert str(file) in said.out
