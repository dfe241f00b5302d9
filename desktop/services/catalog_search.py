"""The built-in catalogue, searched as the Hub is: for whoever has no network."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from desktop.common.errors import HausgeistError
from desktop.hub.found import FoundRepo
from desktop.hub.listing import HubFile, Listing, group_files
from desktop.hub.search import SearchPage, SearchQuery, may_fit
from desktop.library.catalog import Catalog, CatalogFile, CatalogModel
from desktop.services.licences import OFFICE, may_be_used_at_work


def search_catalog(catalog: Catalog, query: SearchQuery, problem: HausgeistError) -> SearchPage:
    """All repositories of the catalogue that answer `query`, the newest models first."""
    found = [
        repo for model in catalog.models for repo in _repos(model) if _matches(model, repo, query)
    ]
    if query.sort in ("updated", "created", "trending"):
        found.sort(key=lambda repo: -(repo.created_at or 0.0))
    unique = {repo.repo: repo for repo in reversed(found)}
    return SearchPage(tuple(reversed(unique.values())), is_catalogue=True, problem=problem)


def catalog_model_of(catalog: Catalog, repo: str) -> CatalogModel | None:
    """The model whose files lie in `repo`."""
    return next((m for m in catalog.models if any(f.repo == repo for f in m.files)), None)


def catalog_repo(catalog: Catalog, repo: str) -> FoundRepo | None:
    """What the catalogue knows of `repo`; None where it knows nothing."""
    model = catalog_model_of(catalog, repo)
    return None if model is None else _found(model, repo)


def catalog_listing(catalog: Catalog, repo: str) -> Listing:
    """Its files as the catalogue knows them; without any where it does not know the repository."""
    files: dict[str, CatalogFile] = {}
    for model in catalog.models:
        for file in (*model.files, *model.projectors):
            if file.repo == repo:
                files[file.name] = file
    groups = group_files(
        HubFile(file.name, file.file_bytes, file.sha256) for file in files.values()
    )
    return Listing(repo, "", groups, any(file.gated for file in files.values()))


def _repos(model: CatalogModel) -> Iterable[FoundRepo]:
    for repo in dict.fromkeys(file.repo for file in model.files):
        yield _found(model, repo)


def _found(model: CatalogModel, repo: str) -> FoundRepo:
    author, _, name = repo.partition("/")
    released = None
    if model.released is not None:
        released = datetime.fromisoformat(f"{model.released}T00:00:00+00:00").timestamp()
    return FoundRepo(
        repo=repo,
        author=author,
        name=name,
        created_at=released,
        task=model.tasks[0] if model.tasks else None,
        licence_id=model.licence.id,
        languages=model.languages.codes if model.languages else (),
        gated="auto" if any(f.gated for f in model.files if f.repo == repo) else "",
        parameters=model.parameters or None,
        architecture=model.blueprint.architecture if model.blueprint else "",
        context_tokens=model.context_tokens,
        tags=(model.name, model.base_model, *model.tasks),
    )


def _matches(model: CatalogModel, repo: FoundRepo, query: SearchQuery) -> bool:
    words = query.text.casefold().split()
    text = f"{repo.repo} {model.name} {model.base_model}".casefold()
    if not all(word in text for word in words):
        return False
    if query.author and query.author.strip().casefold() != repo.author.casefold():
        return False
    if query.task is not None and query.task not in model.tasks:
        return False
    if query.language and not _speaks(model, query.language):
        return False
    if query.licence == OFFICE:
        return may_be_used_at_work(model.licence) and may_fit(repo, query.max_bytes)
    if query.licence and query.licence != model.licence.id:
        return False
    smallest = min(f.file_bytes for f in model.files)
    return query.max_bytes is None or smallest <= query.max_bytes


def _speaks(model: CatalogModel, language: str) -> bool:
    if language == "de" and model.german is not None:
        return model.german
    if model.languages is None:
        return False
    return language in model.languages.codes or (language == "en" and not model.languages.codes)
