"""What a model server's refusals mean, as our own errors. Its words are cut, and never hold a key.

Kinds of RemoteError: remote_key_refused, remote_forbidden, remote_no_model, remote_not_there,
remote_no_credit, remote_busy, remote_loading, remote_down, remote_refused, remote_moved,
remote_nonsense, remote_cut, remote_filtered, remote_unbound, remote_first_token, remote_stalled.
RequestError: prompt_too_long, prompt_too_long_somehow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from desktop.common.errors import EngineError, RemoteError, RequestError

MOST_WORDS = 300
_USUAL_WAIT_S = 5.0
_LONGEST_WAIT_S = 3600.0

_TOO_LONG = re.compile(
    r"exceed_context_size|context_length_exceeded|maximum context length|context window of"
    r"|exceeds? the (?:available |model'?s? )?context|context (?:the )?overflow"
    r"|prompt is too long|input length exceeds|longer than the (?:maximum )?model length",
    re.IGNORECASE,
)
_CONTEXT = (
    re.compile(r"maximum context length (?:is|of) (\d+)", re.IGNORECASE),
    re.compile(r"context window of (\d+)", re.IGNORECASE),
    re.compile(r"context (?:size|length|window)[^\d]{0,24}?\(?(\d+)", re.IGNORECASE),
    re.compile(r"model length of (\d+)", re.IGNORECASE),
)
_PROMPT = (
    re.compile(r"\((\d+) in (?:the|your) (?:messages|prompt)", re.IGNORECASE),
    re.compile(r"request(?:ed)? (?:tokens )?\((\d+)", re.IGNORECASE),
    re.compile(
        r"(?:resulted in|requested|contains|has|passed|at least)(?: about)? (\d+)(?: input)? "
        r"tokens",
        re.IGNORECASE,
    ),
)
_NO_MODEL = re.compile(r"model_not_found|model .{0,120}(?:not found|does not exist)", re.I | re.S)
_LOADING = re.compile(r"loading model|model is (?:still )?loading|unavailable_error", re.IGNORECASE)


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, server: str, hide: Iterable[str] = ()
) -> EngineError:
    """The error behind an answer that is none of 2xx. `hide` are secrets that it may repeat."""
    document = _document(body)
    code, words, numbers = _said(document, body)
    words = shown(words, hide)
    detail = f"{status} {code} {words}".strip()
    if 300 <= status < 400:
        where = shown(headers.get("location", ""), hide)
        return RemoteError("remote_moved", server=server, address=where, detail=detail)
    if (too_long := _too_long(code, words, numbers, detail)) is not None:
        return too_long
    if status == 401:
        return RemoteError("remote_key_refused", server=server, detail=detail)
    if status == 402 or "insufficient_quota" in code:
        return RemoteError("remote_no_credit", server=server, detail=detail)
    if _NO_MODEL.search(f"{code} {words}") and status in (400, 404, 422):
        return RemoteError("remote_no_model", server=server, reason=words, detail=detail)
    if status == 403:
        return RemoteError("remote_forbidden", server=server, reason=words, detail=detail)
    if status in (404, 405, 501):
        return RemoteError("remote_not_there", server=server, detail=detail)
    if status == 429:
        return RemoteError("remote_busy", server=server, wait_s=wait_s(headers), detail=detail)
    if status == 503 and _LOADING.search(f"{code} {words}"):
        return RemoteError("remote_loading", server=server, detail=detail)
    if status >= 500:
        return RemoteError("remote_down", server=server, status=status, detail=detail)
    return RemoteError("remote_refused", server=server, reason=words, detail=detail)


def told_in_stream(document: Any, server: str, hide: Iterable[str] = ()) -> EngineError:
    """The error that an event of a stream told of, in an answer that had begun well."""
    code, words, numbers = _said(document, b"")
    words = shown(words, hide)
    detail = f"{code} {words}".strip()
    if (too_long := _too_long(code, words, numbers, detail)) is not None:
        return too_long
    status = int(code) if code.isdigit() else 0
    if 400 <= status < 600:
        body = json.dumps({"error": {"message": words}}).encode()
        return refusal(status, {}, body, server)
    return RemoteError("remote_refused", server=server, reason=words, detail=detail)


def wait_s(headers: Mapping[str, str]) -> float:
    """How long a busy server wants to be left alone (``Retry-After`` in seconds)."""
    given = headers.get("retry-after", "").strip()
    try:
        seconds = float(given[:12])
    except ValueError:
        return _USUAL_WAIT_S
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if seconds == seconds else _USUAL_WAIT_S


def shown(text: str, hide: Iterable[str] = ()) -> str:
    """A stranger's words as they may be shown: one line, cut, without secrets."""
    for secret in hide:
        if secret:
            text = text.replace(secret, "***")
    text = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * MOST_WORDS])
    text = " ".join(text.split())
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 1] + "…"


def fields_named(error: EngineError, fields: Iterable[str]) -> frozenset[str]:
    """Which of the `fields` that were sent a refusal speaks of."""
    if error.kind != "remote_refused":
        return frozenset()
    words = error.detail
    return frozenset(
        name for name in fields if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", words)
    )


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _said(document: Any, body: bytes) -> tuple[str, str, Mapping[str, Any]]:
    """Code or type of an error, its words, and the object that held them."""
    found: Any = document
    if isinstance(found, list) and found:  # Google's
        found = found[0]
    if isinstance(found, dict) and found.get("error"):
        found = found["error"]
    if isinstance(found, str):
        return "", found, {}
    if not isinstance(found, dict):
        text = body[:2000].decode("utf-8", "replace")
        return "", "" if text.lstrip()[:1] == "<" else text, {}
    words = found.get("message") or found.get("detail") or found.get("error") or ""
    if not isinstance(words, str):  # pydantic's list of what is wrong where
        words = _listed(words)
    codes = [found.get(name) for name in ("code", "type", "param")]
    return " ".join(str(one) for one in codes if isinstance(one, str | int)), words, found


def _listed(words: Any) -> str:
    if not isinstance(words, list):
        return json.dumps(words)[:MOST_WORDS]
    lines = []
    for one in words[:5]:
        if isinstance(one, dict):
            place = one.get("loc")
            where = ".".join(map(str, place)) if isinstance(place, list) else ""
            lines.append(f"{where}: {one.get('msg', '')}")
        else:
            lines.append(str(one))
    return "; ".join(lines)


def _too_long(
    code: str, words: str, numbers: Mapping[str, Any], detail: str
) -> RequestError | None:
    if not _TOO_LONG.search(f"{code} {words}"):
        return None
    context = _whole(numbers.get("n_ctx")) or _first(_CONTEXT, words)
    prompt = _whole(numbers.get("n_prompt_tokens")) or _first(_PROMPT, words)
    if not context:
        return RequestError("prompt_too_long_somehow", detail=detail)
    if prompt <= 0:
        prompt = context + 1
    return RequestError(
        "prompt_too_long", prompt_tokens=prompt, context_tokens=context, detail=detail
    )


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value < 1 << 40 else 0


def _first(patterns: Iterable[re.Pattern[str]], words: str) -> int:
    for pattern in patterns:
        if (found := pattern.search(words)) is not None:
            return int(found[1][:12])
    return 0
