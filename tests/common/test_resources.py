from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common import resources
from desktop.common.errors import StorageError
from desktop.common.resources import read_text, resource_path


def test_a_checkout_has_its_resources_beside_the_package() -> None:
    assert resource_path("messages/de.json").is_file()
    assert resource_path("messages/de.json").parts[-3:-1] == ("resources", "messages")
    assert read_text("messages/de.json").startswith("{")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package carries them inside."""
    package = tmp_path / "site-packages" / "desktop"
    (package / "_resources" / "messages").mkdir(parents=True)
    (tmp_path / "site-packages" / "resources" / "messages").mkdir(parents=True)  # somebody else's
    monkeypatch.setattr(resources, "_PACKAGE", package)
    return package / "_resources"


def test_an_installed_package_has_them_inside(installed: Path) -> None:
    (installed / "messages" / "x.json").write_text("Größe", encoding="utf-8")
    assert read_text("messages/x.json") == "Größe"
    assert resource_path("messages") == installed / "messages"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_part_that_is_missing_or_damaged_is_named(installed: Path, content: bytes | None) -> None:
    if content is not None:
        (installed / "messages" / "x.json").write_bytes(content)
    with pytest.raises(StorageError) as caught:
        read_text("messages/x.json")
    assert caught.value.kind == "resource_missing"
    assert caught.value.params == {"name": "messages/x.json"}
