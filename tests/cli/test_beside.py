"""`run` with what lets a model see, with adapters, with pictures and recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import write_tiny_model
from tests.tiny_projector import png, wav, write_tiny_ears, write_tiny_eyes


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_tiny_model(tmp_path / "own.gguf", seed=7, context=2048))


def asked(model: str, *more: str) -> tuple[str, ...]:
    return (
        "run",
        model,
        "-p",
        "What?",
        "--max-tokens",
        "12",
        "--temperature",
        "0",
        "--json",
        *more,
    )


def test_a_picture_is_shown(cli: Cli, model: str, tmp_path: Path) -> None:
    eyes = str(write_tiny_eyes(tmp_path / "eyes.gguf"))
    (tmp_path / "red.png").write_bytes(png(112, 112))
    (tmp_path / "blue.png").write_bytes(png(112, 112, (10, 20, 250)))
    texts = set()
    for picture in ("red.png", "blue.png"):
        done = cli(*asked(model, "--mmproj", eyes, "--image", str(tmp_path / picture)))
        assert done.code == 0, done.err
        assert done.json["prompt_tokens"] > 16
        texts.add(done.json["text"])
    assert len(texts) == 2


def test_a_recording_is_played(cli: Cli, model: str, tmp_path: Path) -> None:
    ears = str(write_tiny_ears(tmp_path / "ears.gguf"))
    (tmp_path / "tone.wav").write_bytes(wav(1.0))
    done = cli(*asked(model, "--mmproj", ears, "--audio", str(tmp_path / "tone.wav")))
    assert done.code == 0, done.err
    assert done.json["prompt_tokens"] > 375


def test_adapters_change_the_answer(cli: Cli, model: str, tmp_path: Path) -> None:
    adapter = str(write_tiny_lora(tmp_path / "poet.gguf"))
    plain = cli(*asked(model)).json["text"]
    whole = cli(*asked(model, "--lora", adapter)).json["text"]
    scaled = cli(*asked(model, "--lora-scaled", f"{adapter}:1.0")).json["text"]
    none = cli(*asked(model, "--lora-scaled", f"{adapter}:0")).json["text"]
    assert whole == scaled != plain
    assert none == plain


def test_a_model_that_cannot_see_says_so(cli: Cli, model: str, tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png(112, 112))
    done = cli(*asked(model, "--image", str(tmp_path / "red.png")), language="de")
    assert done.code == 1
    assert done.json["error"]["kind"] == "no_vision"
    assert "Bilder" in done.json["error"]["message"]


@pytest.mark.parametrize(
    ("more", "code", "kind"),
    [
        (("--image", "nowhere.png"), 2, "no_such_file"),
        (("--mmproj", "nowhere.gguf"), 1, "not_found"),
        (("--lora", "nowhere.gguf"), 1, "not_found"),
        (("--lora-scaled", "poet.gguf"), 2, "bad_scale"),
        (("--lora-scaled", "poet.gguf:much"), 2, "bad_scale"),
        (("--lora-scaled", "poet.gguf:nan"), 2, "bad_scale"),
        (("--lora-scaled", "poet.gguf:1e9"), 2, "bad_scale"),
        (("--lora-scaled", ":1"), 2, "bad_scale"),
        (("--image", "."), 2, "no_such_file"),
    ],
)
def test_what_is_wrong_is_told(
    more: tuple[str, ...], code: int, kind: str, cli: Cli, model: str
) -> None:
    done = cli(*asked(model, *more))
    assert (done.code, done.json["error"]["kind"]) == (code, kind)


def test_a_file_that_is_no_picture_is_told(cli: Cli, model: str, tmp_path: Path) -> None:
    eyes = str(write_tiny_eyes(tmp_path / "eyes.gguf"))
    for content, kind in ((b"hello", "media_format"), (png(112, 112)[:60], "bad_media")):
        (tmp_path / "odd.png").write_bytes(content)
        done = cli(*asked(model, "--mmproj", eyes, "--image", str(tmp_path / "odd.png")))
        assert (done.code, done.json["error"]["kind"]) == (1, kind)


def test_a_model_that_makes_vectors_does_not_chat(cli: Cli, tmp_path: Path) -> None:
    from tests.tiny_architectures import write_tiny_bert

    path = str(write_tiny_bert(tmp_path / "bert.gguf"))
    done = cli(*asked(path))
    assert (done.code, done.json["error"]["kind"]) == (1, "not_generative")
