"""`hausgeist import --from ollama`: what other programs keep here, listed or taken in."""

from __future__ import annotations

from argparse import Namespace

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.imported import described, tell
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import HausgeistError, ModelFileError
from desktop.common.messages import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.library.stores.model import StoreKind, StoreModel
from desktop.services.import_stores import CHOICES, FoundStore, StoreImporter, wanted
from desktop.services.models import ImportProgress, ImportResult


def store_option(arguments: Arguments) -> None:
    arguments.option("--from", value=CHOICES, kind=lambda _flag, value: wanted(value))


def run_from(stores: tuple[StoreKind, ...], given: Namespace, front: Front) -> int:
    with (
        Interrupts() as interrupts,
        open_house(front, storing=not given.list) as core,
        StatusLine(front) as status,
    ):
        importer = StoreImporter(core.library, core.places.for_new, front.start.env)
        status.show(front.text("cli.import.looking"))
        found = interrupts.run(lambda cancel: importer.found(stores, cancel=cancel))
        status.clear()
        if given.list:
            return _list(found, stores, front)
        results = interrupts.run(
            lambda cancel: _take(importer, found, stores, given, front, status, cancel)
        )
    return tell(front, results)


def _take(
    importer: StoreImporter,
    found: tuple[FoundStore, ...],
    stores: tuple[StoreKind, ...],
    given: Namespace,
    front: Front,
    status: StatusLine,
    cancel: CancelToken,
) -> list[ImportResult]:
    models = [model for store in found for model in store.models]
    if not models:
        raise _nothing(found, stores)

    def show(progress: ImportProgress) -> None:
        name = models[progress.done].name
        percent = round(100 * progress.fraction)
        status.show(front.text("cli.import.progress", name=name, percent=percent))

    results = importer.take_in(models, copy=given.copy, progress=show, cancel=cancel)
    for model in models:
        if model.adapters and model.problem is None:
            front.note(f"{model.name}: {front.text('stores.note.adapter')}")
    return results


def _nothing(found: tuple[FoundStore, ...], stores: tuple[StoreKind, ...]) -> HausgeistError:
    """Why there is nothing: a store that cannot be read, else that there is none."""
    problems = (store.problem for store in found)
    return next((problem for problem in problems if problem is not None), _none(stores))


def _list(found: tuple[FoundStore, ...], stores: tuple[StoreKind, ...], front: Front) -> int:
    if front.as_json:
        front.document([_store_document(store, front) for store in found])
        return 0
    if not any(store.models or store.problem for store in found):
        front.say(front.messages.error(_none(stores)))
        return 0
    for store in found:
        name = front.text(f"stores.{store.store}")
        front.say(front.text("cli.import.store", store=name, path=str(store.path)))
        if store.problem is not None:
            front.say("  " + front.messages.error(store.problem))
        for model in store.models:
            front.say("  " + _line(model, store, front))
    return 0


def _none(stores: tuple[StoreKind, ...]) -> ModelFileError:
    if len(stores) == 1:
        return ModelFileError("no_models_in_store", store=stores[0])
    return ModelFileError("no_models_in_stores")


def _line(model: StoreModel, store: FoundStore, front: Front) -> str:
    if model.problem is not None:
        return f"{model.name}: {front.messages.error(model.problem)}"
    words = [model.quantization, format_bytes(model.file_bytes, front.messages.language)]
    if model.projector is not None:
        words.append(front.text("ability.vision"))
    if model in store.here:
        words.append(front.text("cli.import.here"))
    if model.adapters:
        words.append(front.text("stores.note.adapter"))
    return f"{model.name}  {', '.join(words)}"


def _store_document(store: FoundStore, front: Front) -> dict[str, object]:
    return {
        "store": store.store,
        "path": str(store.path),
        "error": None if store.problem is None else described(front, store.problem),
        "models": [
            {
                "name": model.name,
                "also": list(model.also),
                "paths": [str(path) for path in model.paths],
                "file_bytes": model.file_bytes,
                "quantization": model.quantization,
                "projector": None if model.projector is None else str(model.projector),
                "here": model in store.here,
                "error": None if model.problem is None else described(front, model.problem),
            }
            for model in store.models
        ],
    }
