"""Headers of whole model families, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from tests.fit.architectures import MODELS
from tests.gguf_files import LlamaShape

EIGHT_BILLION = LlamaShape(32, 4096, 32, 8, 14_336, vocab=128_256, context=131_072)

FamilyHeader = Callable[[str], ModelHeader]


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> FamilyHeader:
    """The header of one of tests.fit.architectures by its name."""
    folder = tmp_path_factory.mktemp("families")

    @cache
    def header(name: str) -> ModelHeader:
        return _whole(MODELS[name]().write(folder / f"{name}.gguf", with_data=False))

    return header


@pytest.fixture(scope="session")
def eight_billion(tmp_path_factory: pytest.TempPathFactory) -> ModelHeader:
    """Llama 3.1 8B's shape in Q4_K_M: 4.7 GB."""
    path = tmp_path_factory.mktemp("8b") / "m.gguf"
    return _whole(EIGHT_BILLION.write(path, with_data=False))


def _whole(path: Path) -> ModelHeader:
    """The header as of a whole file, without gigabytes of holes for file systems that fill them."""
    return replace(read_header(path, allow_missing_data=True), complete=True)
