"""What is said of one file of a repository: how good, how large, how it does here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication

from desktop.common.messages import Messages
from desktop.common.wording import Language, format_bytes, format_memory
from desktop.fit.quality import GOOD_LOSS_NATS, quantization_loss
from desktop.services.offers import FileOffer
from desktop.ui.browse.words import CountedRepos
from desktop.ui.parts.text import Tone
from desktop.ui.words import page_time, report_words, tokens_per_s

Group = Literal["full", "good", "poor", "unknown"]

GROUPS: tuple[Group, ...] = ("good", "full", "poor", "unknown")
"""In the order in which they stand: what most people want comes first."""

FULL_NATS = 0.005
"""Q6_K and better: less than what two runs of the same test differ by."""


ACCESS_KINDS = frozenset(
    ("hub_gated", "hub_token_access", "hub_token_refused", "hub_waiting", "hub_forbidden")
)
"""Kinds of HubError that a consent, a token or patience may help against."""


@dataclass(frozen=True, slots=True)
class OfferWords:
    """`tag` with its tone says whether it fits, `below` how fast or why not, `number` exactly."""

    tag: str
    tone: Tone
    below: str
    tip: str = ""
    number: str = ""


def group_of(offer: FileOffer) -> Group:
    """How much of the model is left in the file, by what its kind of quantization usually loses."""
    loss = quantization_loss(offer.quantization.rpartition("-")[2])
    if loss is None:
        return "unknown"
    if loss <= FULL_NATS:
        return "full"
    return "good" if loss <= GOOD_LOSS_NATS else "poor"


def group_words(group: Group) -> tuple[str, str]:
    """Its heading, and a sentence below it."""
    match group:
        case "good":
            return (
                QCoreApplication.translate("Browse", "Good quality, moderate size"),
                QCoreApplication.translate(
                    "Browse", "Four to five bits a weight: what most people take."
                ),
            )
        case "full":
            return (
                QCoreApplication.translate("Browse", "As good as the original"),
                QCoreApplication.translate(
                    "Browse", "Six bits and more: larger and slower, hardly any better."
                ),
            )
        case "poor":
            return (
                QCoreApplication.translate("Browse", "Small, but noticeably poorer"),
                QCoreApplication.translate(
                    "Browse",
                    "Three bits and less: makes more mistakes. A smaller model in four bits is "
                    "usually the better choice.",
                ),
            )
    return (
        QCoreApplication.translate("Browse", "Other versions"),
        QCoreApplication.translate("Browse", "Nobody has measured how much these kinds lose."),
    )


def offer_words(offer: FileOffer, messages: Messages, *, judging: bool) -> OfferWords:
    """The verdict as far as it is known."""
    language = messages.language
    report = offer.report
    if report is None:
        if judging and offer.problem is None:
            looking = QCoreApplication.translate("Browse", "Looking …")
            return OfferWords(looking, "", "")
        tip = "" if offer.problem is None else messages.error(offer.problem)
        unknown = QCoreApplication.translate("Browse", "Cannot be judged")
        below = tip
        if offer.problem is not None and offer.problem.kind in ACCESS_KINDS:
            # The page says above the list what is to be done, once for all of them.
            below = QCoreApplication.translate("Browse", "only after consent to its terms")
        return OfferWords(unknown, "", below, tip)
    tag, tone = report_words(report)
    reason = messages.text(report.reason_key, **report.reason_params)
    if report.verdict == "too_large":
        needs = QCoreApplication.translate("Browse", "needs {bytes} of memory")
        words = needs.format(bytes=format_memory(report.total_bytes, language))
        return OfferWords(tag, tone, words, reason)
    speed = offer.tokens_per_s
    if not speed:
        return OfferWords(tag, tone, "", reason)
    words = page_time(speed, language)
    if offer.basis == "estimate":
        words = QCoreApplication.translate("Browse", "{words}, roughly").format(words=words)
    return OfferWords(tag, tone, words, reason, tokens_per_s(speed, language))


def size_words(offer: FileOffer, language: Language) -> str:
    """ "5.0 GB", "42.5 GB in 2 files", with what comes along."""
    if offer.download_bytes is None:
        return QCoreApplication.translate("Browse", "size not stated")
    words = format_bytes(offer.download_bytes, language)
    parts = len(offer.group.files)
    if parts > 1:
        words += " " + CountedRepos().parts(parts)
    return words
