"""Whatever the house raises or shows has its sentence in both languages, with all its fields."""

from __future__ import annotations

import ast
import functools
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

# Kinds that code puts together instead of writing them down, and what it passes with them.
_DAMAGED = frozenset({"path", "kept_as", "rescued"})
_COMPOSED = {
    "f'{schema.name}_damaged'": {"chats_damaged": _DAMAGED, "library_damaged": _DAMAGED},
    "f'{schema.name}_{state}'": {
        f"{name}_{state}": frozenset({"path", "stand_in"})
        for name in ("chats", "library")
        for state in ("locked", "newer")
    },
    "kind or 'load_failed'": {
        f"probe_{how}": frozenset({"path"}) for how in ("aborted", "out_of_memory", "timeout")
    },
    "_LOAD_DEATHS[cause_of_death(message)]": {
        kind: frozenset({"path", "server"})
        for kind in ("probe_aborted", "probe_out_of_memory", "pool_server_gone")
    },
    # The dry run's child passes on an error that is counted where it is raised.
    "answer['error']": {},
    "_gate(said)": {
        kind: frozenset({"repo"}) for kind in ("hub_waiting", "hub_token_access", "hub_gated")
    },
    # A failed download's error of last time, out of the queue's file.
    "item['kind']": {},
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


@functools.cache
def _calls() -> list[tuple[str, ast.Call, _Names]]:
    """Every call in the house, with where it stands and what the names around it mean."""
    found: list[tuple[str, ast.Call, _Names]] = []
    for path in sorted(_DESKTOP.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = _Names(tree)
        place = str(path.relative_to(_DESKTOP))
        found += [
            (f"{place}:{node.lineno}", node, names)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        ]
    return found


def _error_classes() -> dict[str, type[HausgeistError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, HausgeistError)
    }


class _Names:
    """What the names of one file are set to: its constants, and the variables of a function."""

    def __init__(self, tree: ast.Module) -> None:
        self._file = self._values(tree.body)
        self._inside: dict[ast.AST, dict[str, list[ast.expr]]] = {}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                values = self._values(function.body)
                for node in ast.walk(function):
                    self._inside[node] = values

    @staticmethod
    def _values(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
        found: dict[str, list[ast.expr]] = {}
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    found.setdefault(node.targets[0].id, []).append(node.value)
        return found

    def literals(self, node: ast.expr) -> list[str]:
        """All texts that an expression can be; none where that cannot be seen."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.IfExp):
            return self.literals(node.body) + self.literals(node.orelse)
        if isinstance(node, ast.BoolOp):
            return [text for value in node.values for text in self.literals(value)]
        if isinstance(node, ast.Name):
            inside = self._inside.get(node, {}).get(node.id) or self._file.get(node.id, [])
            return [text for value in inside for text in self.literals(value)]
        return []


def _is_passed_on(node: ast.expr) -> bool:
    """`error.kind`: an error that has its own place where it was raised first."""
    return isinstance(node, ast.Attribute) and node.attr in ("kind", "error_kind")


def _named(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _keywords(call: ast.Call) -> frozenset[str] | None:
    names = [keyword.arg for keyword in call.keywords]
    return None if None in names else frozenset(name for name in names if name)


def _error_uses() -> list[Use]:
    found: list[Use] = []
    for place, call, names in _error_calls():
        kinds = [_error_classes()[_named(call)].default_kind]
        if call.args:
            kinds = names.literals(call.args[0])
            composed = _COMPOSED.get(ast.unparse(call.args[0]), {})
            found += [Use(f"errors.{kind}", has, place) for kind, has in composed.items()]
        found += [Use(f"errors.{kind}", _keywords(call), place) for kind in kinds if kind]
    return found


def _error_calls() -> Iterator[tuple[str, ast.Call, _Names]]:
    classes = _error_classes()
    for place, call, names in _calls():
        # An attribute is another library's error of the same name.
        if isinstance(call.func, ast.Name) and call.func.id in classes:
            yield place, call, names


def _text_uses() -> list[Use]:
    """Calls such as messages.text("cli.fit.looking", name=...), of any object."""
    places = {key.split(".")[0] for key in _catalogue("en")}
    found: list[Use] = []
    for place, call, names in _calls():
        if _named(call) == "text" and call.args:
            for key in names.literals(call.args[0]):
                if key.split(".")[0] in places and "." in key:
                    found.append(Use(key, _keywords(call), place))
    return found


def test_the_reader_of_sources_finds_what_there_is() -> None:
    uses = _error_uses()
    assert any(use.key == "errors.not_enough_space" and use.params for use in uses)
    assert any(use.key == "errors.not_readable" for use in uses)  # by a variable
    assert any(use.key == "errors.library_newer" for use in uses)  # put together
    assert any(use.key == "errors.database_newer" for use in uses)  # by a constant
    assert len({use.key for use in uses}) > 20


def test_every_kind_is_written_where_it_can_be_seen() -> None:
    """A kind put together at run time belongs into _COMPOSED, or its sentence may be missing."""
    unseen = [
        f"{place} {ast.unparse(call)}"
        for place, call, names in _error_calls()
        if call.args
        and not names.literals(call.args[0])
        and not _is_passed_on(call.args[0])
        and ast.unparse(call.args[0]) not in _COMPOSED
    ]
    assert not unseen, "\n".join(unseen)


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
