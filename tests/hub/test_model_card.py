"""What a repository's README.md tells, fetched once."""

from __future__ import annotations

import pytest

from desktop.common.errors import HausgeistError
from desktop.hub.listing import HubFile, Listing, fetch_listing
from desktop.hub.model_card import MAX_CARD_BYTES, ModelCard, fetch_card, read_card, sampling_in
from tests.hub.conftest import House
from tests.hub.stand_in import HubStandIn
from tests.hub.stored import content

REPO = "maker/Model-GGUF"
CARD = b"""---
license: other
license_name: Research Licence
license_link: https://maker.example/licence
language: [en, de, Klingon]
base_model:
- Maker/Model
extra_gated_prompt: Tell us <b>who</b> you are.
---
<img src="https://maker.example/logo.png" alt="Logo">

# Model

- a list

This model answers **questions** in [German](https://maker.example) and more, in a friendly voice.

We recommend `temperature = 0.7`, TopP=0.8, top_k of 20 and min-p: 0.05. Never temperature=9.
"""


def add(hub: HubStandIn, card: bytes | None = CARD, **more: object) -> None:
    files = {"Model-Q4_K_M.gguf": b"x"} | ({} if card is None else {"README.md": card})
    hub.add(REPO, files, **more)


def ask(house: House) -> ModelCard | None:
    return fetch_card(house.client, house.cache, listing(house))


def listing(house: House) -> Listing:
    return fetch_listing(house.client, REPO)


def test_what_a_card_tells(house: House, hub: HubStandIn) -> None:
    add(hub)
    card = ask(house)
    assert card is not None
    assert card.summary == (
        "This model answers questions in German (maker.example) and more, in a friendly voice."
    )
    assert (card.licence, card.licence_name) == ("other", "Research Licence")
    assert card.licence_link == "https://maker.example/licence"
    assert card.languages == ("en", "de")
    assert card.base_model == "Maker/Model"
    assert card.gated_prompt == "Tell us who you are."
    assert card.sampling == {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0.05}
    assert "*(Logo)*" in card.markdown
    assert "http://" not in card.markdown


def test_a_card_is_fetched_once_a_commit(house: House, hub: HubStandIn) -> None:
    add(hub)
    known = listing(house)
    first = fetch_card(house.client, house.cache, known)
    hub.forget()
    house.switched_off.append(True)
    assert fetch_card(house.client, house.cache, known) == first
    assert hub.seen == []


def test_no_card_is_asked_for_once_too(house: House, hub: HubStandIn) -> None:
    add(hub, None)
    known = listing(house)
    assert fetch_card(house.client, house.cache, known) is None
    hub.forget()
    assert fetch_card(house.client, house.cache, known) is None
    assert hub.seen == []


def test_the_card_of_a_gated_model_is_everybodys(house: House, hub: HubStandIn) -> None:
    add(hub, gated="manual")
    assert ask(house) is not None


def test_only_the_beginning_of_a_flood_is_read(house: House, hub: HubStandIn) -> None:
    hub.add(
        REPO, {"Model.gguf": b"x", "README.md": content(b"# Title\n\nText", 64 * MAX_CARD_BYTES)}
    )
    card = ask(house)
    assert card is not None
    assert card.markdown.startswith("# Title")
    kept = house.cache.header_path(listing(house), HubFile("README.md"))
    assert kept.stat().st_size == MAX_CARD_BYTES
    assert hub.sent_bytes < 16 * MAX_CARD_BYTES


def test_a_card_that_cannot_be_had_is_not_taken_for_none(house: House, hub: HubStandIn) -> None:
    add(hub)
    known = listing(house)
    hub.fail("resolve", "status", status=403)
    with pytest.raises(HausgeistError, match="hub_forbidden"):
        fetch_card(house.client, house.cache, known)
    hub.faults.clear()
    assert fetch_card(house.client, house.cache, known) is not None


@pytest.mark.parametrize(
    "text", ["", "---\n---\n", "\ufffd\0\0", "---\nlicense:\n  deep: [x\n", "# only a title"]
)
def test_cards_that_tell_nothing(text: str) -> None:
    card = read_card(text)
    assert (card.summary, card.licence, card.languages, card.sampling) == ("", "", (), {})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Suggested: Temperature=0.6, TopK=20", {"temperature": 0.6, "top_k": 20}),
        (
            "Best practices:\n- **temperature**: 1.0\n- `top_p` = 0.9",
            {"temperature": 1, "top_p": 0.9},
        ),
        ("recommended temp of 0.15", {"temperature": 0.15}),
        ("for best results, repetition_penalty=1.05", {"repeat_penalty": 1.05}),
        ("recommended: top_p 95%, temperature 300", {}),
        ("We suggest that the temperature matters. Use 3 steps", {}),
        ("we recommend temperature 1e5, top_k=20abc", {}),
        ("generate(temperature=0, top_p=0.9)", {}),
        ("run with temperature=0.0. We recommend temperature=0.7", {"temperature": 0.7}),
        ("recommended" + " " * 600 + "temperature=0.7", {}),
    ],
)
def test_settings_that_a_card_recommends(text: str, found: dict[str, float]) -> None:
    assert sampling_in(text) == found
