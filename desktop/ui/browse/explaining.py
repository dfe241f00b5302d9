"""A question to the network, with what kept it from an answer explained in the same thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from desktop.common.errors import CancelledError, HausgeistError, HubError, NetworkError

if TYPE_CHECKING:
    from desktop.common.messages import Messages
    from desktop.services.network_problem import NetworkProblem
    from desktop.services.wiring import Services

T = TypeVar("T")

_OF_THE_WAY = frozenset(("hub_busy", "hub_down", "hub_bad_answer", "hub_bad_list", "hub_refused"))
"""What the Hub says that is about the way to it, not about a repository."""


class ExplainedError(HausgeistError):
    """A failed question; `problem` is None where the network is not to blame."""

    def __init__(self, error: HausgeistError, problem: NetworkProblem | None) -> None:
        super().__init__(error.kind, detail=error.detail, **error.params)
        self.problem = problem


class Explainer:
    """Asks and explains in a lane; the offline switch and the language are those of the asking."""

    def __init__(self, services: Services, messages: Messages) -> None:
        self._network = services.network
        self._messages = messages

    def ask(self, question: Callable[[], T]) -> T:
        """The answer; raises ExplainedError for whatever failed, CancelledError as it is."""
        try:
            return question()
        except CancelledError:
            raise
        except HausgeistError as error:
            raise ExplainedError(error, self.problem(error)) from error

    def problem(self, error: HausgeistError | None) -> NetworkProblem | None:
        """What is the matter; None where nothing is, or the Hub itself said it in words."""
        if isinstance(error, HubError) and error.kind not in _OF_THE_WAY:
            return None
        if not isinstance(error, NetworkError):
            return None
        return self._network.explain(error, self._messages)


def problem_of(error: HausgeistError) -> NetworkProblem | None:
    """The explanation that came with a failure."""
    return error.problem if isinstance(error, ExplainedError) else None
