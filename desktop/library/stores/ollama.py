"""Ollama's store: manifests by name, blobs by hash.

    manifests/<host>/<namespace>/<model>/<tag>   JSON: layers, each with a kind and a digest
    blobs/sha256-<64 hex>                        the model, its licence, its parameters...

Models lie there as plain GGUF files without the ending. Ollama's templates are Go's; the model's
own (Jinja, in its file) is used, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError, ModelFileError
from desktop.library.model_settings import ModelSettings
from desktop.library.origin import Origin
from desktop.library.stores.documents import is_file, read_object, read_text, text
from desktop.library.stores.model import StoreFolder, StoreModel
from desktop.library.stores.places import Surroundings, ollama_service_files
from desktop.library.stores.settings import settings_of
from desktop.library.stores.walk import files_below

MAX_MANIFESTS = 20_000
MAX_SERVICE_FILES = 20
_DEPTH = 4
_KIND = "application/vnd.ollama.image."
_DIGEST = re.compile(r"sha256[:-](?P<hex>[0-9a-f]{64})")
_SERVICE_LINE = re.compile(r"^Environment=.*?OLLAMA_MODELS=([^\"'\n]+)", re.MULTILINE)
_OWN_HOST = "registry.ollama.ai"
_OWN_NAMESPACE = "library"
_NAMES = {
    "context_tokens": "num_ctx",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
}


def read_ollama(root: Path, should_stop: Callable[[], bool]) -> StoreFolder | None:
    """The store at `root`; None where there is none."""
    manifests = root / "manifests"
    try:
        if not manifests.is_dir():
            return None
    except OSError as error:
        closed = ModelFileError("store_unreadable", path=str(root), detail=str(error))
        return StoreFolder("ollama", root, (), closed)
    found: list[StoreModel] = []
    problem: ModelFileError | None = None
    try:
        files = (
            one.path for one in files_below(manifests, _DEPTH, should_stop) if one.depth == _DEPTH
        )
        for number, path in enumerate(files):
            if should_stop():
                break
            if number >= MAX_MANIFESTS:
                problem = ModelFileError("store_too_large", path=str(root), count=MAX_MANIFESTS)
                break
            model = _read(root, path)
            if model is not None:
                found.append(model)
    except OSError as error:
        problem = ModelFileError("store_unreadable", path=str(root), detail=str(error))
    return StoreFolder("ollama", root, tuple(_merged(found)), problem)


def places_of_service(around: Surroundings) -> Iterator[Path]:
    """Where an administrator told Ollama's service to keep its models (Linux)."""
    for folder, pattern in ollama_service_files(around):
        try:
            files = sorted(folder.glob(pattern))[:MAX_SERVICE_FILES]
        except OSError:
            continue  # not for us to read
        for file in files:
            try:
                found = _SERVICE_LINE.findall(read_text(file))
            except ModelFileError:
                continue
            yield from (Path(place.strip()) for place in found if Path(place).is_absolute())


def name_of(manifest: Path, manifests: Path) -> str:
    """As `ollama list` says it: ``llama3.2:3b``, ``ns/model:tag``, ``hf.co/org/repo:tag``."""
    *place, tag = manifest.relative_to(manifests).parts
    if place[:1] == [_OWN_HOST]:
        place = place[1:]
        if place[:1] == [_OWN_NAMESPACE]:
            place = place[1:]
    return f"{'/'.join(place)}:{tag}"


def _read(root: Path, path: Path) -> StoreModel | None:
    """None for a model that lies on Ollama's own computers."""
    name = name_of(path, root / "manifests")
    try:
        return _Manifest(root, name, read_object(path)).model()
    except HausgeistError as error:
        return StoreModel("ollama", name, (), problem=error)


