"""The child's job behind `backends.report_in_child`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from desktop.engine.backends import report


def run(_messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    answer(asdict(report()))
