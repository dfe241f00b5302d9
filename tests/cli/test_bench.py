from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Cli


def test_json_has_the_documented_fields(cli: Cli, tiny_model: Path) -> None:
    done = cli("bench", str(tiny_model), "--prompt", "64", "--gen", "16", "--repeat", "2", "--json")
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert found["prompt_tokens_per_s"] > 0
    assert found["tokens_per_s"] > 0
    assert found["aggregate_tokens_per_s"] == found["tokens_per_s"]
    assert len(found["prompt_samples"]) == len(found["gen_samples"]) == 2


def test_parallel_conversations(cli: Cli, tiny_model: Path) -> None:
    done = cli(
        "bench", str(tiny_model), "--prompt", "0", "--gen", "32", "--parallel", "3",
        "--repeat", "1", "--threads", "1", "--json",
    )  # fmt: skip
    found = done.json
    assert found["prompt_tokens_per_s"] is None
    assert found["parallel"] == 3
    assert found["plan"]["parallel"] == 3
    assert found["plan"]["threads"] == 1
    assert found["aggregate_tokens_per_s"] > 0


def test_many_short_conversations(cli: Cli, tiny_model: Path) -> None:
    done = cli(
        "bench", str(tiny_model), "--prompt", "0", "--gen", "2", "--parallel", "40",
        "--repeat", "1", "--json",
    )  # fmt: skip
    assert done.code == 0, done.out


@pytest.mark.parametrize(("language", "word"), [("en", "writes"), ("de", "schreibt")])
def test_for_a_person(cli: Cli, tiny_model: Path, language: str, word: str) -> None:
    done = cli(
        "bench", str(tiny_model), "--prompt", "16", "--gen", "8", "--repeat", "1", language=language
    )
    assert done.code == 0
    assert word in done.out
