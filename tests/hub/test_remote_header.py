"""A model's header over the network: exact, small, once, and never a lie believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.errors import HausgeistError
from desktop.gguf.reader import read_header
from desktop.hub.refs import parse_ref
from desktop.hub.remote_header import RemoteModel, fetch_header
from tests.gguf_files import LlamaShape, header_bytes
from tests.hub.conftest import House
from tests.hub.stand_in import Content, HubStandIn

REPO = "maker/Model-GGUF"
SHAPE = LlamaShape(vocab=3000, layers=4)


def model_file(shape: LlamaShape = SHAPE) -> Content:
    """A whole model of that shape, its weights zeros that nobody stores."""
    head = header_bytes(shape.metadata(), shape.tensors())
    data = sum(-(-tensor.nbytes // 32) * 32 for tensor in shape.tensors())
    return Content(head, len(head) + data)


def fetch(house: House, text: str) -> RemoteModel:
    return fetch_header(house.client, house.cache, parse_ref(text))


def kind_of(house: House, text: str) -> str:
    with pytest.raises(HausgeistError) as failure:
        fetch(house, text)
    return failure.value.kind


def test_the_header_is_the_one_of_the_whole_file(
    hub: HubStandIn, house: House, tmp_path: Path
) -> None:
    whole = SHAPE.write(tmp_path / "whole.gguf")
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file(), "README.md": b"#"})
    found = fetch(house, f"{REPO}:Q4_K_M")
    expected = read_header(whole)
    assert found.header.tensors == expected.tensors
    assert dict(found.header.metadata) == dict(expected.metadata)
    assert found.header.file_bytes == expected.file_bytes == whole.stat().st_size
    assert not found.header.complete
    assert found.header.paths[0].read_bytes() == whole.read_bytes()[: expected.data_offset]
    assert hub.sent_bytes < 600_000
