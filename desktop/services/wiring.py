"""Put the house together once, by constructors; both fronts start here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.chats.store import ChatStore
from desktop.common.errors import HausgeistError, StorageError
from desktop.common.messages import Messages
from desktop.common.paths import Paths
from desktop.common.resources import resources_folder
from desktop.common.settings import Settings, SettingsStore
from desktop.hardware.live_sensors import NativeSensors
from desktop.library.library import Library
from desktop.services.chat_turn import ChatService
from desktop.services.crash_marker import CrashMarker, CrashRecord
from desktop.services.held_memory import HeldMemory
from desktop.services.history import History
from desktop.services.live import LiveMonitor
from desktop.services.machine import MachineService, memory_now
from desktop.services.machine_advice import MachineAdviser
from desktop.services.machine_speed import SPEEDS_FILE, MachineSpeeds
from desktop.services.models import ModelsService
from desktop.services.network import Network
from desktop.services.open_model import ModelOpener
from desktop.services.probe_memory import ProbeMemory
from desktop.services.recording import Recorder
from desktop.services.start import Start, begin
from desktop.services.tune import Tuner
from desktop.services.tuned_plans import TunedPlans

GUIDE_FILE = "models/hausgeist-guide.gguf"
HISTORY_FILE = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Core:
    """What the command line needs: everything but the chats.

    `problems` are to be told at the start: nothing can be stored, a database was damaged...
    `crashes` are what earlier processes died of since the last start.
    """

    paths: Paths
    settings_store: SettingsStore
    settings: Settings
    messages: Messages
    library: Library
    machine_service: MachineService
    crash_marker: CrashMarker
    history: History
    held: HeldMemory
    opener: ModelOpener
    tuner: Tuner
    models_service: ModelsService
    network: Network
    problems: tuple[HausgeistError, ...]
    crashes: tuple[CrashRecord, ...]
    writable: bool

    def close(self) -> None:
        self.network.close()
        self.library.close()


@dataclass(frozen=True, slots=True)
class Services:
    """What the window needs: the core, with the chats."""

    paths: Paths
    settings_store: SettingsStore
    settings: Settings
    messages: Messages
    store: ChatStore
    library: Library
    machine_service: MachineService
    crash_marker: CrashMarker
    history: History
    held: HeldMemory
    opener: ModelOpener
    chat_service: ChatService
    models_service: ModelsService
    network: Network
    problems: tuple[HausgeistError, ...]
    crashes: tuple[CrashRecord, ...]
    interrupted_turns: int
    live: LiveMonitor
    adviser: MachineAdviser

    def close(self) -> None:
        """Stop the answers, write what is left, close the databases."""
        self.live.close()
        self.chat_service.close()
        self.store.close()
        self.network.close()
        self.library.close()


def build_core(start: Start) -> Core:
    """Everything but the chats; a home that cannot be written is a problem to tell, not an end."""
    paths, settings_store = start.paths, start.settings_store
    found: list[HausgeistError | None] = [settings_store.problem]
    try:
        paths.ensure()
        writable = True
    except StorageError as error:
        found = [error]
        writable = False
    library = _open_library(paths.library_database, guide_path(), writable, found)
    crash_marker = CrashMarker(paths.crash_marker)
    machines = MachineService(paths, speeds=MachineSpeeds(paths.cache_dir / SPEEDS_FILE))
    probed = ProbeMemory(paths.cache_dir / "probed.json")
    recorder = Recorder(History(paths.data_dir / HISTORY_FILE), HeldMemory())
    tuned = TunedPlans(paths.data_dir / "tuned.json")
    tuner = Tuner(library, machines, tuned, recorder.history)
    return Core(
        paths=paths,
        settings_store=settings_store,
        settings=start.settings,
        messages=start.messages,
        library=library,
        machine_service=machines,
        crash_marker=crash_marker,
        history=recorder.history,
        held=recorder.held,
        opener=ModelOpener(
            library, machines, crash_marker, probed, recorder, known_plans=tuned, tuner=tuner
        ),
        tuner=tuner,
        models_service=ModelsService(library, paths.models_dir, recorder),
        network=Network(paths, settings_store, start.env),
        problems=tuple(problem for problem in found if problem is not None),
        crashes=crash_marker.collect(),
        writable=writable,
    )


def build(env: Mapping[str, str]) -> Services:
    """The whole house for the window; without a writable disk the chats live in memory only."""
    core = build_core(begin(env))
    found: list[HausgeistError | None] = list(core.problems)
    store = _open_chats(core.paths.database, core.writable, found)
    return Services(
        paths=core.paths,
        settings_store=core.settings_store,
        settings=core.settings,
        messages=core.messages,
        store=store,
        library=core.library,
        machine_service=core.machine_service,
        crash_marker=core.crash_marker,
        history=core.history,
        held=core.held,
        opener=core.opener,
        chat_service=ChatService(store, core.crash_marker),
        models_service=core.models_service,
        network=core.network,
        problems=tuple(problem for problem in found if problem is not None),
        crashes=core.crashes,
        interrupted_turns=store.mark_interrupted(),
        live=LiveMonitor(lambda: NativeSensors(core.paths.models_dir, memory_now)),
        adviser=MachineAdviser(core.library),
    )


def guide_path() -> Path:
    """Where the model that ships inside lies; an incomplete installation may lack it."""
    return resources_folder().joinpath(*GUIDE_FILE.split("/"))


def _open_library(
    path: Path, guide: Path, writable: bool, problems: list[HausgeistError | None]
) -> Library:
    if writable:
        try:
            library = Library.open(path, guide)
        except StorageError as error:
            problems.append(error)
        else:
            problems.append(library.problem)
            return library
    return Library.in_memory(guide, path)


def _open_chats(path: Path, writable: bool, problems: list[HausgeistError | None]) -> ChatStore:
    if writable:
        try:
            store = ChatStore.open(path)
        except StorageError as error:
            problems.append(error)
        else:
            problems.append(store.problem)
            return store
    return ChatStore.in_memory(path)
