"""What lies in a repository, and which of it is meant."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.errors import HubError
from desktop.hub.listing import HubFile, Listing, group_files, read_listing
from desktop.hub.refs import parse_ref

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "maker/Model-7B-GGUF"


def listing(*paths: str, repo: str = REPO) -> Listing:
    return Listing(repo, COMMIT, group_files(HubFile(path, 10) for path in paths))


def selected(found: Listing, rest: str) -> str:
    return found.select(parse_ref(f"{found.repo}:{rest}" if rest else found.repo)).path


def kind_of(found: Listing, rest: str) -> HubError:
    with pytest.raises(HubError) as failure:
        selected(found, rest)
    return failure.value


USUAL = listing(
    "Model-7B-Q8_0.gguf",
    "Model-7B-Q4_K_M.gguf",
    "Model-7B-UD-Q4_K_XL.gguf",
    "BF16/Model-7B-BF16-00001-of-00002.gguf",
    "BF16/Model-7B-BF16-00002-of-00002.gguf",
    "mmproj-BF16.gguf",
    "imatrix.gguf",
    "README.md",
)


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ("Q4_K_M", "Model-7B-Q4_K_M.gguf"),
        ("q4_k_m", "Model-7B-Q4_K_M.gguf"),
        ("Q4_K_XL", "Model-7B-UD-Q4_K_XL.gguf"),
        ("UD-Q4_K_XL", "Model-7B-UD-Q4_K_XL.gguf"),
        ("BF16", "BF16/Model-7B-BF16-00001-of-00002.gguf"),
        ("", "Model-7B-Q4_K_M.gguf"),
        ("Model-7B-Q8_0.gguf", "Model-7B-Q8_0.gguf"),
        ("model-7b-q8_0.GGUF", "Model-7B-Q8_0.gguf"),
        ("mmproj-BF16.gguf", "mmproj-BF16.gguf"),
        ("BF16/Model-7B-BF16-00002-of-00002.gguf", "BF16/Model-7B-BF16-00001-of-00002.gguf"),
        ("Model-7B-BF16-00001-of-00002.gguf", "BF16/Model-7B-BF16-00001-of-00002.gguf"),
    ],
)
def test_what_is_meant(rest: str, path: str) -> None:
    assert selected(USUAL, rest) == path


def test_sizes_and_kinds() -> None:
    split = USUAL.select(parse_ref(f"{REPO}:BF16"))
    assert (len(split.files), split.size_bytes, split.quantization) == (2, 20, "BF16")
    assert [group.path for group in USUAL.of_kind("projector")] == ["mmproj-BF16.gguf"]
    unknown = group_files([HubFile("a-Q4_0.gguf")])
    assert unknown[0].size_bytes is None


def test_what_is_not_there() -> None:
    missing = kind_of(USUAL, "Q2_K")
    assert missing.kind == "hub_no_quant"
    assert missing.params["known"] == "BF16, Q4_K_M, Q8_0, UD-Q4_K_XL"
    assert kind_of(USUAL, "Other.gguf").kind == "hub_no_file"
    assert kind_of(listing("README.md", "model.safetensors"), "Q4_0").kind == "hub_no_gguf"


def test_parts_that_are_not_there() -> None:
    broken = listing("M-Q4_0-00001-of-00003.gguf", "M-Q4_0-00003-of-00003.gguf")
    found = kind_of(broken, "Q4_0")
    assert (found.kind, found.params["count"]) == ("hub_part_missing", 3)


def test_one_part_alone_is_not_a_whole() -> None:
    assert kind_of(listing("M-Q4_0-00002-of-00002.gguf"), "Q4_0").kind == "hub_part_missing"


def test_two_models_of_one_quantization() -> None:
    two = listing("small-Q4_0.gguf", "large-Q4_0.gguf")
    found = kind_of(two, "Q4_0")
    assert (found.kind, found.params["files"]) == (
        "hub_several",
        "large-Q4_0.gguf, small-Q4_0.gguf",
    )
    named = listing("Model-7B-Q4_0.gguf", "other-Q4_0.gguf")
    assert selected(named, "Q4_0") == "Model-7B-Q4_0.gguf"


def test_a_model_whose_name_looks_like_a_companion() -> None:
    assert (
        selected(listing("Writer-LoRA-merged-Q4_0.gguf"), "Q4_0") == "Writer-LoRA-merged-Q4_0.gguf"
    )


def test_without_a_quantization_the_only_one() -> None:
    assert selected(listing("Model.gguf"), "") == "Model.gguf"
    assert kind_of(listing("A.gguf", "B.gguf"), "").kind == "hub_no_quant"


def document(**changes: Any) -> dict[str, Any]:
    whole = {
        "id": REPO,
        "sha": COMMIT,
        "gated": False,
        "siblings": [
            {"rfilename": "README.md", "size": 3},
            {
                "rfilename": "M-Q4_0.gguf",
                "size": 100,
                "lfs": {"sha256": "A" * 64, "size": 100, "pointerSize": 135},
            },
            {"rfilename": "../../evil.gguf", "size": 1},
        ],
    }
    return whole | changes


def test_the_hubs_document() -> None:
    found = read_listing(document(gated="manual"), REPO)
    assert (found.commit, found.gated) == (COMMIT, True)
    assert [group.files for group in found.groups] == [(HubFile("M-Q4_0.gguf", 100, "a" * 64),)]


def test_sizes_may_be_missing() -> None:
    found = read_listing(document(siblings=[{"rfilename": "M.gguf"}]), REPO)
    assert found.groups[0].files == (HubFile("M.gguf"),)


def test_a_mirror_that_says_no_commit() -> None:
    """What lies there stands for it, so that something newer is noticed."""
    first = read_listing(document(sha=None), REPO, "dev")
    assert first.revision == "dev"
    assert first == read_listing(document(sha=None), REPO, "dev")
    changed = document(sha=None)
    changed["siblings"][1]["lfs"]["sha256"] = "B" * 64
    assert read_listing(changed, REPO, "dev").commit != first.commit
    assert read_listing(document(), REPO, "dev").revision == COMMIT


@pytest.mark.parametrize(
    "changes",
    [
        {"siblings": None},
        {"siblings": {}},
        {"siblings": ["a.gguf"]},
        {"siblings": [{"rfilename": "a.gguf", "size": -1}]},
        {"siblings": [{"rfilename": "a.gguf", "size": "1"}]},
        {"siblings": [{"rfilename": "a.gguf", "size": True}]},
        {"siblings": [{"rfilename": "a.gguf", "size": 1e30}]},
        {"siblings": [{"rfilename": "a.gguf", "size": 1 << 60}]},
        {"siblings": [{"rfilename": "a.gguf"}] * 60_000},
        {"sha": 3},
        {"sha": ""},
        {"sha": "main"},
        {"sha": "../" * 13 + "x"},
    ],
)
def test_documents_that_are_none(changes: dict[str, Any]) -> None:
    with pytest.raises(HubError, match="hub_bad_answer"):
        read_listing(document(**changes), REPO)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_JSON, _JSON, _JSON)
def test_any_document_is_a_listing_or_a_clear_error(whole: Any, siblings: Any, entry: Any) -> None:
    for found in (
        whole,
        document(siblings=siblings),
        document(siblings=[{"rfilename": "a.gguf", "lfs": entry, "size": entry}]),
    ):
        with contextlib.suppress(HubError):
            read_listing(found, REPO)
