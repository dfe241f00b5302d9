"""The whole way, with a Hub on this computer: searched, opened, judged, fetched; and its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

from desktop.services.browse import Browser, BrowserParts
from desktop.services.downloads import Downloads
from desktop.services.fetch_any import AnyFetcher
from desktop.services.fetch_model import ModelFetcher
from desktop.services.network import Network
from desktop.services.wiring import Services
from desktop.ui.models.page import ModelsPage
from tests.hub.shelf_of_repos import GEMMA, LOCKED, QWEN, fill, info
from tests.hub.stand_in import HubStandIn
from tests.services.hub_family import REPO, family
from tests.ui.browse.conftest import Models
from tests.ui.browse.stand_ins import ScriptedAccount, ScriptedBrowser
from tests.ui.conftest import Driven

CARD = b"---\nlicense: mit\n---\n# Family\n\nA model.\n\n![x](https://elsewhere.example/x.png)\n"


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        fill(stand_in)
        stand_in.add(
            REPO,
            family("Q4_K_M", "Q8_0") | {"README.md": CARD},
            info=info("conversational", "license:mit", parameters=8_000_000_000),
        )
        yield stand_in
    set_client_factory(default_client_factory)


@pytest.fixture
def models(open_window: Callable[..., Driven], hub: HubStandIn) -> Models:
    def change(services: Services) -> Services:
        services.network.close()
        network = Network(services.paths, services.settings_store, {"HF_ENDPOINT": hub.endpoint})
        parts = BrowserParts(
            network.hub,
            network.headers,
            network.search,
            network.catalog,
            services.library,
            services.machine_service,
            services.history,
            services.held,
        )
        hub_files = ModelFetcher(
            network.hub, network.headers, services.library, services.places.main
        )
        fetcher = AnyFetcher(hub_files, services.sources, services.settings_store)
        return replace(
            services,
            network=network,
            browser=Browser(parts),
            downloads=Downloads(fetcher, services.paths.downloads_file),
        )

    driven = open_window(change=change)
    driven.window.show_place("models")
    page = driven.window.page("models")
    assert isinstance(page, ModelsPage)
    account = cast("ScriptedAccount", driven.services.account)
    return Models(driven, page, ScriptedBrowser(), account)


def names(models: Models) -> set[str]:
    rows = models.page.results.rows
    return {rows.shown(row).repo for row in range(rows.rowCount())}


def test_searched_filtered_and_opened(models: Models, hub: HubStandIn) -> None:
    models.search()
    models.until(lambda: {QWEN, GEMMA, LOCKED, REPO} <= names(models))
    models.page.search.task.pick("vision")
    models.until(lambda: names(models) == {GEMMA})
    models.page.search.task.pick(None)
    models.until(lambda: REPO in names(models))
    models.look_into(REPO)
    page = models.page.repository
    rows = list(page.offers.rows.values())
    assert [row.offer.quantization for row in rows] == ["Q4_K_M", "Q8_0"]
    assert all("Fits" in row.tag.text() or "slow" in row.tag.text() for row in rows)
    assert rows[0].offer.is_recommended
    models.until(lambda: page.to_card.isEnabled())
    page.to_card.click()
    (turn,) = page.card.turns
    assert "elsewhere.example/x.png" not in turn.text.replace("(elsewhere.example)", "")
    assert "![" not in turn.text


def test_fetched_and_among_my_models(models: Models, hub: HubStandIn, tiny_model: Path) -> None:
    data = bytearray(tiny_model.read_bytes())
    data[-1] ^= 1  # another model than the guide's stand-in
    hub.add("maker/Tiny-GGUF", {"Tiny-Q8_0.gguf": bytes(data)})
    models.look_into("maker/Tiny-GGUF")
    (row,) = models.page.repository.offers.rows.values()
    row.fetch.click()
    models.until(lambda: row.fetch.is_here)
    assert row.fetch.text() == "Is here"
    shelf = models.driven.desk.house.shelf
    models.until(lambda: len(shelf.models) == 2)
    row.fetch.click()
    assert models.browsing.room == "home"
    models.look_into("maker/Tiny-GGUF")
    (again,) = models.page.repository.offers.rows.values()
    assert again.offer.is_here


def test_what_was_asked_stands_in_the_ledger(models: Models) -> None:
    models.search()
    models.until(lambda: names(models))
    entries = models.driven.services.network.ledger.entries()
    assert {entry.host.partition(":")[0] for entry in entries} == {"127.0.0.1"}


def test_a_hub_that_is_gone_leaves_the_catalogue(models: Models, hub: HubStandIn) -> None:
    hub.close()
    models.search()
    trouble = models.page.results.trouble
    models.until(trouble.isVisible)
    assert trouble.headline.text()
    assert "127.0.0.1" in trouble.text.toPlainText()
    models.until(lambda: len(names(models)) > 10)  # what the catalogue has
    assert models.browsing.finder.is_catalogue


def test_offline_makes_no_connection(models: Models, hub: HubStandIn) -> None:
    models.driven.desk.session.change(offline=True)
    done: list[bool] = []
    models.driven.desk.session.when_written(lambda: done.append(True))
    models.until(lambda: done)
    models.search()
    models.until(models.page.results.trouble.isVisible)
    assert hub.requests() == []
    assert models.page.results.trouble.online.isVisible()
    models.page.results.trouble.online.click()
    models.until(lambda: QWEN in names(models))


def test_a_locked_repository_shows_the_way(models: Models) -> None:
    models.look_into(LOCKED)
    assert models.page.repository.access.isVisible()
