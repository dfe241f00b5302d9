"""Settings that belong to one model, and outlive the library's index.

One small JSON file, by the model's content, so that a model keeps them at another place, under
another name, and when the index is lost. Beside what the person chose stands what the model's
source (a pack, another program's store) recommends for it.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError, UsageError
from desktop.common.locks import file_lock
from desktop.common.logs import get_logger
from desktop.common.storage import free_name, storage_error

MAX_TEXT = 1 << 20
_MAX_CONTEXT = 1 << 24
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 100.0),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "repeat_penalty": (0.01, 100.0),
}
_COUNTS: Mapping[str, tuple[int, int]] = {
    "context_tokens": (1, _MAX_CONTEXT),
    "top_k": (0, 2**31 - 1),
}
_TEXTS = ("system_prompt", "template")
_CHOICES: Mapping[str, tuple[str, ...]] = {"reasoning": ("on", "off")}

_Layer = Literal["own", "recommended"]

_log = get_logger("library")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """None everywhere means: as the model itself recommends, else as the app does.

    `template` is the text of a chat template (Jinja). `reasoning` "on" or "off": whether the model
    thinks before it answers.
    """

    context_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    system_prompt: str | None = None
    template: str | None = None
    reasoning: Literal["on", "off"] | None = None

    def over(self, other: ModelSettings) -> ModelSettings:
        """These, and where they say nothing, those of `other`."""
        return replace(other, **_stated(self))

    def check(self) -> None:
        """Raise UsageError("bad_model_setting", name) for a value that no engine could take."""
        for name, value in _stated(self).items():
            if not _fits(name, value):
                raise UsageError("bad_model_setting", name=name)


def settings_from(document: Any) -> ModelSettings:
    """The good values in a JSON object that others wrote, one by one; what is wrong is left out."""
    if not isinstance(document, dict):
        return ModelSettings()
    known = {field.name for field in fields(ModelSettings)}
    return ModelSettings(
        **{name: document[name] for name in known & document.keys() if _fits(name, document[name])}
    )


def settings_document(settings: ModelSettings) -> dict[str, Any]:
    """What is stated, for JSON."""
    return _stated(settings)


class ModelSettingsStore:
    """Every method may be called from any thread, and the file be written by two processes."""

    def __init__(self, path: Path | None, *, writable: bool = True) -> None:
        """Without `path`, or not `writable`, changes are forgotten when the program ends."""
        self._path = path
        self._writable = writable and path is not None
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {}
        self._read_at = (0, 0)
        if path is not None and not writable:
            try:
                self._known = _read(path)
            except StorageError as error:
                _log.warning("models without their settings: %s", error)

    def own(self, content: str) -> ModelSettings:
        """What the person chose for the model of that content."""
        return self._get(content, "own")

    def recommended(self, content: str) -> ModelSettings:
        """What the model's source says of it."""
        return self._get(content, "recommended")

    def keep(self, content: str, settings: ModelSettings) -> None:
        """Remember the person's choice; an empty one is "reset".

        Raises UsageError("bad_model_setting") and StorageError; then nothing has changed.
        """
        settings.check()
        self._set(content, "own", settings)

    def recommend(self, content: str, settings: ModelSettings) -> None:
        """Remember what its source says; values that no engine could take are left out."""
        self._set(content, "recommended", settings_from(asdict(settings)))

    def _get(self, content: str, layer: _Layer) -> ModelSettings:
        with self._lock:
            self._refresh()
            return settings_from(self._known.get(content, {}).get(layer))

    def _set(self, content: str, layer: _Layer, settings: ModelSettings) -> None:
        if not content:
            return
        with self._lock:
            if not self._writable or self._path is None:
                self._known = _with(self._known, content, layer, settings)
                return
            with file_lock(self._path.with_name(self._path.name + ".lock")):
                self._read_at = (0, 0)
                self._refresh()
                changed = _with(self._known, content, layer, settings)
                if changed != self._known:
                    text = json.dumps(changed, ensure_ascii=False, indent=1, sort_keys=True)
                    write_atomic(self._path, text.encode("utf-8", "backslashreplace"))
                self._known = changed

    def _refresh(self) -> None:
        """Read the file where it was written since."""
        if self._path is None or not self._writable:
            return
        try:
            stat = self._path.stat()
        except OSError:
            self._known, self._read_at = {}, (0, 0)
            return
        if (stat.st_size, stat.st_mtime_ns) != self._read_at:
            self._known = _read(self._path)
            self._read_at = (stat.st_size, stat.st_mtime_ns)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """What stands in the file; a damaged one is kept aside."""
    try:
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict):
            raise ValueError("not an object")
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        _log.warning("model settings damaged: %s", error)
        try:
            path.rename(free_name(path, "broken"))
        except OSError as failed:
            _log.warning("and not kept aside: %s", failed)
        return {}
    except OSError as error:
        raise storage_error(error, path, reading=True) from error
    return {key: value for key, value in document.items() if isinstance(value, dict)}


def _with(
    known: Mapping[str, dict[str, Any]], content: str, layer: _Layer, settings: ModelSettings
) -> dict[str, dict[str, Any]]:
    layers = {**known.get(content, {}), layer: _stated(settings)}
    left = {name: stated for name, stated in layers.items() if stated}
    others = {key: value for key, value in known.items() if key != content}
    return {**others, content: left} if left else others


def _stated(settings: ModelSettings) -> dict[str, Any]:
    return {name: value for name, value in asdict(settings).items() if value is not None}


def _fits(name: str, value: Any) -> bool:
    if name in _TEXTS:
        return isinstance(value, str) and len(value) <= MAX_TEXT
    if name in _CHOICES:
        return value in _CHOICES[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    if name in _COUNTS:
        low, high = _COUNTS[name]
        return isinstance(value, int) and low <= value <= high
    least, most = _NUMBERS[name]
    return least <= value <= most
