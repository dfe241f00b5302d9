"""Where the Hub is, and who may see the token."""

from __future__ import annotations

import threading

import pytest

from desktop.common.errors import UsageError
from desktop.hub.policy import NetworkPolicy, origin_of


def policy(**env: str) -> NetworkPolicy:
    return NetworkPolicy(env, lambda: False)


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("", "https://huggingface.co"),
        ("  ", "https://huggingface.co"),
        ("https://hf-mirror.example/", "https://hf-mirror.example"),
        ("hf-mirror.example", "https://hf-mirror.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://firm.example/api/huggingface/", "https://firm.example/api/huggingface"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_where_the_hub_is(given: str, endpoint: str) -> None:
    assert policy(HF_ENDPOINT=given).endpoint == endpoint


@pytest.mark.parametrize(
    "given",
    ["not an address", "http://", "://", "ftp://x", "https://u:p@x", "https://x?y", "https://x#y",
     "https://x:99999", "https://[::1", "https://a,b"],
)  # fmt: skip
def test_what_is_no_place_for_a_hub(given: str) -> None:
    with pytest.raises(UsageError, match="bad_endpoint"):
        _ = policy(HF_ENDPOINT=given).endpoint


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("https://huggingface.co/x", True),
        ("https://HUGGINGFACE.CO:443/x", True),
        ("http://huggingface.co/x", False),
        ("https://huggingface.co:8443/x", False),
        ("https://huggingface.co.evil.example/x", False),
        ("https://huggingface.co@evil.example/x", False),
        ("https://cdn-lfs.huggingface.co/x", False),
        ("nonsense", False),
    ],
)
def test_who_sees_the_token(url: str, is_told: bool) -> None:
    assert policy(HF_TOKEN="hf_x").token_for(url) == ("hf_x" if is_told else None)


def test_hosts_as_they_are_shown() -> None:
    shown = {
        "https://a.example/x": "a.example",
        "http://a.example:80": "a.example",
        "http://a.example:8080": "a.example:8080",
        "https://user:secret@a.example/": "a.example",
        "https://[::1]:1": "[::1]:1",
    }
    for url, expected in shown.items():
        origin = origin_of(url)
        assert origin is not None
        assert origin.shown == expected


def test_a_kept_token_is_for_its_own_hub_and_asked_for_nobody_else() -> None:
    asked: list[str] = []

    def kept(endpoint: str) -> str | None:
        asked.append(endpoint)
        return "hf_kept"

    found = NetworkPolicy({}, lambda: False, kept)
    assert found.token_for("https://cdn.example/x") is None
    assert asked == []
    assert found.token_for("https://huggingface.co/api") == "hf_kept"
    assert asked == ["https://huggingface.co"]
    assert NetworkPolicy({"HF_TOKEN": "hf_env"}, lambda: False, kept).token_for(
        "https://huggingface.co/api"
    ) == ("hf_env")
    assert len(asked) == 1


def test_a_token_that_is_tried_is_that_of_one_thread_for_a_while() -> None:
    found = NetworkPolicy({"HF_TOKEN": "hf_env"}, lambda: False)
    seen: list[str | None] = []
    with found.trying("hf_new"):
        assert found.token_for("https://huggingface.co/x") == "hf_new"
        assert found.token_for("https://elsewhere.example/x") is None
        other = threading.Thread(
            target=lambda: seen.append(found.token_for("https://huggingface.co/x"))
        )
        other.start()
        other.join()
    assert seen == ["hf_env"]
    assert found.token_for("https://huggingface.co/x") == "hf_env"
