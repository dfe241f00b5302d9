"""Every note that the code can make has its sentence in both languages, with the right fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import desktop.hardware
from desktop.common.messages import LANGUAGES, Language, Messages
from desktop.hardware.machine import Note
from desktop.hardware.nvidia import _NOTES_BY_CODE

_PACKAGE = Path(desktop.hardware.__file__).parent


def _made() -> Iterator[tuple[str, tuple[str, ...]]]:
    """(kind, names of its params) of every `Note.of` in the package; "" for a computed kind."""
    for path in sorted(_PACKAGE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Note.of":
                kind = node.args[0]
                names = tuple(keyword.arg or "" for keyword in node.keywords)
                yield (str(kind.value) if isinstance(kind, ast.Constant) else "", names)


_NOTES = sorted({*_made()} - {("", ("name",))} | {(k, ("name",)) for k in _NOTES_BY_CODE.values()})


def test_all_notes_are_found() -> None:
    kinds = {kind for kind, _ in _NOTES}
    assert {"npu_unused", "memory_limited", "nvidia_wrong_version", "gpu_no_answer"} <= kinds
    assert "" not in kinds


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "names"), _NOTES)
def test_a_note_has_its_sentence(kind: str, names: tuple[str, ...], language: Language) -> None:
    params: dict[str, str | int | float] = {
        name: "Radeon" if name in ("name", "detail") else 5 << 30 for name in names
    }
    sentence = Messages(language).text(f"notes.{kind}", **params)
    assert sentence.endswith((".", "!"))
    assert "{" not in sentence
    assert ("Radeon" in sentence) == ("Radeon" in params.values())


def test_no_sentence_is_left_over() -> None:
    """What the catalogue says about the machine is said somewhere (services make notes, too)."""
    everywhere = "".join(path.read_text(encoding="utf-8") for path in _PACKAGE.parent.rglob("*.py"))
    messages = Messages("en")
    for kind in (key[6:] for key in messages._sentences if key.startswith("notes.")):
        assert f'"{kind}"' in everywhere, kind


def test_a_notes_params() -> None:
    note = Note.of("gpu_no_answer", wait_s=1.9)
    assert note == Note("gpu_no_answer", (("wait_s", 1.9),))
    assert "1,9 Sekunden" in Messages("de").text("notes.gpu_no_answer", **dict(note.params))
