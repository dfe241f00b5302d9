"""Hosts that speak HTTP their own way: the right file all the same, and nothing wrong accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from desktop.common.errors import HausgeistError
from tests.hub.transfer.conftest import DATA, Bench
from tests.hub.transfer.faults import FILE
from tests.hub.transfer.hostile import (
    HEALED,
    Host,
    Quirk,
    another_file,
    dripping_head,
    empty,
    in_parts,
    noise,
    zipped,
)


@pytest.fixture
def host(bench: Bench) -> Iterator[Callable[[Quirk], Host]]:
    """The Hub sends everybody there."""
    made: list[Host] = []

    def make(quirk: Quirk) -> Host:
        made.append(Host(DATA, quirk))
        bench.hub.fail("resolve", "redirect", body=made[-1].url.encode())
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("name", HEALED)
def test_the_right_file(bench: Bench, host: Callable[[Quirk], Host], name: str) -> None:
    host(HEALED[name])
    fetched = bench.transfer().run()
    assert bench.place.read_bytes() == DATA
    assert fetched.is_verified
    assert [path.name for path in bench.place.parent.iterdir()] == [FILE]


@pytest.mark.parametrize("quirk", [another_file, zipped, in_parts, empty, dripping_head, noise])
def test_never_a_wrong_file(bench: Bench, host: Callable[[Quirk], Host], quirk: Quirk) -> None:
    host(quirk)
    with pytest.raises(HausgeistError):
        bench.transfer().run()
    assert not bench.place.exists()
