"""LM Studio's store: ``models/<publisher>/<repository>/<file>.gguf``, settings beside its home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop.common.errors import ModelFileError
from desktop.library.model_settings import ModelSettings
from desktop.library.origin import Origin
from desktop.library.scan import FoundModel
from desktop.library.stores.documents import read_object, read_text, text
from desktop.library.stores.folder import Gathering, inside, projectors_of
from desktop.library.stores.model import NO_SETTINGS, StoreFolder, StoreModel
from desktop.library.stores.places import Surroundings, lmstudio_homes, lmstudio_settings
from desktop.library.stores.settings import settings_of

_POINTER = ".lmstudio-home-pointer"
_SETTINGS = ".internal/user-concrete-model-default-config"
_NAMES = {
    "context_tokens": "llm.load.contextLength",
    "temperature": "llm.prediction.temperature",
    "top_p": "llm.prediction.topPSampling",
    "top_k": "llm.prediction.topKSampling",
    "min_p": "llm.prediction.minPSampling",
    "repeat_penalty": "llm.prediction.repeatPenalty",
    "system_prompt": "llm.prediction.systemPrompt",
}


def read_lmstudio(around: Surroundings, should_stop: Callable[[], bool]) -> Iterator[StoreFolder]:
    """Each folder that it keeps models in: the one it was told to use, and its usual one."""
    for home in dict.fromkeys([*_pointed(around), *lmstudio_homes(around)]):
        settings = [home / "settings.json", *lmstudio_settings(around)]
        chosen = [folder for path in settings for folder in _chosen(path)]
        for root in dict.fromkeys([*chosen, home / "models"]):
            reader = _Reader(home, root)
            found = Gathering("lmstudio", root, should_stop).gather(reader.describe)
            if found is not None:
                yield found


def _pointed(around: Surroundings) -> list[Path]:
    """Where its home was moved to."""
    try:
        moved = read_text(around.home / _POINTER).strip()
    except ModelFileError:
        return []
    return [Path(moved)] if moved and Path(moved).is_absolute() else []


def _chosen(settings: Path) -> list[Path]:
    try:
        folder = text(read_object(settings).get("downloadsFolder"))
    except ModelFileError:
        return []
    return [Path(folder)] if folder and Path(folder).is_absolute() else []


class _Reader:
    def __init__(self, home: Path, root: Path) -> None:
        self._home = home
        self._root = root

    def describe(self, found: FoundModel) -> StoreModel:
        place = inside(found.path, self._root)
        settings = self._settings(place)
        return StoreModel(
            "lmstudio",
            place.removesuffix(".gguf"),
            (found.path,),
            system_prompt=settings.system_prompt or "",
            settings=settings,
            origin=Origin("lmstudio", place.rpartition("/")[0], file=found.path.name),
            beside=projectors_of(found),
        )

    def _settings(self, place: str) -> ModelSettings:
        """What was set for this very file: two lists of keys and values."""
        try:
            document = read_object(self._home / _SETTINGS / f"{place}.json")
        except ModelFileError:
            return NO_SETTINGS  # as nearly always: nothing was set
        values: dict[str, Any] = {}
        for part in ("load", "operation"):
            fields = document.get(part)
            listed = fields.get("fields") if isinstance(fields, dict) else None
            for field in listed if isinstance(listed, list) else ():
                if isinstance(field, dict):
                    values[text(field.get("key"))] = _value(field.get("value"))
        return settings_of(values, _NAMES)


def _value(value: object) -> object:
    """Some are switched on and off: ``{"checked": true, "value": 0.95}``."""
    if isinstance(value, dict):
        return value.get("value") if value.get("checked", True) is True else None
    return value
