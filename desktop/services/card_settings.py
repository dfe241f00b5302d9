"""What a model's card recommends, as settings of the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields

from desktop.common.errors import CancelledError, NetworkError, UsageError
from desktop.common.logs import get_logger
from desktop.hub.client import HubClient
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import Listing
from desktop.hub.model_card import ModelCard, fetch_card
from desktop.library.model_settings import ModelSettings

WAIT_S = 4.0
"""A model that has arrived does not wait longer for what its card may say."""

_log = get_logger("browse")


def settings_in(card: ModelCard) -> ModelSettings | None:
    """The card's temperature and the like; None where it recommends nothing that can be used."""
    known = {field.name for field in fields(ModelSettings)}
    stated = {
        name: int(value) if name == "top_k" else value
        for name, value in card.sampling.items()
        if name in known
    }
    if not stated:
        return None
    found = ModelSettings(**stated)  # type: ignore[arg-type]
    try:
        found.check()
    except UsageError as error:
        _log.info("what the card recommends is not used: %s", error)
        return None
    return found


def card_settings(
    client: HubClient,
    cache: HeaderCache,
    listing: Listing,
    *,
    wait_s: float = WAIT_S,
    clock: Callable[[], float] = time.monotonic,
) -> ModelSettings | None:
    """What the repository's card recommends, without traffic where it was read before; None where
    it says nothing or cannot be had within `wait_s`."""
    until = clock() + wait_s
    try:
        card = fetch_card(client, cache, listing, is_cancelled=lambda: clock() > until)
    except (NetworkError, CancelledError) as error:
        _log.info("no card of %s: %s", listing.repo, error)
        return None
    return None if card is None else settings_in(card)
