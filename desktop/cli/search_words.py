"""A search's answer: as the document that scripts read, and as lines at the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from desktop.cli.arguments import columns
from desktop.cli.front import Front
from desktop.common.messages import format_bytes
from desktop.common.wording import format_day
from desktop.hub.search import FoundRepo
from desktop.library.catalog import Languages
from desktop.services.catalog_words import languages_words
from desktop.services.offers import FileOffer, RepositoryView


def as_found(view: RepositoryView) -> FoundRepo:
    """An opened repository as a search would list it."""
    author, _, name = view.repo.partition("/")
    return view.found or FoundRepo(view.repo, author, name, gated=view.gated)


def document(
    repo: FoundRepo, view: RepositoryView | None, *, of_catalogue: bool = False
) -> Mapping[str, object]:
    """One entry of the answer; its files where they were asked for. `source` tells a script whom
    it has from: the Hub, the built-in catalogue because the Hub did not answer."""
    found: dict[str, object] = {
        "repo": repo.repo,
        "author": repo.author,
        "name": repo.name,
        "downloads": repo.downloads,
        "likes": repo.likes,
        "updated": _day(repo.updated_at),
        "created": _day(repo.created_at),
        "licence": repo.licence_id or None,
        "gated": repo.gated or False,
        "parameters": repo.parameters,
        "architecture": repo.architecture or None,
        "context": repo.context_tokens,
        "languages": list(repo.languages),
        "task": repo.task,
        "source": "catalogue" if of_catalogue else "hub",
    }
    if view is not None:
        found["abilities"] = list(view.abilities)
        found["commit"] = view.listing.commit or None
        found["files"] = [_file(offer) for offer in view.offers]
        for kind in ("projectors", "drafts", "loras"):
            found[kind] = [item.reference for item in getattr(view, kind)]
    return found


def _file(offer: FileOffer) -> Mapping[str, object]:
    speed = offer.tokens_per_s
    return {
        "file": offer.group.path,
        "files": [file.path for file in offer.group.files],
        "reference": offer.reference,
        "quantization": offer.quantization,
        "file_bytes": offer.file_bytes,
        "verdict": offer.verdict,
        "tokens_per_s": None if speed is None else round(speed, 2),
        "basis": offer.basis or None,
        "recommended": offer.is_recommended,
        "here": offer.is_here,
        "problem": offer.problem.kind if offer.problem else None,
    }


def _day(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def say(repo: FoundRepo, view: RepositoryView | None, licence: str, front: Front) -> None:
    """For a person; `licence` in words."""
    front.say(repo.repo)
    for line in columns(list(_rows(repo, licence, front))):
        front.say(line)
    if view is not None:
        for offer in view.offers:
            front.say("  " + _offer_line(offer, front))
    front.say()


def _rows(repo: FoundRepo, licence: str, front: Front) -> Iterator[tuple[str, str]]:
    language = front.messages.language
    facts = []
    if repo.parameters:
        facts.append(front.text("cli.search.parameters", billions=repo.parameters / 1e9))
    if repo.downloads is not None:
        facts.append(front.text("cli.search.downloads", count=repo.downloads))
    if repo.likes is not None:
        facts.append(front.text("cli.search.likes", count=repo.likes))
    if facts:
        yield front.text("cli.search.facts"), ", ".join(facts)
    yield front.text("cli.recommend.licence"), licence
    if repo.languages:
        words = languages_words(Languages(repo.languages), front.messages, most=6)
        yield front.text("cli.recommend.languages"), words
    if repo.updated_at is not None:
        day = datetime.fromtimestamp(repo.updated_at, UTC).date().isoformat()
        yield front.text("cli.search.updated"), format_day(day, language)
    if repo.gated:
        yield front.text("cli.search.access"), front.text(f"cli.search.gated_{repo.gated}")


def _offer_line(offer: FileOffer, front: Front) -> str:
    language = front.messages.language
    mark = "*" if offer.is_recommended else " "
    size = "?" if offer.file_bytes is None else format_bytes(offer.file_bytes, language)
    if offer.problem is not None and offer.report is None:
        verdict = front.messages.error(offer.problem)
    elif offer.verdict is None:
        verdict = ""
    else:
        verdict = front.text(f"cli.list.{offer.verdict}")
        if offer.page_s is not None:
            verdict += ", " + front.text("cli.search.page", page_s=offer.page_s)
    return f"{mark} {offer.quantization or offer.group.path:<10} {size:>8}  {verdict}".rstrip()
