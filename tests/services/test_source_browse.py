"""An organisation's models as rows of a search and as repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.errors import UsageError
from desktop.hub.search import SearchQuery
from desktop.services.offers import FileOffer
from desktop.services.source_browse import SourceBrowser
from tests.fit.machines import laptop
from tests.services.hub_family import MachineOf, Nothing
from tests.ui.browse.source_stand_ins import ScriptedSources, model


@pytest.fixture
def sources(tiny_model: Path) -> ScriptedSources:
    private = model("Private", licence="cc-by-nc-4.0", task="code")
    return ScriptedSources(tiny_model, (model("Office-8B"), private))


@pytest.fixture
def browser(sources: ScriptedSources) -> SourceBrowser:
    return SourceBrowser(sources, MachineOf(laptop()), Nothing(), Nothing())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (SearchQuery(), ["Office-8B", "Private"]),
        (SearchQuery("office"), ["Office-8B"]),
        (SearchQuery(task="code"), ["Private"]),
        (SearchQuery(language="fr"), []),
        (SearchQuery(licence="cc-by-nc-4.0"), ["Private"]),
        (SearchQuery(author="Intranet"), ["Office-8B", "Private"]),
        (SearchQuery(author="somebody"), []),
        (SearchQuery(max_bytes=1_000_000), []),
    ],
)
def test_searched(browser: SourceBrowser, query: SearchQuery, names: list[str]) -> None:
    assert [found.name for found in browser.search(query)] == names


def test_opened_and_judged(browser: SourceBrowser) -> None:
    view = browser.repository("source:ab12/Office-8B")
    (offer,) = view.offers
    assert offer.file_bytes == 5_000_000_000
    assert offer.download_bytes == 5_800_000_000  # with the part that sees
    told: list[FileOffer] = []
    judged = browser.judge(view, told.append, lambda: False)
    assert judged.offers == tuple(told)
    assert judged.offers[0].report is not None


def test_what_cannot_be_read_is_a_problem_of_its_offer(
    browser: SourceBrowser, sources: ScriptedSources
) -> None:
    sources.broken = True
    view = browser.repository("source:ab12/Office-8B")
    judged = browser.judge(view, lambda _offer: None, lambda: False)
    assert judged.offers[0].problem is not None
    assert judged.offers[0].report is None


def test_one_that_is_not_there(browser: SourceBrowser) -> None:
    with pytest.raises(UsageError) as caught:
        browser.repository("source:ab12/Gone")
    assert caught.value.kind == "no_source_model"
