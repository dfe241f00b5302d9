"""GPT4All's store: .gguf files in one folder, settings in an .ini file of Qt's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

from desktop.common.errors import ModelFileError
from desktop.library.model_settings import ModelSettings
from desktop.library.origin import Origin
from desktop.library.scan import FoundModel
from desktop.library.stores.documents import read_text
from desktop.library.stores.folder import Gathering, projectors_of
from desktop.library.stores.model import NO_SETTINGS, StoreFolder, StoreModel
from desktop.library.stores.places import Surroundings, gpt4all_places
from desktop.library.stores.settings import settings_of

_UNFINISHED = "incomplete-"
_NAMES = {
    "context_tokens": "contextLength",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "min_p": "minP",
    "repeat_penalty": "repeatPenalty",
    "system_prompt": "systemMessage",
}


def read_gpt4all(around: Surroundings, should_stop: Callable[[], bool]) -> Iterator[StoreFolder]:
    """The folder that its settings name, and its usual one."""
    settings_file, usual = gpt4all_places(around)
    settings = _settings(settings_file)
    chosen = settings.get("General", {}).get("modelPath", "")
    places = [Path(chosen), *usual] if chosen and Path(chosen).is_absolute() else usual
    for root in dict.fromkeys(places):
        reader = _Reader(root, settings)
        found = Gathering("gpt4all", root, should_stop).gather(reader.describe)
        if found is not None:
            yield found


class _Reader:
    def __init__(self, root: Path, settings: dict[str, dict[str, str]]) -> None:
        self._root = root
        self._sections = settings

    def describe(self, found: FoundModel) -> StoreModel | None:
        """None for a download that is not finished."""
        name = found.path.name
        if name.startswith(_UNFINISHED):
            return None
        settings = self._settings(name)
        return StoreModel(
            "gpt4all",
            name.removesuffix(".gguf"),
            (found.path,),
            system_prompt=settings.system_prompt or "",
            settings=settings,
            origin=Origin("gpt4all", str(found.path.parent), file=name),
            beside=projectors_of(found),
        )

    def _settings(self, name: str) -> ModelSettings:
        for section, values in self._sections.items():
            if section in (f"model-{name}", name):
                prompt = values.get("systemMessage") or values.get("systemPrompt", "")
                return settings_of({**values, "systemMessage": prompt}, _NAMES)
        return NO_SETTINGS


def _settings(path: Path) -> dict[str, dict[str, str]]:
    """Keys and values by section; what is damaged is left out, for these are wishes, not models.

    Read by hand: configparser takes an indented line for a continuation (Qt writes none), and
    fails where there is nothing to continue.
    """
    try:
        lines = read_text(path).splitlines()
    except ModelFileError:
        return {}
    sections: dict[str, dict[str, str]] = {}
    values: dict[str, str] = {}
    for line in lines:
        header = re.fullmatch(r"\[(?P<name>.*)\]", line.strip())
        if header is not None:
            values = sections.setdefault(unquote(header["name"]), {})
            continue
        key, mark, value = line.partition("=")
        if mark:
            values[key.strip()] = _text(value)
    return sections


def _text(value: str) -> str:
    """As Qt's .ini files quote: quotation marks around, ``\\n``, and ``\\x`` for other letters."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    value = re.sub(r"\\x([0-9a-fA-F]{1,4})", lambda match: chr(int(match[1], 16)), value)
    escapes = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}
    value = re.sub(r"\\([ntr\\\"])", lambda match: escapes[match[1]], value)
    # Halves of a pair belong together; one alone is no letter.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
