"""What goes into a pack with a model: its parts, what lets it see, its licence, its settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from desktop.common.errors import HausgeistError, PackError, UsageError
from desktop.common.logs import get_logger
from desktop.common.resources import read_text
from desktop.common.safe_names import is_safe_file
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.shown import printable
from desktop.library.abilities import is_embedding
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.model_settings import ModelSettings, settings_document
from desktop.library.naming import clean
from desktop.library.origin import Origin
from desktop.library.packs.index_json import MAX_LICENCE_BYTES
from desktop.library.packs.making import ModelToPack, Where
from desktop.library.packs.manifest import PackedFile, PackedModel

LICENCE_FILE = "LICENSE.txt"
_TEXTS = {"apache-2.0": "licences/apache-2.0.txt"}
_OWN_FOLDERS = ("hub", "pack")
_FALLBACK = "model"

_log = get_logger("packs")


def contents_of(library: Library, name: str) -> ModelToPack:
    """The library's model `name` with all that belongs to it.

    Raises ModelFileError("unknown_model") and as read_header, UsageError("guide_not_packed"),
    PackError("pack_source_gone").
    """
    model = library.get(name)
    if model.source == "built_in":
        raise UsageError("guide_not_packed")
    if model.problem:
        raise PackError("pack_source_gone", path=str(model.path))
    header = read_header(model.path)
    settings = library.model_settings
    chosen = settings.own(model.content).over(settings.recommended(model.content))
    return model_to_pack(
        model.name, header, model, hashes=library.hashes(model.name), settings=chosen
    )


def model_to_pack(
    name: str,
    header: ModelHeader,
    model: LibraryModel | None = None,
    *,
    hashes: Sequence[str] = (),
    settings: ModelSettings | None = None,
    projector: Path | None = None,
) -> ModelToPack:
    """A model by its header, with what the library knows of it, where it is there."""
    folder = clean(name)
    folder = folder if is_safe_file(f"{folder}/x") else _FALLBACK
    places: dict[str, Where] = {}
    files: list[PackedFile] = []
    known = tuple(hashes) if len(hashes) == len(header.paths) else ("",) * len(header.paths)
    for number, (path, sha256) in enumerate(zip(header.paths, known, strict=True), 1):
        place = f"{folder}/{_file_name(path, folder, number, len(header.paths))}"
        places[place] = path
        files.append(PackedFile(place, _size(path), sha256))
    sees_with = projector or (model.projector if model is not None else None)
    if sees_with is not None and sees_with.exists():
        place = f"{folder}/{_projector_name(sees_with)}"
        places[place] = sees_with
        files.append(PackedFile(place, _size(sees_with), "", "projector"))
    origin = model.origin if model is not None else None
    for file_name, body in _licences(header, origin).items():
        place = f"{folder}/{file_name}"
        places[place] = body
        files.append(PackedFile(place, len(body), "", "licence"))
    packed = PackedModel(
        name=name,
        files=tuple(files),
        architecture=header.architecture,
        quantization=header.quantization,
        parameters=header.parameters,
        context_tokens=header.context_length,
        licence=header.licence,
        languages=_languages(header),
        task=_task(header, has_projector=sees_with is not None),
        content=model.content if model is not None else "",
        origin=_origin(origin),
        settings={} if settings is None else settings_document(settings),
    )
    return ModelToPack(packed, places)


def _file_name(path: Path, folder: str, number: int, count: int) -> str:
    """Its own name where every system can hold it; blobs of other programs get one."""
    if is_safe_file(path.name) and path.name.lower().endswith(".gguf"):
        return path.name
    return f"{folder}.gguf" if count == 1 else f"{folder}-{number:05d}-of-{count:05d}.gguf"


def _projector_name(path: Path) -> str:
    name = path.name
    is_good = is_safe_file(name) and name.lower().endswith(".gguf") and "mmproj" in name.lower()
    return name if is_good else "mmproj.gguf"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise PackError("pack_source_gone", path=str(path), detail=str(error)) from error


def _licences(header: ModelHeader, origin: Origin | None) -> dict[str, bytes]:
    """The licence's text that came with the model, else what its file says of it."""
    beside: dict[str, bytes] = {}
    if origin is not None and origin.kind in _OWN_FOLDERS:  # other folders hold others' licences
        for path in sorted(header.paths[0].parent.glob("*")):
            if path.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE", "USE_POLICY")):
                body = _small_text(path)
                if body and path.suffix.lower() in ("", ".txt", ".md"):
                    beside[path.name] = body
    if LICENCE_FILE not in beside:
        beside[LICENCE_FILE] = _statement(header, origin).encode()
    return beside


def _small_text(path: Path) -> bytes:
    try:
        if not path.is_file() or path.stat().st_size > MAX_LICENCE_BYTES:
            return b""
        return path.read_bytes()
    except OSError as error:
        _log.info("licence not read: %s", error)
        return b""


def _statement(header: ModelHeader, origin: Origin | None) -> str:
    """What is known of the licence, with its text where everybody has the same."""
    link = header.text("general.license.link") or ""
    stated = [
        ("Model", header.name),
        ("Author", header.text("general.author") or header.text("general.organization") or ""),
        ("Licence", header.text("general.license.name") or header.licence or "not stated"),
        ("Terms", link),
        ("Source", _source(header, origin)),
    ]
    lines = [f"{label}: {printable(value)}" for label, value in stated if value]
    name = _TEXTS.get(header.licence.lower())
    if name is None:
        return "\n".join(lines) + "\n"
    try:
        return "\n".join([*lines, "", read_text(name)])
    except HausgeistError as error:  # an incomplete installation
        _log.warning("licence's text not there: %s", error)
        return "\n".join(lines) + "\n"


def _source(header: ModelHeader, origin: Origin | None) -> str:
    if origin is not None and origin.kind == "hub":
        commit = f" at {origin.commit}" if origin.commit else ""
        return f"{origin.where}{commit}"
    return header.text("general.repo_url") or header.text("general.source.url") or ""


def _origin(origin: Origin | None) -> dict[str, str]:
    """Where it first came from, without folders of this computer."""
    if origin is None or origin.kind not in _OWN_FOLDERS:
        return {}
    return {
        "kind": origin.kind,
        "where": origin.where,
        "file": origin.file,
        "commit": origin.commit,
        "sha256": origin.sha256,
    }


def _languages(header: ModelHeader) -> tuple[str, ...]:
    stated = header.metadata.get("general.languages")
    if not isinstance(stated, tuple):
        return ()
    return tuple(str(code) for code in stated if isinstance(code, str))


def _task(header: ModelHeader, *, has_projector: bool) -> str:
    if is_embedding(header):
        return "embedding"
    return "vision" if has_projector else "chat"
