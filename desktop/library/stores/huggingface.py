"""Hugging Face's cache, and llama.cpp's own.

    models--<org>--<name>/refs/<revision>              a commit
    models--<org>--<name>/snapshots/<commit>/<path>    a link to
    models--<org>--<name>/blobs/<sha256 or git hash>

Where links are not allowed (Windows), the files lie in the snapshots themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.library.origin import Origin, is_sha256
from desktop.library.projectors import is_projector_name
from desktop.library.scan import FoundModel, Walk, models_in
from desktop.library.stores.documents import is_file, read_text
from desktop.library.stores.folder import MAX_MODELS, Gathering, inside, projectors_of
from desktop.library.stores.model import StoreFolder, StoreModel
from desktop.library.stores.places import Surroundings, huggingface_places, llamacpp_places

_REPO = re.compile(r"models--(?P<repo>[\w.-]+(?:--[\w.-]+)?)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAX_REPOS = 20_000


def read_huggingface(
    around: Surroundings, should_stop: Callable[[], bool]
) -> Iterator[StoreFolder]:
    """Each cache folder that is there; one without any .gguf tells nothing."""
    for root in dict.fromkeys(huggingface_places(around)):
        try:
            with os.scandir(root) as entries:
                repos = [entry.name for entry in entries if _REPO.fullmatch(entry.name)]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problem = ModelFileError("store_unreadable", path=str(root), detail=str(error))
            yield StoreFolder("huggingface", root, (), problem)
            continue
        models: list[StoreModel] = []
        for name in sorted(repos)[:_MAX_REPOS]:
            if should_stop() or len(models) >= MAX_MODELS:
                break
            models.extend(_repository(root / name, should_stop))
        if models:
            yield StoreFolder("huggingface", root, tuple(models))


def read_llamacpp(around: Surroundings, should_stop: Callable[[], bool]) -> Iterator[StoreFolder]:
    """llama.cpp's downloads: ``org_repo_file.gguf`` in one folder."""
    for root in dict.fromkeys(llamacpp_places(around)):
        found = Gathering("llamacpp", root, should_stop).gather(partial(_downloaded, root))
        if found is not None:
            yield found


def _downloaded(root: Path, found: FoundModel) -> StoreModel | None:
    """None for what lies there as Hugging Face keeps it: that is told as such."""
    if _REPO.fullmatch(inside(found.path, root).partition("/")[0]):
        return None
    return StoreModel(
        "llamacpp",
        inside(found.path, root).removesuffix(".gguf"),
        (found.path,),
        origin=Origin("llamacpp", str(root), file=found.path.name),
        beside=tuple(one for one in projectors_of(found) if _same_repo(one, found.path)),
    )


def _same_repo(projector: Path, model: Path) -> bool:
    """All repositories' files lie in one folder: only ``org_repo_`` in front tells them apart."""
    prefix = re.split("mmproj", projector.name, maxsplit=1, flags=re.IGNORECASE)[0]
    return bool(prefix) and model.name.startswith(prefix)


def _repository(folder: Path, should_stop: Callable[[], bool]) -> Iterator[StoreModel]:
    """The models of one repository: of the newest snapshot first, a file only once."""
    repo = folder.name.removeprefix("models--").replace("--", "/", 1)
    seen: set[str] = set()
    for snapshot in _snapshots(folder):
        walk = Walk()
        yield from (
            model
            for model in (
                _model(repo, snapshot, found, seen)
                for found in models_in(snapshot, walk, should_stop)
            )
            if model is not None
        )
        yield from _broken(repo, snapshot, seen)


def _model(repo: str, snapshot: Path, found: FoundModel, seen: set[str]) -> StoreModel | None:
    place = inside(found.path, snapshot)
    blob = _target(found.path)
    key = str(blob) if blob != found.path else place
    if place in seen or key in seen:
        return None
    seen |= {place, key}
    return StoreModel(
        "huggingface",
        f"{repo}/{place}".removesuffix(".gguf"),
        (found.path,),
        origin=Origin(
            "huggingface",
            repo,
            file=place,
            commit=snapshot.name if _COMMIT.fullmatch(snapshot.name) else "",
            sha256=is_sha256(blob.name),
        ),
        beside=projectors_of(found),
    )


def _broken(repo: str, snapshot: Path, seen: set[str]) -> Iterator[StoreModel]:
    """Links to files that were deleted: a walk for models does not see them."""
    for folder, _folders, names in os.walk(snapshot):
        for name in sorted(names):
            path = Path(folder) / name
            place = inside(path, snapshot)
            if not name.lower().endswith(".gguf") or place in seen or is_projector_name(name):
                continue
            if path.is_symlink() and not is_file(path):
                seen.add(place)
                error = ModelFileError("store_blob_missing", model=repo, file=name)
                yield StoreModel(
                    "huggingface", f"{repo}/{place}".removesuffix(".gguf"), (), problem=error
                )


def _snapshots(folder: Path) -> list[Path]:
    """Those that a name points to, then the others, the newest first."""
    try:
        with os.scandir(folder / "snapshots") as entries:
            found = {entry.name: _changed(entry) for entry in entries if entry.is_dir()}
    except OSError:
        return []
    named = _commit(folder / "refs" / "main")
    order = sorted(found, key=lambda name: (name != named, -found[name], name))
    return [folder / "snapshots" / name for name in order]


def _changed(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _commit(ref: Path) -> str:
    try:
        return read_text(ref).strip()
    except ModelFileError:
        return ""


def _target(path: Path) -> Path:
    """The file behind a link, whose name is its hash."""
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError):  # a loop
        return path
