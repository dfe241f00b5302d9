"""Bring the window's catalogues up to date with its sources: `.ts` by lupdate, `.qm` by lrelease.

    python packaging/translations.py

German must be whole; English needs a catalogue only for its plural forms.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "resources" / "translations"
LANGUAGES = ("de", "en")


def sources() -> list[Path]:
    """Every file of the window that may hold a sentence."""
    return [ROOT / "desktop" / "app.py", *sorted((ROOT / "desktop" / "ui").rglob("*.py"))]


def tool(name: str) -> str:
    """A tool of PySide6, beside the running Python."""
    folder = Path(sys.executable).parent
    found = next((p for p in (folder / name, folder / f"{name}.exe") if p.exists()), None)
    return str(found) if found is not None else name


def update(folder: Path) -> None:
    """Write what the sources say now into the catalogues of `folder`."""
    for language in LANGUAGES:
        options = ["-no-obsolete", "-locations", "none", "-silent"]
        if language == "en":
            options.append("-pluralonly")
        target = folder / f"hausgeist_{language}.ts"
        files = [str(path) for path in sources()]
        subprocess.run([tool("pyside6-lupdate"), *options, *files, "-ts", str(target)], check=True)


def release(folder: Path) -> None:
    """Compile the catalogues of `folder`."""
    for language in LANGUAGES:
        source = folder / f"hausgeist_{language}.ts"
        target = source.with_suffix(".qm")
        fresh = target.with_suffix(".qm.new")
        subprocess.run(
            [tool("pyside6-lrelease"), "-silent", str(source), "-qm", str(fresh)], check=True
        )
        # A running window has the old file mapped: written over, it would die of SIGBUS.
        fresh.replace(target)


if __name__ == "__main__":
    CATALOGUES.mkdir(parents=True, exist_ok=True)
    update(CATALOGUES)
    release(CATALOGUES)
