"""The place "Models" of a window whose Hub is scripted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest

from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages
from desktop.services.network import Network
from desktop.services.network_problem import NetworkProblem
from desktop.ui.browse.browsing import Browsing
from desktop.ui.models.page import ModelsPage
from desktop.ui.rail import MODELS
from tests.ui.browse.stand_ins import ScriptedAccount, ScriptedBrowser
from tests.ui.conftest import Driven


@dataclass
class Models:
    """The page with what stands behind it."""

    driven: Driven
    page: ModelsPage
    browser: ScriptedBrowser
    account: ScriptedAccount

    @property
    def browsing(self) -> Browsing:
        return self.driven.desk.house.browsing

    def until(self, condition: Callable[[], object]) -> None:
        self.driven.until(condition)

    def search(self) -> None:
        """Go to the results and wait for the first answer."""
        self.browsing.search()
        self.until(lambda: self.browsing.finder.phase in ("known", "failed"))

    def look_into(self, repo: str = "maker/Model-1-GGUF") -> None:
        """Open a repository and wait until all is known of it."""
        self.browsing.open(repo)
        self.until(lambda: self.browsing.opened.phase in ("known", "failed"))


@pytest.fixture
def models(driven: Driven) -> Models:
    """The place "Models", shown."""
    driven.window.show_place(MODELS)
    page = driven.window.page(MODELS)
    assert isinstance(page, ModelsPage)
    browser = cast("ScriptedBrowser", driven.services.browser)
    return Models(driven, page, browser, cast("ScriptedAccount", driven.services.account))


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> dict[str, NetworkProblem]:
    """Explanations by the error's kind, in the place of the real ones."""
    known: dict[str, NetworkProblem] = {}

    def explain(_network: Network, error: HausgeistError, _words: Messages) -> NetworkProblem:
        return known[error.kind]

    monkeypatch.setattr(Network, "explain", explain)
    return known
