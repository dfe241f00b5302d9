"""Which failures a download waits out, for how long, and which end it."""

from __future__ import annotations

import pytest

from desktop.common.errors import (
    EngineError,
    HausgeistError,
    HubError,
    NetworkError,
    StorageError,
    UsageError,
)
from desktop.services.downloads_outlook import Outlook, outlook


@pytest.mark.parametrize(
    ("failures", "pause_s"), [(1, 5.0), (2, 10.0), (3, 20.0), (4, 30.0), (5, 60.0), (500, 60.0)]
)
def test_a_line_that_is_down_is_waited_for_however_long(failures: int, pause_s: float) -> None:
    error = NetworkError("host_unknown", host="x")
    assert outlook(error, failures) == Outlook("offline", pause_s)


@pytest.mark.parametrize(
    ("wait_s", "pause_s"), [(40.0, 40.0), (0.0, 5.0), (1e9, 3600.0), (-7, 5.0), ("soon", 5.0)]
)
def test_a_busy_hub_names_its_time(wait_s: float, pause_s: float) -> None:
    seen = outlook(HubError("hub_busy", wait_s=wait_s), 9)
    assert seen == Outlook("waiting", pause_s, is_sure=True)


def test_a_fault_over_there_is_tried_a_few_times() -> None:
    error = HubError("hub_down", host="x", status=503)
    assert [outlook(error, n).pause_s for n in (1, 2, 3, 4)] == [30.0, 60.0, 120.0, 300.0]
    assert outlook(error, 5) == Outlook("failed", None)


@pytest.mark.parametrize("kind", ["no_room_for_download", "disk_full", "download_busy"])
def test_a_disk_is_waited_for(kind: str) -> None:
    assert outlook(StorageError(kind, path="x"), 99) == Outlook("waiting", 5.0)


@pytest.mark.parametrize(
    "error",
    [
        StorageError("read_only", path="x"),
        StorageError("file_too_large_here", path="x"),
        HubError("hub_gated", repo="x"),
        HubError("hub_wrong_content", repo="x", file="y"),
        NetworkError("tls_untrusted", host="x"),
        NetworkError("proxy_needs_login", proxy="x"),
        UsageError("bad_endpoint", value="x"),
        EngineError(),
        HausgeistError(),
    ],
    ids=lambda error: str(error.kind),
)
def test_what_somebody_has_to_do_something_about(error: HausgeistError) -> None:
    assert outlook(error, 1) == Outlook("failed", None)
