"""References and file names, as people and publishers write them, and as attackers would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.errors import UsageError
from desktop.hub.file_names import (
    FileKind,
    is_safe_file,
    kind_of,
    quantization_of,
    split_name,
    split_place,
)
from desktop.hub.refs import HubRef, parse_ref


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/repo:Q4_K_M", HubRef("org/repo", quant="Q4_K_M")),
        ("org/repo:UD-Q4_K_XL", HubRef("org/repo", quant="UD-Q4_K_XL")),
        (" org/repo:q4_k_m ", HubRef("org/repo", quant="q4_k_m")),
        ("org/repo:Model.Q8_0.gguf", HubRef("org/repo", file="Model.Q8_0.gguf")),
        ("org/repo:BF16/M-1.GGUF", HubRef("org/repo", file="BF16/M-1.GGUF")),
        ("org/repo:a b.gguf", HubRef("org/repo", file="a b.gguf")),
        ("org/repo", HubRef("org/repo")),
        ("org/repo@v1.0:Q8_0", HubRef("org/repo", quant="Q8_0", revision="v1.0")),
        ("org/repo@refs/pr/3:Q8_0", HubRef("org/repo", quant="Q8_0", revision="refs/pr/3")),
        ("hf://org/repo:Q8_0", HubRef("org/repo", quant="Q8_0")),
        ("hf.co/org/repo:Q8_0", HubRef("org/repo", quant="Q8_0")),
        ("huggingface.co/org/repo", HubRef("org/repo")),
        ("https://huggingface.co/org/repo", HubRef("org/repo")),
        ("https://huggingface.co/org/repo/", HubRef("org/repo")),
        ("https://hf.co/org/repo:Q8_0", HubRef("org/repo", quant="Q8_0")),
        ("HTTPS://HuggingFace.co/org/repo/tree/main", HubRef("org/repo")),
        ("https://huggingface.co/org/repo/tree/dev/sub", HubRef("org/repo", revision="dev")),
        (
            "https://huggingface.co/org/repo/resolve/main/a%20b.gguf?download=true",
            HubRef("org/repo", file="a b.gguf"),
        ),
        (
            "https://huggingface.co/org/repo/blob/abc123/Q4/m.gguf",
            HubRef("org/repo", file="Q4/m.gguf", revision="abc123"),
        ),
    ],
)  # fmt: skip
def test_references(text: str, expected: HubRef) -> None:
    assert parse_ref(text) == expected


def test_a_hub_of_ones_own() -> None:
    inside = "https://hub.firm.example:8443/proxy/hf"
    found = parse_ref(f"{inside}/org/repo/resolve/main/m.gguf", inside)
    assert found == HubRef("org/repo", file="m.gguf")
    with pytest.raises(UsageError):
        parse_ref("https://hub.firm.example/org/repo", inside)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "repo",
        "repo:Q4_K_M",
        "a/b/c:Q4_K_M",
        "../repo:Q4_K_M",
        "org/..:Q4_K_M",
        "org/re..po:Q4_K_M",
        "org/re--po:Q4_K_M",
        "-org/repo:Q4_K_M",
        "org/repo.:Q4_K_M",
        "org/repo:",
        "org/repo:Q4 K",
        "org/repo:" + "Q" * 100,
        "org/repo:../../etc/passwd.gguf",
        "org/repo:/etc/passwd.gguf",
        "org/repo:CON.gguf",
        "org/repo:a\nb.gguf",
        "org/repo@../x:Q4",
        "örg/repo:Q4_K_M",
        "https://example.org/org/repo",
        "https://huggingface.co",
        "https://huggingface.co/org",
        "https://huggingface.co/org/repo/discussions/1",
        "https://huggingface.co@example.org/org/repo",
        "https://[::1/org/repo",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError) as found:
        parse_ref(text)
    assert (found.value.kind, found.value.params["model"]) == ("bad_hub_ref", text)


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_a_clear_error(text: str) -> None:
    try:
        found = parse_ref(text)
    except UsageError:
        return
    assert parse_ref(str(found)) == found


def test_a_commit_is_pinned() -> None:
    assert parse_ref(f"org/repo@{'a1' * 20}:Q4").is_pinned
    assert not parse_ref("org/repo@main:Q4").is_pinned


@pytest.mark.parametrize(
    ("path", "quantization", "kind"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Q4_K_M", "model"),
        ("llama-2-7b.Q5_0.gguf", "Q5_0", "model"),
        ("ggml-model-q4_0.gguf", "Q4_0", "model"),
        ("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL", "model"),
        ("Model.i1-IQ3_XXS.gguf", "i1-IQ3_XXS", "model"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4", "model"),
        ("gemma-4-E2B-it-IQ4_NL.gguf", "IQ4_NL", "model"),
        ("qwen2.5-0.5b-instruct-fp16.gguf", "F16", "model"),
        ("TQ1_0/Kimi-K2-TQ1_0-00001-of-00005.gguf", "TQ1_0", "model"),
        ("Q4_K_M/Model-00001-of-00003.gguf", "Q4_K_M", "model"),
        ("BF16/Model-BF16-00001-of-00002.gguf", "BF16", "model"),
        ("Model.gguf", "", "model"),
        ("Qwen3-8B.gguf", "", "model"),
        ("mmproj-F16.gguf", "F16", "projector"),
        ("mmproj-model-f16.gguf", "F16", "projector"),
        ("gemma-3-4b-it-mmproj.gguf", "", "projector"),
        ("lora-adapter-f16.gguf", "F16", "lora"),
        ("Qwen3-0.6B-draft-Q8_0.gguf", "Q8_0", "draft"),
        ("mtp-model-Q8_0.gguf", "Q8_0", "draft"),
        ("Step-MTP-Q4_K_M.gguf", "Q4_K_M", "model"),
        ("Colorado-8B-Q4_K_M.gguf", "Q4_K_M", "model"),
        ("imatrix.gguf", "", "other"),
        ("README.md", "", "other"),
    ],
)
def test_what_names_tell(path: str, quantization: str, kind: FileKind) -> None:
    assert quantization_of(path) == quantization
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a.gguf",
        "a//b.gguf",
        "a/../b.gguf",
        "./a.gguf",
        "..\\a.gguf",
        "C:a.gguf",
        "a.gguf:stream",
        "CON",
        "con.gguf",
        "LPT1.gguf",
        "a/nul.gguf",
        "con .gguf",
        "a/LPT1  .x.gguf",
        "a.gguf.",
        "a.gguf ",
        " a.gguf",
        ".hidden.gguf",
        "a\x00b.gguf",
        "a\nb.gguf",
        "a\x1b[2J.gguf",
        "a\u202eb.gguf",
        "a*.gguf",
        "x" * 300,
        "ü" * 150,
        "a\ud800b.gguf",
        "/".join(["x"] * 250),
    ],
)
def test_names_that_no_system_should_hold(path: str) -> None:
    assert not is_safe_file(path)


@pytest.mark.parametrize(
    "path", ["a.gguf", "Q4/a b.gguf", "Größe-7B.gguf", "a..b.gguf", "console.gguf"]
)
def test_names_that_are_fine(path: str) -> None:
    assert is_safe_file(path)


def test_parts() -> None:
    assert split_place("d/M-00002-of-00003.gguf") == ("d/M", 2, 3)
    assert split_name("d/M", 2, 3) == "d/M-00002-of-00003.gguf"
    for path in ("M.gguf", "M-00004-of-00003.gguf", "M-00000-of-00003.gguf", "M-2-of-3.gguf"):
        assert split_place(path) is None
