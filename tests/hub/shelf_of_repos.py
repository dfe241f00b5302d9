"""Repositories as a search finds them, with what the Hub's list says of each."""

from __future__ import annotations

from typing import Any

from tests.hub.stand_in import HubStandIn

QWEN = "maker/Qwen3-8B-GGUF"
GEMMA = "giant/gemma-3-4b-it-GGUF"
CODER = "maker/Coder-30B-A3B-GGUF"
EMBED = "small/embed-0.6B-GGUF"
LOCKED = "giant/locked-70B-GGUF"
NO_GGUF = "maker/Qwen3-8B"


def info(
    *tags: str, pipeline: str = "text-generation", parameters: int | None = None, **more: Any
) -> dict[str, Any]:
    """What the list says of a repository; an architecture comes with its parameters."""
    found: dict[str, Any] = {
        "pipeline_tag": pipeline,
        "tags": ["gguf", *tags],
        "downloads": 10,
        "likes": 1,
        "trendingScore": 1,
        "createdAt": "2026-01-02T03:04:05.000Z",
        "lastModified": "2026-02-03T04:05:06.000Z",
        **more,
    }
    if parameters is not None:
        found["gguf"] = {"total": parameters, "architecture": "llama", "context_length": 32768}
    return found


def fill(hub: HubStandIn) -> None:
    """Six repositories that differ in what one may search by."""
    file = {"Model-Q4_K_M.gguf": b"x"}
    chat = ("conversational", "en", "license:apache-2.0")
    hub.add(QWEN, file, info=info(*chat, "de", parameters=8_190_000_000, downloads=500))
    gemma = info(
        "conversational",
        "license:gemma",
        pipeline="image-text-to-text",
        parameters=3_880_000_000,
        likes=90,
    )
    hub.add(GEMMA, file, info=gemma)
    coder = info(*chat, "code", parameters=30_500_000_000, trendingScore=9)
    hub.add(CODER, file, info=coder)
    embed = info("feature-extraction", "license:mit", pipeline="sentence-similarity")
    hub.add(EMBED, file, info=embed | {"lastModified": "2026-03-01T00:00:00.000Z"})
    hub.add(LOCKED, file, gated="manual", info=info("conversational", "license:llama3.1"))
    hub.add(NO_GGUF, file, info=info() | {"tags": ["safetensors"]})
