"""Random bytes and damaged headers: a clear error or a header, never anything else, and soon."""

from __future__ import annotations

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.common.errors import HausgeistError
from desktop.fit.planner import plan
from desktop.fit.types import Wish
from desktop.gguf.reader import read_header_from
from desktop.gguf.safety import check
from desktop.hardware.machine import Machine, Memory
from tests import gguf_files as files
from tests.gguf.test_reader import EVERY_VALUE, Bytes
from tests.gguf_files import Array, Layout, LlamaShape, header_bytes

LIMIT_S = 2.0
MACHINE = Machine(Memory(16 << 30, 8 << 30))
SEEDS = [
    header_bytes(LlamaShape(layers=1).metadata(), LlamaShape(layers=1).tensors()),
    header_bytes(EVERY_VALUE, [files.Tensor("x", (64, 3), "Q8_0")]),
    header_bytes(EVERY_VALUE, [files.Tensor("x", (4,))], Layout(version=2, byte_order="big")),
    header_bytes({"n": Array(files.ARRAY, [Array(files.STRING, ["a"] * 9)])}),
]
INTERESTING = [0, 1, 9, 127, 128, 255, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1]


def _try(raw: bytes) -> None:
    begin = time.perf_counter()
    try:
        header = read_header_from(Bytes(raw), "fuzz.gguf")
        check(header)
        plan(MACHINE, header, Wish())
    except HausgeistError:
        pass
    assert time.perf_counter() - begin < LIMIT_S


@given(st.binary(max_size=400), st.booleans())
def test_random_bytes(raw: bytes, magic: bool) -> None:
    _try(b"GGUF\x03\0\0\0" + raw if magic else raw)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_damaged_headers(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 9))
        how = data.draw(st.sampled_from(["byte", "number", "cut", "insert", "swap"]))
        if how == "byte":
            raw[place] = data.draw(st.integers(0, 255))
        elif how == "number":
            raw[place : place + 8] = data.draw(st.sampled_from(INTERESTING)).to_bytes(8, "little")
        elif how == "cut":
            del raw[place : place + data.draw(st.integers(1, 40))]
        elif how == "insert":
            raw[place:place] = data.draw(st.binary(min_size=1, max_size=16))
        else:
            raw[place : place + 4], raw[place + 4 : place + 8] = (
                raw[place + 4 : place + 8],
                raw[place : place + 4],
            )
        if len(raw) < 10:
            break
    _try(bytes(raw))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_absurd_values_in_a_whole_header(data: st.DataObject) -> None:
    """Every number of a model replaced by any other: the planner must survive that too."""
    shape = LlamaShape(layers=2)
    metadata = shape.metadata()
    keys = [key for key, value in metadata.items() if isinstance(value, int | float)]
    numbers = st.one_of(
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.floats(width=32),
        st.booleans(),
        st.text(max_size=5),
        st.sampled_from([Array(files.I32, [1, -1]), Array(files.F32, [float("nan")] * 2)]),
    )
    for key in data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3)):
        metadata[key] = data.draw(numbers)
    _try(header_bytes(metadata, shape.tensors()))
