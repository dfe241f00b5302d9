"""A model's row in the index, made from its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.storage import storage_error
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.library.abilities import abilities_of
from desktop.library.files import content_of, stamp_of
from desktop.library.index_entry import Entry
from desktop.library.model import Source
from desktop.library.naming import name_of
from desktop.library.origin import Origin, from_text, is_sha256, origin_beside, to_text
from desktop.library.projectors import projector_beside

READING = 1
"""Counts up when more is read out of headers: older rows are then read anew."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody knows of a model besides its files; None and () leave what is known.

    `hashes`: the SHA-256 of each part. `candidates` are the projectors in the model's folder,
    where somebody has looked already.
    """

    origin: Origin | None = None
    name: str | None = None
    projector: Path | None = None
    hashes: tuple[str, ...] = ()
    candidates: Sequence[Path] | None = None


def new_entry(
    header: ModelHeader,
    parts: tuple[Path, ...],
    source: Source,
    added_at: float,
    told: Told,
    content: str = "",
) -> Entry:
    """The row for the model in `parts`, as complete as its files make it.

    `content` is their digest, where it has been taken already. Raises StorageError.
    """
    try:
        stamp = stamp_of(parts)
    except OSError as error:
        raise storage_error(error, parts[0]) from error
    origin = told.origin or origin_beside(parts[0])
    projector = told.projector or projector_beside(replace_paths(header, parts), told.candidates)
    return Entry(
        name=told.name or name_of(header),
        path=str(parts[0]),
        part_names="\n".join(part.name for part in parts),
        file_bytes=stamp.file_bytes,
        architecture=header.architecture,
        quantization=header.quantization,
        parameters=header.parameters,
        added_at=added_at,
        last_used_at=None,
        source=source,
        mtime_ns=stamp.mtime_ns,
        stamp=stamp.text,
        content=content or content_of(parts),
        context_tokens=header.context_length,
        licence=header.licence,
        abilities=" ".join(abilities_of(header, has_projector=projector is not None)),
        origin=to_text(origin or Origin("file", str(parts[0].parent), parts[0].name)),
        projector="" if projector is None else str(projector),
        hashes="\n".join(_hashes(parts, origin, told)),
        reading=READING,
    )


def with_told(entry: Entry, told: Told) -> Entry:
    """The entry with what is known now, its name kept: that is the person's."""
    origin, hashes = entry.origin, entry.hashes
    if told.origin is not None:
        origin = to_text(told.origin)
    if told.hashes or told.origin is not None or not hashes:
        known = _hashes(entry.parts, told.origin or from_text(entry.origin), told)
        old = entry.part_hashes if not told.hashes else ("",) * len(known)
        hashes = "\n".join(new or past for new, past in zip(known, old, strict=True))
    projector = entry.projector if told.projector is None else str(told.projector)
    abilities = entry.abilities
    if projector and "vision" not in abilities.split() and abilities != "embedding":
        abilities = f"vision {abilities}".strip()
    return replace(entry, origin=origin, hashes=hashes, projector=projector, abilities=abilities)


def renewed(entry: Entry) -> Entry:
    """The entry after its file was written: the same name and past, everything else read anew.

    What the file once was stays known, so that checking it can tell that it changed.
    Raises ModelFileError, StorageError.
    """
    header = read_header(Path(entry.path))
    past = Told(projector=_still_there(entry.projector))
    fresh = new_entry(header, header.paths, entry.source, entry.added_at, past)
    is_same = fresh.content == entry.content
    is_whole = len(fresh.parts) == len(entry.parts)
    # Fetched anew: then what the download wrote down is what it is now.
    is_news = all(origin_beside(part, only_current=True) for part in fresh.parts)
    return replace(
        fresh,
        name=entry.name,
        last_used_at=entry.last_used_at,
        # A restored backup has another time and the same content: still the file we know.
        probed_engine=entry.probed_engine if is_same else "",
        origin=fresh.origin if is_news else entry.origin or fresh.origin,
        hashes=entry.hashes if entry.hashes.strip() and is_whole and not is_news else fresh.hashes,
        verified_at=entry.verified_at if is_same and entry.stamp == fresh.stamp else None,
    )


def replace_paths(header: ModelHeader, parts: tuple[Path, ...]) -> ModelHeader:
    """The same header at another place."""
    return header if header.paths == parts else replace(header, paths=parts)


def _hashes(parts: Sequence[Path], origin: Origin | None, told: Told) -> tuple[str, ...]:
    """For each part what somebody says, else what a download wrote beside it."""
    if told.hashes:
        return tuple(is_sha256(text) for text in told.hashes)
    found = []
    for number, part in enumerate(parts):
        beside = origin_beside(part)
        stated = origin.sha256 if origin is not None and number == 0 else ""
        found.append(is_sha256(stated) or (beside.sha256 if beside is not None else ""))
    return tuple(found)


def _still_there(path: str) -> Path | None:
    return Path(path) if path and Path(path).exists() else None
