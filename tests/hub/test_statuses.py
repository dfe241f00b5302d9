"""What the Hub's refusals mean."""

from __future__ import annotations

import pytest

from desktop.common.errors import NetworkError
from desktop.hub.answer import Answer
from desktop.hub.statuses import is_web_page, require_good, wait_s


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("https://huggingface.co/x", status, named, body)


def gate(said: str) -> Answer:
    return answer(403, x_error_code="GatedRepo", x_error_message=said)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (answer(401, x_error_code="RepoNotFound"), "hub_no_repo"),
        (answer(401), "hub_no_repo"),
        (answer(404), "hub_no_repo"),
        (answer(404, x_error_code="EntryNotFound"), "hub_no_file"),
        (answer(404, x_error_code="RevisionNotFound"), "hub_no_revision"),
        (answer(403, x_error_code="GatedRepo"), "hub_gated"),
        (answer(401, x_error_code="GatedRepo"), "hub_gated"),
        (gate("Your request to access it is awaiting a review."), "hub_waiting"),
        (gate("You are not in the authorized list."), "hub_token_access"),
        (gate("Please enable access to public gated repositories in your fine-grained token"),
         "hub_token_access"),
        (answer(401, x_error_message="Invalid credentials in header"), "hub_token_refused"),
        (answer(403), "hub_forbidden"),
        (answer(451), "hub_forbidden"),
        (answer(429), "hub_busy"),
        (answer(500), "hub_down"),
        (answer(503), "hub_down"),
        (answer(400), "hub_refused"),
        (answer(418), "hub_refused"),
        (answer(304), "hub_refused"),
        (answer(200, b"<!DOCTYPE html>"), "portal"),
        (answer(200, b"{}", content_type="text/html; charset=utf-8"), "portal"),
    ],
)  # fmt: skip
def test_refusals(found: Answer, kind: str) -> None:
    with pytest.raises(NetworkError) as failure:
        require_good(found, "maker/model", "a.gguf")
    assert failure.value.kind == kind


def test_what_is_good() -> None:
    require_good(answer(200, b"{}", content_type="application/json"), "maker/model")
    require_good(answer(206, b"<html", content_type="application/octet-stream"), "maker/model")


@pytest.mark.parametrize(
    ("body", "is_page"),
    [
        (b"\xef\xbb\xbf \r\n<!DOCTYPE HTML PUBLIC>", True),
        (b"<html lang=de>", True),
        (b"GGUF", False),
        (b"", False),
        (b"<?xml version='1.0'?><Error/>", False),
    ],
)
def test_pages(body: bytes, is_page: bool) -> None:
    assert is_web_page(answer(200, body)) is is_page


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"retry_after": "17"}, 17),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "-5"}, 1),
        ({"retry_after": "2.5"}, 2),
        ({"retry_after": "9" * 40}, 86_400),
        ({"retry_after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 30),
        ({"retry_after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 1),
        (  # this computer's clock is years behind
            {
                "retry_after": "Fri, 20 Nov 2026 16:00:25 GMT",
                "date": "Fri, 20 Nov 2026 16:00:00 GMT",
            },
            25,
        ),
        ({"retry_after": "17", "date": "yesterday"}, 17),
        ({"retry_after": "Mon, 99 Foo 9999 99:99:99 GMT"}, 60),
        ({"retry_after": "soon"}, 60),
        ({"retry_after": "²"}, 60),
        ({"ratelimit": '"api";r=0;t=42'}, 42),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert wait_s(answer(429, b"", **headers), now=70.0) == seconds
