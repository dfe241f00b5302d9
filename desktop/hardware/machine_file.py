"""A machine described in a JSON file: planning for a computer that is not here."""

from __future__ import annotations

import json
from pathlib import Path

from desktop.common.atomic import write_atomic
from desktop.common.errors import MachineError
from desktop.hardware.machine import Machine, machine_from_json

_MAX_BYTES = 4 << 20


def read_machine(path: Path) -> Machine:
    """The machine that `path` describes, in the form that `hausgeist hardware --json` prints.

    Raises MachineError: machine_file_unreadable, machine_file_not_json (path, problem in
    `detail`), machine_file_other (JSON of something else), or bad_machine as `machine_from_json`.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise MachineError("machine_file_unreadable", path=str(path), detail=str(error)) from error
    if len(raw) > _MAX_BYTES:
        raise MachineError("machine_file_not_json", path=str(path), detail="too large")
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # RecursionError: nested a thousand deep
        raise MachineError("machine_file_not_json", path=str(path), detail=str(error)) from error
    if not isinstance(document, dict):
        raise MachineError("machine_file_other", path=str(path))
    return machine_from_json(document)


def write_machine(path: Path, machine: Machine) -> None:
    """Describe `machine` in a file, for `read_machine` on another computer.

    Raises StorageError.
    """
    text = json.dumps(machine.to_json(), ensure_ascii=False, indent=2)
    write_atomic(path, f"{text}\n".encode())
