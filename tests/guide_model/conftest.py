"""The guide's corpus and its file, read once."""

from __future__ import annotations

from pathlib import Path

import pytest
from guide_model import corpus

GUIDE = Path(__file__).parents[2] / "resources" / "models" / "hausgeist-guide.gguf"


@pytest.fixture(scope="session")
def book() -> corpus.Corpus:
    return corpus.load()


@pytest.fixture(scope="session")
def guide_file() -> Path:
    return GUIDE
