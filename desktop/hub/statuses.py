"""What the Hub's refusals mean: its status codes and its ``X-Error-Code``, as our own errors."""

from __future__ import annotations

import re
import time

from desktop.common.errors import HausgeistError, HubError, NetworkError
from desktop.hub.answer import Answer
from desktop.hub.policy import origin_of

_LONGEST_WAIT_S = 24 * 3600
_USUAL_WAIT_S = 60
_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_HTML_SIGNS = (b"<!doctype html", b"<html", b"<head", b"<body")


def require_good(answer: Answer, repo: str, what: str = "") -> None:
    """Raises HubError for anything but a 2xx answer that is no web page; `what` is the file.

    Kinds: hub_no_repo, hub_no_file, hub_no_revision, hub_gated (nobody has agreed to its terms
    yet), hub_token_access (the token's owner has not), hub_waiting (its makers have not said yes),
    hub_token_refused, hub_forbidden, hub_busy, hub_down, hub_refused; NetworkError("portal").
    """
    if is_web_page(answer):
        # The Hub answers machines with JSON or bytes; a page comes from a hotel's or firm's gate.
        raise NetworkError("portal", host=_host(answer))
    if answer.status >= 300:
        raise _refusal(answer, repo, what)


def is_web_page(answer: Answer) -> bool:
    """Whether a good status brought a page for people."""
    if answer.status >= 300:
        return False
    kind = answer.headers.get("content-type", "").lower()
    if kind.startswith(("text/html", "application/xhtml")):
        return True
    start = answer.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    # The middle of a vocabulary may begin with any word.
    return answer.status != 206 and start.startswith(_HTML_SIGNS)


def _refusal(answer: Answer, repo: str, what: str) -> HausgeistError:
    status, code = answer.status, answer.header("x-error-code") or ""
    said = (answer.header("x-error-message") or "")[:200]
    detail = f"{status} {code} {said}".strip()
    if code == "GatedRepo":
        return HubError(_gate(said), repo=repo, detail=detail)
    if "invalid credentials" in said.lower():
        return HubError("hub_token_refused", detail=detail)
    if code == "EntryNotFound":
        return HubError("hub_no_file", repo=repo, file=what, detail=detail)
    if code == "RevisionNotFound":
        return HubError("hub_no_revision", repo=repo, detail=detail)
    if status in (401, 404) or code == "RepoNotFound":
        # The Hub says 401 for a repository that is not there, too: it tells nobody which.
        return HubError("hub_no_repo", repo=repo, detail=detail)
    if status in (403, 451):
        return HubError("hub_forbidden", repo=repo, detail=detail)
    if status == 429:
        return HubError("hub_busy", wait_s=wait_s(answer), detail=detail)
    if status >= 500:
        return HubError("hub_down", host=_host(answer), status=status, detail=detail)
    return HubError("hub_refused", host=_host(answer), status=status, detail=detail)


def _gate(said: str) -> str:
    """Which of the steps to a gated model is missing, by the Hub's own words."""
    words = said.lower()
    if "awaiting" in words or "pending" in words:
        return "hub_waiting"
    if "not in the authorized list" in words or "fine-grained" in words:
        return "hub_token_access"
    return "hub_gated"


def wait_s(answer: Answer, now: float | None = None) -> float:
    """How long a busy host wants to be left alone: ``Retry-After``, seconds or a date, or the
    ``t=`` of ``RateLimit``."""
    given = answer.headers.get("retry-after", "").strip()
    if not given:
        for part in answer.headers.get("ratelimit", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == "t":
                given = value.strip()
    if _SECONDS.fullmatch(given):
        seconds = float(given[:12])
    else:
        told = _moment(answer.headers.get("date", ""))  # its own clock, since ours may be wrong
        until = _moment(given)
        here = time.time() if now is None else now
        seconds = _USUAL_WAIT_S if until is None else until - (here if told is None else told)
    return float(round(min(max(seconds, 1.0), _LONGEST_WAIT_S)))


def _moment(date: str) -> float | None:
    """An HTTP date in seconds since 1970; None for what is none."""
    from email.utils import parsedate_to_datetime  # 8 ms that only a busy Hub costs

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _host(answer: Answer) -> str:
    origin = origin_of(answer.url)
    return origin.shown if origin else ""
