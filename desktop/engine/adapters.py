"""The LoRA adapters of one model: which are loaded, and which are in force."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

from desktop.common.errors import LoadError, RequestError
from desktop.engine.extras import AdapterFile
from desktop.engine.model import Context, Model, encoded_path
from desktop.engine.request import Adapter

AdapterKey = tuple[tuple[str, float], ...]
"""Names and scales of what is in force, in the order of names, without scales of 0."""

NO_ADAPTERS: AdapterKey = ()
MAX_ADAPTERS = 64
MAX_SCALE = 100.0


class Adapters:
    """Loaded for a model and freed before it. `apply` is for the engine's thread alone."""

    def __init__(self, model: Model, files: Sequence[AdapterFile]) -> None:
        """The files must have been checked against the model. Raises LoadError("bad_adapter")."""
        self._lib: Any = model.llama.lib
        self._defaults = tuple(Adapter(file.name, file.scale) for file in files)
        self._handles: dict[str, Any] = {}
        self._applied: AdapterKey = NO_ADAPTERS
        try:
            self._load(model, files)
        except BaseException:
            self.close()
            raise

    @property
    def defaults(self) -> tuple[Adapter, ...]:
        """All that are loaded, with the scales of a request that names none."""
        return self._defaults

    def key(self, wanted: Sequence[Adapter] | None) -> AdapterKey:
        """What is in force for a request; None stands for `defaults`.

        Raises RequestError: no_such_adapter, bad_sampling for a scale out of range, bad_request
        for one that is named twice.
        """
        if wanted is None:
            wanted = self._defaults
        if not _are_adapters(wanted):
            raise RequestError("bad_request", name="adapters")
        scales: dict[str, float] = {}
        for one in wanted:
            if not self._knows(one.name):
                raise RequestError("no_such_adapter", name=str(one.name))
            if one.name in scales:
                raise RequestError("bad_request", name="adapters")
            _check_scale(one.scale)
            scales[one.name] = float(one.scale)
        return tuple(sorted((name, scale) for name, scale in scales.items() if scale != 0.0))

    def _knows(self, name: object) -> bool:
        return isinstance(name, str) and name in self._handles

    def apply(self, context: Context, key: AdapterKey) -> None:
        """Put `key` in force for what `context` computes next; nothing to do where it is."""
        if key == self._applied:
            return
        handles = (self._lib.llama_adapter_lora_p_ctypes * len(key))(
            *(self._handles[name] for name, _ in key)
        )
        scales = (ctypes.c_float * len(key))(*(scale for _, scale in key))
        self._lib.llama_set_adapters_lora(context.handle, handles, len(key), scales)
        self._applied = key

    def close(self) -> None:
        """Free them; the model must still be open, and no context may compute any more."""
        for handle in self._handles.values():
            self._lib.llama_adapter_lora_free(handle)
        self._handles.clear()

    def _load(self, model: Model, files: Sequence[AdapterFile]) -> None:
        if len(files) > MAX_ADAPTERS:
            raise LoadError("too_many_adapters", count=len(files), limit=MAX_ADAPTERS)
        for file in files:
            mark = model.llama.log.mark()
            if not file.name or file.name in self._handles or not _is_scale(file.scale):
                raise LoadError("bad_adapter", path=str(file.path), detail="its name or scale")
            handle = self._lib.llama_adapter_lora_init(model.handle, encoded_path(file.path))
            if not handle:
                detail = model.llama.log.complaints(mark)
                raise LoadError("bad_adapter", path=str(file.path), detail=detail)
            self._handles[file.name] = handle


def _are_adapters(wanted: object) -> bool:
    """Requests come from JSON and pipes."""
    return isinstance(wanted, tuple | list) and all(isinstance(one, Adapter) for one in wanted)


def _is_scale(value: object) -> bool:
    number = value if isinstance(value, int | float) else math.nan
    return math.isfinite(number) and abs(number) <= MAX_SCALE


def _check_scale(value: object) -> None:
    if not _is_scale(value):
        raise RequestError(
            "bad_sampling", name="scale", value=str(value), low=-MAX_SCALE, high=MAX_SCALE
        )
