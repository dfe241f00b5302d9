"""Offline or unreachable: what is the matter, what one can do, and the catalogue meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop.common.errors import HubError, NetworkError
from desktop.common.settings import Settings
from desktop.hub.search import SearchPage
from desktop.services.network_problem import NetworkProblem
from desktop.ui.browse.trouble import TroubleCard
from tests.ui.browse.conftest import Models
from tests.ui.browse.stand_ins import found
from tests.ui.conftest import Driven

Explained = dict[str, NetworkProblem]


def problem(kind: str, **values: object) -> NetworkProblem:
    made: dict[str, object] = {
        "kind": kind,
        "headline_key": "errors.offline_setting",
        "advice_key": "errors.offline_setting",
        "report": f"report of {kind}",
    }
    return NetworkProblem(**{**made, **values})  # type: ignore[arg-type]


def catalogue(error: NetworkError) -> dict[str | None, SearchPage]:
    return {None: SearchPage((found(1), found(2)), None, is_catalogue=True, problem=error)}


def test_the_catalogue_below_what_is_the_matter(models: Models, explained: Explained) -> None:
    explained["no_such_host"] = problem("name_resolution")
    models.browser.pages = catalogue(NetworkError("no_such_host", host="huggingface.co"))
    models.search()
    results = models.page.results
    assert results.trouble.isVisible()
    assert results.trouble.below.isVisible()
    assert results.rows.rowCount() == 2
    assert not results.again.isVisible()
    models.browser.pages = {None: SearchPage((found(3),))}
    QTest.mouseClick(results.trouble.again, Qt.MouseButton.LeftButton)
    models.until(lambda: results.rows.rowCount() == 1)
    assert not results.trouble.isVisible()


def test_without_rows_the_card_is_no_higher_than_its_words(
    models: Models, explained: Explained
) -> None:
    explained["no_such_host"] = problem("name_resolution")
    error = NetworkError("no_such_host", host="huggingface.co")
    models.browser.pages = {None: SearchPage((), None, is_catalogue=True, problem=error)}
    models.search()
    trouble = models.page.results.trouble
    models.until(trouble.isVisible)
    assert not trouble.below.isVisible()  # it spoke of a list that is not there
    models.until(lambda: trouble.height() <= trouble.heightForWidth(trouble.width()))


def test_the_keyboard_goes_to_the_search_when_the_card_goes(
    models: Models, explained: Explained
) -> None:
    explained["no_such_host"] = problem("name_resolution")
    models.browser.pages = catalogue(NetworkError("no_such_host", host="huggingface.co"))
    models.search()
    results = models.page.results
    results.trouble.again.setFocus()
    models.browser.pages = {None: SearchPage((found(3),))}
    QTest.keyClick(results.trouble.again, Qt.Key.Key_Space)
    models.until(lambda: results.rows.rowCount() == 1)
    assert models.page.search.field.hasFocus()


def test_text_for_the_it_department(models: Models, explained: Explained) -> None:
    explained["tls_untrusted"] = problem("certificate")
    models.browser.error = NetworkError("tls_untrusted", host="huggingface.co")
    models.search()
    trouble = models.page.results.trouble
    models.until(trouble.isVisible)
    trouble.copy.click()
    assert QGuiApplication.clipboard().text() == "report of certificate"
    assert "copied" in models.driven.window.toast.text


def test_go_online(open_window: Callable[..., Driven], explained: Explained) -> None:
    driven = open_window(settings=Settings(offline=True, seen_welcome=True))
    driven.window.show_place("models")
    browser = driven.services.browser
    explained["offline_setting"] = problem("offline")
    browser.pages = catalogue(NetworkError("offline_setting"))  # type: ignore[attr-defined]
    driven.desk.house.browsing.search()
    trouble: TroubleCard = driven.window.page("models").results.trouble  # type: ignore[attr-defined]
    driven.until(trouble.isVisible)
    assert trouble.online.isVisible()
    assert not trouble.again.isVisible()
    browser.pages = {None: SearchPage((found(1),))}  # type: ignore[attr-defined]
    trouble.online.click()
    driven.until(lambda: not trouble.isVisible())
    assert not driven.services.settings_store.is_offline()


def test_offline_by_the_environment_is_not_for_the_window_to_change(
    models: Models, explained: Explained, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = type(models.driven.services.network.policy)
    monkeypatch.setattr(policy, "forced_by", property(lambda _self: "HF_HUB_OFFLINE"))
    explained["offline_environment"] = problem("offline")
    models.browser.pages = catalogue(NetworkError("offline_environment", name="HF_HUB_OFFLINE"))
    models.search()
    trouble = models.page.results.trouble
    models.until(trouble.isVisible)
    assert not trouble.online.isVisible()
    assert not trouble.again.isVisible()


def test_counts_down_and_asks_again_once(models: Models, explained: Explained) -> None:
    explained["hub_busy"] = problem("rate_limit", retry_after_s=0.2)
    models.browser.error = HubError("hub_busy", wait_s=1)
    models.search()
    trouble = models.page.results.trouble
    models.until(trouble.isVisible)
    assert "1 second" in trouble.countdown.accessibleName()
    models.browser.error = None
    models.browser.pages = {None: SearchPage((found(1),))}
    models.until(lambda: models.page.results.rows.rowCount() == 1)
    assert len(models.browser.queries) == 2


def test_nothing_is_asked_again_where_nobody_looks(models: Models, explained: Explained) -> None:
    explained["hub_busy"] = problem("rate_limit", retry_after_s=0.1)
    models.browser.error = HubError("hub_busy", wait_s=1)
    models.search()
    models.until(models.page.results.trouble.isVisible)
    models.driven.window.show_place("chats")
    models.driven.bot.wait(300)
    assert len(models.browser.queries) == 1


def test_trust_what_the_system_trusts(models: Models, explained: Explained) -> None:
    explained["tls_untrusted"] = problem("certificate", can_use_system_certificates=True)
    models.browser.error = NetworkError("tls_untrusted", host="huggingface.co")
    models.search()
    trouble = models.page.results.trouble
    models.until(lambda: trouble.trust.isVisible())
    models.browser.error = None
    models.browser.pages = {None: SearchPage((found(1),))}
    trouble.trust.click()
    models.until(lambda: models.page.results.rows.rowCount() == 1)
    assert models.driven.services.settings_store.load().certificates == "system"


def test_a_repository_that_cannot_be_reached(models: Models, explained: Explained) -> None:
    explained["timed_out"] = problem("timeout")
    models.browser.error = NetworkError("timed_out", host="huggingface.co")
    models.look_into()
    trouble = models.page.repository.trouble
    models.until(trouble.isVisible)
    models.browser.error = None
    trouble.again.click()
    models.until(lambda: models.browsing.opened.phase == "known")
    assert not trouble.isVisible()


def test_a_sentence_of_the_hub_is_no_trouble_with_the_network(models: Models) -> None:
    models.browser.error = HubError("hub_no_repo", repo="maker/Model-1-GGUF")
    models.look_into()
    page = models.page.repository
    assert "maker/Model-1-GGUF" in page.state.text()
    assert not page.trouble.isVisible()
    assert page.again.isVisible()


def test_a_next_page_that_cannot_be_reached(models: Models, explained: Explained) -> None:
    explained["hub_down"] = problem("hub_down")
    models.browser.pages = {None: SearchPage(tuple(found(n) for n in range(40)), "2")}
    models.search()
    models.browser.error = HubError("hub_down", host="huggingface.co", status=500)
    models.browsing.finder.more()
    results = models.page.results
    models.until(lambda: models.browsing.finder.phase == "stuck")
    assert results.trouble.isVisible()
    assert not results.again.isVisible()
    assert results.rows.rowCount() == 40
    models.browser.error = None
    models.browser.pages["2"] = SearchPage((found(50),))
    results.trouble.again.click()
    models.until(lambda: results.rows.rowCount() == 41)
    assert not results.trouble.isVisible()


def test_the_text_for_it_can_be_read_first(models: Models, explained: Explained) -> None:
    explained["tls_untrusted"] = problem("certificate")
    models.browser.error = NetworkError("tls_untrusted", host="huggingface.co")
    models.search()
    trouble = models.page.results.trouble
    models.until(trouble.isVisible)
    assert not trouble.text.isVisible()
    trouble.fold.click()
    assert trouble.text.isVisible()
    assert trouble.text.toPlainText() == "report of certificate"
    trouble.fold.click()
    assert not trouble.text.isVisible()


def test_the_switch_at_the_rail_asks_again(
    open_window: Callable[..., Driven], explained: Explained
) -> None:
    driven = open_window(settings=Settings(offline=True, seen_welcome=True))
    driven.window.show_place("models")
    browser = driven.services.browser
    explained["offline_setting"] = problem("offline")
    browser.error = NetworkError("offline_setting")  # type: ignore[attr-defined]
    browsing = driven.desk.house.browsing
    browsing.open("maker/Model-1-GGUF")
    driven.until(lambda: browsing.opened.phase == "failed")
    browser.error = None  # type: ignore[attr-defined]
    driven.window.rail.offline.click()
    driven.until(lambda: browsing.opened.phase == "known")
