"""The calls of one answer, as they are told to the reader piece by piece."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from desktop.engine.chat import Tool
from desktop.engine.events import ToolCallPart

_SHORTEST_ID = 6


def new_call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"


class CallTeller:
    """Numbers the calls and gives them ids. Only offered tools can be called."""

    def __init__(
        self,
        request_id: str,
        tools: Sequence[Tool],
        *,
        parallel: bool = True,
        new_id: Callable[[], str] = new_call_id,
    ) -> None:
        self._request_id = request_id
        self._new_id = new_id
        self._parallel = parallel
        self._schemas = {tool.name: tool.parameters for tool in tools}
        self._ids: set[str] = set()
        self._open = False
        self._empty = True
        self.names: frozenset[str] = frozenset(self._schemas)
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether no further call is wanted."""
        return not self._parallel and self.count > 0 and not self._open

    def schema(self, name: str) -> Mapping[str, Any]:
        return self._schemas.get(name, {})

    def begin(self, name: str, call_id: str = "") -> ToolCallPart:
        """`call_id` is what the model wrote: kept where it can tell calls of a chat apart."""
        if len(call_id) < _SHORTEST_ID or call_id.isdigit() or call_id in self._ids:
            call_id = self._new_id()
        self._ids.add(call_id)
        self.count += 1
        self._open, self._empty = True, True
        return ToolCallPart(self._request_id, self.count - 1, call_id, name, "")

    def go_on(self, arguments: str) -> ToolCallPart:
        self._empty = self._empty and not arguments
        return ToolCallPart(self._request_id, self.count - 1, "", "", arguments)

    def end(self) -> ToolCallPart:
        """A call without a word about arguments has none: an empty object."""
        self._open = False
        return ToolCallPart(self._request_id, self.count - 1, "", "", "{}" if self._empty else "")
