"""Where other programs keep their models, on all three systems: from the environment alone.

Sources: each program's own documentation and sources, as of 2025 and 2026. Nothing here touches
the disk; what is there is asked by the modules that read each store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SYSTEM_WIDE_OLLAMA = (
    "usr/share/ollama/.ollama/models",  # its own installer's service
    "var/lib/ollama/.ollama/models",  # packages of some distributions
    "var/lib/ollama/models",
    "var/lib/ollama",
    "var/snap/ollama/common/models",
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whose computer it is; `system` as in sys.platform, `root` where its folders begin."""

    home: Path
    env: Mapping[str, str]
    system: str
    root: Path = Path("/")

    def given(self, *names: str) -> list[Path]:
        """The folders that environment variables name, in this order."""
        found = (self.env.get(name, "").strip() for name in names)
        return [self._opened(text) for text in found if text]

    @property
    def config(self) -> Path:
        """Where programs keep settings."""
        if self.system == "win32":
            return self._folder("APPDATA", "AppData", "Roaming")
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        return self._folder("XDG_CONFIG_HOME", ".config")

    @property
    def data(self) -> Path:
        """Where programs keep data."""
        if self.system == "win32":
            return self._folder("LOCALAPPDATA", "AppData", "Local")
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        return self._folder("XDG_DATA_HOME", ".local", "share")

    @property
    def cache(self) -> Path:
        """Where programs keep what can be fetched again."""
        if self.system == "win32":
            return self._folder("LOCALAPPDATA", "AppData", "Local")
        if self.system == "darwin":
            return self.home / "Library" / "Caches"
        return self._folder("XDG_CACHE_HOME", ".cache")

    def _folder(self, variable: str, *below_home: str) -> Path:
        return next(iter(self.given(variable)), self.home.joinpath(*below_home))

    def _opened(self, text: str) -> Path:
        """`~` is this home's, whoever runs this."""
        if text == "~" or text.startswith(("~/", "~\\")):
            return self.home / text[2:]
        return Path(text)


def ollama_service_files(around: Surroundings) -> list[tuple[Path, str]]:
    """(folder, pattern) of the files in which an administrator sets up Ollama's service."""
    if around.system != "linux":
        return []
    units = around.root / "etc" / "systemd" / "system"
    return [(units / "ollama.service.d", "*.conf"), (units, "ollama.service")]


def ollama_places(around: Surroundings) -> list[Path]:
    """Folders that hold `manifests` and `blobs`."""
    system_wide = (
        [around.root / text for text in _SYSTEM_WIDE_OLLAMA] if around.system == "linux" else []
    )
    return [
        *around.given("OLLAMA_MODELS"),
        around.home / ".ollama" / "models",
        *system_wide,
    ]


def lmstudio_homes(around: Surroundings) -> list[Path]:
    """LM Studio's own folders, the newer first; its settings stand there."""
    return [around.home / ".lmstudio", around.home / ".cache" / "lm-studio"]


def lmstudio_settings(around: Surroundings) -> list[Path]:
    """Where older versions kept their settings, apart from their home."""
    return [around.config / "LM Studio" / "settings.json"]


def jan_homes(around: Surroundings) -> list[tuple[Path, Path]]:
    """(the settings file that names a data folder, the data folder where none does)."""
    homes = dict.fromkeys([around.config / "Jan", around.data / "Jan"])
    return [
        *((home / "settings.json", home / "data") for home in homes),
        (around.config / "Jan" / "settings.json", around.home / "jan"),
    ]


def gpt4all_places(around: Surroundings) -> tuple[Path, list[Path]]:
    """Its settings file, and the folders of its models where the settings name none."""
    makers = "nomic.ai"
    folder = around.data / makers / "GPT4All"
    if around.system == "win32":
        return around.config / makers / "GPT4All.ini", [folder]
    settings = around.home / ".config" / makers / "GPT4All.ini"
    if around.system == "linux":
        settings = around.config / makers / "GPT4All.ini"
    return settings, [folder]


def huggingface_places(around: Surroundings) -> list[Path]:
    """Folders that hold `models--org--name`; llama.cpp of 2026 writes the same."""
    named = around.given("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "LLAMA_CACHE")
    homes = [place / "hub" for place in around.given("HF_HOME")]
    xdg = [place / "huggingface" / "hub" for place in around.given("XDG_CACHE_HOME")]
    return [*named, *homes, *xdg, around.home / ".cache" / "huggingface" / "hub"]


def llamacpp_places(around: Surroundings) -> list[Path]:
    """llama.cpp's own downloads, as it kept them until 2026."""
    return [*around.given("LLAMA_CACHE"), around.cache / "llama.cpp"]
