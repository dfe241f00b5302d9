"""`hausgeist search TEXT`: find models on the Hub, and which of their files suit this computer."""

from __future__ import annotations

import re
from argparse import Namespace
from types import MappingProxyType
from typing import cast

from desktop.cli.arguments import Arguments, one_of, text, whole
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.progress import StatusLine
from desktop.cli.search_sources import models_of_sources, say_source, source_document
from desktop.cli.search_words import as_found, document, say
from desktop.common.errors import HausgeistError, HubError, NetworkError, UsageError
from desktop.hub.refs import is_repo_name
from desktop.hub.search import SORTS, FoundRepo, SearchQuery, Sort
from desktop.library.catalog import TASKS
from desktop.services.browse import Browser, browser_of
from desktop.services.catalog_words import licence_words
from desktop.services.core import Core
from desktop.services.licences import OFFICE, licence_of
from desktop.services.network_problem import explain
from desktop.services.offers import RepositoryView

DEFAULT_LIMIT = 20
_MOST = 200
_BARREN_PAGES = 3  # that brought nothing new, one after the other: a host may lead in a circle
_NOT_FOR_IT = ("offline", "rate_limit", "hub_down", "portal", "clock")
_SIZE = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*(?:([kmgt])i?b?)?", re.IGNORECASE)
_UNITS = MappingProxyType({"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12})


def configure(arguments: Arguments) -> None:
    arguments.positional("TEXT", many=True, optional=True)
    arguments.option("--author", value="NAME", kind=text)
    arguments.option("--task", value="|".join(TASKS), kind=one_of(*TASKS))
    arguments.option("--language", value="CODE", kind=text, help_key="cli.option.search_language")
    arguments.option("--licence", value=f"{OFFICE}|ID", kind=text)
    arguments.option("--max-size", value="GB", kind=_size)
    arguments.option("--sort", value="ORDER", kind=one_of(*SORTS), default="trending")
    arguments.option("--limit", value="N", kind=whole(1, _MOST))
    arguments.switch("--files")
    arguments.switch("--explain")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    query = _query(given)
    if not _asks_anything(query) and not given.explain:
        raise UsageError("missing_argument", command="search", argument="TEXT")
    limit = given.limit or DEFAULT_LIMIT
    with open_house(front) as core, StatusLine(front) as status:
        status.show(front.text("cli.search.looking"))
        search = _Search(core, front, status, explains=given.explain)
        view = search.opened(query.text) if is_repo_name(query.text) else None
        views = {} if view is None else {view.repo: view}
        ours = () if view is not None else models_of_sources(core, query)
        if view is not None:
            repos: tuple[FoundRepo, ...] = (as_found(view),)
        else:
            repos = search.found(query, limit, may_be_none=bool(ours))
        if given.files:
            views |= search.opened_all([repo for repo in repos if repo.repo not in views])
        judged = {name: search.judged(view) for name, view in views.items()}
        catalog = core.network.catalog.catalog()
    known = [(repo, judged.get(repo.repo)) for repo in repos]
    if given.explain and not search.has_told:
        front.note(front.text("cli.search.reached"))
    if front.as_json:
        entries = [source_document(model) for model in ours]
        front.document(
            entries
            + [
                document(repo, view, of_catalogue=repo.repo in search.of_catalogue)
                for repo, view in known
            ]
        )
        return 0
    for model in ours:
        say_source(model, front)
    if not known and not ours:
        front.say(front.text("cli.search.nothing"))
    for repo, view in known:
        licence = view.licence if view else licence_of(repo.licence_id, catalog)
        say(repo, view, licence_words(licence, front.messages), front)
    return 0


def _query(given: Namespace) -> SearchQuery:
    return SearchQuery(
        text=" ".join(given.text).strip(),
        author=given.author or "",
        task=given.task,
        language=(given.language or "").lower(),
        licence=(given.licence or "").lower(),
        max_bytes=given.max_size,
        sort=cast(Sort, given.sort),
    )


def _size(flag: str, given: str) -> int:
    """ "4", "4.5GB", "800 MB" in bytes; a number alone is in GB. Raises UsageError."""
    match = _SIZE.fullmatch(given.strip())
    unit = 10**9 if match is None else _UNITS[(match[2] or "g").lower()]
    found = 0 if match is None else round(float(match[1].replace(",", ".")) * unit)
    if not 0 < found < 1 << 50:
        raise UsageError("not_a_size", option=flag, value=given)
    return found


def _asks_anything(query: SearchQuery) -> bool:
    return query != SearchQuery()


class _Search:
    """What is asked of the Hub for one command; a failure on the way is told once."""

    def __init__(self, core: Core, front: Front, status: StatusLine, *, explains: bool) -> None:
        self._browser: Browser = browser_of(core)
        self._network = core.network
        self._front = front
        self._status = status
        self._explains = explains
        self.has_told = False
        self.of_catalogue: set[str] = set()  # what is known without the Hub, by name
        self._unreachable: NetworkError | None = None

    def found(self, query: SearchQuery, limit: int, *, may_be_none: bool) -> tuple[FoundRepo, ...]:
        """As many as wanted; the catalogue's where the Hub cannot be reached.

        Raises what kept the Hub from answering where the catalogue knows nothing either, unless
        there `may_be_none`.
        """
        found: dict[str, FoundRepo] = {}
        cursor: str | None = None
        barren = 0
        while len(found) < limit:
            if self._unreachable is not None:  # found out a moment ago, and it may have taken 15 s
                page = self._browser.in_catalogue(query, self._unreachable)
            else:
                page = self._browser.search(query, cursor)
            if page.problem is not None:
                self._tell(page.problem)
                if not page.repos and not may_be_none:
                    raise page.problem
            new = {repo.repo: repo for repo in page.repos if repo.repo not in found}
            found |= new
            if page.is_catalogue:
                self.of_catalogue |= new.keys()
            barren = 0 if new else barren + 1
            cursor = page.next
            if cursor is None or barren == _BARREN_PAGES:
                break
        return tuple(found.values())[:limit]

    def opened(self, name: str) -> RepositoryView | None:
        """The repository of that name; None where there is none, so that it is searched for."""
        try:
            view = self._browser.repository(name, with_card=False)
        except HausgeistError as error:
            if error.kind not in ("hub_no_repo", "hub_no_gguf"):
                self._tell(error)
                if isinstance(error, NetworkError) and not isinstance(error, HubError):
                    self._unreachable = error
            return None
        if view.problem is not None:
            self._tell(view.problem)
        if view.is_catalogue:
            self.of_catalogue.add(view.repo)
        return view

    def opened_all(self, repos: list[FoundRepo]) -> dict[str, RepositoryView]:
        views = {}
        for repo in repos:
            self._status.show(self._front.text("cli.search.opening", repo=repo.repo))
            view = self.opened(repo.repo)
            if view is not None:
                views[repo.repo] = view
        return views

    def judged(self, view: RepositoryView) -> RepositoryView:
        self._status.show(self._front.text("cli.search.judging", repo=view.repo))
        return self._browser.judge(view, lambda _offer: None, lambda: False)

    def _tell(self, problem: HausgeistError) -> None:
        if self.has_told:
            return
        self.has_told = True
        self._status.clear()
        front = self._front
        if self._explains:
            explained = self._network.explain(problem, front.messages)
        else:
            explained = explain(problem, self._network.policy, front.messages)
        front.note(front.text(explained.headline_key, **explained.params) + ".")
        front.note(front.text(explained.advice_key, **explained.params))
        if self._explains:
            front.note("")
            front.note(explained.report)
        elif explained.kind not in _NOT_FOR_IT:
            front.note(front.text("cli.search.explain_hint"))
        front.note(front.text("cli.search.catalogue"))
