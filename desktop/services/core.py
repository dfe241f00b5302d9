"""What every command and the window stand on: settings, library, machine, history, network.

What opens models is put on top by `wiring.py`: half the commands never open one, and loading its
modules would take longer than their work.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import HausgeistError, StorageError
from desktop.common.messages import Messages
from desktop.common.paths import Paths
from desktop.common.resources import resources_folder
from desktop.common.settings import Settings, SettingsStore
from desktop.library.library import Library
from desktop.services.crash_marker import CrashMarker, CrashRecord
from desktop.services.held_memory import HeldMemory
from desktop.services.history import History
from desktop.services.library_watch import look_once
from desktop.services.machine import MachineService
from desktop.services.machine_speed import SPEEDS_FILE, MachineSpeeds
from desktop.services.model_places import ModelPlaces
from desktop.services.move_models import ModelMover
from desktop.services.network import Network
from desktop.services.pool import Pool
from desktop.services.start import Start

GUIDE_FILE = "models/hausgeist-guide.gguf"
HISTORY_FILE = "history.jsonl"
TUNED_FILE = "tuned.json"
MOVE_FILE = "move.json"
LOOK_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Core:
    """The parts below everything that opens a model or keeps a chat.

    `problems` are to be told at the start: nothing can be stored, a database was damaged...
    `crashes` are what earlier processes died of since the last start.
    """

    paths: Paths
    settings_store: SettingsStore
    settings: Settings
    messages: Messages
    library: Library
    places: ModelPlaces
    machine_service: MachineService
    crash_marker: CrashMarker
    history: History
    held: HeldMemory
    network: Network
    pool: Pool
    problems: tuple[HausgeistError, ...]
    crashes: tuple[CrashRecord, ...]
    writable: bool

    def close(self) -> None:
        self.network.close()
        self.library.close()


def build_core(start: Start) -> Core:
    """A home that cannot be written is a problem to tell, not an end."""
    paths, settings_store = start.paths, start.settings_store
    found: list[HausgeistError | None] = [settings_store.problem]
    try:
        paths.ensure()
        writable = True
    except StorageError as error:
        found = [error]
        writable = False
    places = ModelPlaces(paths, settings_store)
    library = _open_library(paths, places, writable, found)
    if writable:
        ModelMover(library, paths.data_dir / MOVE_FILE).recover()
        if library.is_empty:  # new, or lost: then the models are still where they were
            look_once(library, places, LOOK_WITHIN_S)
    crash_marker = CrashMarker(paths.crash_marker)
    network = Network(paths, settings_store, start.env)
    pool = Pool(settings_store.now, network.policy, network.ledger)
    return Core(
        paths=paths,
        settings_store=settings_store,
        settings=start.settings,
        messages=start.messages,
        library=library,
        places=places,
        machine_service=MachineService(
            paths,
            speeds=MachineSpeeds(paths.cache_dir / SPEEDS_FILE, noted=pool.noted),
            pool=pool,
            models_folder=places.main,
        ),
        crash_marker=crash_marker,
        history=History(paths.data_dir / HISTORY_FILE),
        held=HeldMemory(),
        network=network,
        pool=pool,
        problems=tuple(problem for problem in found if problem is not None),
        crashes=crash_marker.collect(),
        writable=writable,
    )


def guide_path() -> Path:
    """Where the model that ships inside lies; an incomplete installation may lack it."""
    return resources_folder().joinpath(*GUIDE_FILE.split("/"))


def _open_library(
    paths: Paths, places: ModelPlaces, writable: bool, problems: list[HausgeistError | None]
) -> Library:
    path, guide = paths.library_database, guide_path()
    if writable:
        try:
            library = Library.open(path, guide, folders=places.folders)
        except StorageError as error:
            problems.append(error)
        else:
            problems.append(library.problem)
            return library
    return Library.in_memory(guide, path, folders=places.folders)
