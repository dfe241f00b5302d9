"""Downloads to be looked at: under way, waiting for all kinds of things, ended."""

from __future__ import annotations

from pathlib import Path

from desktop.common.errors import HubError, NetworkError, StorageError
from desktop.library.model import LibraryModel
from desktop.services.downloads_entry import Download

GB = 1_000_000_000


def entry(id: str, name: str = "", **values: object) -> Download:
    """One of 5 GB, 3.1 of them here, as far as `values` do not say otherwise."""
    usual: dict[str, object] = {"bytes": 31 * GB // 10, "total_bytes": 503 * GB // 100}
    reference = f"maker/{id}-GGUF:Q4_K_M"
    return Download(id, reference, name or id, **(usual | values))  # type: ignore[arg-type]


def running(id: str = "qwen", name: str = "Qwen3 8B", **values: object) -> Download:
    usual: dict[str, object] = {"bytes_per_s": 11e6, "left_s": 176.0}
    return entry(id, name, state="running", **(usual | values))


def model(name: str = "Gemma-3-4B-Q4_K_M") -> LibraryModel:
    return LibraryModel(
        name=name,
        path=Path("/home/me/models/gemma.gguf"),
        file_bytes=249 * GB // 100,
        architecture="gemma3",
        quantization="Q4_K_M",
        parameters=3_900_000_000,
        added_at=0.0,
        last_used_at=None,
        source="copy",
        mtime_ns=0,
    )


def under_way() -> list[Download]:
    """An ordinary afternoon."""
    return [
        running(),
        entry("gemma", "Gemma 3 12B", bytes=0, total_bytes=73 * GB // 10),
        entry("phi", "Phi 4 mini", state="paused", bytes=GB, total_bytes=25 * GB // 10),
        entry("g4", "Gemma 3 4B", state="done", bytes=249 * GB // 100, total_bytes=249 * GB // 100,
              model=model(), is_verified=True),
    ]  # fmt: skip


def troubles() -> list[Download]:
    """All that can be in the way."""
    full = StorageError(
        "no_room_for_download", path="/home/me/models", needed_bytes=2 * GB, free_bytes=GB // 2
    )
    return [
        entry("a", "Qwen3 8B", state="waiting", error=full, retry_in_s=5.0),
        entry("b", "Gemma 3 12B", state="offline", error=NetworkError("offline_setting")),
        entry("c", "Mistral Small 3.2", state="waiting", retry_in_s=48.0,
              error=HubError("hub_busy", wait_s=60.0)),
        entry("d", "Phi 4 mini", state="metered"),
        entry("e", "Llama 3.3 70B Instruct with a rather long name of its own", bytes=0,
              total_bytes=0, state="failed", error=HubError("hub_gated", repo="meta/Llama-3.3")),
    ]  # fmt: skip


def moments() -> list[Download]:
    """What passes quickly."""
    return [
        running("a", "Asking", bytes=0, total_bytes=0, bytes_per_s=0.0, left_s=None),
        running("b", "Connecting", bytes_per_s=0.0, left_s=None),
        running("c", "Mending", is_repairing=True),
        entry("d", "Checking", state="verifying", bytes=503 * GB // 100),
        running("e", "Slow", bytes_per_s=90e3, left_s=21_000.0, bytes=GB // 10),
        entry("f", "Line cut", state="offline", retry_in_s=2.0),
    ]
