"""What the set-up says, in English and German, by the system's language."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "usage": (
        "Usage: python3 packaging/bootstrap.py run [arguments of hausgeist] | test | check",
        "Aufruf: python3 packaging/bootstrap.py run [Argumente von hausgeist] | test | check",
    ),
    "python": (
        "Hausgeist needs Python {oldest} to {newest}; this is {found}, and no other was found.\n"
        "Install one with:\n    {command}",
        "Hausgeist braucht Python {oldest} bis {newest}; dies ist {found}, ein anderes wurde nicht "
        "gefunden.\nSo installieren Sie eines:\n    {command}",
    ),
    "missing": (
        "Something is missing on this system: {what}.\nInstall it with:\n    {command}\n"
        "and run this command again.",
        "Auf diesem System fehlt etwas: {what}.\nSo installieren Sie es:\n    {command}\n"
        "Danach starten Sie diesen Befehl noch einmal.",
    ),
    "no_screen": (
        "There is no screen here to open a window on (DISPLAY and WAYLAND_DISPLAY are not set).\n"
        "The command line works without one, for example: "
        "python3 packaging/bootstrap.py run hardware",
        "Hier gibt es keinen Bildschirm für ein Fenster (DISPLAY und WAYLAND_DISPLAY fehlen).\n"
        "Die Befehlszeile geht auch ohne, zum Beispiel: "
        "python3 packaging/bootstrap.py run hardware",
    ),
    "need_compiler": ("a C++ compiler", "ein C++-Compiler"),
    "need_venv": ("Python's module venv", "Pythons Modul venv"),
    "step_venv": ("Making the environment", "Umgebung anlegen"),
    "step_build_tools": ("Installing the build tools", "Bauwerkzeuge installieren"),
    "step_packages": ("Installing the packages", "Pakete installieren"),
    "step_test": ("Installing the test tools", "Testwerkzeuge installieren"),
    "step_llama": (
        "Building the engine ({backends}), some minutes, once",
        "Rechenkern bauen ({backends}), einmalig einige Minuten",
    ),
    "step_app": ("Setting up the command", "Befehl einrichten"),
    "fallback": (
        "The build for {backends} failed; building for the processor instead. Details: {log}",
        "Der Bau für {backends} ist fehlgeschlagen; gebaut wird für den Prozessor. Näheres: {log}",
    ),
    "more_possible": (
        "This machine now offers {backends}, the engine was built without. To build it anew: "
        "delete the folder {venv} and start again.",
        "Dieser Rechner bietet jetzt {backends}, der Rechenkern wurde ohne gebaut. Für einen neuen "
        "Bau löschen Sie den Ordner {venv} und starten noch einmal.",
    ),
    "step_failed": (
        "This step failed: {step}.\n{reason}\nEverything it printed: {log}\n"
        "What is done stays done; running the command again continues here.",
        "Dieser Schritt ist fehlgeschlagen: {step}.\n{reason}\nAlle Ausgaben: {log}\n"
        "Was fertig ist, bleibt; ein neuer Aufruf macht hier weiter.",
    ),
    "why_network": (
        "The package index could not be reached. Check the network or the proxy (HTTPS_PROXY).",
        "Das Paketverzeichnis war nicht erreichbar. Prüfen Sie Netz oder Proxy (HTTPS_PROXY).",
    ),
    "why_hash": (
        "A downloaded package is not the one in the lock file; nothing of it was installed.",
        "Ein geladenes Paket ist nicht das aus der Lock-Datei; es wurde nicht installiert.",
    ),
    "why_disk": ("The disk is full.", "Der Datenträger ist voll."),
    "why_memory": (
        "The compiler ran out of memory. Close other programs and try again.",
        "Dem Compiler ging der Arbeitsspeicher aus. Schließen Sie andere Programme.",
    ),
    "why_compiler": (
        "The C++ compiler does not work. Install it with:\n    {command}",
        "Der C++-Compiler funktioniert nicht. So installieren Sie ihn:\n    {command}",
    ),
    "why_write": (
        "The folder {venv} cannot be written.",
        "Der Ordner {venv} ist nicht beschreibbar.",
    ),
    "why_unknown": ("The last line was: {line}", "Die letzte Zeile war: {line}"),
    "check_failed": ("Not passed: {names}", "Nicht bestanden: {names}"),
}


def german() -> bool:
    """Whether the system speaks German (LC_ALL, LC_MESSAGES, LANG, as the C library orders)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return os.environ[name].lower().startswith("de")
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 0x07)
    return False


def text(key: str, **values: str) -> str:
    """The sentence `key` with `values` filled in."""
    english, deutsch = TEXTS[key]
    return (deutsch if german() else english).format(**values)


def say(line: str) -> None:
    """Write a line to standard error, whatever the terminal's encoding; stdout stays the app's."""
    encoding = sys.stderr.encoding or "ascii"
    sys.stderr.write(line.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stderr.flush()


class Stop(Exception):  # noqa: N818 - not an error of ours
    """The set-up cannot go on; the message is a sentence for the person in front of it."""
