"""What a repository's tags and name tell; documents come from strangers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.hub.found import (
    FoundRepo,
    languages_in,
    licence_in,
    parameters_in,
    read_found,
    sound_fields,
    task_in,
)


@pytest.mark.parametrize(
    ("name", "pipeline", "tags", "task"),
    [
        ("Qwen3-8B-GGUF", "text-generation", (), "chat"),
        ("Qwen3-8B-GGUF", "", ("conversational",), "chat"),
        ("gemma-3-4b-it", "image-text-to-text", ("conversational",), "vision"),
        ("nomic-embed", "sentence-similarity", (), "embedding"),
        ("bge-m3", "", ("feature-extraction",), "embedding"),
        ("Qwen3-Coder-30B-A3B", "text-generation", (), "code"),
        ("Devstral-Small-2", "text-generation", (), "code"),
        ("codex-like", "text-generation", ("code",), "code"),
        ("Decoder-1B", "text-generation", (), "chat"),
        ("something", "", (), None),
        ("whisper", "automatic-speech-recognition", (), None),
    ],
)
def test_tasks(name: str, pipeline: str, tags: tuple[str, ...], task: str | None) -> None:
    assert task_in(name, pipeline, tags) == task


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Qwen3-8B-GGUF", 8_000_000_000),
        ("Qwen3-0.6B", 600_000_000),
        ("Mixtral-8x7B-v0.1", 56_000_000_000),
        ("Qwen3-30B-A3B-GGUF", 30_000_000_000),
        ("embeddinggemma-300m-qat", 300_000_000),
        ("Llama-3.3-70b", 70_000_000_000),
        ("Qwen2.5-VL", None),
        ("gemma-4-E4B-it", None),
        ("A3B", None),
        ("99999B", None),
        ("", None),
    ],
)
def test_sizes_in_names(name: str, parameters: int | None) -> None:
    assert parameters_in(name) == parameters


def test_tags() -> None:
    tags = ("gguf", "en", "de", "moe", "xx", "license:Apache-2.0", "region:us", "de", "license:mit")
    assert languages_in(tags) == ("en", "de")
    assert licence_in(tags) == "apache-2.0"
    assert licence_in(("gguf",)) == ""


def test_titles() -> None:
    def title(name: str) -> str:
        return FoundRepo(f"a/{name}", "a", name).title

    assert title("Qwen3-8B-GGUF") == "Qwen3-8B"
    assert title("Qwen_Qwen3.5-4B-gguf") == "Qwen Qwen3.5-4B"
    assert title("Model-i1-GGUF") == "Model"
    assert title("gguf-tools") == "gguf-tools"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
ENTRY = st.dictionaries(
    st.sampled_from(
        ["id", "author", "downloads", "likes", "lastModified", "createdAt", "gated", "tags",
         "pipeline_tag", "gguf", "siblings"]
    ),
    JSON,
)  # fmt: skip


@given(ENTRY | JSON, st.booleans())
def test_whatever_a_document_says(entry: object, named: bool) -> None:
    if named and isinstance(entry, dict):
        entry["id"] = "maker/Model-GGUF"
    found = read_found(entry)
    assert (found is None) == (sound_fields(entry) is None)
    if found is not None:
        assert found.repo == "maker/Model-GGUF"
        assert all(isinstance(tag, str) for tag in found.tags)
        assert found.gated in ("", "auto", "manual")
        assert found.downloads is None or type(found.downloads) is int
