"""Models of the organisation's own sources: first in the list, opened and fetched like others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from desktop.common.errors import StorageError
from desktop.hub.search import SearchPage, SearchQuery
from desktop.services.sources import Sources
from desktop.services.wiring import Services
from desktop.ui.browse.result_rows import ROW, Shown
from desktop.ui.models.page import ModelsPage
from tests.ui.browse.conftest import Models
from tests.ui.browse.source_stand_ins import ScriptedSources, model
from tests.ui.browse.stand_ins import ScriptedAccount, ScriptedBrowser, found
from tests.ui.conftest import Driven


@pytest.fixture
def sources(tiny_model: Path) -> ScriptedSources:
    return ScriptedSources(tiny_model, (model("Office-8B"), model("Letters")))


@pytest.fixture
def models(open_window: Callable[..., Driven], sources: ScriptedSources) -> Models:
    def change(services: Services) -> Services:
        return replace(services, sources=cast("Sources", sources))

    driven = open_window(change=change)
    driven.window.show_place("models")
    page = driven.window.page("models")
    assert isinstance(page, ModelsPage)
    browser = cast("ScriptedBrowser", driven.services.browser)
    browser.pages = {None: SearchPage(tuple(found(n) for n in range(3)))}
    return Models(driven, page, browser, cast("ScriptedAccount", driven.services.account))


def names(models: Models) -> list[str]:
    rows = models.page.results.rows
    return [str(rows.index(row).data()) for row in range(rows.rowCount())]


def test_they_stand_first_and_say_whose_they_are(models: Models) -> None:
    models.search()
    models.until(lambda: len(names(models)) == 5)
    assert names(models)[:2] == ["Office-8B", "Letters"]
    shown = models.page.results.rows.index(0).data(ROW)
    assert isinstance(shown, Shown)
    assert shown.ours == "From your organisation"
    assert shown.author == "Intranet"
    models.page.results.grab()


def test_the_query_holds_for_them_too(models: Models) -> None:
    models.browsing.finder.change(SearchQuery("office"))
    models.until(lambda: "Office-8B" in names(models))
    assert "Letters" not in names(models)
    models.browsing.finder.change(SearchQuery(task="code"))
    models.until(lambda: models.browsing.finder.phase == "known")
    models.until(lambda: len(names(models)) == 3)


def test_what_an_index_has_new_joins_the_others(models: Models, sources: ScriptedSources) -> None:
    sources.later = (model("New one"),)
    models.search()
    models.until(lambda: "New one" in names(models))
    assert names(models)[:3] == ["Office-8B", "Letters", "New one"]


def test_without_the_hub_they_are_there(models: Models) -> None:
    models.browser.error = StorageError("disk_full", path="x", needed_bytes=1, free_bytes=0)
    models.browsing.search()
    models.until(lambda: models.browsing.finder.phase == "failed")
    models.until(lambda: names(models) == ["Office-8B", "Letters"])


def test_one_is_opened_judged_and_fetched(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[str] = []
    monkeypatch.setattr(
        models.driven.desk.house.downloads,
        "add",
        lambda reference, *, name="", with_projector=True: added.append(reference),
    )
    models.look_into("source:ab12/Office-8B")
    page = models.page.repository
    assert page.name.text() == "Office-8B"
    assert "Intranet" in page.source.text()
    assert not page.author.isVisible()
    assert not page.out.isVisible()
    assert page.summary.text() == "Our own."
    (row,) = page.offers.rows.values()
    assert row.tag.text().startswith("Fits")
    row.fetch.click()
    assert added == ["source:ab12/Office-8B"]
    assert models.browser.opened == []


def test_one_that_cannot_be_read_says_why(models: Models, sources: ScriptedSources) -> None:
    sources.broken = True
    models.look_into("source:ab12/Office-8B")
    (row,) = models.page.repository.offers.rows.values()
    assert row.tag.text() == "Cannot be judged"
    assert row.below.text()


def test_one_that_is_gone(models: Models) -> None:
    models.look_into("source:ab12/Gone")
    assert models.browsing.opened.phase == "failed"
    assert "Gone" in models.page.repository.state.text()


def test_the_first_room_says_that_there_are_some(models: Models) -> None:
    card = models.page.organisation
    models.until(card.isVisible)
    assert "2 models" in card.words.text()
    assert "Intranet" in card.words.text()
    card.show_them.click()
    models.until(lambda: names(models) == ["Office-8B", "Letters"])
    assert models.browser.queries == []  # nobody else was asked
    assert models.page.search.author.isVisible()
    models.page.search.author.click()
    models.until(lambda: len(names(models)) == 5)


def test_without_any_the_first_room_says_nothing(models: Models, sources: ScriptedSources) -> None:
    sources.models = ()
    models.page.organisation.look()
    models.until(lambda: not models.page.organisation.isVisible())


def test_names_of_strangers_stay_in_their_line(models: Models, sources: ScriptedSources) -> None:
    sources.models = (model("One\nTwo\u202e"),)
    models.search()
    models.until(lambda: "One Two" in names(models))
