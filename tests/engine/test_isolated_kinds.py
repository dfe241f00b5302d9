"""Vectors, scores, pictures and adapters of a model in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import gguf
import pytest

from desktop.common.errors import LoadError, RequestError
from desktop.engine.chat import Chat, Media, Message
from desktop.engine.embedding import EmbeddingRequest, RerankRequest
from desktop.engine.events import Finished
from desktop.engine.extras import NO_EXTRAS, AdapterFile, Extras
from desktop.engine.isolated import IsolatedEngine, load_isolated
from desktop.engine.local import load
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from tests.engine.driving import plan_for
from tests.tiny_architectures import write_tiny_bert
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import write_tiny_model
from tests.tiny_projector import png, write_tiny_eyes

Open = Callable[..., IsolatedEngine]
PLAN = plan_for(context=2048, ubatch=256)


@pytest.fixture
def open_apart() -> Iterator[Open]:
    with ExitStack() as opened:

        def make(path: Path, extras: Extras = NO_EXTRAS) -> IsolatedEngine:
            return opened.enter_context(closing(load_isolated(path, PLAN, extras=extras)))

        yield make


def test_vectors_come_through_the_pipe(tmp_path: Path, open_apart: Open) -> None:
    path = write_tiny_bert(tmp_path / "bert.gguf")
    apart = open_apart(path)
    assert apart.info.abilities.embeddings
    assert apart.info.pooling == "mean"
    request = EmbeddingRequest(("Guten Morgen", "1"))
    found = apart.embed(request)
    with closing(load(path, PLAN)) as here:
        expected = here.embed(request)
    assert found.tokens == expected.tokens
    for one, other in zip(found.vectors, expected.vectors, strict=True):
        assert list(one[0]) == pytest.approx(list(other[0]), abs=1e-5)
    with pytest.raises(RequestError, match="context_exceeded"):
        apart.embed(EmbeddingRequest(("a b c " * 500,)))


def test_scores_come_through_the_pipe(tmp_path: Path, open_apart: Open) -> None:
    path = write_tiny_bert(tmp_path / "rank.gguf", pooling=gguf.PoolingType.RANK)
    ranking = open_apart(path).rerank(RerankRequest("Frage", ("a", "b", "c")))
    assert len(ranking.scores) == 3


def test_pictures_and_adapters_go_through_the_pipe(tmp_path: Path, open_apart: Open) -> None:
    model = write_tiny_model(tmp_path / "model.gguf", seed=3)
    poet = AdapterFile(write_tiny_lora(tmp_path / "poet.gguf"), "poet", 0.0)
    extras = Extras(projector=write_tiny_eyes(tmp_path / "eyes.gguf"), adapters=(poet,))
    apart = open_apart(model, extras)
    assert apart.info.abilities.vision
    assert apart.adapters() == (Adapter("poet", 0.0),)
    with closing(load(model, PLAN, extras=extras)) as here:
        texts = {
            (name, scale): _answer(engine, scale)
            for name, engine in (("here", here), ("apart", apart))
            for scale in (0.0, 1.0)
        }
    assert texts["here", 0.0] == texts["apart", 0.0]
    assert texts["here", 1.0] == texts["apart", 1.0]
    assert texts["here", 0.0] != texts["here", 1.0]


def _answer(engine: object, scale: float) -> str:
    message = Message("user", "What is this?", media=(Media("image", png(112, 112)),))
    request = Request(
        f"a{scale}",
        chat=Chat((message,)),
        max_tokens=12,
        ignore_eos=True,
        sampling=Sampling(temperature=0.0),
        adapters=(Adapter("poet", scale),),
    )
    text, end = engine.submit(request).collect(60)  # type: ignore[attr-defined]
    assert isinstance(end, Finished), end
    return str(text)


def test_what_does_not_load_there_is_told_here(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model.gguf")
    wrong = write_tiny_eyes(tmp_path / "eyes.gguf", language_width=32)
    with pytest.raises(LoadError) as caught:
        load_isolated(model, PLAN, extras=Extras(projector=wrong))
    assert caught.value.kind == "projector_failed"
