"""A smaller version, from the wish to the library; and everything that can come between."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import psutil
import pytest

from desktop.common.errors import CancelledError, EngineError, HausgeistError, StorageError
from desktop.engine.cancel import CancelToken
from desktop.engine.probe import probe
from desktop.engine.quantize import QuantizeStep, quantize
from desktop.gguf.reader import read_header
from desktop.library.library import Library
from desktop.library.model_settings import ModelSettings
from desktop.services import quantize as module
from desktop.services import quantize_watch
from desktop.services.quantize import QuantizationProgress, Quantizer
from desktop.services.verify import Verifier
from tests.engine.driving import plan_for
from tests.gguf_files import LlamaShape
from tests.tiny_models import write_tiny_model

GB = 1_000_000_000


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    guide = LlamaShape().write(tmp_path / "guide.gguf")
    library = Library.open(tmp_path / "data" / "library.db", guide)
    yield library
    library.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_tiny_model(
        tmp_path / "Tiny-F32.gguf", width=256, layers=4, metadata={"general.name": "Tiny"}
    )


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def quantizer(library: Library, models_dir: Path) -> Quantizer:
    return Quantizer(library, lambda: models_dir)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_from_the_wish_to_the_library(
    quantizer: Quantizer, library: Library, source: Path, models_dir: Path
) -> None:
    before = _hash(source)
    library.add(source, name="my-tiny")
    told: list[QuantizationProgress] = []
    plan = quantizer.plan(source, "Q4_K_M")
    made = quantizer.make(plan, progress=told.append)
    assert made.path == models_dir / "Tiny-Q4_K_M.gguf"
    assert [path.name for path in models_dir.iterdir()] == ["Tiny-Q4_K_M.gguf"]
    assert made.file_bytes == made.path.stat().st_size
    # The old header's own padding is the one thing that a plan cannot know.
    assert abs(made.file_bytes - plan.file_bytes) <= 32
    assert read_header(made.path).tensor_bytes == plan.header.tensor_bytes
    assert _hash(source) == before
    assert made.model.quantization == "Q4_K_M"
    assert made.model.source == "copy"
    assert made.model.origin is not None
    assert (made.model.origin.kind, made.model.origin.where) == ("quantized", "my-tiny")
    assert Verifier(library).verify(made.model.name).ok  # its hash is known from the beginning
    assert told[0].total == len(plan.header.tensors)
    assert all(0.0 <= progress.fraction <= 1.0 for progress in told)


def test_what_was_set_for_the_model_holds_on(
    quantizer: Quantizer, library: Library, source: Path
) -> None:
    known = library.add(source, settings=ModelSettings(temperature=0.6))
    own = ModelSettings(system_prompt="Be brief.")
    library.model_settings.keep(known.content, own)
    made = quantizer.make(quantizer.plan(source, "Q8_0")).model
    assert made.content != known.content
    assert library.model_settings.own(made.content) == own
    assert library.model_settings.recommended(made.content).temperature == 0.6


def test_a_second_one_gets_another_name(quantizer: Quantizer, source: Path) -> None:
    plan = quantizer.plan(source, "Q8_0")
    names = [quantizer.make(plan).path.name for _ in range(2)]
    assert names == ["Tiny-Q8_0.gguf", "Tiny-Q8_0-2.gguf"]


def test_the_longest_of_names_gets_a_shorter_one(quantizer: Quantizer, source: Path) -> None:
    long = source.rename(source.with_name("ö" * 120 + ".gguf"))
    made = quantizer.make(quantizer.plan(long, "Q8_0"))
    assert made.path.name == "ö" * 100 + "-Q8_0.gguf"


def test_a_place_of_ones_own_is_not_the_apps(
    quantizer: Quantizer, source: Path, tmp_path: Path
) -> None:
    """Removing the model later must not delete what somebody put where they wanted it."""
    out = tmp_path / "stick" / "small.gguf"
    made = quantizer.make(quantizer.plan(source, "Q8_0"), out=out)
    assert (made.path, made.model.source) == (out, "import")


def test_nothing_is_written_over(quantizer: Quantizer, source: Path) -> None:
    before = _hash(source)
    with pytest.raises(StorageError) as refused:
        quantizer.make(quantizer.plan(source, "Q8_0"), out=source)
    assert refused.value.kind == "file_exists"
    assert _hash(source) == before


def test_a_blob_without_an_ending_gets_a_name_of_words(
    quantizer: Quantizer, source: Path, tmp_path: Path
) -> None:
    blob = source.rename(tmp_path / f"sha256-{'a' * 64}")
    made = quantizer.make(quantizer.plan(blob, "Q8_0"))
    assert made.path.name == "Tiny-Q8_0.gguf"


def test_the_parts_of_a_split_model_become_one_file(
    quantizer: Quantizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts = functools.partial(gguf.GGUFWriter, split_max_tensors=8)
    monkeypatch.setattr(gguf, "GGUFWriter", in_parts)
    write_tiny_model(tmp_path / "Parts.gguf", width=256, layers=2)
    first = tmp_path / "Parts-00001-of-00003.gguf"
    assert first.exists()
    made = quantizer.make(quantizer.plan(first, "Q4_K_M"))
    assert made.path.name == "Parts-Q4_K_M.gguf"
    header = read_header(made.path)
    assert (header.is_split, len(header.tensors)) == (False, 21)
    assert abs(made.file_bytes - made.plan.file_bytes) <= 64
    assert probe(made.path, plan_for(), timeout_s=60.0).ok


def test_disk_is_asked_before(library: Library, source: Path, models_dir: Path) -> None:
    poor = Quantizer(library, lambda: models_dir, free=lambda _folder: 1000)
    with pytest.raises(StorageError) as refused:
        poor.make(poor.plan(source, "Q4_K_M"))
    assert refused.value.kind == "not_enough_space"
    assert not list(models_dir.glob("*"))


def test_a_cancel_leaves_nothing(quantizer: Quantizer, source: Path, models_dir: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(CancelledError):
        quantizer.make(
            quantizer.plan(source, "Q4_K_M"),
            progress=lambda _progress: cancel.cancel(),
            cancel=cancel,
        )
    assert not list(models_dir.iterdir())


def test_what_another_died_over_is_cleared_away(
    quantizer: Quantizer, source: Path, models_dir: Path
) -> None:
    models_dir.mkdir()
    left = models_dir / "hausgeist-quantize.999999999_1_.part"
    left.write_bytes(b"half")
    quantizer.make(quantizer.plan(source, "Q8_0"))
    assert not left.exists()


@pytest.mark.parametrize(("free", "kind"), [(1000, "disk_full"), (9 * GB, "quantize_failed")])
def test_half_a_file_is_never_a_model(
    library: Library,
    source: Path,
    models_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    kind: str,
) -> None:
    """The quantizer does not notice a full disk (its stream throws for other faults only)."""
    room = [9 * GB]
    quantizer = Quantizer(library, lambda: models_dir, free=lambda _folder: room[0])
    plan = quantizer.plan(source, "Q8_0")
    half = source.read_bytes()[: source.stat().st_size // 2]

    def written(_source: Path, target: Path, _type: int, **_rest: object) -> None:
        target.write_bytes(half)
        room[0] = free

    monkeypatch.setattr(module, "quantize", written)
    with pytest.raises(HausgeistError) as failed:
        quantizer.make(plan)
    assert failed.value.kind == kind
    assert not list(models_dir.iterdir())
    assert [model.name for model in library.list()] == ["guide"]


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="no limits of files here")
def test_the_real_quantizer_on_a_disk_that_takes_no_more(
    library: Library, source: Path, models_dir: Path
) -> None:
    """By a limit on the child's files: its writes fail as on a full disk, and it says "done"."""
    room = [9 * GB]
    quantizer = Quantizer(library, lambda: models_dir, free=lambda _folder: room[0])

    def fill(_progress: QuantizationProgress) -> None:
        for child in psutil.Process().children():
            child.rlimit(psutil.RLIMIT_FSIZE, (100_000, 100_000))
        room[0] = 1000

    plan = quantizer.plan(source, "Q8_0")
    assert plan.file_bytes > 1_000_000
    with pytest.raises(StorageError) as failed:
        quantizer.make(plan, progress=fill)
    assert failed.value.kind == "disk_full"
    assert not list(models_dir.iterdir())


