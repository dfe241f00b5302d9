from __future__ import annotations

from pathlib import Path

import pytest

from tests.hardware.trees import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty Linux machine."""
    return Tree(tmp_path / "root")
