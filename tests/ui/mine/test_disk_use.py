"""What takes most of the disk."""

from __future__ import annotations

from collections.abc import Callable

from desktop.library.model import LibraryModel
from desktop.ui.mine.disk_use import shares
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import made, mine_of


def test_the_largest_by_name_and_all_others_together() -> None:
    models = [made(f"m{n}", float(n)) for n in range(1, 7)]
    found = shares(models, "others")
    assert [one.name for one in found] == ["m6", "m5", "m4", "others"]
    assert found[-1].file_bytes == 6_000_000_000


def test_a_single_other_has_its_name() -> None:
    found = shares([made(f"m{n}", float(n)) for n in range(1, 5)], "others")
    assert [one.name for one in found] == ["m4", "m3", "m2", "m1"]


def test_what_is_not_on_this_disk_does_not_count() -> None:
    models = [
        made("here"),
        made("gone", problem="drive_gone"),
        made("office", is_shared=True),
        made("vanished", problem="vanished"),
    ]
    assert [one.name for one in shares(models, "others")] == ["here"]


def test_the_sentence(with_models: Callable[[list[LibraryModel]], Driven]) -> None:
    mine = mine_of(with_models([made("a", 5.0), made("b", 2.5)]))
    assert mine.disk.isVisible()
    assert mine.disk.words.text().startswith("Your models take 7.5 GB")
    assert mine.disk.bar.accessibleName() == "a 5.0 GB, b 2.5 GB"


def test_nothing_is_told_of_the_guide_alone(driven: Driven) -> None:
    assert not mine_of(driven).disk.isVisible()
