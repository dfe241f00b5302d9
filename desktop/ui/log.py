"""The window's logger."""

from __future__ import annotations

from desktop.common.logs import get_logger

log = get_logger("ui")
