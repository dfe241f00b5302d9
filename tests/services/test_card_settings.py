"""What a model's card recommends becomes the model's settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.hub.listing import fetch_listing
from desktop.hub.model_card import ModelCard
from desktop.library.model_settings import ModelSettings
from desktop.services.card_settings import card_settings, settings_in
from tests.hub.stand_in import HubStandIn
from tests.services.hub_family import REPO, BrowsingHouse, browsing

CARD = b"# M\n\nWe recommend Temperature=0.6, TopP=0.95, TopK=20 and MinP=0.\n"


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        stand_in.add(REPO, {"Model-Q4_K_M.gguf": b"x", "README.md": CARD})
        yield stand_in


@pytest.fixture
def house(tmp_path: Path, hub: HubStandIn, tiny_model: Path) -> Iterator[BrowsingHouse]:
    with browsing(tmp_path, hub, tiny_model) as found:
        yield found


def found(house: BrowsingHouse, wait_s: float = 4.0) -> ModelSettings | None:
    parts = house.parts
    listing = fetch_listing(parts.client, REPO)
    return card_settings(parts.client, parts.headers, listing, wait_s=wait_s)


def test_as_the_card_says(house: BrowsingHouse) -> None:
    expected = ModelSettings(temperature=0.6, top_p=0.95, top_k=20, min_p=0.0)
    assert found(house) == expected


def test_a_card_that_cannot_be_had_is_not_waited_for(house: BrowsingHouse, hub: HubStandIn) -> None:
    fault = hub.fail("resolve", "hold")
    assert found(house, wait_s=0.2) is None
    fault.gate.set()
    hub.faults.clear()
    hub.fail("resolve", "status", status=503)
    assert found(house) is None


def test_a_card_that_recommends_nothing() -> None:
    assert settings_in(ModelCard()) is None
    assert settings_in(ModelCard(sampling={"mirostat": 1.0})) is None
    assert settings_in(ModelCard(sampling={"temperature": -5.0})) is None