def test_a_disk_that_fills_up_meanwhile_ends_it(
    library: Library, source: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [9 * GB]
    quantizer = Quantizer(library, lambda: models_dir, free=lambda _folder: room[0])
    plan = quantizer.plan(source, "Q8_0")
    monkeypatch.setattr(quantize_watch, "_TELL_EVERY_S", 0.0)
    monkeypatch.setattr(quantize_watch, "_LOOK_AT_DISK_EVERY_S", -1.0)

    def slow(_source: Path, target: Path, _type: int, *, on_step: object, **_rest: object) -> None:
        target.write_bytes(b"x")
        room[0] = 1000
        assert callable(on_step)
        on_step(QuantizeStep(1, 9))

    monkeypatch.setattr(module, "quantize", slow)
    with pytest.raises(StorageError) as failed:
        quantizer.make(plan)
    assert failed.value.kind == "disk_full"
    assert not list(models_dir.iterdir())


def test_a_crash_in_the_child_leaves_nothing(
    quantizer: Quantizer, source: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_source: Path, target: Path, _type: int, **_rest: object) -> None:
        target.write_bytes(b"half")
        raise EngineError("quantize_died", path="x")

    monkeypatch.setattr(module, "quantize", crash)
    with pytest.raises(EngineError):
        quantizer.make(quantizer.plan(source, "Q8_0"))
    assert not list(models_dir.iterdir())


def test_a_folder_that_takes_nothing_says_so(
    quantizer: Quantizer, source: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(StorageError) as failed:
        quantizer.make(quantizer.plan(source, "Q8_0"))
    assert failed.value.kind == "read_only"
    assert not list(models_dir.iterdir())


@pytest.mark.parametrize(
    ("gone", "kind"), [("source", "not_found"), ("target", "quantize_drive_gone")]
)
def test_a_drive_that_is_pulled_out_is_told_as_such(
    quantizer: Quantizer,
    source: Path,
    models_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    gone: str,
    kind: str,
) -> None:
    """The child dies of it (a mapped file that is not there any more), and cannot say why."""

    def pull(source: Path, target: Path, _type: int, **_rest: object) -> None:
        if gone == "source":
            source.unlink()
        else:
            target.unlink()
            target.parent.rmdir()
        raise EngineError("quantize_died", path="x")

    monkeypatch.setattr(module, "quantize", pull)
    with pytest.raises(HausgeistError) as failed:
        quantizer.make(quantizer.plan(source, "Q8_0"))
    assert failed.value.kind == kind
    assert not models_dir.exists() or not list(models_dir.iterdir())


def test_what_llama_cpp_refuses_is_refused_before_anything_is_written(
    quantizer: Quantizer, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {"block_count": 2, "context_length": 4096, "embedding_length": 256}
    metadata = {f"made-up.{key}": value for key, value in numbers.items()}
    odd = write_tiny_model(
        tmp_path / "odd.gguf",
        width=256,
        metadata={"general.architecture": "made-up", **metadata},
    )

    def never(*_args: object, **_options: object) -> None:
        raise AssertionError("computed")

    monkeypatch.setattr(module, "quantize", never)
    with pytest.raises(HausgeistError) as refused:
        quantizer.make(quantizer.plan(odd, "Q8_0"))
    assert refused.value.kind == "quantize_failed"
    assert not list(models_dir.iterdir())


def test_rules_that_are_others_are_written_down(
    quantizer: Quantizer, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As after an update of llama.cpp: the file is still what llama.cpp makes of it."""
    plan = quantizer.plan(source, "Q4_K_M")
    tensors = tuple(replace(one, type_name="Q9_9") for one in plan.header.tensors)
    made = quantizer.make(replace(plan, header=replace(plan.header, tensors=tensors)))
    assert made.model.quantization == "Q4_K_M"
    assert "become something else" in caplog.text


def test_two_at_once_do_not_meet(
    quantizer: Quantizer, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both in this process and in the same folder: their unfinished files must differ."""
    parts: list[Path] = []
    real = quantize

    def noted(source: Path, target: Path, file_type: int, **rest: Any) -> None:
        parts.append(target)
        if len(parts) == 1:
            quantizer.make(quantizer.plan(source, "Q5_K_M"))
        real(source, target, file_type, **rest)

    monkeypatch.setattr(module, "quantize", noted)
    made = quantizer.make(quantizer.plan(source, "Q8_0"))
    assert len(set(parts)) == 2
    assert read_header(made.path).quantization == "Q8_0"


def test_what_is_larger_and_worse_than_another_is_not_offered(
    quantizer: Quantizer, tmp_path: Path
) -> None:
    """Rows of unusual length make three bits take as much as four."""
    for width in (64, 96, 256, 320):
        odd = write_tiny_model(tmp_path / f"{width}.gguf", width=width, layers=4)
        plans = [choice.plan for choice in quantizer.choices(odd)]
        sizes = [plan.file_bytes for plan in plans]
        losses = [plan.loss_nats or 0.0 for plan in plans]
        assert sizes == sorted(set(sizes), reverse=True)
        assert losses == sorted(losses)


def test_what_is_offered_is_smaller_and_one_is_recommended(
    quantizer: Quantizer, source: Path, models_dir: Path
) -> None:
    choices = quantizer.choices(source)
    assert [choice.plan.quantization for choice in choices if choice.is_recommended] == ["Q4_K_M"]
    made = quantizer.make(quantizer.plan(source, "Q4_K_M"))
    fewer = quantizer.choices(made.path)
    assert fewer
    assert all(choice.plan.file_bytes < made.file_bytes for choice in fewer)
    assert not any(
        choice.is_recommended and choice.plan.loss_tier in ("some", "much") for choice in fewer
    )
