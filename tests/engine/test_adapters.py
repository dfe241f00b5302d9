"""LoRA: a request at a time, several with scales, prefixes never mixed up; wrong files refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.common.errors import LoadError, ModelFileError, RequestError
from desktop.engine.extras import AdapterFile, Extras
from desktop.engine.loaded import Loaded
from desktop.engine.request import Adapter, Request
from desktop.gguf.adapter import check_adapter
from desktop.gguf.reader import read_header
from tests.engine.driving import answer, ask, drive, plan_for
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import write_tiny_model

PROMPT = "Once upon a time there was"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[AdapterFile, ...]:
    folder = tmp_path_factory.mktemp("adapters")
    tensors = (("blk.0.attn_q.weight", 64, 64), ("blk.1.ffn_down.weight", 128, 64))
    return tuple(
        AdapterFile(
            write_tiny_lora(folder / f"{name}.gguf", tensors=tensors, seed=seed), name, scale
        )
        for name, seed, scale in (("poet", 1, 0.0), ("clerk", 2, 0.0))
    )


@pytest.fixture
def loaded(plain_model: Path, files: tuple[AdapterFile, ...]) -> Iterator[Loaded]:
    with closing(Loaded(plain_model, plan_for(parallel=4), extras=Extras(adapters=files))) as it:
        yield it


def with_adapters(request: Request, *adapters: tuple[str, float]) -> Request:
    return replace(request, adapters=tuple(Adapter(name, scale) for name, scale in adapters))


def test_each_request_has_its_own_adapters(loaded: Loaded) -> None:
    wishes = {
        "plain": (),
        "poet": (("poet", 1.0),),
        "clerk": (("clerk", 1.0),),
        "weak": (("poet", 0.25),),
        "both": (("poet", 1.0), ("clerk", 0.5)),
    }
    alone = {
        name: answer(loaded.batcher, with_adapters(ask(name, PROMPT), *wish)).text
        for name, wish in wishes.items()
    }
    assert len(set(alone.values())) == len(wishes)
    requests = [with_adapters(ask(name, PROMPT), *wish) for name, wish in wishes.items()]
    together = {name: told.text for name, told in drive(loaded.batcher, *requests).items()}
    assert together == alone


def test_an_adapter_is_what_llama_cpp_makes_of_merged_weights(
    tmp_path: Path, files: tuple[AdapterFile, ...], loaded: Loaded
) -> None:
    """W + scale * alpha / rank * B A."""
    import gguf

    reader = gguf.GGUFReader(files[0].path)
    tensors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}

    def merge(weights: dict[str, Any]) -> None:
        for name in ("blk.0.attn_q.weight", "blk.1.ffn_down.weight"):
            product = tensors[f"{name}.lora_b"] @ tensors[f"{name}.lora_a"]
            weights[name] = (weights[name] + np.float32(8.0 / 4) * product).astype(np.float32)

    merged = write_tiny_model(tmp_path / "merged.gguf", vocab=271, seed=3, change=merge)
    with closing(Loaded(merged, plan_for())) as other:
        expected = answer(other.batcher, ask("a", PROMPT, 16)).text
    found = answer(loaded.batcher, with_adapters(ask("a", PROMPT, 16), ("poet", 1.0))).text
    assert found == expected


def test_prefixes_are_shared_only_among_the_same_adapters(loaded: Loaded) -> None:
    prompt = "The same beginning of some length for all of them. " * 2
    first = answer(loaded.batcher, with_adapters(ask("a", prompt), ("poet", 1.0)))
    again = answer(loaded.batcher, with_adapters(ask("b", prompt), ("poet", 1.0)))
    other = answer(loaded.batcher, with_adapters(ask("c", prompt), ("clerk", 1.0)))
    scaled = answer(loaded.batcher, with_adapters(ask("d", prompt), ("poet", 0.5)))
    assert first.cached_tokens == 0
    assert again.cached_tokens > 16
    assert again.text == first.text
    assert other.cached_tokens == scaled.cached_tokens == 0


def test_a_scale_of_nothing_is_no_adapter(loaded: Loaded) -> None:
    plain = answer(loaded.batcher, replace(ask("a", PROMPT), adapters=()))
    nothing = answer(loaded.batcher, with_adapters(ask("b", PROMPT), ("poet", 0.0)))
    assert nothing.text == plain.text
    assert nothing.cached_tokens > 0


def test_without_a_wish_the_scales_of_opening_count(
    plain_model: Path, files: tuple[AdapterFile, ...], loaded: Loaded
) -> None:
    strong = (replace(files[0], scale=1.0), files[1])
    with closing(Loaded(plain_model, plan_for(), extras=Extras(adapters=strong))) as opened:
        default = answer(opened.batcher, ask("a", PROMPT)).text
        assert opened.adapters is not None
        assert opened.adapters.defaults == (Adapter("poet", 1.0), Adapter("clerk", 0.0))
    named = answer(loaded.batcher, with_adapters(ask("a", PROMPT), ("poet", 1.0))).text
    assert default == named


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ((Adapter("nobody"),), "no_such_adapter"),
        ((Adapter("poet", float("nan")),), "bad_sampling"),
        ((Adapter("poet", float("inf")),), "bad_sampling"),
        ((Adapter("poet", 1e9),), "bad_sampling"),
        ((Adapter("poet", "1"),), "bad_sampling"),  # type: ignore[arg-type]
        ((Adapter("poet"), Adapter("poet")), "bad_request"),
        (("poet",), "bad_request"),
        ("poet", "bad_request"),
        (5, "bad_request"),
        ((Adapter([]),), "no_such_adapter"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_ends_that_request_alone(
    wanted: tuple[Adapter, ...], kind: str, loaded: Loaded
) -> None:
    told = drive(
        loaded.batcher, replace(ask("wrong", PROMPT), adapters=wanted), ask("right", PROMPT)
    )
    failed = told["wrong"].failed
    assert failed is not None
    assert failed.kind == kind
    assert told["right"].end.reason == "length"


def test_a_model_without_adapters_knows_none(plain_model: Path) -> None:
    with closing(Loaded(plain_model, plan_for())) as opened:
        told = drive(opened.batcher, with_adapters(ask("a", PROMPT), ("poet", 1.0)))["a"]
        assert told.failed is not None
        assert told.failed.kind == "no_such_adapter"
        assert drive(opened.batcher, with_adapters(ask("b", PROMPT)))["b"].end.reason == "length"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"architecture": "qwen2"}, "adapter_of_another_model"),
        ({"tensors": (("blk.0.attn_q.weight", 32, 64),)}, "adapter_of_another_model"),
        ({"tensors": (("blk.0.attn_q.weight", 64, 32),)}, "adapter_of_another_model"),
        ({"tensors": (("blk.9.attn_q.weight", 64, 64),)}, "adapter_of_another_model"),
        ({"tensors": ()}, "adapter_of_another_model"),
        ({"metadata": {"general.type": "model"}}, "not_an_adapter"),
        ({"metadata": {"adapter.type": "control_vector"}}, "not_an_adapter"),
        ({"metadata": {"adapter.lora.alpha": "much"}}, "malformed_gguf"),
        ({"metadata": {"adapter.lora.alpha": 3}}, "malformed_gguf"),
        ({"alpha": float("nan")}, "malformed_gguf"),
        ({"metadata": {"adapter.alora.invocation_tokens": [1, 2]}}, "activated_adapter"),
        (
            {"change": lambda weights: weights.pop("blk.0.attn_q.weight.lora_b")},
            "adapter_of_another_model",
        ),
        (
            {"change": lambda weights: weights.update(extra=np.ones(4, dtype=np.float32))},
            "adapter_of_another_model",
        ),
    ],
)
def test_files_that_do_not_belong_are_told_by_their_headers(
    fields: dict[str, Any], kind: str, plain_model: Path, tmp_path: Path
) -> None:
    path = write_tiny_lora(tmp_path / "wrong.gguf", **fields)
    with pytest.raises(ModelFileError) as caught:
        check_adapter(read_header(path), read_header(plain_model))
    assert caught.value.kind == kind


def test_what_belongs_passes(plain_model: Path, files: tuple[AdapterFile, ...]) -> None:
    for file in files:
        check_adapter(read_header(file.path), read_header(plain_model))


def test_a_file_that_llama_cpp_refuses_leaves_nothing_open(
    plain_model: Path, tmp_path: Path, files: tuple[AdapterFile, ...]
) -> None:
    wrong = write_tiny_lora(tmp_path / "wrong.gguf", architecture="qwen2")
    extras = Extras(adapters=(files[0], AdapterFile(wrong, "wrong")))
    with pytest.raises(LoadError) as caught:
        Loaded(plain_model, plan_for(), extras=extras)
    assert caught.value.kind == "bad_adapter"
    assert "arch mismatch" in caught.value.detail


@pytest.mark.parametrize(
    "named",
    [("poet", "poet"), ("",)],
)
def test_names_must_tell_adapters_apart(
    named: tuple[str, ...], plain_model: Path, files: tuple[AdapterFile, ...]
) -> None:
    extras = Extras(adapters=tuple(replace(files[0], name=name) for name in named))
    with ExitStack() as opened, pytest.raises(LoadError, match="bad_adapter"):
        opened.enter_context(closing(Loaded(plain_model, plan_for(), extras=extras)))


def test_keys_tell_what_is_in_force(loaded: Loaded) -> None:
    adapters = loaded.adapters
    assert adapters is not None
    assert adapters.key(None) == ()
    assert adapters.key((Adapter("poet", 2), Adapter("clerk", 0.5))) == (
        ("clerk", 0.5),
        ("poet", 2.0),
    )
    with pytest.raises(RequestError):
        adapters.key((Adapter("x"),))
