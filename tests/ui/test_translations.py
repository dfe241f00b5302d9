"""Every sentence of the window is in the catalogues, whole, and the compiled files are of today."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtWidgets import QApplication

from desktop.ui.language import Translation

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ROOT / "resources" / "translations"


@pytest.fixture(scope="module")
def tools() -> ModuleType:
    """The script that updates the catalogues."""
    spec = importlib.util.spec_from_file_location(
        "translations_script", ROOT / "packaging" / "translations.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def messages(path: Path) -> dict[tuple[str, str], ET.Element]:
    """All messages of a catalogue by context and source."""
    found = {}
    for context in ET.parse(path).getroot().findall("context"):
        name = context.findtext("name", "")
        for message in context.findall("message"):
            found[name, message.findtext("source", "")] = message
    return found


def texts(message: ET.Element) -> list[str]:
    translation = message.find("translation")
    assert translation is not None
    assert translation.get("type") is None, message.findtext("source")
    if message.get("numerus"):
        return [form.text or "" for form in translation.findall("numerusform")]
    return [translation.text or ""]


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_message_is_translated(language: str) -> None:
    for (context, source), message in messages(CATALOGUES / f"hausgeist_{language}.ts").items():
        for text in texts(message):
            assert text.strip(), (context, source)


@pytest.mark.parametrize("language", ["de", "en"])
def test_fields_are_the_same(language: str) -> None:
    fields = re.compile(r"\{\w+\}")
    for (_, source), message in messages(CATALOGUES / f"hausgeist_{language}.ts").items():
        for text in texts(message):
            assert sorted(fields.findall(text)) == sorted(fields.findall(source)), source


@pytest.mark.parametrize("language", ["de", "en"])
def test_catalogues_are_up_to_date(language: str, tmp_path: Path, tools: ModuleType) -> None:
    for path in CATALOGUES.glob("*.ts"):
        shutil.copy(path, tmp_path)
    tools.update(tmp_path)
    name = f"hausgeist_{language}.ts"
    assert set(messages(tmp_path / name)) == set(messages(CATALOGUES / name))


@pytest.mark.parametrize("language", ["de", "en"])
def test_compiled_catalogues_are_of_today(language: str, tmp_path: Path, tools: ModuleType) -> None:
    for path in CATALOGUES.glob("*.ts"):
        shutil.copy(path, tmp_path)
    tools.release(tmp_path)
    name = f"hausgeist_{language}.qm"
    assert (tmp_path / name).read_bytes() == (CATALOGUES / name).read_bytes()


def test_no_sentence_escapes_the_catalogue(tools: ModuleType) -> None:
    """lupdate overlooks some calls without a word (a nested bracket is enough)."""
    known = {source for _, source in messages(CATALOGUES / "hausgeist_de.ts")}
    missing = []
    for path in tools.sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            place = {"tr": 0, "translate": 1}.get(node.func.attr)
            if place is None or len(node.args) <= place:
                continue
            text = node.args[place]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                if text.value not in known:
                    missing.append(f"{path.name}: {text.value}")
            elif node.func.attr == "tr":
                missing.append(f"{path.name}:{node.lineno}: not a plain string")
    assert missing == []


def test_buttons_of_qt_speak_german_too(qapp: QApplication) -> None:
    translation = Translation(qapp)
    translation.use("de")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen"
    translation.release()


def test_an_update_may_write_over_a_catalogue_in_use(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapped file that is cut ends the process with SIGBUS."""
    copy = tmp_path / "hausgeist_de.qm"
    shutil.copy(CATALOGUES / "hausgeist_de.qm", copy)
    monkeypatch.setattr(
        "desktop.ui.language.resource_path", lambda name: tmp_path / Path(name).name
    )
    translation = Translation(qapp)
    translation.use("de")
    copy.write_bytes(b"")
    assert QCoreApplication.translate("Counted", "%n page(s)", "", 7) == "7 Seiten"
    translation.release()


def test_plural_forms_of_both_languages() -> None:
    for language, one, many in (("de", "%n Seite", "%n Seiten"), ("en", "%n page", "%n pages")):
        translator = QTranslator()
        assert translator.load(str(CATALOGUES / f"hausgeist_{language}.qm"))
        assert translator.translate("Counted", "%n page(s)", "", 1) == one
        assert translator.translate("Counted", "%n page(s)", "", 7) == many
