"""Put the house together once, by constructors; both fronts start here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.chats.store import ChatStore
from desktop.common.errors import HausgeistError, StorageError
from desktop.common.messages import Messages
from desktop.common.paths import Paths
from desktop.common.settings import Settings, SettingsStore
from desktop.hardware.live_sensors import NativeSensors
from desktop.hub.metered import MeteredWatch
from desktop.hub.transfer.pace import RateLimit
from desktop.library.library import Library
from desktop.services.account import Account
from desktop.services.browse import Browser, browser_of
from desktop.services.chat_turn import ChatService
from desktop.services.core import MOVE_FILE, TUNED_FILE, Core, build_core
from desktop.services.crash_marker import CrashMarker, CrashRecord
from desktop.services.downloads import Downloads
from desktop.services.energy import EnergyShares
from desktop.services.fetch_any import AnyFetcher
from desktop.services.fetch_model import ModelFetcher
from desktop.services.held_memory import HeldMemory
from desktop.services.history import History
from desktop.services.import_stores import StoreImporter
from desktop.services.kept_states import KeptStates
from desktop.services.library_watch import LibraryWatch
from desktop.services.live import LiveMonitor
from desktop.services.machine import MachineService, memory_now
from desktop.services.machine_advice import MachineAdviser
from desktop.services.model_places import ModelPlaces
from desktop.services.model_pool import ModelPool
from desktop.services.model_ref import resolve
from desktop.services.model_settings import ModelSettingsService
from desktop.services.models import ModelsService
from desktop.services.move_models import ModelMover
from desktop.services.network import Network
from desktop.services.open_any import AnyOpener
from desktop.services.open_model import ModelOpener
from desktop.services.packs import Packs
from desktop.services.pool import Pool
from desktop.services.probe_memory import ProbeMemory
from desktop.services.quantize import Quantizer
from desktop.services.recording import Recorder
from desktop.services.remote_ref import parse_remote
from desktop.services.remotes import Remotes
from desktop.services.sources import Sources
from desktop.services.start import begin
from desktop.services.tune import Tuner
from desktop.services.tune_records import TUNE_RECORDS_FILE, TuneRecords
from desktop.services.tune_report import TuneTools
from desktop.services.tuned_plans import TunedPlans
from desktop.services.verify import Verifier


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens models, tries them out and looks after them."""

    kept_states: KeptStates
    opener: AnyOpener
    energy: EnergyShares
    tuner: Tuner
    models_service: ModelsService
    remotes: Remotes


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
    kept_states: KeptStates
    history: History
    held: HeldMemory
    opener: ModelPool
    energy: EnergyShares
    remotes: Remotes
    chat_service: ChatService
    models_service: ModelsService
    network: Network
    pool: Pool
    problems: tuple[HausgeistError, ...]
    crashes: tuple[CrashRecord, ...]
    interrupted_turns: int
    live: LiveMonitor
    adviser: MachineAdviser
    browser: Browser
    account: Account
    downloads: Downloads
    places: ModelPlaces
    mover: ModelMover
    verifier: Verifier
    model_settings: ModelSettingsService
    library_watch: LibraryWatch
    packs: Packs
    sources: Sources
    store_importer: StoreImporter
    quantizer: Quantizer

    def close(self) -> None:
        """Stop the answers, write what is left, close the databases."""
        self.downloads.close()
        self.library_watch.close()
        self.live.close()
        self.chat_service.close()
        self.opener.close()
        self.energy.close()
        self.kept_states.close()
        self.store.close()
        self.network.close()
        self.library.close()


def build_opening(core: Core) -> Opening:
    """For the commands that open a model or bring one in."""
    probed = ProbeMemory(core.paths.cache_dir / "probed.json")
    recorder = Recorder(core.history, core.held)
    tuned = TunedPlans(core.paths.data_dir / TUNED_FILE)
    records = TuneRecords(core.paths.data_dir / TUNE_RECORDS_FILE)
    tuner = Tuner(
        core.library,
        core.machine_service,
        tuned,
        core.history,
        TuneTools(noted=core.pool.noted),
        records=records,
    )
    kept = KeptStates.of(core.paths, core.settings_store.now)
    models = ModelOpener(
        core.library,
        core.machine_service,
        core.crash_marker,
        probed,
        recorder,
        kept.tools,
        known_plans=tuned,
        tuner=tuner,
        pool=core.pool,
        always_apart=lambda: core.settings_store.now().isolate,
    )
    remotes = Remotes.of(core)
    energy = EnergyShares()
    return Opening(
        kept_states=kept,
        opener=AnyOpener(models, remotes, energy),
        energy=energy,
        tuner=tuner,
        models_service=ModelsService(core.library, core.places.for_new, recorder),
        remotes=remotes,
    )


def build(env: Mapping[str, str]) -> Services:
    """The whole house for the window; without a writable disk the chats live in memory only."""
    core = build_core(begin(env))
    opening = build_opening(core)
    found: list[HausgeistError | None] = list(core.problems)
    store = _open_chats(core.paths.database, core.writable, found)
    sources = Sources.of(core)
    return Services(
        paths=core.paths,
        settings_store=core.settings_store,
        settings=core.settings,
        messages=core.messages,
        store=store,
        library=core.library,
        machine_service=core.machine_service,
        crash_marker=core.crash_marker,
        kept_states=opening.kept_states,
        history=core.history,
        held=core.held,
        opener=_pool_of_models(core, opening),
        energy=opening.energy,
        remotes=opening.remotes,
        chat_service=ChatService(store, core.crash_marker),
        models_service=opening.models_service,
        network=core.network,
        pool=core.pool,
        problems=tuple(problem for problem in found if problem is not None),
        crashes=core.crashes,
        interrupted_turns=store.mark_interrupted(),
        live=LiveMonitor(lambda: NativeSensors(core.places.main(), memory_now)),
        adviser=MachineAdviser(core.library),
        browser=browser_of(core),
        account=core.network.account,
        downloads=_downloads(core, sources),
        places=core.places,
        mover=ModelMover(core.library, core.paths.data_dir / MOVE_FILE),
        verifier=Verifier(core.library),
        model_settings=ModelSettingsService(core.library),
        library_watch=LibraryWatch(core.library, core.places),
        packs=Packs.of(core.library, core.places, core.settings_store),
        sources=sources,
        store_importer=StoreImporter(core.library, core.places.for_new, env),
        quantizer=Quantizer(core.library, core.places.for_new, lessons=core.history.corrections),
    )


def _pool_of_models(core: Core, opening: Opening) -> ModelPool:
    """What the window opens stays loaded for a while: a way back to it costs nothing."""

    def key_of(ref: str) -> Hashable:
        if parse_remote(ref) is not None:
            return opening.remotes.key_of(ref)
        return resolve(ref, core.library).path

    store = core.settings_store
    return ModelPool(
        opening.opener, core.held, key_of=key_of, idle_s=lambda: 60.0 * store.now().idle_minutes
    )


def _downloads(core: Core, sources: Sources) -> Downloads:
    """The queue; it does nothing before somebody starts it."""
    hub = ModelFetcher(core.network.hub, core.network.headers, core.library, core.places.for_new)
    fetcher = AnyFetcher(hub, sources, core.settings_store)
    return Downloads(
        fetcher,
        core.paths.downloads_file,
        require_online=core.network.policy.require_online,
        is_metered=MeteredWatch(),
        kept_files=lambda: [model.path for model in core.library.list()],
        limit=RateLimit(core.settings.download_limit_bytes_per_s),
        unmetered_only=core.settings.download_unmetered_only,
        at_once=core.settings.downloads_at_once,
    )


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
