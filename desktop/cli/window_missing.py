"""The window cannot open because Qt, or a system library that Qt needs, is not there."""

from __future__ import annotations

import os

from desktop.cli.front import report
from desktop.common.console import make_console_safe
from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages, system_language


def explain(error: ImportError) -> int:
    """Say what is missing and how to get it; other import errors are faults and stay errors."""
    name = error.name or ""
    is_library = ".so" in str(error) or "DLL" in str(error)
    if not is_library and name.split(".")[0] not in ("PySide6", "shiboken6"):
        raise error
    make_console_safe()
    missing = str(error).split(":")[0] if is_library else name
    messages = Messages(system_language(os.environ))
    return report(HausgeistError("window_missing", missing=missing), messages, as_json=False)
