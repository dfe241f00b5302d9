"""The models that Hausgeist knows of: repositories, files, licences, dates, each with a source.

`resources/catalog/catalog.json` is written by `packaging/catalog.py`; what nobody has stated is
None there and stays so. Nothing in it is a judgement: what to recommend is decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from desktop.common.errors import StorageError
from desktop.common.resources import read_text
from desktop.gguf.header import ModelHeader
from desktop.library.blueprint import Blueprint, TensorRun

CATALOG = "catalog/catalog.json"

Task = Literal["chat", "code", "vision", "embedding"]
TASKS: tuple[Task, ...] = ("chat", "code", "vision", "embedding")
OfficeUse = Literal["yes", "conditions", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Licence:
    """`id` as the Hub writes it, "" where nobody states one; `office`: whether work may use it.

    `name` is "" for a licence of the maker's own; `about` names the sentence that explains it
    (``licence.about.<about>``).
    """

    id: str
    name: str = ""
    office: OfficeUse = "unknown"
    about: str = "unknown"


@dataclass(frozen=True, slots=True)
class Languages:
    """As their source states them: `codes`, or a `count`, or a `word` ("eu", "european")."""

    codes: tuple[str, ...] = ()
    count: int = 0
    word: str = ""


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One file to fetch (the first part of a split one).

    `file_bytes` is the whole model's size; `exact` says whether it is to the byte. Otherwise it
    was rounded in its source, or computed where no source has it. `gated`: its owner wants an
    agreement first.
    """

    repo: str
    name: str
    quantization: str
    file_bytes: int
    exact: bool
    sha256: str = ""
    source: str = ""
    gated: bool = False

    @property
    def reference(self) -> str:
        """What commands take: ``org/repo:FILE.gguf``."""
        return f"{self.repo}:{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class CatalogModel:
    """One model in all its files; parameters are counts, dates ISO days.

    `german`: German is named among its languages; None: nobody says so. `released_exact` False:
    it came out on that day or later. `blueprint` None: nothing is known of its shape.
    `native_quantization`: how its makers publish it, so that it costs no quality; "" for 16 bits.
    `specialist`: made for the one task it has.
    """

    id: str
    name: str
    base_model: str
    tasks: tuple[Task, ...]
    parameters: int
    active_parameters: int
    context_tokens: int | None
    licence: Licence
    modalities: tuple[str, ...]
    languages: Languages | None
    german: bool | None
    released: str | None
    released_exact: bool
    files: tuple[CatalogFile, ...]
    projectors: tuple[CatalogFile, ...]
    blueprint: Blueprint | None
    sources: tuple[str, ...]
    native_quantization: str = ""
    specialist: bool = False

    def header(self, file: CatalogFile) -> ModelHeader | None:
        """What the header of `file` would say; None where the shape is not known."""
        if self.blueprint is None:
            return None
        return self.blueprint.header(
            self.name, file.name, file.quantization, file.file_bytes, self.licence.id
        )

    def with_files(
        self, files: tuple[CatalogFile, ...], projectors: tuple[CatalogFile, ...]
    ) -> CatalogModel:
        """The same model with fresher files."""
        return replace(self, files=files, projectors=projectors)


@dataclass(frozen=True, slots=True)
class Catalog:
    models: tuple[CatalogModel, ...]
    licences: Mapping[str, Licence]

    def licence(self, stated: str) -> Licence:
        """What is known of a licence by the Hub's tag, as model files carry it, too."""
        return self.licences.get(stated.lower(), Licence(stated, stated))

    def for_task(self, task: Task) -> tuple[CatalogModel, ...]:
        return tuple(model for model in self.models if task in model.tasks)

    def get(self, identifier: str) -> CatalogModel | None:
        return next((model for model in self.models if model.id == identifier), None)


@cache
def shipped_catalog() -> Catalog:
    """The catalogue that ships inside, read once; raises StorageError where it is missing."""
    try:
        return parse_catalog(json.loads(read_text(CATALOG)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError("resource_missing", name=CATALOG, detail=str(error)) from error


def parse_catalog(document: Mapping[str, Any]) -> Catalog:
    """The catalogue in a document; raises KeyError, TypeError or ValueError where it is none."""
    licences = {
        key: Licence(key, value["name"], value["office"], value["about"])
        for key, value in document["licences"].items()
    }
    sources = tuple(document.get("file_sources", ()))
    models = tuple(_model(entry, licences, sources) for entry in document["models"])
    return Catalog(models, licences)


def _model(
    entry: Mapping[str, Any], licences: Mapping[str, Licence], sources: tuple[str, ...]
) -> CatalogModel:
    blueprint = _blueprint(entry["shape"]) if entry["shape"] else None
    stated = entry["licence"] or ""
    licence = licences.get(stated, Licence(stated, stated))
    parameters = entry["parameters"] or 0
    return CatalogModel(
        id=entry["id"],
        name=entry["name"],
        base_model=entry["base_model"],
        tasks=tuple(entry["tasks"]),
        parameters=parameters,
        active_parameters=entry["active_parameters"] or parameters,
        context_tokens=entry["context_tokens"],
        licence=licence,
        modalities=tuple(entry["modalities"]),
        languages=_languages(entry["languages"]),
        german=entry["german"],
        released=entry["released"],
        released_exact=entry["released_exact"],
        files=tuple(_files(entry["files"], sources)),
        projectors=tuple(_files(entry["projectors"], sources)),
        blueprint=blueprint,
        sources=tuple(entry["sources"]),
        native_quantization=entry["native_quantization"] or "",
        specialist=entry["specialist"],
    )


def _languages(stated: Mapping[str, Any] | None) -> Languages | None:
    if stated is None:
        return None
    return Languages(tuple(stated["codes"]), stated["count"], stated["word"])


def _files(entries: list[Mapping[str, Any]], sources: tuple[str, ...]) -> list[CatalogFile]:
    """Files whose size is stated, or was computed from the model's shape."""
    files = []
    for entry in entries:
        if entry["bytes"] is None:
            continue
        files.append(
            CatalogFile(
                repo=entry["repo"],
                name=entry["file"],
                quantization=entry["quantization"],
                file_bytes=entry["bytes"],
                exact=entry["exact"],
                sha256=entry.get("sha256", ""),
                source=sources[entry["source"]] if sources else "",
            )
        )
    return files


def _blueprint(shape: Mapping[str, Any]) -> Blueprint:
    return Blueprint(
        architecture=shape["architecture"],
        vocabulary=shape["vocabulary"],
        metadata=shape["metadata"],
        runs=tuple(
            TensorRun(name, tuple(dims), _layers(layers)) for name, dims, layers in shape["tensors"]
        ),
        source=shape["source"],
    )


def _layers(text: str) -> tuple[int, ...]:
    """ "0-3" or "0,2,5" as numbers; "" is none."""
    if not text:
        return ()
    first, dash, last = text.partition("-")
    if dash:
        return tuple(range(int(first), int(last) + 1))
    return tuple(int(number) for number in text.split(","))
