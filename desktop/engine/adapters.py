"""The LoRA adapters of one context: which are loaded, and which are in force."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.common.errors import RequestError
from desktop.engine.extras import AdapterFile
from desktop.engine.model import Context, Model
from desktop.engine.request import Adapter

AdapterKey = tuple[tuple[str, float], ...]
"""Names and scales of what is in force, in the order of names, without scales of 0."""

NO_ADAPTERS: AdapterKey = ()
MAX_SCALE = 100.0


class Adapters:
    """Loaded with the model and freed before it. `apply` is for the engine's thread alone."""

    def __init__(self, model: Model, files: Sequence[AdapterFile]) -> None:
        self._model = model
        self._files = tuple(files)
        self._applied: AdapterKey | None = NO_ADAPTERS

    @property
    def defaults(self) -> tuple[Adapter, ...]:
        """All that are loaded, with the scales of a request that names none."""
        return tuple(Adapter(file.name, file.scale) for file in self._files)

    def key(self, wanted: Sequence[Adapter] | None) -> AdapterKey:
        """What is in force for a request; None stands for `defaults`.

        Raises RequestError("no_such_adapter"), "bad_sampling" for a scale that is no number.
        """
        if wanted is None:
            wanted = self.defaults
        names = {file.name for file in self._files}
        for one in wanted:
            if one.name not in names:
                raise RequestError("no_such_adapter", name=one.name)
        return tuple(sorted((one.name, float(one.scale)) for one in wanted if one.scale != 0.0))

    def apply(self, context: Context, key: AdapterKey) -> None:
        """Put `key` in force for what `context` computes next; nothing to do where it is."""
        raise NotImplementedError

    def close(self) -> None:
        """Free them; the model must still be open."""
