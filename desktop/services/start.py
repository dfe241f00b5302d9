"""What must be known before the first word: where things lie, and in which language to speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.common.messages import Language, Messages, system_language
from desktop.common.paths import Paths
from desktop.common.settings import Settings, SettingsStore


@dataclass(frozen=True, slots=True)
class Start:
    """Read once a process; `settings_store.problem` says what was wrong with the settings."""

    paths: Paths
    settings_store: SettingsStore
    settings: Settings
    messages: Messages
    env: Mapping[str, str]


def begin(env: Mapping[str, str]) -> Start:
    """Raises StorageError("no_home") or, in an incomplete installation, "resource_missing"."""
    paths = Paths.from_environment(env)
    store = SettingsStore(paths.settings_file)
    settings = store.load()
    return Start(paths, store, settings, Messages(language_of(settings, env)), env)


def language_of(settings: Settings, env: Mapping[str, str]) -> Language:
    """The user's choice, else the system's language."""
    return system_language(env) if settings.language == "auto" else settings.language
