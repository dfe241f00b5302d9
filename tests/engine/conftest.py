"""Loaded tiny models, closed again after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from desktop.engine.loaded import Loaded
from desktop.engine.local import LocalEngine, load
from desktop.fit.types import Plan
from tests.engine.driving import plan_for
from tests.engine.remote_talk import Open, talking
from tests.tiny_models import write_tiny_model

LoadModel = Callable[..., Loaded]
OpenEngine = Callable[..., LocalEngine]


@pytest.fixture(scope="session")
def plain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model whose vocabulary has no control tokens but ChatML's, so that it writes text."""
    folder = tmp_path_factory.mktemp("models")
    return write_tiny_model(folder / "plain.gguf", vocab=271, seed=3)


@pytest.fixture
def load_model(plain_model: Path) -> Iterator[LoadModel]:
    """`load_model(path=..., **plan)`: a model with its batcher, in the test's own thread."""
    with ExitStack() as opened:

        def make(path: Path | None = None, plan: Plan | None = None, **fields: int) -> Loaded:
            return opened.enter_context(
                closing(Loaded(path or plain_model, plan or plan_for(**fields)))
            )

        yield make


@pytest.fixture
def open_engine(plain_model: Path) -> Iterator[OpenEngine]:
    """`open_engine(path=..., **plan)`: a whole engine with its thread."""
    with ExitStack() as opened:

        def make(path: Path | None = None, plan: Plan | None = None, **fields: int) -> LocalEngine:
            return opened.enter_context(
                closing(load(path or plain_model, plan or plan_for(**fields)))
            )

        yield make


@pytest.fixture
def talk_to(tmp_path: Path) -> Iterator[Open]:
    """`talk_to(*answers, models=..., own=..., **link)`: an engine with its stand-in server."""
    with talking(tmp_path) as open_one:
        yield open_one
