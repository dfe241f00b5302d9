"""Verifying in the window: whole, damaged, nothing known, stopped."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from desktop.engine.cancel import CancelToken
from desktop.services.verify import Verification, Verifier, VerifyProgress
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import Open, bring, mine_of, shown


def test_whole(driven: Driven, model_file: Path) -> None:
    name = bring(driven, model_file).name
    driven.services.verifier.learn(name, at_most_bytes=1 << 30)
    mine_of(driven).doings.verify(shown(driven, name))
    driven.until(lambda: "is whole" in driven.window.toast.text)
    driven.until(lambda: shown(driven, name).model.verified_at is not None)
    assert driven.desk.house.shelf.works.all == ()


def test_damaged(driven: Driven, model_file: Path) -> None:
    name = bring(driven, model_file).name
    driven.services.verifier.learn(name, at_most_bytes=1 << 30)
    data = bytearray(model_file.read_bytes())
    data[-5] ^= 1
    model_file.write_bytes(data)
    mine_of(driven).doings.verify(shown(driven, name))
    driven.until(lambda: driven.window.banners.texts)
    assert "damaged" in driven.window.banners.texts[0]
    assert model_file.name in driven.window.banners.texts[0]
    driven.until(lambda: shown(driven, name).here.tag == "Damaged")


def test_nothing_to_compare_with_is_said(driven: Driven, model_file: Path) -> None:
    name = bring(driven, model_file).name
    driven.services.library.know_hashes(name, ("",))  # too large to be read at once
    mine_of(driven).doings.verify(shown(driven, name))
    driven.until(lambda: "Nobody knows" in driven.window.toast.text)


class HeldVerifier(Verifier):
    """Stays at half until it is stopped."""

    stopped = threading.Event()

    def verify(
        self,
        name: str,
        on_progress: VerifyProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Verification:
        assert on_progress is not None
        assert cancel is not None
        on_progress(500_000_000, 1_000_000_000)
        while not self.stopped.wait(0.005):
            cancel.raise_if_cancelled()
        raise AssertionError(name)


def test_progress_is_shown_and_can_be_stopped(open_window: Open, model_file: Path) -> None:
    driven = open_window(change=lambda s: replace(s, verifier=HeldVerifier(s.library)))
    name = bring(driven, model_file).name
    mine = mine_of(driven)
    mine.doings.verify(shown(driven, name))
    mine.doings.verify(shown(driven, name))  # a second time changes nothing
    (card,) = mine.works.cards
    driven.until(lambda: "500 MB of 1.0 GB" in card.words.words)
    assert card.meter.value() == 500
    driven.window.rebuild()  # another language: the work goes on, and is shown again
    mine = mine_of(driven)
    (card,) = mine.works.cards
    assert "500 MB of 1.0 GB" in card.words.words
    card.stop.click()
    driven.until(lambda: mine.works.cards == [])
    assert driven.window.banners.texts == []
