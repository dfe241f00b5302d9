"""One repository: its files in groups, verdicts as they come, downloads, access, the card."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop.common.errors import HubError
from desktop.common.messages import Messages
from desktop.hub.listing import FileGroup, HubFile
from desktop.hub.model_card import ModelCard
from desktop.hub.search import SearchPage
from desktop.library.catalog import Licence
from desktop.services.account import AccountState
from desktop.services.downloads_entry import DownloadState
from desktop.services.offers import FileOffer
from desktop.ui.browse.card_view import MOST_CHARS
from desktop.ui.browse.offer_list import SHOWN_AT_FIRST, SHOWN_MORE
from desktop.ui.browse.offer_words import group_of, offer_words
from tests.ui.browse.conftest import Models
from tests.ui.browse.scenes import demo_view
from tests.ui.browse.stand_ins import found, offer, repository

REPO = "maker/Model-1-GGUF"

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def tags(models: Models) -> dict[str, str]:
    rows = models.page.repository.offers.rows.values()
    return {row.offer.quantization: row.tag.text() for row in rows}


def room(models: Models) -> str:
    return models.browsing.room


def test_a_click_on_a_row_opens_it_and_escape_goes_back(models: Models) -> None:
    models.browser.pages = {None: SearchPage(tuple(found(n) for n in range(20)))}
    models.search()
    shown = models.page.results.list
    shown.setFocus()
    QTest.keyClick(shown, Qt.Key.Key_Down)
    QTest.keyClick(shown, Qt.Key.Key_Down)
    row = shown.currentIndex().row()
    QTest.keyClick(shown, Qt.Key.Key_Return)
    assert room(models) == "repository"
    assert models.browsing.opened.repo == f"maker/Model-{row}-GGUF"
    assert models.page.repository.back.hasFocus()
    QTest.keyClick(models.page.repository.back, Qt.Key.Key_Escape)
    assert room(models) == "results"
    assert shown.hasFocus()
    assert shown.currentIndex().row() == row
    QTest.keyClick(shown, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert room(models) == "home"
    assert len(models.browser.queries) == 1  # the results were kept


def test_verdicts_appear_as_they_come(models: Models) -> None:
    models.browser.judge_gate = threading.Event()
    models.browsing.open(REPO)
    models.until(lambda: "Fits well" in tags(models).values())
    assert "Looking …" in tags(models).values()
    models.browser.judge_gate.set()
    models.until(lambda: models.browsing.opened.phase == "known")
    assert tags(models) == {
        "Q4_K_M": "Fits well",
        "Q5_K_M": "Fits well",
        "Q6_K": "Fits well",
        "Q8_0": "Fits, but slow",
        "F16": "Does not fit",
        "Q2_K": "Fits well",
    }


def test_the_recommended_one_stands_first(models: Models) -> None:
    models.look_into()
    rows = list(models.page.repository.offers.rows.values())
    assert rows[0].offer.quantization == "Q4_K_M"
    assert [row.recommended.isVisibleTo(row) for row in rows].count(True) == 1
    assert rows[0].fetch.property("role") == "primary"
    assert "45 seconds" in rows[0].below.text()


def test_a_slow_card_keeps_no_verdict_back(models: Models) -> None:
    models.browser.card_gate = threading.Event()
    models.look_into()
    assert tags(models)["Q4_K_M"] == "Fits well"
    assert not models.page.repository.to_card.isEnabled()
    models.browser.card_gate.set()
    models.until(lambda: models.page.repository.to_card.isEnabled())
    assert tags(models)["Q4_K_M"] == "Fits well"


def test_leaving_calls_off_the_judging(models: Models) -> None:
    models.browser.judge_gate = threading.Event()
    models.browsing.open(REPO)
    models.until(lambda: "Fits well" in tags(models).values())
    models.browsing.back()
    models.until(lambda: models.browser.cancelled)
    assert models.browsing.opened.view is None


def test_verdicts_of_one_that_was_left_do_not_reach_the_next(models: Models) -> None:
    models.browser.judge_gate = threading.Event()
    models.browsing.open(REPO)
    models.until(lambda: models.browsing.opened.phase == "judging")
    models.browsing.open("maker/Model-2-GGUF")
    models.until(lambda: models.browsing.opened.view is not None)
    models.browser.judge_gate.set()
    models.until(lambda: models.browsing.opened.phase == "known")
    references = models.page.repository.offers.rows
    assert all(name.startswith("maker/Model-2-GGUF:") for name in references)


def test_download_and_how_far_it_is(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = models.driven.desk.house.downloads
    added: list[tuple[str, bool]] = []
    states: dict[str, DownloadState] = {}

    def add(reference: str, *, name: str = "", with_projector: bool = True) -> None:
        assert name == "Model-1-GGUF"
        added.append((reference, with_projector))
        states[reference] = "running"

    monkeypatch.setattr(downloads, "add", add)
    monkeypatch.setattr(downloads, "is_known", states.get)
    models.look_into()
    row = next(iter(models.page.repository.offers.rows.values()))
    QTest.mouseClick(row.fetch, Qt.MouseButton.LeftButton)
    assert added == [(f"{REPO}:Model-1-Q4_K_M.gguf", True)]
    assert row.fetch.text() == "Being fetched"
    states[row.offer.reference] = "done"
    downloads.changed.emit()
    assert row.fetch.text() == "Is here"
    states.clear()  # it has left the queue
    downloads.changed.emit()
    assert row.fetch.text() == "Is here"
    row.fetch.click()  # shows where it is now, and fetches nothing
    assert len(added) == 1
    assert models.browsing.room == "home"


def test_what_belongs_to_the_models_is_offered_by_itself(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        models.driven.desk.house.downloads,
        "add",
        lambda reference, *, name="", with_projector=True: added.append(
            (reference, with_projector)
        ),
    )
    view = demo_view()
    models.browser.views[view.repo] = view
    models.look_into(view.repo)
    beside = models.page.repository.offers.beside
    assert [row.beside.kind for row in beside] == ["projector", "draft", "lora"]
    beside[2].fetch.click()
    assert added == [(f"{view.repo}:letters-lora-F16.gguf", False)]
    rows = list(models.page.repository.offers.rows.values())
    assert "sees pictures" in rows[0].accessibleDescription()


def test_files_of_one_quantization_are_told_apart(models: Models) -> None:
    twins = (offer(REPO, "Q4_K_M", 5.0), replace(offer("maker/Other-GGUF", "Q4_K_M", 2.0)))
    models.browser.views[REPO] = repository(offers=twins)
    models.look_into()
    said = [row.accessibleDescription() for row in models.page.repository.offers.rows.values()]
    assert any("Model-1-Q4_K_M.gguf" in words for words in said)
    assert any("Other-Q4_K_M.gguf" in words for words in said)


def test_thousands_of_files_do_not_fill_the_window(models: Models) -> None:
    def many(number: int) -> FileOffer:
        group = FileGroup((HubFile(f"f{number}-Q4_0.gguf", number),), "Q4_0", "model")
        return FileOffer(group, "Q4_0", number, f"{REPO}:f{number}-Q4_0.gguf")

    models.browser.views[REPO] = repository(offers=tuple(many(n) for n in range(2_000)))
    models.browsing.open(REPO)
    models.until(lambda: models.browsing.opened.view is not None)
    offers = models.page.repository.offers
    assert len(offers.rows) == SHOWN_AT_FIRST
    offers.more.click()
    assert len(offers.rows) == SHOWN_AT_FIRST + SHOWN_MORE
    models.until(lambda: models.browsing.opened.phase == "known")


def test_nothing_in_it(models: Models) -> None:
    models.browser.views[REPO] = repository(offers=())
    models.look_into()
    assert "GGUF" in models.page.repository.state.text()


@pytest.mark.parametrize("kind", ["hub_gated", "hub_forbidden"])
def test_the_way_to_a_gated_model(models: Models, kind: str) -> None:
    models.browser.error = HubError(kind, repo=REPO)
    models.look_into()
    access = models.page.repository.access
    assert access.isVisible()
    assert access.form.field.isVisible()
    access.page.click()
    (box,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox)]
    assert box.informativeText() == f"https://huggingface.co/{REPO}"
    box.close()
    models.until(lambda: "keyring" in access.form.place.text())
    models.browser.error = None
    access.form.field.setText("hf_wrong")
    access.form.enter.click()
    models.until(lambda: access.form.problem.isVisible())
    access.form.field.setText("hf_good")
    access.form.enter.click()
    models.until(lambda: models.browsing.opened.phase == "known")  # asked again by itself
    assert models.account.tokens == ["hf_wrong", "hf_good"]
    assert not access.isVisible()


def test_only_the_steps_that_are_left(models: Models) -> None:
    models.account.now = AccountState(place="keyring", user="somebody")
    access = models.page.repository.access
    models.browser.error = HubError("hub_token_access", repo=REPO)
    models.look_into()
    models.until(lambda: "somebody" in access.form.words.text())
    assert [step.isVisible() for step in access.steps] == [True, False, False]
    models.browser.error = HubError("hub_waiting", repo=REPO)
    access.again.click()
    models.until(lambda: "decided" in access.headline.text())
    assert not any(step.isVisible() for step in access.steps)
    assert not access.form.isVisible()
    assert access.again.isVisible()


def test_a_gated_repository_whose_files_are_listed(models: Models) -> None:
    models.browser.views[REPO] = repository(gated="auto")
    models.look_into()
    assert models.page.repository.access.isVisible()
    assert models.page.repository.offers.rows


def test_who_has_access_is_not_asked_for_consent(models: Models) -> None:
    models.browser.views[REPO] = repository(gated="auto")
    models.look_into()
    opened, access = models.browsing.opened, models.page.repository.access
    assert access.isVisible()
    assert opened.view is not None
    first, *others = opened.view.offers
    opened.view = replace(opened.view, offers=(replace(first, basis="header"), *others))
    opened.offers_changed.emit()
    assert not access.isVisible()


def test_files_that_are_refused_say_so_once(models: Models) -> None:
    """Each of ten files used to repeat eight lines on terms."""
    models.browser.views[REPO] = repository(gated="manual")
    models.look_into()
    opened, page = models.browsing.opened, models.page.repository
    assert opened.view is not None
    waits = HubError("hub_waiting", repo=REPO)
    refused = tuple(
        replace(one, report=None, basis="", problem=waits) for one in opened.view.offers
    )
    opened.view = replace(opened.view, offers=refused)
    opened.offers_changed.emit()
    assert "decided" in page.access.headline.text()
    said = offer_words(refused[0], Messages("en"), judging=False)
    assert len(said.below) < 50 < len(said.tip)


def test_the_card_is_markdown_without_anything_remote(models: Models) -> None:
    models.look_into()
    repository_page = models.page.repository
    repository_page.to_card.click()
    (turn,) = repository_page.card.turns
    assert "A **small** model" in turn.text
    assert repository_page.card.isVisible()
    assert repository_page.card.verticalScrollBar().value() == 0
    repository_page.to_files.click()
    assert repository_page.files.isVisible()


def test_a_card_without_end_is_cut(models: Models) -> None:
    models.browser.views[REPO] = repository(card=ModelCard(markdown="A line of it.\n\n" * 40_000))
    models.look_into()
    models.page.repository.to_card.click()
    (turn,) = models.page.repository.card.turns
    assert len(turn.text) <= MOST_CHARS
    assert turn.text.endswith("it.\n\n")
    assert turn.notice


def test_without_a_card_there_is_no_leaf_for_it(models: Models) -> None:
    models.look_into()
    models.page.repository.to_card.click()
    models.browser.views["maker/Bare-GGUF"] = repository("maker/Bare-GGUF", card=ModelCard())
    models.look_into("maker/Bare-GGUF")
    assert not models.page.repository.to_card.isEnabled()
    assert models.page.repository.files.isVisible()


def test_what_strangers_write_fits_into_the_window(models: Models) -> None:
    long = "x" * 5_000
    strange = replace(offer(REPO, "Q4_K_M", 5.0), quantization=long)
    models.browser.views[REPO] = repository(
        offers=(strange,),
        licence=Licence("own", long[:60]),
        languages=(long[:200],) * 3,
        card=ModelCard(summary=long + " " + long, base_model=long),
    )
    models.look_into()
    models.until(lambda: models.browsing.opened.view is not None)
    files = models.page.repository.files
    body = files.widget()
    assert body is not None
    models.until(lambda: body.minimumSizeHint().width() <= files.viewport().width())


def test_more_of_the_author(models: Models) -> None:
    models.look_into()
    models.page.repository.author.click()
    models.until(lambda: models.browser.queries)
    assert models.browser.queries[-1][0].author == "maker"
    assert models.browsing.room == "results"
    assert models.page.search.author.isVisible()
    models.page.search.author.click()
    models.until(lambda: models.browser.queries[-1][0].author == "")


def test_a_recommended_one_leads_to_its_repository(models: Models) -> None:
    section = models.page.recommended
    models.until(lambda: section.cards)
    card = section.cards[0]
    card.fold.click()
    section.whole.click()
    assert models.browsing.room == "repository"
    models.until(lambda: models.browser.opened == [card.item.file.repo])
    models.browsing.back()
    models.until(models.page.home.isVisible)


def test_a_change_of_language_keeps_the_place(models: Models) -> None:
    models.look_into()
    models.driven.desk.session.change(language="de")
    models.until(lambda: models.driven.window.page("models") is not models.page)
    page = models.driven.window.page("models")
    assert models.browsing.room == "repository"
    assert len(page.repository.offers.rows) == 6  # type: ignore[attr-defined]
    assert models.browser.opened == [REPO]  # nothing was asked again


@pytest.mark.parametrize(
    ("quantization", "group"),
    [("Q4_K_M", "good"), ("UD-Q4_K_XL", "good"), ("i1-Q4_K_M", "good"), ("Q8_0", "full"),
     ("BF16", "full"), ("Q3_K_M", "poor"), ("IQ2_M", "poor"), ("MXFP4", "unknown"),
     ("", "unknown")],
)  # fmt: skip
def test_groups(quantization: str, group: str) -> None:
    assert group_of(replace(offer(REPO, "Q4_K_M", 1.0), quantization=quantization)) == group
