"""Searching: typed and picked, page by page, nothing stale, nothing twice."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest

from desktop.common.errors import HubError
from desktop.hub.search import SearchPage, SearchQuery
from desktop.ui.browse.finder import MOST_BARREN_PAGES
from desktop.ui.browse.result_rows import ResultRows
from tests.ui.browse.conftest import Models
from tests.ui.browse.stand_ins import found


def names(models: Models) -> list[str]:
    rows = models.page.results.rows
    return [str(rows.index(row).data()) for row in range(rows.rowCount())]


def pages_of(count: int, size: int = 30) -> dict[str | None, SearchPage]:
    """`count` pages, each naming the next."""
    made: dict[str | None, SearchPage] = {}
    for number in range(count):
        repos = tuple(found(n) for n in range(number * size, (number + 1) * size))
        following = str(number + 1) if number + 1 < count else None
        made[str(number) if number else None] = SearchPage(repos, following)
    return made


def test_home_asks_nobody(models: Models) -> None:
    assert models.browsing.room == "home"
    assert models.browser.queries == []
    assert not models.page.search.pills.isVisible()


def test_typing_is_asked_for_once(models: Models) -> None:
    models.browser.answer = lambda query, _cursor: SearchPage((found(1, name=query.text),))
    models.page.search.field.setFocus()
    QTest.keyClicks(models.page.search.field, "qwen coder")
    models.until(lambda: names(models) == ["qwen coder"])
    assert [query.text for query, _ in models.browser.queries if query.text] == ["qwen coder"]
    assert models.browsing.room == "results"
    assert models.page.search.field.hasFocus()


def test_enter_asks_at_once_and_goes_to_the_list(models: Models) -> None:
    models.browser.pages = pages_of(1)
    field = models.page.search.field
    field.setFocus()
    QTest.keyClicks(field, "x")
    QTest.keyClick(field, Qt.Key.Key_Return)
    models.until(lambda: names(models))
    QTest.keyClick(field, Qt.Key.Key_Down)
    assert models.page.results.list.hasFocus()
    assert models.page.results.list.currentIndex().row() == 0


@pytest.mark.parametrize(
    "address",
    ["maker/Model-3-GGUF:Q4_K_M", "hf.co/maker/Model-3-GGUF", "maker/Model-3-GGUF"],
)
def test_an_address_is_opened(models: Models, address: str) -> None:
    field = models.page.search.field
    field.setFocus()
    QTest.keyClicks(field, address)
    QTest.keyClick(field, Qt.Key.Key_Return)
    models.until(lambda: models.browsing.room == "repository")
    models.until(lambda: models.browser.opened == [address])
    assert models.browser.queries == []


def test_a_late_answer_to_an_older_question_is_dropped(models: Models) -> None:
    gates = {"old": threading.Event(), "new": threading.Event()}

    def answer(query: SearchQuery, _cursor: str | None) -> SearchPage:
        gates[query.text].wait(5)
        return SearchPage((found(1, name=query.text),))

    models.browser.answer = answer
    finder = models.browsing.finder
    finder.change(SearchQuery("old"))
    finder.change(SearchQuery("new"))
    gates["new"].set()  # it does not wait behind the other one
    models.until(lambda: names(models) == ["new"])
    gates["old"].set()
    models.driven.bot.wait(50)
    assert names(models) == ["new"]


def test_the_next_page_comes_while_one_scrolls(models: Models) -> None:
    models.browser.pages = pages_of(4)
    models.search()
    shown = models.page.results.list
    models.until(lambda: models.browsing.finder.phase == "known" and names(models))
    before = len(names(models))
    assert before < 120
    shown.scrollToBottom()
    models.until(lambda: len(names(models)) > before)
    for _ in range(4):
        models.until(lambda: models.browsing.finder.phase == "known")
        shown.scrollToBottom()
    models.until(lambda: len(names(models)) == 120)
    assert [cursor for _, cursor in models.browser.queries] == [None, "1", "2", "3"]
    assert not models.browsing.finder.has_more


def test_what_moved_to_a_later_page_is_shown_once(models: Models) -> None:
    twice = (found(1), found(2))
    models.browser.pages = {None: SearchPage(twice, "2"), "2": SearchPage((found(2), found(3)))}
    models.search()
    models.until(lambda: len(names(models)) == 3)


def test_a_page_that_fails_keeps_the_rows(models: Models) -> None:
    pages = pages_of(2)

    def answer(_query: SearchQuery, cursor: str | None) -> SearchPage:
        if cursor is not None and models.browser.error is None:
            raise HubError("hub_no_repo", repo="x")
        return pages[cursor]

    models.browser.answer = answer
    models.search()
    models.browsing.finder.more()
    models.until(lambda: models.browsing.finder.phase == "stuck")
    assert len(names(models)) == 30
    assert models.page.results.again.isVisible()
    models.browser.answer = lambda _query, cursor: pages[cursor]
    models.page.results.again.click()
    models.until(lambda: len(names(models)) == 60)
    assert not models.page.results.again.isVisible()


def test_picks_ask_anew(models: Models) -> None:
    models.search()
    bar = models.page.search
    bar.task.pick("code")
    bar.language.pick("de")
    bar.licence.pick("mit")
    bar.sort.pick("likes")
    models.until(lambda: models.browser.queries[-1][0].sort == "likes")
    asked = models.browser.queries[-1][0]
    assert (asked.task, asked.language, asked.licence) == ("code", "de", "mit")


def test_fits_this_computer(models: Models) -> None:
    models.until(lambda: models.driven.desk.house.shelf.machine is not None)
    models.search()
    models.page.search.fits.click()
    models.until(lambda: models.browser.queries[-1][0].max_bytes is not None)
    limit = models.browser.queries[-1][0].max_bytes
    assert limit is not None
    assert 2**32 < limit < 16 * 2**30
    models.page.search.fits.click()
    models.until(lambda: models.browser.queries[-1][0].max_bytes is None)


def test_only_for_office_use(models: Models) -> None:
    models.search()
    models.page.search.licence.pick("office")
    models.until(lambda: models.browser.queries[-1][0].licence == "office")


def test_pages_without_anything_new_come_to_an_end(models: Models) -> None:
    models.browser.answer = lambda _query, _cursor: SearchPage((found(1),), "again")
    models.search()
    models.until(lambda: not models.browsing.finder.has_more)
    assert len(models.browser.queries) == 1 + MOST_BARREN_PAGES
    assert len(names(models)) == 1


def test_browse_all_forgets_what_was_looked_for(models: Models) -> None:
    models.browsing.finder.change(SearchQuery("qwen", author="maker"))
    models.browsing.search()
    QTest.keyClick(models.page, Qt.Key.Key_Escape)
    assert models.page.search.field.text() == ""
    models.page.search.browse.click()
    models.until(lambda: models.browser.queries[-1][0] == SearchQuery())


def test_nothing_found_says_what_to_try(models: Models) -> None:
    models.search()
    models.until(lambda: models.page.results.state.isVisible())
    assert "Nothing found" in models.page.results.state.text()


def test_filters_that_leave_nothing_can_be_taken_away_at_once(models: Models) -> None:
    narrow = SearchQuery("qwen", author="maker", task="vision", licence="mit")
    models.browser.answer = lambda query, _cursor: SearchPage(
        () if query.licence else (found(1),), None
    )
    models.browsing.finder.change(narrow)
    models.browsing.search()
    models.until(lambda: models.page.results.unfiltered.isVisible())
    models.page.results.unfiltered.setFocus()
    QTest.keyClick(models.page.results.unfiltered, Qt.Key.Key_Space)
    models.until(lambda: names(models))
    assert models.browser.queries[-1][0] == SearchQuery("qwen")
    assert models.page.search.licence.value == ""
    assert models.page.search.task.value is None
    assert not models.page.search.author.isVisible()
    assert not models.page.results.unfiltered.isVisible()


def test_leaving_calls_off_what_is_under_way(models: Models) -> None:
    models.browser.gate = threading.Event()
    models.browsing.search()
    models.until(lambda: models.browser.queries)
    QTest.keyClick(models.page, Qt.Key.Key_Escape)
    models.until(lambda: models.browser.cancelled)
    assert models.browsing.room == "home"
    models.browser.gate.set()
    models.browsing.search()  # and coming back asks again
    models.until(lambda: models.browsing.finder.phase == "known")


def test_ctrl_f_searches_where_one_is(models: Models) -> None:
    models.look_into()
    QTest.keyClick(models.driven.window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert models.browsing.room == "home"
    assert models.page.search.field.hasFocus()
    assert models.driven.window.place == "models"


def test_escape_leads_back_also_while_an_answer_is_written(models: Models) -> None:
    window = models.driven.window
    window.show_place("chats")
    window.chats.composer.set_text("Hello")
    window.chats.composer.send.click()
    models.driven.asked(1)
    window.show_place("models")
    models.look_into()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert models.browsing.room == "home"
    assert models.driven.desk.house.conversation.running() is not None
    QTest.keyClick(window, Qt.Key.Key_Escape)
    models.until(lambda: models.driven.desk.house.conversation.running() is None)


def test_how_many_were_found_is_told(models: Models) -> None:
    models.browser.pages = {None: SearchPage((found(1), found(2)))}
    models.search()
    models.until(lambda: models.page.results.list.accessibleName() == "2 models")


def test_the_window_closes_while_the_hub_is_silent(models: Models) -> None:
    models.browser.gate = threading.Event()
    models.browsing.search()
    models.until(lambda: models.browser.queries)
    models.driven.window.close()
    models.driven.desk.close()
    assert models.browser.cancelled == ["search "]


def test_rows_are_a_proper_model(models: Models) -> None:
    models.browser.pages = pages_of(2)
    rows = ResultRows(models.browsing.finder, models.driven.services.messages, lambda: None)
    tester = QAbstractItemModelTester(rows, QAbstractItemModelTester.FailureReportingMode.Warning)
    assert tester.model() is rows
    models.search()
    models.browsing.finder.more()
    models.until(lambda: rows.rowCount() == 60)
    models.browsing.finder.change(SearchQuery("other"))
    models.until(lambda: models.browsing.finder.phase == "known")


def test_a_screen_reader_hears_it_all(models: Models) -> None:
    models.browser.pages = {None: SearchPage((found(1, gated="manual"),))}
    models.until(lambda: models.driven.desk.house.shelf.machine is not None)
    models.search()
    said = models.page.results.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    for part in ("Model-1-GGUF", "maker", "Should fit", "consent", "8.2 billion", "Apache 2.0"):
        assert part in str(said)


def test_hostile_figures_are_shown_or_left_out(models: Models) -> None:
    strange = found(1, updated_at=1e300, downloads=10**18, likes=-5, parameters=10**15, name="")
    later = replace(strange, repo="a/b", updated_at=float("nan"), languages=("x" * 5000,))
    models.browser.pages = {None: SearchPage((strange, later))}
    models.search()
    models.until(lambda: len(names(models)) == 2)
    models.page.results.grab()
