"""What an answer must look like, and the way in which it is written: options of `run`."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from desktop.cli.arguments import Arguments, one_of, text
from desktop.common.errors import RequestError, UsageError
from desktop.common.storage import storage_error
from desktop.engine.constraint import Constraint, ConstraintKind
from desktop.engine.presets import PRESETS, with_preset
from desktop.engine.sampling import Sampling

MAX_FILE_BYTES = 4 << 20


def options(arguments: Arguments) -> None:
    arguments.option("--preset", value="|".join(PRESETS), kind=one_of(*PRESETS))
    arguments.option("--json-schema-file", value="FILE", kind=text)
    arguments.option("--grammar-file", value="FILE", kind=text)


def sampling_of(given: Namespace, recommended: Sampling) -> Sampling:
    """What the model recommends, in the way that was asked for; single values count most."""
    sampling = with_preset(given.preset, recommended) if given.preset else recommended
    if given.temperature is not None:
        sampling = replace(sampling, temperature=given.temperature)
    return sampling if given.seed is None else replace(sampling, seed=given.seed)


def constraint_of(given: Namespace) -> Constraint | None:
    """Raises UsageError("no_such_file" or "two_forms"), RequestError for too much, StorageError."""
    if given.json_schema_file and given.grammar_file:
        raise UsageError("two_forms")
    if given.json_schema_file:
        return _read("json_schema", Path(given.json_schema_file))
    return _read("grammar", Path(given.grammar_file)) if given.grammar_file else None


def _read(kind: ConstraintKind, path: Path) -> Constraint:
    if not path.is_file():
        raise UsageError("no_such_file", path=str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise storage_error(error, path) from error
    if len(raw) > MAX_FILE_BYTES:
        raise RequestError("grammar_too_large", limit=MAX_FILE_BYTES)
    return Constraint(kind, raw.decode("utf-8-sig", "replace"))
