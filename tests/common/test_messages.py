from __future__ import annotations

import locale
import plistlib
from pathlib import Path

import pytest

from desktop.common import messages
from desktop.common.errors import HausgeistError, StorageError
from desktop.common.messages import Language, Messages, system_language


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> Messages:
    sentences = (
        '{"a": "{n:number} {n:Datei|Dateien} mit {size:bytes} in {s:duration}, {x:number1}",'
        ' "errors.internal": "Etwas ({kind})", "errors.known": "Pfad {path}",'
        ' "errors.trap": "{path.__class__}", "library.problem.other": "anders"}'
    )
    monkeypatch.setattr(messages, "read_text", lambda _: sentences)
    return Messages("de")


def test_fields_are_written_as_people_write(german: Messages) -> None:
    assert (
        german.text("a", n=1, size=5_600_000_000, s=45, x=9.25)
        == "1 Datei mit 5,6 GB in 45 Sekunden, 9,2"
    )
    assert german.text("a", n=12_345, size=10, s=1, x=0.0).startswith("12.345 Dateien mit 10 Byte")


def test_what_is_text_already_stays(german: Messages) -> None:
    assert german.text("a", n="viele", size="5,6 GB", s="kurz", x="?") == (
        "viele viele mit 5,6 GB in kurz, ?"
    )


def test_a_missing_key_or_field_is_a_programming_error(german: Messages) -> None:
    with pytest.raises(KeyError):
        german.text("no.such.key")
    with pytest.raises(KeyError):
        german.text("a", n=1)
    assert "a" in german
    assert "b" not in german


def test_an_error_always_gets_a_sentence(german: Messages) -> None:
    assert german.error(StorageError("known", path="/x")) == "Pfad /x"
    assert german.error(StorageError("known")) == "Etwas (known)"
    assert german.error(HausgeistError()) == "Etwas (internal)"
    assert german.error(StorageError("never_heard")) == "Etwas (never_heard)"
    assert german.problem("never_heard") == "anders"


def test_braces_in_a_value_and_attributes_in_a_sentence_do_nothing(german: Messages) -> None:
    assert german.error(StorageError("known", path="{kind} %s")) == "Pfad {kind} %s"
    assert german.error(StorageError("trap", path="/x")) == "Etwas (trap)"


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_real_catalogues_load(language: Language) -> None:
    assert Messages(language).error(StorageError("disk_full", path="/x")) != ""


def test_a_damaged_installation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "read_text", lambda _: "{")
    with pytest.raises(StorageError) as caught:
        Messages("de")
    assert caught.value.kind == "resource_missing"


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "de_AT@euro"}, "de"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "den_CA"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "de_CH", "LANG": "en_US"}, "de"),
        ({"LC_ALL": "en_US", "LC_MESSAGES": "de_CH"}, "en"),
    ],
)
def test_the_environment_decides_the_language(env: dict[str, str], language: str) -> None:
    assert system_language(env) == language


@pytest.mark.skipif(not hasattr(locale, "LC_MESSAGES"), reason="asks Windows itself there")
@pytest.mark.parametrize(
    ("told", "language"), [("de_DE", "de"), ("German_Germany", "de"), ("en_US", "en"), (None, "en")]
)
def test_without_variables_the_desktop_decides(
    monkeypatch: pytest.MonkeyPatch, told: str | None, language: str
) -> None:
    monkeypatch.setattr(locale, "getlocale", lambda *_: (told, "UTF-8"))
    assert system_language({}) == language


@pytest.mark.parametrize(
    ("content", "language"),
    [
        (plistlib.dumps({"AppleLanguages": ["de-DE", "en-US"]}), "de-DE"),
        (plistlib.dumps({"AppleLanguages": ["fr"]}, fmt=plistlib.FMT_BINARY), "fr"),
        (plistlib.dumps({"AppleLanguages": []}), ""),
        (plistlib.dumps({}), ""),
        (plistlib.dumps([1]), ""),
        (b"garbage", ""),
        (b"<?xml version='1.0'?><plist><dict>", ""),
        (b"bplist00" + b"\xff" * 40, ""),
        (None, ""),
    ],
)
def test_macos_keeps_its_languages_in_a_file(
    tmp_path: Path, content: bytes | None, language: str
) -> None:
    folder = tmp_path / "Library" / "Preferences"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / ".GlobalPreferences.plist").write_bytes(content)
    assert messages._apple_language(tmp_path) == language
