"""A model's own settings: what a person chose, what the model recommends, what is used."""

from __future__ import annotations

from dataclasses import replace

from desktop.common.errors import HausgeistError
from desktop.common.logs import get_logger
from desktop.engine.engine import Engine
from desktop.engine.sampling import Sampling
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.library.library import Library
from desktop.library.model_settings import ModelSettings, settings_from

__all__ = ["ModelSettings", "ModelSettingsService", "sampling_of"]

_IN_METADATA = {
    "temperature": "temp",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "penalty_repeat",
}

_log = get_logger("services")


class ModelSettingsService:
    """Every method may be called from any thread and raises StorageError.

    `name` is the model's in the library; the guide has settings, too.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def own(self, name: str) -> ModelSettings:
        """What the person chose; None where they chose nothing."""
        return self._library.model_settings.own(self._key(name))

    def defaults(self, name: str) -> ModelSettings:
        """What its source and its file recommend; None where they say nothing."""
        model = self._library.get(name)
        recommended = self._library.model_settings.recommended(self._key(name))
        if model.problem:
            return recommended
        try:
            header = read_header(model.path, allow_missing_data=True)
        except HausgeistError as error:
            _log.info("no defaults in the file: %s", error)
            return recommended
        return recommended.over(in_metadata(header))

    def used(self, name: str) -> ModelSettings:
        """What the person chose over what the model's source recommends; the file's own
        recommendations are the engine's to know."""
        store, key = self._library.model_settings, self._key(name)
        return store.own(key).over(store.recommended(key))

    def keep(self, name: str, settings: ModelSettings) -> None:
        """Raises UsageError("bad_model_setting", name)."""
        self._library.model_settings.keep(self._key(name), settings)

    def reset(self, name: str) -> None:
        """Back to the defaults."""
        self._library.model_settings.keep(self._key(name), ModelSettings())

    def _key(self, name: str) -> str:
        model = self._library.get(name)
        return model.content or model.name


def in_metadata(header: ModelHeader) -> ModelSettings:
    """The file's ``general.sampling.*`` and its template."""
    stated = {
        field: header.metadata.get(f"general.sampling.{key}") for field, key in _IN_METADATA.items()
    }
    return settings_from({**stated, "template": header.chat_template})


def sampling_of(engine: Engine, settings: ModelSettings) -> Sampling:
    """What the model's own settings say, over what its file recommends, over our defaults."""
    base = engine.info.sampling or Sampling()
    return replace(
        base,
        temperature=_first(settings.temperature, base.temperature),
        top_k=base.top_k if settings.top_k is None else settings.top_k,
        top_p=_first(settings.top_p, base.top_p),
        min_p=_first(settings.min_p, base.min_p),
        repeat_penalty=_first(settings.repeat_penalty, base.repeat_penalty),
    )


def _first(chosen: float | None, other: float) -> float:
    return other if chosen is None else chosen
