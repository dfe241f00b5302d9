"""Models for the Hub of these tests, and how they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.errors import HausgeistError
from desktop.hub.refs import parse_ref
from desktop.hub.remote_header import RemoteModel, fetch_header
from tests.gguf_files import LlamaShape, data_bytes, header_bytes, write_split
from tests.hub.conftest import House
from tests.hub.stored import Content

REPO = "maker/Model-GGUF"
SHAPE = LlamaShape(vocab=3000, layers=4)


def model_file(shape: LlamaShape = SHAPE) -> Content:
    """A whole model of that shape, its weights zeros that nobody stores."""
    head = header_bytes(shape.metadata(), shape.tensors())
    return Content(head, len(head) + data_bytes(shape.tensors()))


def fake_gguf(data: bytes) -> Content:
    return Content(data, len(data))


def fetch(house: House, text: str) -> RemoteModel:
    return fetch_header(house.client, house.cache, parse_ref(text))


def kind_of(house: House, text: str) -> str:
    with pytest.raises(HausgeistError) as failure:
        fetch(house, text)
    return failure.value.kind


def split_files(tmp_path: Path, parts: int = 3) -> dict[str, Content]:
    tensors = SHAPE.tensors()
    size = -(-len(tensors) // parts)
    first = write_split(
        tmp_path / "Model-Q4_K_M.gguf",
        SHAPE.metadata(),
        [tensors[n * size : (n + 1) * size] for n in range(parts)],
    )
    return {f"Q4/{path.name}": fake_gguf(path.read_bytes()) for path in first.parent.glob("*.gguf")}
