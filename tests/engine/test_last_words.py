"""Why a process died, from what it said last."""

from __future__ import annotations

import sys

import pytest

from desktop.engine.batching.overdue import Overdue
from desktop.engine.last_words import Cause, cause_of_death
from desktop.engine.process import ChildDiedError

_RPC = "llama.cpp/ggml/src/ggml-rpc/ggml-rpc.cpp:566: Remote RPC server crashed or returned ..."


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("", ""),
        ("GGML_ASSERT(n_expert > 0) failed", ""),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "memory"),
        ("CUDA error: out of memory\n  current device: 0", "memory"),
        ("CUDA error: an illegal memory access was encountered", "driver"),
        ("vk::Device::waitForFences: ErrorDeviceLost", "driver"),
        (_RPC, "pool"),
    ],
)
def test_the_words_tell(words: str, cause: Cause) -> None:
    assert cause_of_death(ChildDiedError(-6, words)) == cause


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_kill_that_nobody_sent_is_the_systems_for_memory() -> None:
    assert cause_of_death(ChildDiedError(-9, "")) == "memory"


def test_what_does_not_happen_in_time_is_acted_on_once() -> None:
    acted: list[int] = []
    overdue = Overdue(0.01, lambda key: key == 2, lambda: acted.append(1))
    for key in range(4):
        overdue.expect(key)
    overdue._thread.join(10.0)
    overdue.close()
    assert acted == [1]


def test_what_happened_in_time_is_nobodys_business() -> None:
    acted: list[int] = []
    overdue = Overdue(0.001, lambda _key: False, lambda: acted.append(1))
    overdue.expect(1)
    overdue._expected.put(None)
    overdue._thread.join(10.0)
    overdue.close()
    assert acted == []
