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
from desktop.library.files import content_of
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.model_settings import ModelSettings, settings_document
from desktop.library.naming import clean, name_of
from desktop.library.origin import Origin
from desktop.library.packs.index_json import MAX_LICENCE_BYTES, is_licence_file
from desktop.library.packs.making import ModelToPack, Where
from desktop.library.packs.manifest import PackedFile, PackedModel, Role
from desktop.services.model_ref import resolve

_TEXTS = {"apache-2.0": "licences/apache-2.0.txt"}
_OWN_FOLDERS = ("hub", "pack")
_FALLBACK = "model"

_log = get_logger("packs")


def contents_of(library: Library, text: str) -> ModelToPack:
    """The model that `text` means (its name, a path...) with all that belongs to it.

    Raises ModelFileError("unknown_model") and as read_header, UsageError("guide_not_packed"),
    PackError("pack_source_gone").
    """
    found = resolve(text, library)
    model = found.entry
    if model is None:
        header = read_header(found.path)
        return model_to_pack(name_of(header), header)
    if found.is_guide:
        raise UsageError("guide_not_packed")
    if model.problem:
        raise PackError("pack_source_gone", path=str(model.path))
    settings = library.model_settings
    chosen = settings.own(model.content).over(settings.recommended(model.content))
    return model_to_pack(
        model.name,
        read_header(model.path),
        model,
        hashes=library.hashes(model.name),
        settings=chosen,
    )


def model_to_pack(
    name: str,
    header: ModelHeader,
    model: LibraryModel | None = None,
    *,
    hashes: Sequence[str] = (),
    settings: ModelSettings | None = None,
) -> ModelToPack:
    """A model by its header, with what the library knows of it, where it is there."""
    origin = model.origin if model is not None else None
    folder = _folder(name, origin)
    places: dict[str, Where] = {}
    files: list[PackedFile] = []

    def put(file_name: str, where: Where, sha256: str, role: Role) -> None:
        size = len(where) if isinstance(where, bytes) else _size(where)
        places[f"{folder}/{file_name}"] = where
        files.append(PackedFile(f"{folder}/{file_name}", size, sha256, role))

    count = len(header.paths)
    known = tuple(hashes) if len(hashes) == count else ("",) * count
    for number, (path, sha256) in enumerate(zip(header.paths, known, strict=True), 1):
        put(_file_name(path, clean(name) or _FALLBACK, number, count), path, sha256, "model")
    sees_with = model.projector if model is not None else None
    if sees_with is not None and sees_with.exists():
        put(_projector_name(sees_with), sees_with, "", "projector")
    for file_name, body in _licences(name, header, origin).items():
        put(file_name, body, "", "licence")
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
        content=content_of(header.paths) if model is None else model.content,
        origin=_origin(origin),
        settings={} if settings is None else settings_document(settings),
    )
    return ModelToPack(packed, places)


def _folder(name: str, origin: Origin | None) -> str:
    """As the repository it came from has it, so that it is found by that name; else its own."""
    if origin is not None and origin.kind == "hub":
        above = origin.file.rpartition("/")[0]
        folder = f"{origin.where}/{above}".rstrip("/")
        if is_safe_file(f"{folder}/x"):
            return folder
    folder = clean(name)
    return folder if is_safe_file(f"{folder}/x") else _FALLBACK


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


def _licences(name: str, header: ModelHeader, origin: Origin | None) -> dict[str, bytes]:
    """The licence's text that came with the model, and what its file says of it."""
    found = {f"LICENSE-{clean(name) or _FALLBACK}.txt": _statement(header, origin).encode()}
    if origin is not None and origin.kind in _OWN_FOLDERS:  # other folders hold others' licences
        for path in sorted(header.paths[0].parent.glob("*")):
            if is_licence_file(path.name) and not path.name.startswith("LICENSE-"):
                body = _small_text(path)
                if body:
                    found[path.name] = body
    return found


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
