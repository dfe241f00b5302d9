"""A text for the IT department: what is needed, what was found, what failed."""

from __future__ import annotations

import re
import ssl
import sys
from datetime import UTC, datetime

from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages
from desktop.common.version import VERSION
from desktop.hub.policy import NetworkPolicy
from desktop.services.network_findings import Findings

# What the Hub's files come from, as its answers lead there (October 2026).
HUB_HOSTS = ("huggingface.co", "*.huggingface.co", "*.hf.co", "*.xethub.hf.co")

_PASSWORD = re.compile(r"//[^/@\s]+@")
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{4,}\b|Bearer\s+\S+", re.IGNORECASE)
_HOME = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)[^\s\"']+")
_MOST_DETAIL = 600


def write_report(
    error: HausgeistError,
    policy: NetworkPolicy,
    messages: Messages,
    headline: str,
    findings: Findings,
    now: float,
) -> str:
    """Lines of plain text in the user's language; no token, no password, no name of a user."""
    say = messages.text
    rows = [
        (say("network.report.problem"), headline),
        (say("network.report.time"), _times(now)),
        (say("network.report.program"), f"Hausgeist {VERSION}, {_system()}"),
        (say("network.report.error"), f"{error.kind}: {without_secrets(error.detail)}".strip(": ")),
        (say("network.report.hosts"), _hosts(policy)),
        (say("network.report.proxy"), findings.proxy or say("network.report.no_proxy")),
        (say("network.report.store"), policy.certificate_store),
    ]
    if findings.issuer or findings.fingerprint:
        rows.append((say("network.report.issuer"), findings.issuer))
        rows.append((say("network.report.subject"), findings.subject))
        validity = f"{findings.not_before} – {findings.not_after}"
        rows.append((say("network.report.validity"), validity))
        rows.append(("SHA-256", findings.fingerprint))
    if findings.skew_s is not None:
        rows.append((say("network.report.clock"), f"{findings.skew_s:+.0f} s"))
    lines = [say("network.report.title"), ""]
    lines += [f"{label}: {value}" for label, value in rows if value]
    lines += ["", say("network.report.needed"), "", say("network.report.nothing_else")]
    return "\n".join(lines) + "\n"


def without_secrets(text: str) -> str:
    """An error's own words without passwords, tokens and whose home folder it is."""
    cut = " ".join(text.split())[:_MOST_DETAIL]
    return _HOME.sub("~", _TOKEN.sub("***", _PASSWORD.sub("//***@", cut)))


def _hosts(policy: NetworkPolicy) -> str:
    """Where connections go, with ports."""
    if policy.hub_host == HUB_HOSTS[0]:
        return ", ".join(f"{host}:443" for host in HUB_HOSTS)
    return policy.hub_host


def _times(now: float) -> str:
    utc = datetime.fromtimestamp(now, UTC)
    return f"{utc.astimezone():%Y-%m-%d %H:%M:%S %z} ({utc:%H:%M:%S} UTC)"


def _system() -> str:
    # Nothing here calls `platform`, which asks WMI under Windows and may take seconds.
    version = ".".join(str(part) for part in sys.version_info[:3])
    return f"{sys.platform}, Python {version}, {ssl.OPENSSL_VERSION}"
