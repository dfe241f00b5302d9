"""Every fault of the table: the right file, little fetched in vain; or one clear error soon."""

from __future__ import annotations

import time

import pytest

from desktop.common.errors import HausgeistError, HubError
from desktop.hub import http
from desktop.hub.transfer.source import ANOTHER_NOW
from tests.hub.transfer.conftest import DATA, SCALE, SIZE, Bench
from tests.hub.transfer.faults import (
    FILE,
    HOPELESS,
    MIB,
    RECOVERABLE,
    REPO,
    Case,
    Hopeless,
)


@pytest.mark.parametrize("form", ["plain", "xet", "quick"])
@pytest.mark.parametrize("case", RECOVERABLE, ids=lambda case: case.name)
def test_the_right_file(
    bench: Bench, case: Case, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "quick": read past the HTTP library, as on a fast line, which the stand-in is not."""
    if form == "quick":
        monkeypatch.setattr(http, "_QUICK_BYTES", 64 << 10)
        monkeypatch.setattr(http, "_QUICK_BYTES_PER_S", 0.0)
    bench.hub.is_xet = form == "xet"
    case.prepare(bench.hub, SCALE)
    try:
        fetched = bench.transfer().run()
    except HubError as error:
        if error.kind not in ANOTHER_NOW:
            raise
        # The caller asks anew what lies there (services.fetch_model), here the test.
        fetched = bench.transfer().run()
    wanted = bench.hub.repos[REPO].files[FILE]
    assert bench.place.read_bytes() == wanted.head
    assert (fetched.sha256, fetched.is_verified) == (wanted.sha256, True)
    assert [path.name for path in bench.place.parent.iterdir()] == [FILE]
    if case.waste_mib is not None:
        strikes = max(1, len(bench.hub.requests("cdn")))
        assert fetched.received_bytes - SIZE <= case.waste_mib * MIB * strikes
    for seen in bench.hub.requests("cdn"):
        assert seen.authorization == ""


@pytest.mark.parametrize("case", HOPELESS, ids=lambda case: case.name)
def test_one_clear_error(bench: Bench, case: Hopeless) -> None:
    """Within the patience, here 1.5 instead of 20 seconds, and one wait in silence."""
    case.prepare(bench.hub, SCALE)
    began_s = time.monotonic()
    with pytest.raises(HausgeistError) as failure:
        bench.transfer().run()
    assert failure.value.kind in case.kinds
    assert time.monotonic() - began_s < 15  # on a busy machine
    assert not bench.place.exists()


def test_what_came_before_a_hopeless_fault_is_kept(bench: Bench) -> None:
    bench.hub.fail("cdn", "cut", times=2, after=1 * MIB)
    bench.hub.fail("cdn", "hangup")
    with pytest.raises(HausgeistError):
        bench.transfer().run()
    bench.hub.faults.clear()
    fetched = bench.transfer().run()
    assert fetched.received_bytes <= SIZE - 2 * MIB + (64 << 10)
    assert bench.place.read_bytes() == DATA


def test_the_token_stays_with_the_hub(bench: Bench) -> None:
    bench.house.env["HF_TOKEN"] = "hf_secret"
    bench.hub.token = "hf_secret"
    bench.hub.repos[REPO].gated = True
    bench.transfer().run()
    assert {seen.authorization for seen in bench.hub.requests("resolve")} == {"Bearer hf_secret"}
    assert {seen.authorization for seen in bench.hub.requests("cdn")} == {""}


def test_the_commit_is_pinned(bench: Bench) -> None:
    bench.transfer().run()
    commit = bench.hub.repos[REPO].commit
    assert all(f"/resolve/{commit}/" in seen.path for seen in bench.hub.requests("resolve"))
