"""What the catalogue says of a model, in words for a person."""

from __future__ import annotations

from desktop.common.messages import Messages
from desktop.common.wording import format_day
from desktop.library.catalog import CatalogModel, Languages, Licence

_NAMED = frozenset(
    ("ar", "cs", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "zh")
)


def licence_words(licence: Licence, messages: Messages) -> str:
    """ "Apache 2.0: office use yes"."""
    if not licence.id:
        return messages.text("licence.none")
    if not licence.name:
        return messages.text("licence.own")
    office = messages.text(f"licence.office.{licence.office}")
    return messages.text("licence.words", name=licence.name, office=office)


def licence_explained(licence: Licence, messages: Messages) -> str:
    """What may be done with the model, in a sentence or two."""
    return messages.text(f"licence.about.{licence.about}")


def languages_words(languages: Languages | None, messages: Messages, most: int = 20) -> str:
    """ "German, English, French", "over 140 languages", or that nobody says.

    At most `most` are named, the reader's own and English first.
    """
    if languages is None:
        return messages.text("languages.not_stated")
    if languages.codes:
        codes = sorted(languages.codes, key=lambda code: (code != messages.language, code != "en"))
        names = ", ".join(_language(code, messages) for code in codes[:most])
        left = len(codes) - most
        return names if left <= 0 else messages.text("languages.named", names=names, count=left)
    if languages.word:
        return messages.text(f"languages.{languages.word}", count=languages.count)
    return messages.text("languages.count", count=languages.count)


def _language(code: str, messages: Messages) -> str:
    return messages.text(f"language.{code}") if code in _NAMED else code


def released_words(model: CatalogModel, messages: Messages) -> str:
    """ "1 April 2026", "1 April 2026 or later", or that nobody says."""
    if model.released is None:
        return messages.text("released.not_stated")
    key = "released.on" if model.released_exact else "released.not_before"
    return messages.text(key, day=format_day(model.released, messages.language))
