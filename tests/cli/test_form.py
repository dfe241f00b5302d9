"""`run` with a preset, a schema, a grammar."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import Cli

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 5}, "yes": {"type": "boolean"}},
    "required": ["name", "yes"],
}


def test_an_answer_keeps_to_a_schema_from_a_file(
    cli: Cli, tiny_model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "schema.json"
    file.write_text("\ufeff" + json.dumps(SCHEMA), encoding="utf-8")
    done = cli("run", str(tiny_model), "-p", "x", "--json-schema-file", str(file), "--json")
    assert (done.code, done.err) == (0, "")
    value = json.loads(done.json["text"])
    assert list(value) == ["name", "yes"]


def test_an_answer_keeps_to_a_grammar_from_a_file(
    cli: Cli, tiny_model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "answer.gbnf"
    file.write_text('root ::= "yes" | "no"', encoding="utf-8")
    for preset in ("exact", "creative"):
        arguments = ("--grammar-file", str(file), "--preset", preset)
        done = cli("run", str(tiny_model), "-p", "x", *arguments)
        assert (done.code, done.out.strip() in ("yes", "no")) == (0, True)


def test_what_cannot_be_followed_is_told(cli: Cli, tiny_model: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"type": "string", "pattern": "a{5,1}"}', encoding="utf-8")
    run = ("run", str(tiny_model), "-p", "x", "--json")
    done = cli(*run, "--json-schema-file", str(bad))
    assert (done.code, done.json["error"]["kind"]) == (1, "bad_schema")
    done = cli(*run, "--json-schema-file", str(tmp_path / "none.json"))
    assert (done.code, done.json["error"]["kind"]) == (2, "no_such_file")
    done = cli(*run, "--json-schema-file", str(bad), "--grammar-file", str(bad))
    assert (done.code, done.json["error"]["kind"]) == (2, "two_forms")
    done = cli(*run, "--preset", "wild")
    assert done.code == 2