@dataclass(slots=True)
class _Manifest:
    """One document, believed only as far as the disk agrees."""

    root: Path
    name: str
    document: dict[str, Any]

    def model(self) -> StoreModel | None:
        """Raises ModelFileError."""
        layers = self._layers()
        weights = [layer for layer in layers if layer.kind == "model"]
        if not weights:
            if any(layer.kind == "tensor" for layer in layers):
                raise ModelFileError("store_other_format", model=self.name)
            if self._is_elsewhere():
                return None
            raise ModelFileError("store_manifest_empty", model=self.name)
        path = self._blob(weights[0])
        for further in weights[1:]:
            self._blob(further)
        settings, prompt = self._settings(layers)
        return StoreModel(
            "ollama",
            self.name,
            (path,),
            file_bytes=weights[0].size_bytes,
            projector=self._first_blob(layers, "projector"),
            template_note="own" if any(layer.kind == "template" for layer in layers) else "",
            system_prompt=prompt,
            settings=settings,
            licence=self._words(layers, "license").strip()[:200].partition("\n")[0],
            origin=Origin("ollama", self.name, file=path.name, sha256=weights[0].sha256),
            adapters=tuple(self._blob(layer) for layer in layers if layer.kind == "adapter"),
        )

    def _layers(self) -> list[_Layer]:
        listed = self.document.get("layers")
        if listed is None and self._is_elsewhere():
            return []
        if not isinstance(listed, list) or len(listed) > 1000:
            raise self._lies("layers")
        return [self._layer(item) for item in listed]

    def _layer(self, item: object) -> _Layer:
        if not isinstance(item, dict):
            raise self._lies("layers")
        kind = text(item.get("mediaType")).removeprefix(_KIND)
        match = _DIGEST.fullmatch(text(item.get("digest")))
        if match is None:  # a path would be joined to the folder as it is
            raise self._lies("digest")
        size = item.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise self._lies("size")
        return _Layer(kind, match["hex"], size)

    def _is_elsewhere(self) -> bool:
        config = self.document.get("config")
        if not isinstance(config, dict):
            return False
        match = _DIGEST.fullmatch(text(config.get("digest")))
        if match is None:
            return False
        try:
            about = read_object(self._place(match["hex"]))
        except ModelFileError:
            return False
        return bool(about.get("remote_host") or about.get("remote_model"))

    def _place(self, sha256: str) -> Path:
        """Older versions wrote a colon where a dash stands now."""
        place = self.root / "blobs" / f"sha256-{sha256}"
        older = self.root / "blobs" / f"sha256:{sha256}"
        return older if not is_file(place) and is_file(older) else place

    def _blob(self, layer: _Layer) -> Path:
        """The file of a layer, there and as long as it is said to be."""
        place = self._place(layer.sha256)
        try:
            size = place.stat().st_size
        except OSError as error:
            raise ModelFileError(
                "store_blob_missing", model=self.name, file=place.name, detail=str(error)
            ) from error
        if size != layer.size_bytes:
            raise ModelFileError(
                "store_blob_wrong_size", model=self.name, stated=layer.size_bytes, found=size
            )
        return place

    def _first_blob(self, layers: list[_Layer], kind: str) -> Path | None:
        return next((self._blob(layer) for layer in layers if layer.kind == kind), None)

    def _words(self, layers: list[_Layer], kind: str) -> str:
        """A layer of text; one that cannot be read costs nothing but itself."""
        for layer in layers:
            if layer.kind == kind:
                try:
                    return read_text(self._place(layer.sha256))
                except ModelFileError:
                    continue
        return ""

    def _settings(self, layers: list[_Layer]) -> tuple[ModelSettings, str]:
        values: dict[str, Any] = {}
        for layer in layers:
            if layer.kind == "params":
                try:
                    values |= read_object(self._place(layer.sha256))
                except ModelFileError:
                    continue
        prompt = self._words(layers, "system").strip()
        names = {**_NAMES, "system_prompt": "system"}
        return settings_of({**values, "system": prompt}, names), prompt

    def _lies(self, what: str) -> ModelFileError:
        return ModelFileError("store_manifest_damaged", model=self.name, what=what)


@dataclass(frozen=True, slots=True)
class _Layer:
    kind: str
    sha256: str
    size_bytes: int


def _merged(models: list[StoreModel]) -> Iterator[StoreModel]:
    """Names for the same files and settings are one model: ``llama3.2:3b`` before ``:latest``."""
    same: dict[tuple[object, ...], list[StoreModel]] = {}
    for number, model in enumerate(models):
        key: tuple[object, ...] = (number,)
        if model.problem is None:
            key = (model.paths, model.projector, model.adapters, model.settings)
        same.setdefault(key, []).append(model)
    for group in same.values():
        group.sort(key=lambda model: (model.name.endswith(":latest"), model.name))
        yield replace(group[0], also=tuple(model.name for model in group[1:]))
