"""Jan's store: a folder with a ``model.yml`` for each model, which names its file.

    <data>/llamacpp/models/<id...>/model.yml   model_path, mmproj_path, name (since 0.6)
    <data>/models/<id...>/model.yml            files, ctx_len, temperature... (before)

Paths in it are the data folder's own, or absolute where a model was imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from desktop.common.errors import HausgeistError, ModelFileError
from desktop.library.origin import Origin, is_sha256
from desktop.library.stores.documents import is_file, is_folder, read_object, read_pairs, text
from desktop.library.stores.folder import MAX_MODELS, inside
from desktop.library.stores.model import StoreFolder, StoreModel
from desktop.library.stores.places import Surroundings, jan_homes
from desktop.library.stores.settings import settings_of
from desktop.library.stores.walk import files_below

_BELOW = (("llamacpp", "models"), ("models",), ("cortexcpp", "models"))
_DESCRIPTIONS = ("model.yml", "model.yaml")
_DEPTH = 6
_NAMES = {
    "context_tokens": "ctx_len",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
}


def read_jan(around: Surroundings, should_stop: Callable[[], bool]) -> Iterator[StoreFolder]:
    """Each data folder that is there."""
    places: list[Path] = []
    for settings, usual in jan_homes(around):
        places += [*_chosen(settings), usual]
    for data in dict.fromkeys(places):
        if any(is_folder(data.joinpath(*below)) for below in _BELOW):
            yield _read(data, should_stop)


def _chosen(settings: Path) -> list[Path]:
    try:
        folder = text(read_object(settings).get("data_folder"))
    except ModelFileError:
        return []
    return [Path(folder)] if folder and Path(folder).is_absolute() else []


def _read(data: Path, should_stop: Callable[[], bool]) -> StoreFolder:
    models: dict[Path, StoreModel] = {}
    problem = None
    for below in _BELOW:
        root = data.joinpath(*below)
        try:
            for description in _descriptions(root, should_stop):
                if should_stop() or len(models) >= MAX_MODELS:
                    break
                model = _described(data, root, description)
                models.setdefault(model.paths[0] if model.paths else description, model)
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = ModelFileError("store_unreadable", path=str(root), detail=str(error))
    return StoreFolder("jan", data, tuple(models.values()), problem)


def _descriptions(root: Path, should_stop: Callable[[], bool]) -> Iterator[Path]:
    """Raises OSError where the first folder cannot be read."""
    for found in files_below(root, _DEPTH, should_stop):
        if found.path.name in _DESCRIPTIONS:
            yield found.path


def _described(data: Path, root: Path, description: Path) -> StoreModel:
    name = inside(description.parent, root)
    try:
        return _model(data, name, description)
    except HausgeistError as error:
        return StoreModel("jan", name, (), problem=error)


def _model(data: Path, name: str, description: Path) -> StoreModel:
    """Raises ModelFileError."""
    pairs = read_pairs(description)
    path = _file(data, description, pairs, "model_path", name)
    if path is None:
        raise ModelFileError("store_manifest_empty", model=name)
    listed = pairs.get("name") or name
    settings = settings_of(pairs, _NAMES)
    return StoreModel(
        "jan",
        listed if isinstance(listed, str) else name,
        (path,),
        projector=_file(data, description, pairs, "mmproj_path", name),
        settings=settings,
        origin=Origin(
            "jan", name, file=path.name, sha256=is_sha256(text(pairs.get("model_sha256")))
        ),
    )


def _file(
    data: Path, description: Path, pairs: dict[str, str | list[str]], key: str, name: str
) -> Path | None:
    """The file that the description names; None where it names none.

    Raises ModelFileError("store_blob_missing") where it is not there, store_manifest_damaged for
    a path that leaves the data folder by its own steps.
    """
    stated = pairs.get(key)
    if key == "model_path" and stated is None:
        stated = pairs.get("files")
        if stated == "" or stated is None:
            beside = sorted(description.parent.glob("*.gguf"))
            return next((path for path in beside if "mmproj" not in path.name.lower()), None)
    value = stated[0] if isinstance(stated, list) and stated else stated
    if not isinstance(value, str) or not value:
        return None
    if ".." in Path(value.replace("\\", "/")).parts or "\0" in value:
        raise ModelFileError("store_manifest_damaged", model=name, what=key)
    given = Path(value)
    places = [given] if given.is_absolute() else [data / given, description.parent / given]
    for place in places:
        if is_file(place):
            return place
    raise ModelFileError("store_blob_missing", model=name, file=given.name)
