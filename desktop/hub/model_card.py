"""A repository's README.md: what its maker says of the model, made safe to show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from desktop.common.errors import HubError, StorageError
from desktop.common.logs import get_logger
from desktop.hub.answer import Purpose
from desktop.hub.client import HubClient
from desktop.hub.front_matter import read_front_matter, split_front_matter, texts
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import HubFile, Listing
from desktop.hub.refs import is_repo_name
from desktop.hub.safe_markdown import safe_markdown

CARD = "hub_card"
CARD_FILE = "README.md"
MAX_CARD_BYTES = 1 << 20

_MOST_SUMMARY = 400
_MOST_PROMPT = 2_000
_IMAGES = re.compile(r"\*\(image: [^()\n]*\)\*")
_NO_SENTENCE = re.compile(r"[-+*]\s|[#>|=~]|```|\d+[.)]\s")
_SHORT_CODE = re.compile(r"[a-z]{2,3}")
# As cards write them: "temperature=0.7", "`Temperature`: 0.7", "TopP = 0.95", "min_p 0.01".
_SAMPLING = {
    "temperature": (re.compile(r"\btemp(?:erature)?\b", re.I), 0.01, 2.0),
    "top_p": (re.compile(r"\btop[-_ ]?p\b", re.I), 0.0, 1.0),
    "top_k": (re.compile(r"\btop[-_ ]?k\b", re.I), 0.0, 1000.0),
    "min_p": (re.compile(r"\bmin[-_ ]?p\b", re.I), 0.0, 1.0),
    "repeat_penalty": (re.compile(r"\brepe(?:at|tition)[-_ ]?penalty\b", re.I), 0.5, 2.0),
}
_NUMBER = re.compile(
    r"[`*\"' ]{0,6}(?:[=:]|of|to|is|at)?[`*\"' ]{0,6}(\d{1,4}(?:\.\d{1,4})?)(?![\w%])"
)

_ADVICE = re.compile(
    r"recommend|suggest|best practice|optimal|advis|official settings|for best|should use|empfehl|"
    r"empfohlen",
    re.IGNORECASE,
)
_NEAR_CHARACTERS = 500

_log = get_logger("hub")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`markdown` holds no HTML and no images; a link shows the host that it leads to.

    `summary` is its first plain paragraph. `base_model` names the repository that the model was
    made from. `gated_prompt`: what the owner asks before handing it out. `sampling`: what the card
    recommends, by llama.cpp's names (``temperature``, ``top_p``, ``top_k``, ``min_p``,
    ``repeat_penalty``).
    """

    summary: str = ""
    markdown: str = ""
    licence: str = ""
    licence_name: str = ""
    licence_link: str = ""
    languages: tuple[str, ...] = ()
    base_model: str = ""
    gated_prompt: str = ""
    sampling: Mapping[str, float] = field(default_factory=dict)


def fetch_card(
    client: HubClient,
    cache: HeaderCache,
    listing: Listing,
    *,
    ask: bool = True,
    is_cancelled: Callable[[], bool] | None = None,
) -> ModelCard | None:
    """The card at the listing's commit; None where the repository has none.

    Kept by commit: a second question makes no traffic. Without `ask`, only one that was kept.
    Raises NetworkError, HubError, CancelledError.
    """
    place = cache.header_path(listing, HubFile(CARD_FILE))
    try:
        kept = place.read_bytes()[:MAX_CARD_BYTES]
    except OSError:  # not there yet, mostly
        kept = None
    if kept is None and not ask:
        return None
    if kept is None:
        kept = _ask(client, listing, is_cancelled)
        try:
            cache.keep_header(listing, HubFile(CARD_FILE), kept)
        except StorageError as error:
            _log.warning("card not kept: %s", error)
    return read_card(kept.decode("utf-8", "replace")) if kept.strip() else None


def _ask(client: HubClient, listing: Listing, is_cancelled: Callable[[], bool] | None) -> bytes:
    """Empty where there is none."""
    url = client.file_url(listing.repo, listing.revision, CARD_FILE)
    try:
        answer = client.answer(
            url,
            Purpose(CARD, listing.repo),
            listing.repo,
            CARD_FILE,
            enough_bytes=MAX_CARD_BYTES,
            is_cancelled=is_cancelled,
        )
    except HubError as error:
        if error.kind != "hub_no_file":
            raise
        return b""
    return answer.body[:MAX_CARD_BYTES]


def read_card(text: str) -> ModelCard:
    """The card in `text`; what is missing or cannot be read is empty."""
    matter, body = split_front_matter(text)
    stated = read_front_matter(matter)

    def first(key: str, most: int = 200) -> str:
        return " ".join(next(iter(texts(stated.get(key))), "").split())[:most]

    markdown = safe_markdown(body)
    base_model = first("base_model")
    prompt = next(iter(texts(stated.get("extra_gated_prompt"))), "")
    codes = (code.strip().lower() for code in texts(stated.get("language")))
    return ModelCard(
        summary=_summary(markdown),
        markdown=markdown,
        licence=first("license").lower(),
        licence_name=first("license_name"),
        licence_link=first("license_link", 500),
        languages=tuple(dict.fromkeys(code for code in codes if _SHORT_CODE.fullmatch(code))),
        base_model=base_model if is_repo_name(base_model) else "",
        gated_prompt=safe_markdown(prompt)[:_MOST_PROMPT],
        sampling=sampling_in(markdown),
    )


def sampling_in(markdown: str) -> dict[str, float]:
    """The first value that the card recommends for each of the usual settings, where it can be one.

    A number in an example or a benchmark's table recommends nothing.
    """
    found: dict[str, float] = {}
    for name, (pattern, least, most) in _SAMPLING.items():
        for match in pattern.finditer(markdown):
            number = _NUMBER.match(markdown, match.end())
            before = markdown[max(0, match.start() - _NEAR_CHARACTERS) : match.start()]
            if number is None or _ADVICE.search(before) is None:
                continue
            if least <= float(number[1]) <= most:
                found[name] = float(number[1])
                break
    return found


def _summary(markdown: str) -> str:
    """The first paragraph of plain sentences: no heading, list, table, quotation or code."""
    for part in markdown.split("\n\n"):
        lines = _IMAGES.sub("", part).strip().splitlines()
        if not lines or _NO_SENTENCE.match(lines[0]):
            continue
        plain = re.sub(r"\[([^\[\]]*)\]\([^()\s]*\)", r"\1", " ".join(lines))
        plain = " ".join(re.sub(r"[*_`\\]", "", plain).split())
        if len(plain) >= 40 and " " in plain:
            return (
                plain
                if len(plain) <= _MOST_SUMMARY
                else plain[:_MOST_SUMMARY].rsplit(" ", 1)[0] + " …"
            )
    return ""
