"""The offer on the welcome page: a model to begin with, while there is none but the guide."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from desktop.common.errors import StorageError
from desktop.common.settings import Settings
from desktop.services import recommend
from desktop.services.downloads import Downloads
from desktop.services.wiring import Services
from desktop.ui.downloads.first_offer import FirstOffer
from desktop.ui.rail import MODELS
from tests.ui.conftest import Driven
from tests.ui.downloads.still_downloads import StillDownloads
from tests.ui.stand_ins import MACHINE

Open = Callable[..., Driven]


@pytest.fixture
def queue() -> StillDownloads:
    return StillDownloads()


def with_queue(queue: StillDownloads) -> Callable[[Services], Services]:
    return lambda services: replace(services, downloads=cast("Downloads", queue))


def offer_of(driven: Driven) -> FirstOffer:
    return driven.window.chats.welcome.offer


def test_offered_fetched_arrived(open_window: Open, queue: StillDownloads) -> None:
    driven = open_window(change=with_queue(queue))
    first = driven.desk.house.first_model
    driven.until(lambda: first.offer)
    offered = first.offer
    assert offered is not None
    assert not offered.file.gated
    offer = offer_of(driven)
    assert offer.isVisible()
    offer.button.click()
    added = [asked for asked in queue.asked if asked[0] == "add"]
    assert added == [("add", offered.file.reference, offered.model.name)]
    driven.until(lambda: offer.face.isVisible())
    queue.become(
        "d0", state="running", bytes=2_500, total_bytes=10_000, bytes_per_s=1e3, left_s=8.0
    )
    driven.until(lambda: offer.face.share == 0.25)
    assert offer.face.name == offered.model.name
    assert "left" in offer.face.accessibleName()
    offer.button.click()  # "Show"
    assert driven.window.place == MODELS


def test_the_first_model_takes_the_guides_place(
    open_window: Open, queue: StillDownloads, tiny_model: Path
) -> None:
    """For the next start too, and without a click on "Chat now"."""
    driven = open_window(change=with_queue(queue))
    house = driven.desk.house
    driven.until(lambda: house.shelf.loaded)
    services = house.session.services
    assert services is not None
    house.downloads.add("maker/model:Q4_K_M")
    model = services.library.add(tiny_model)
    queue.become("d0", state="done", model=model)
    driven.until(lambda: house.session.settings.last_model == model.name)
    driven.until(lambda: len(house.shelf.models) == 2)
    assert house.model.state.name == model.name


def test_no_offer_where_there_is_a_model(
    open_window: Open, queue: StillDownloads, tiny_model: Path, tmp_path: Path
) -> None:
    driven = open_window(change=with_queue(queue))
    driven.until(lambda: offer_of(driven).isVisible())
    mine = tmp_path / "mine.gguf"
    shutil.copyfile(tiny_model, mine)
    mine.write_bytes(mine.read_bytes()[:-1] + b"x")
    driven.desk.house.shelf.bring_in([mine])
    driven.until(lambda: len(driven.desk.house.shelf.models) == 2)
    driven.until(lambda: not offer_of(driven).isVisible())
    assert not offer_of(driven).button.isVisible()


def test_nothing_to_offer(
    open_window: Open, queue: StillDownloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def broken(*_: object, **__: object) -> None:
        asked.append(1)
        raise StorageError("resource_missing", name="catalog/catalog.json")

    monkeypatch.setattr(recommend, "recommend", broken)
    driven = open_window(change=with_queue(queue))
    driven.until(lambda: asked)
    driven.bot.wait(50)
    assert not offer_of(driven).isVisible()
    assert driven.window.banners.texts == []  # the place "Models" says it where it matters


def test_in_german_german_counts(open_window: Open, queue: StillDownloads) -> None:
    driven = open_window(change=with_queue(queue), settings=Settings(language="de"))
    first = driven.desk.house.first_model
    driven.until(lambda: first.offer)
    assert first.offer is not None
    wanted = recommend.recommend(MACHINE, "chat", "de")
    assert first.offer.model == next(one for one in wanted if not one.file.gated).model
    assert offer_of(driven).button.text() == "Herunterladen"
