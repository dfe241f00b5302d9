"""What is the matter with the network, what to do, and what to tell the IT department."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from desktop.common.errors import HausgeistError, Param
from desktop.common.messages import Messages
from desktop.hub.policy import NetworkPolicy

ProblemKind = Literal[
    "offline",  # the switch or a variable says so
    "no_network",  # no way out at all
    "name_resolution",
    "proxy_login",
    "proxy",
    "certificate",
    "portal",
    "clock",
    "rate_limit",
    "hub_down",
    "timeout",
    "blocked",  # refused on the way
    "other",
]


@dataclass(frozen=True, slots=True)
class NetworkProblem:
    """One failure, explained: ``network.<kind>.headline`` and ``.advice`` with `params`.

    `retry_after_s`: when it makes sense to try again (a countdown), None if that is not known.
    `can_use_system_certificates`: Settings.certificates = "system" may help. `report` is a text
    for the IT department in the user's language; it holds no token and no user's data.
    """

    kind: ProblemKind
    headline_key: str
    advice_key: str
    params: Mapping[str, Param] = field(default_factory=dict)
    retry_after_s: float | None = None
    can_use_system_certificates: bool = False
    report: str = ""

    @property
    def can_retry(self) -> bool:
        return self.kind != "offline"


def explain(
    error: HausgeistError,
    policy: NetworkPolicy,
    messages: Messages,
    *,
    clock: Callable[[], float] | None = None,
) -> NetworkProblem:
    """Explain `error`; quick, makes no connection. `clock` is time.time if None."""
    raise NotImplementedError
