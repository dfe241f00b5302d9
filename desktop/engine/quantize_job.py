"""The child's job behind `quantize`: llama.cpp's quantizer, told tensor by tensor."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop.engine.llama import Llama, llama

_BUFFER_BYTES = 256 << 20
"""Of a tensor's rows at once; llama.cpp's own 8 GiB would not leave a laptop alive."""

_TENSOR = re.compile(r"\[\s*(\d+)/\s*(\d+)\]\s+(\S+)")
_BECAME = re.compile(r"MiB \((\w+)\)")


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    _step_back()
    engine = llama()
    listener = _Listener(engine, answer)
    for order in messages:
        mark = engine.log.mark()
        listener.types = {}
        if _quantize(engine, order):
            words = engine.log.complaints(mark)
            answer({"error": "failed", "is_damaged": "invalid data" in words, "detail": words})
        else:
            answer({"done": True, "types": listener.types})


def _quantize(engine: Llama, order: dict[str, Any]) -> int:
    source = Path(order["source"])
    target = Path(order["target"])
    # The quantizer opens its output by a name in the system's own letters (Windows): so the folder
    # is entered, and the name is plain.
    os.chdir(target.parent)
    parameters = engine.lib.llama_model_quantize_default_params()
    parameters.ftype = order["file_type"]
    parameters.nthread = order["threads"]
    parameters.allow_requantize = True
    parameters.dry_run = order["dry_run"]
    parameters.max_buf_size = _BUFFER_BYTES
    code: int = engine.lib.llama_model_quantize(
        str(source).encode("utf-8") if sys.platform == "win32" else os.fsencode(source),
        os.fsencode(target.name),
        ctypes.byref(parameters),
    )
    return code


class _Listener:
    """Hears the quantizer's log: which tensor it has come to, and what becomes of it."""

    def __init__(self, engine: Llama, answer: Callable[[dict[str, Any]], None]) -> None:
        self.types: dict[str, str] = {}
        self._engine = engine
        self._answer = answer
        self._tensor = ""
        self._callback = engine.lib.llama_log_callback(self._hear)  # kept: llama.cpp calls it
        engine.lib.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _hear(self, level: int, text: bytes | None, data: object) -> None:
        self._engine.log.receive(level, text, data)
        words = (text or b"").decode("utf-8", "replace")
        begun = _TENSOR.search(words)
        if begun is not None:
            self._tensor = begun[3]
            self._answer({"tensor": int(begun[1]), "of": int(begun[2]), "name": begun[3]})
            return
        became = _BECAME.search(words)  # of a dry run
        if became is not None and self._tensor:
            self.types[self._tensor] = became[1]


def _step_back() -> None:
    """Minutes of all cores: whatever the person does meanwhile comes first."""
    import psutil  # only here: this child alone asks to be less than others

    lower = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 10)
    try:
        psutil.Process().nice(lower)
    except (psutil.Error, OSError):
        return  # not allowed: then as everybody
