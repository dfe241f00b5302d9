"""Whether a download that failed goes on by itself, and when: what passes is waited out."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.common.errors import HausgeistError, NetworkError, StorageError
from desktop.services.downloads_entry import DownloadState

# The way out is closed; it may open at any moment.
NO_WAY = frozenset(
    (
        "offline_environment",
        "offline_setting",
        "host_unknown",
        "connection_failed",
        "connection_timeout",
        "connection_cut",
        "connection_refused",
        "proxy_unreachable",
        "tls_failed",
        "portal",
    )
)
# The other side has a fault that often passes; not worth more than a few attempts.
_PASSING = frozenset(
    (
        "hub_down",
        "hub_changed",
        "hub_link_refused",
        "hub_bad_answer",
        "hub_inconsistent",
        "bad_answer",
        "bad_redirect",
        "too_many_redirects",
    )
)
NO_ROOM = frozenset(("no_room_for_download", "disk_full"))
FOLDER_GONE = "download_folder_gone"
_DISK = NO_ROOM | {FOLDER_GONE, "download_busy"}
_PAUSES_S = (5.0, 10.0, 20.0, 30.0, 60.0)
_PASSING_PAUSES_S = (30.0, 60.0, 120.0, 300.0)
_DISK_PAUSE_S = 5.0
_LEAST_BREAK_S, _LONGEST_BREAK_S = 5.0, 3600.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of it. `pause_s`: when to try again; None: not by itself."""

    state: DownloadState
    pause_s: float | None
    is_sure: bool = False
    """Whether trying earlier is known to be in vain (a busy Hub named the time)."""


def outlook(error: HausgeistError, failures: int) -> Outlook:
    """After the failure number `failures` (from 1) since something came last."""
    if isinstance(error, StorageError):
        known = error.kind in _DISK
        return Outlook("waiting", _DISK_PAUSE_S) if known else Outlook("failed", None)
    if not isinstance(error, NetworkError):
        return Outlook("failed", None)
    if error.kind in NO_WAY:
        return Outlook("offline", _PAUSES_S[min(failures, len(_PAUSES_S)) - 1])
    if error.kind == "hub_busy":
        asked = error.params.get("wait_s", 0.0)
        wait_s = float(asked) if isinstance(asked, int | float) else 0.0
        return Outlook("waiting", min(max(wait_s, _LEAST_BREAK_S), _LONGEST_BREAK_S), is_sure=True)
    if error.kind in _PASSING and failures <= len(_PASSING_PAUSES_S):
        return Outlook("waiting", _PASSING_PAUSES_S[failures - 1])
    return Outlook("failed", None)
