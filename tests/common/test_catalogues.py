"""Whatever the house raises or shows has its sentence in both languages, with all its fields."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.common import errors
from desktop.common.errors import HausgeistError
from desktop.common.messages import LANGUAGES, Language, Messages
from desktop.common.resources import read_text

_DESKTOP = Path(__file__).resolve().parents[2] / "desktop"

# Kinds that code puts together instead of writing them down, where a reader will not find them.
_COMPOSED = {
    f"{name}_{state}": frozenset({"path", "kept_as", "rescued", "stand_in"})
    for name in ("chats", "library")
    for state in ("damaged", "locked", "newer")
}


@dataclass(frozen=True)
class Use:
    """One place in the source that needs a sentence; `params` None where they are not literal."""

    key: str
    params: frozenset[str] | None
    place: str


def _catalogue(language: Language) -> dict[str, str]:
    sentences: dict[str, str] = json.loads(read_text(f"messages/{language}.json"))
    return sentences


def _fields(sentence: str) -> set[str]:
    """What must be passed; {kind} is there for every error."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(_DESKTOP.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _error_classes() -> dict[str, type[HausgeistError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, HausgeistError)
    }


def _literals(node: ast.expr) -> list[str]:
    """The texts that an expression can only be: a literal, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _literals(node.body) + _literals(node.orelse)
    return []


def _named(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _keywords(call: ast.Call) -> frozenset[str] | None:
    names = [keyword.arg for keyword in call.keywords]
    return None if None in names else frozenset(name for name in names if name)


def _error_uses() -> list[Use]:
    classes = _error_classes()
    found = [Use(f"errors.{kind}", fields, "composed") for kind, fields in _COMPOSED.items()]
    for path, tree in _sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or _named(node) not in classes:
                continue
            kinds = [classes[_named(node)].default_kind]
            if node.args:
                kinds = _literals(node.args[0])
            place = f"{path.relative_to(_DESKTOP)}:{node.lineno}"
            found.extend(Use(f"errors.{kind}", _keywords(node), place) for kind in kinds)
    return found


def _text_uses() -> list[Use]:
    """Calls such as messages.text("cli.fit.looking", name=...), of any object."""
    places = {key.split(".")[0] for key in _catalogue("en")}
    found: list[Use] = []
    for path, tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _named(node) == "text" and node.args:
                for key in _literals(node.args[0]):
                    if key.split(".")[0] in places and "." in key:
                        place = f"{path.relative_to(_DESKTOP)}:{node.lineno}"
                        found.append(Use(key, _keywords(node), place))
    return found


def test_the_reader_of_sources_finds_what_there_is() -> None:
    uses = _error_uses()
    assert any(use.key == "errors.not_enough_space" and use.params for use in uses)
    assert len({use.key for use in uses}) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_that_is_raised_has_its_sentence(language: Language) -> None:
    sentences = _catalogue(language)
    missing = sorted(
        f"{use.key} ({use.place})" for use in _error_uses() if use.key not in sentences
    )
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_is_shown_has_its_sentence(language: Language) -> None:
    sentences = _catalogue(language)
    missing = sorted(f"{use.key} ({use.place})" for use in _text_uses() if use.key not in sentences)
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_passes_what_the_sentence_needs(language: Language) -> None:
    sentences = _catalogue(language)
    lacking: list[str] = []
    for use in _error_uses() + _text_uses():
        if use.params is not None:
            lack = _fields(sentences.get(use.key, "")) - {"kind"} - use.params
            lacking += [f"{use.key} ({use.place}) lacks {field}" for field in sorted(lack)]
    assert not lacking, "\n".join(lacking)


def test_both_languages_say_the_same_things_with_the_same_fields() -> None:
    german, english = _catalogue("de"), _catalogue("en")
    assert german.keys() == english.keys()
    different = [key for key in german if _fields(german[key]) != _fields(english[key])]
    assert different == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_written(language: Language) -> None:
    messages = Messages(language)
    for key, sentence in _catalogue(language).items():
        shown = messages.text(key, **dict.fromkeys(_fields(sentence), 2))
        assert shown.strip(), key
        assert "{" not in shown, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_files_are_sorted_and_hold_every_key_once(language: Language) -> None:
    pairs: list[str] = []

    def collect(items: list[tuple[str, str]]) -> dict[str, str]:
        pairs.extend(key for key, _ in items)
        return dict(items)

    json.loads(read_text(f"messages/{language}.json"), object_pairs_hook=collect)
    assert pairs == sorted(set(pairs))


def test_german_addresses_people_politely() -> None:
    familiar = re.compile(r"\b(du|dich|dir|dein\w*)\b", re.IGNORECASE)
    assert [key for key, text in _catalogue("de").items() if familiar.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_is_a_whole_sentence(language: Language) -> None:
    """What happened and what to do: it ends as a sentence ends, or with a command to type."""
    ends = re.compile(r"([.!?…“”)]|: hausgeist [a-z -]+)$")
    odd = [
        key
        for key, text in _catalogue(language).items()
        if key.startswith("errors.") and not ends.search(text)
    ]
    assert odd == []
