"""Every sentence for a person, in German and English, from resources/messages/.

A catalogue is a flat JSON object; a field may say how it is written:

    {path}                 as it is
    {free_bytes:bytes}     5,6 GB
    {total:memory}         16 GB          main and graphics memory, in units of 1,024
    {wait_s:duration}      45 Sekunden    {page_s:about}  etwa 45 Sekunden
    {tokens_per_s:speed}   9,1            {factor:times}  1,9 or 2
    {n:number}             12.345         {x:number1}  with one digit behind the mark
    {n:Datei|Dateien}      the first word for exactly one, else the second

A value that is text already is shown as it is, whatever its field asks for.
"""

from __future__ import annotations

import json
import locale
import string
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError, Param, StorageError
from desktop.common.resources import read_text
from desktop.common.wording import (
    Language,
    format_about,
    format_bytes,
    format_duration,
    format_memory,
    format_number,
    format_speed,
    format_times,
)

__all__ = [
    "LANGUAGES",
    "Language",
    "Messages",
    "format_bytes",
    "format_duration",
    "format_memory",
    "format_number",
    "format_speed",
    "system_language",
]

LANGUAGES: tuple[Language, ...] = ("de", "en")


_WRITERS: Mapping[str, Callable[[Any, Language], str]] = {
    "about": format_about,
    "bytes": lambda value, language: format_bytes(int(value), language),
    "duration": format_duration,
    "memory": lambda value, language: format_memory(int(value), language),
    "speed": format_speed,
    "times": format_times,
}


class Messages:
    """The catalogue of one language."""

    def __init__(self, language: Language) -> None:
        """Reads the catalogue; raises StorageError("resource_missing") if the app is incomplete."""
        self.language: Language = language
        name = f"messages/{language}.json"
        try:
            self._sentences: Mapping[str, str] = json.loads(read_text(name))
        except ValueError as error:
            raise StorageError("resource_missing", name=name, detail=str(error)) from error
        self._formatter = _PersonFormatter(language)

    def __contains__(self, key: str) -> bool:
        return key in self._sentences

    def text(self, key: str, /, **params: Param) -> str:
        """The sentence of `key`; KeyError for a missing key or field: a programming error."""
        return self._formatter.vformat(self._sentences[key], (), params)

    def error(self, err: HausgeistError) -> str:
        """What happened and what to do; always an answer, even for a kind without a sentence."""
        try:
            return self.text(f"errors.{err.kind}", **{"kind": err.kind, **err.params})
        except (KeyError, ValueError):
            return self.text("errors.internal", kind=err.kind)

    def problem(self, kind: str) -> str:
        """In a few words, for a list: what is wrong with a model's file (LibraryModel.problem)."""
        key = f"library.problem.{kind}"
        return self.text(key if key in self else "library.problem.other")


class _PersonFormatter(string.Formatter):
    """str.format with the field formats of this module, and neither attributes nor indexes."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        return self.get_value(field_name, args, kwargs), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str) or not format_spec:
            return str(value)
        if "|" in format_spec:
            one, many = format_spec.split("|")
            return one if value == 1 else many
        if format_spec in _WRITERS:
            return _WRITERS[format_spec](value, self._language)
        if format_spec.startswith("number"):
            return format_number(value, self._language, int(format_spec[6:] or 0))
        raise ValueError(f"unknown field format {format_spec!r}")


def system_language(env: Mapping[str, str]) -> Language:
    """German where the system speaks German, else English.

    LC_ALL, LC_MESSAGES and LANG decide in this order (POSIX); where none is set, as in programs
    started from the Windows or macOS desktop, the system's own setting does.
    """
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = env.get(name, "").strip()
        if value:
            return _language_of(value)
    return _language_of(_desktop_language())


def _language_of(value: str) -> Language:
    return "de" if value.replace("_", "-").split("-")[0].lower() in ("de", "german") else "en"


def _desktop_language() -> str:
    """The desktop's language where the environment says none: ``de_DE``, ``German_Germany``."""
    language = locale.getlocale()[0]
    if sys.platform == "win32":
        import ctypes  # 3 ms that only Windows needs to spend

        number = ctypes.windll.kernel32.GetUserDefaultUILanguage()
        language = locale.windows_locale.get(number, language)
    elif sys.platform == "darwin":
        language = _apple_language(Path.home()) or language
    return language or ""


def _apple_language(home: Path) -> str:
    """The first of the languages chosen in the settings of macOS, such as ``de-DE``."""
    import plistlib  # 4 ms with its parser, and only macOS needs it
    from xml.parsers.expat import ExpatError

    preferences = home / "Library" / "Preferences" / ".GlobalPreferences.plist"
    try:
        with preferences.open("rb") as file:
            return str(plistlib.load(file)["AppleLanguages"][0])
    except (OSError, ValueError, LookupError, TypeError, ExpatError):
        return ""
