"""What the system lacks, and the command that installs it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from bootstrap_steps.words import TEXTS, Stop, text


class Need(NamedTuple):
    """One thing that can be missing: a library's file name or a key of TEXTS, and its package on
    Debian/Ubuntu and on Fedora."""

    name: str
    debian: str
    fedora: str


COMPILER = Need("need_compiler", "build-essential", "gcc-c++")
VENV = Need("need_venv", "python3-venv", "python3")
QT_ALWAYS: Mapping[str, Need] = {
    "libglib-2.0.so.0": Need("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    "libGL.so.1": Need("libGL.so.1", "libgl1", "libglvnd-glx"),
    "libEGL.so.1": Need("libEGL.so.1", "libegl1", "libglvnd-egl"),
    "libxkbcommon.so.0": Need("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    "libfontconfig.so.1": Need("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    "libdbus-1.so.3": Need("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    "libgssapi_krb5.so.2": Need("libgssapi_krb5.so.2", "libgssapi-krb5-2", "krb5-libs"),
    "libbrotlidec.so.1": Need("libbrotlidec.so.1", "libbrotli1", "libbrotli"),
}
QT_X11: Mapping[str, Need] = {
    "libxcb-cursor.so.0": Need("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": Need("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    "libxcb-keysyms.so.1": Need("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-image.so.0": Need("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    "libxcb-render-util.so.0": Need(
        "libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"
    ),
    "libxcb-shape.so.0": Need("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    "libxcb-xkb.so.1": Need("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
    "libxkbcommon-x11.so.0": Need(
        "libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"
    ),
    "libX11-xcb.so.1": Need("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb"),
}
WINDOWS_COMPILER = (
    "winget install Microsoft.VisualStudio.2022.BuildTools --override "
    '"--wait --passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"'
)


def distribution(os_release: str) -> str:
    """`debian`, `fedora` or `` from the text of /etc/os-release (ID and ID_LIKE)."""
    values = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    words = (values.get("ID", "") + " " + values.get("ID_LIKE", "")).replace('"', "").split()
    for family, members in (("debian", {"debian", "ubuntu"}), ("fedora", {"fedora", "rhel"})):
        if members & set(words):
            return family
    return ""


def this_distribution() -> str:
    """The family of the Linux we run on, `` where it is unknown or no Linux."""
    try:
        return distribution(Path("/etc/os-release").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def install_command(needs: Iterable[Need], platform: str, family: str) -> str:
    """The exact command that installs `needs` on `platform` (sys.platform) and Linux `family`."""
    wanted = list(needs)
    if platform == "darwin":
        return "xcode-select --install" if COMPILER in wanted else "brew install python@3.13"
    if platform == "win32":
        return (
            WINDOWS_COMPILER if COMPILER in wanted else "winget install --id Python.Python.3.13 -e"
        )
    debian = "sudo apt-get install -y " + " ".join(sorted({need.debian for need in wanted}))
    fedora = "sudo dnf install -y " + " ".join(sorted({need.fedora for need in wanted}))
    if family:
        return debian if family == "debian" else fedora
    return debian + "        (Debian, Ubuntu)\n    " + fedora + "        (Fedora)"


def python_command(platform: str, family: str) -> str:
    """The command that installs a Python we can use."""
    version = Need("Python", "python3 python3-venv", "python3")
    return install_command([version], platform, family)


def can_load(library: str) -> bool:
    """Whether the dynamic linker finds `library`."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def compiler_there(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a C++ compiler that cmake will find is installed."""
    if environ.get("CXX"):
        return shutil.which(environ["CXX"].split()[0]) is not None
    if platform == "win32":
        where = Path(environ.get("ProgramFiles(x86)", "C:/Program Files (x86)"))
        vswhere = where / "Microsoft Visual Studio/Installer/vswhere.exe"
        if not vswhere.exists():
            return shutil.which("cl") is not None
        component = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"
        query = [str(vswhere), "-products", "*", "-requires", component, "-property", "displayName"]
        return bool(subprocess.run(query, capture_output=True, check=False).stdout.strip())
    if platform == "darwin":  # /usr/bin/c++ is there without the tools, as a stub that asks
        return (
            subprocess.run(["xcode-select", "-p"], capture_output=True, check=False).returncode == 0
        )
    return any(shutil.which(name) for name in ("c++", "g++", "clang++"))


def qt_needs(environ: Mapping[str, str], loads: Callable[[str], bool] = can_load) -> list[Need]:
    """The libraries that Qt would miss when it opens a window in `environ` (Linux)."""
    wanted = dict(QT_ALWAYS)
    platform = environ.get("QT_QPA_PLATFORM", "")
    on_x11 = platform.startswith("xcb") or (
        not platform and environ.get("DISPLAY") and not environ.get("WAYLAND_DISPLAY")
    )
    if on_x11:
        wanted.update(QT_X11)
    return [need for library, need in wanted.items() if not loads(library)]


def require(needs: list[Need]) -> None:
    """Raise Stop naming what is missing and the command for it; silent when nothing is."""
    if needs:
        names = ", ".join(text(n.name) if n.name in TEXTS else n.name for n in needs)
        command = install_command(needs, sys.platform, this_distribution())
        raise Stop(text("missing", what=names, command=command))


def require_system(*, window: bool, venv: bool, compiler: bool) -> None:
    """Raise Stop naming at once all that this system lacks for the asked parts, a screen last."""
    needs = []
    if compiler and not compiler_there(os.environ):
        needs.append(COMPILER)
    if venv and not venv_there():
        needs.append(VENV)
    linux = sys.platform.startswith("linux")
    if window and linux:
        needs.extend(qt_needs(os.environ))
    require(needs)
    shown = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if window and linux and not any(os.environ.get(name) for name in shown):
        raise Stop(text("no_screen"))


def venv_there() -> bool:
    """Whether this Python can make environments (Debian packs that apart)."""
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
