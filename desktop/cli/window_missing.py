"""Why the window cannot open, said before Qt aborts the process over it."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from desktop.cli.front import report
from desktop.common.console import make_console_safe
from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages, system_language

# What Qt's platform plugin for X11 needs beside Qt's own libraries, and many systems lack.
_X11_LIBRARY = "libxcb-cursor.so.0"


def missing(env: Mapping[str, str], platform: str = sys.platform) -> HausgeistError | None:
    """No screen to draw on, or no library to do it with; None where the window can open."""
    if not platform.startswith("linux") or env.get("QT_QPA_PLATFORM"):
        return None
    if _wayland(env):
        return None
    if not env.get("DISPLAY") or not _connects():
        return HausgeistError("no_display")
    if not _loads(_X11_LIBRARY):
        return HausgeistError("window_missing", missing=_X11_LIBRARY)
    return None


def explain_import(error: ImportError) -> HausgeistError:
    """A missing Qt, or a system library that Qt needs; any other import error is a fault."""
    name = error.name or ""
    is_library = ".so" in str(error) or "DLL" in str(error)
    if not is_library and name.split(".")[0] not in ("PySide6", "shiboken6"):
        raise error
    return HausgeistError(
        "window_missing", missing=str(error).split(":")[0] if is_library else name
    )


def tell(error: HausgeistError) -> int:
    """Say it; returns the exit code."""
    make_console_safe()
    return report(error, Messages(system_language(os.environ)), as_json=False)


def _wayland(env: Mapping[str, str]) -> bool:
    name = env.get("WAYLAND_DISPLAY")
    return bool(name) and Path(env.get("XDG_RUNTIME_DIR", "/"), name or "").exists()


def _connects() -> bool:
    """Whether an X server answers under DISPLAY; without libxcb that is Qt's to find out."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    for function in (xcb.xcb_connection_has_error, xcb.xcb_disconnect):
        function.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    try:
        return bool(xcb.xcb_connection_has_error(connection) == 0)
    finally:
        xcb.xcb_disconnect(connection)


def _loads(library: str, load: Callable[[str], object] = ctypes.CDLL) -> bool:
    try:
        load(library)
    except OSError:
        return False
    return True
