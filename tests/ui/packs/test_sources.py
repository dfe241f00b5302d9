"""Sources in the settings: added after a look, refused with a reason, keys pinned."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from shiboken6 import isValid

from desktop.library.packs.minisign import new_key, write_keys
from desktop.services.folder_index import write_folder_index
from desktop.ui.parts.button import IconButton
from desktop.ui.rail import SETTINGS
from desktop.ui.settings.page import SettingsPage
from desktop.ui.settings.sources import SourceSettings
from tests.tiny_models import write_tiny_model
from tests.ui.conftest import Driven


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    write_tiny_model(folder / "office.gguf", metadata={"general.name": "Office"})
    write_folder_index(folder, title="The office")
    return folder


def settings_of(driven: Driven) -> SourceSettings:
    driven.window.show_place(SETTINGS)
    page = driven.window.page(SETTINGS)
    assert isinstance(page, SettingsPage)
    return page.sources


def words(section: SourceSettings) -> str:
    return "\n".join(label.text() for label in section.findChildren(QLabel))


def test_a_source_is_kept_after_a_look(driven: Driven, share: Path) -> None:
    section = settings_of(driven)
    assert not section.enter.isEnabled()
    section.field.setText(str(share))
    section.enter.click()
    driven.until(lambda: section.found)
    assert list(driven.desk.session.settings.sources) == [str(share)]
    driven.until(lambda: "The office" in words(section))
    assert "1 model" in words(section)
    driven.until(lambda: driven.services.settings_store.load().sources == (str(share),))
    assert [one.name for one in driven.services.sources.search("office")] == ["Office-F32"]
    assert section.field.text() == ""

    driven.desk.session.change(language="de")  # the window is built anew, the sources stay
    before = section
    driven.until(lambda: not isValid(before))
    section = settings_of(driven)
    driven.until(lambda: "The office" in words(section))
    remove = next(b for b in section.findChildren(IconButton) if "office" in b.accessibleName())
    remove.click()
    assert list(driven.desk.session.settings.sources) == []
    driven.until(lambda: "The office" not in words(section))


def test_what_is_no_source_says_why(driven: Driven, tmp_path: Path) -> None:
    section = settings_of(driven)
    for address, said in (("ftp://x", "cannot be a source"), (str(tmp_path), "no list of models")):
        section.field.setText(address)
        section.add()
        driven.until(section.problem.isVisible)
        assert said in section.problem.text()
        assert section.field.text() == address
        assert section.enter.isEnabled()
    assert list(driven.desk.session.settings.sources) == []


def test_a_pinned_key_shuts_out_what_is_not_signed(
    driven: Driven, share: Path, tmp_path: Path
) -> None:
    section = settings_of(driven)
    section.field.setText(str(share))
    section.add()
    driven.until(lambda: section.found)
    key = new_key()
    public = write_keys(key, tmp_path / "k")
    section.trust(public)
    driven.until(lambda: section.found and section.found[0].problem is not None)
    assert list(driven.desk.session.settings.trusted_keys) == [key.public.text]
    assert "is not signed" in words(section)
    assert key.public.text in words(section)
    write_folder_index(share, sign_with=tmp_path / "k")
    driven.services.sources.refresh()
    section.trust(tmp_path / "nothing.pub")
    driven.until(section.problem.isVisible)
    assert "not a public key" in section.problem.text()
    section._untrust(key.public.text)
    driven.until(lambda: section.found and section.found[0].problem is None)
    assert list(driven.desk.session.settings.trusted_keys) == []
