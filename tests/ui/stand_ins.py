"""What stands in for the engine and for the machine while the window is driven or pictured."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from desktop.chats.schema import SCHEMA
from desktop.chats.store import ChatStore
from desktop.common.database_opening import open_database
from desktop.common.errors import HausgeistError
from desktop.common.messages import Messages
from desktop.common.paths import Paths
from desktop.common.settings import SettingsStore
from desktop.engine.cancel import CancelToken
from desktop.engine.chat import Chat, Rendered
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.elsewhere import Elsewhere
from desktop.engine.engine import ModelInfo
from desktop.engine.events import Failed, Finished, FinishReason, Started, Stats, Text
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.fit.types import DeviceMemory, FitReport, ModelSummary, Plan, Speed, Verdict, Wish
from desktop.hardware.live import CpuLive, DiskLive, LiveSample, MemoryLive
from desktop.hardware.machine import Cpu, Device, Disk, EngineInfo, Machine, Memory
from desktop.hub.remote_door import RemoteDoor
from desktop.hub.server_keys import ServerKeys
from desktop.library.catalog import shipped_catalog
from desktop.library.library import Library
from desktop.services.account import Account
from desktop.services.browse import Browser
from desktop.services.chat_turn import ChatService
from desktop.services.crash_marker import CrashMarker
from desktop.services.downloads import Downloads
from desktop.services.energy import EnergyShares
from desktop.services.fetch_any import AnyFetcher
from desktop.services.fetch_model import ModelFetcher
from desktop.services.held_memory import HeldMemory
from desktop.services.history import History
from desktop.services.import_stores import StoreImporter
from desktop.services.kept_states import KeptStates
from desktop.services.library_watch import LibraryWatch
from desktop.services.live import LiveMonitor, Sensors
from desktop.services.machine import MachineService
from desktop.services.machine_advice import MachineAdviser
from desktop.services.model_places import ModelPlaces
from desktop.services.model_pool import ModelPool
from desktop.services.model_settings import ModelSettingsService
from desktop.services.models import ModelsService
from desktop.services.move_models import ModelMover
from desktop.services.network import Network
from desktop.services.open_progress import OpenedModel, OpenProgress, StepDown
from desktop.services.packs import Packs
from desktop.services.pool import Pool
from desktop.services.quantize import Quantizer
from desktop.services.recommend import Recommendation, recommend
from desktop.services.remote_file import RemoteFile
from desktop.services.remotes import REMOTES_FILE, Remotes
from desktop.services.removal import ModelRemover
from desktop.services.sources import Sources
from desktop.services.verify import Verifier
from desktop.services.wiring import Services
from tests.ui.browse.stand_ins import ScriptedAccount, ScriptedBrowser

GB = 1_000_000_000
PLAN = Plan(
    gpu_layers=0,
    context=8192,
    kv_type="f16",
    parallel=1,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=512,
    threads=6,
    use_mmap=True,
)

MACHINE = Machine(
    memory=Memory(16 * 2**30, 9 * 2**30),
    cpu=Cpu(
        name="AMD Ryzen 7 7840U",
        physical_cores=8,
        logical_cores=16,
        features=("AVX2", "FMA", "F16C", "AVX512", "VNNI"),
        memory_bandwidth_bytes_per_s=48 * GB,
    ),
    disk=Disk("/home/me/models", 212 * GB),
)

ENGINE_INFO = EngineInfo(
    "llama.cpp b7200",
    ("CPU", "RPC"),
    (Device("CPU", "AMD Ryzen 7 7840U", "cpu", 16 * 2**30, 9 * 2**30),),
)


FEW = ("Qwen3.5 0.8B", "Qwen3.5 4B", "Qwen3.5 9B", "Qwen3.6 35B-A3B")

CALM = LiveSample(
    at=0.0,
    cpu=CpuLive(load=0.12, ours=0.05, temperature_c=52.0),
    memory=MemoryLive(16 * 2**30, 9 * 2**30, 2**30, 5 * 2**29),
    disk=DiskLive(212 * GB, 0.0, 0.0),
)


class ScriptedEngine(Elsewhere):
    """An engine that says what it is told to, when it is told to."""

    def __init__(self, name: str = "guide", context_tokens: int = 8192) -> None:
        self.info = ModelInfo(
            path=Path("model.gguf"),
            name=name,
            architecture="llama",
            context_tokens=context_tokens,
            plan=PLAN,
            vocab_size=32000,
            template_name="model",
        )
        self.requests: list[Request] = []
        self.streams: list[Stream] = []
        self.closed = False
        self.died = False
        self.asked = threading.Event()

    @property
    def alive(self) -> bool:
        return not self.died

    def submit(self, request: Request) -> Stream:
        stream = Stream(request.id, self._cancelled)
        if request.chat is not None:
            request = replace(request, prompt=self.render(request.chat).prompt)
        self.requests.append(request)
        self.streams.append(stream)
        stream.put(Started(request.id, 120, 0))
        self.asked.set()
        return stream

    def say(self, text: str) -> None:
        """A piece of the answer that was asked for last."""
        stream = self.streams[-1]
        stream.put(Text(stream.request_id, text))

    def finish(
        self, reason: FinishReason = "stop", tokens: int = 90, seconds: float = 10.0
    ) -> None:
        """The end of that answer."""
        stream = self.streams[-1]
        stats = Stats(
            prompt_tokens=120,
            completion_tokens=tokens,
            prompt_s=1.0,
            generation_s=seconds,
            first_token_s=1.0,
            context_tokens_used=120 + tokens,
            context_tokens=self.info.context_tokens,
        )
        stream.put(Finished(stream.request_id, reason, stats))

    def fail(self, kind: str) -> None:
        """That answer breaks off; with a process that died there will be no other."""
        self.died = kind.startswith("engine_died")
        stream = self.streams[-1]
        stream.put(Failed(stream.request_id, kind))

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        return None

    def count_tokens(self, text: str) -> int:
        return len(text) // 4 + 1

    def render(self, chat: Chat) -> Rendered:
        assert chat.add_generation_prompt
        return Rendered("\n".join(f"{m.role}: {m.content}" for m in chat.led_messages))

    def close(self) -> None:
        self.closed = True
        for stream in self.streams:
            if stream.end is None:
                self._cancelled(stream.request_id)

    def _cancelled(self, request_id: str) -> None:
        stream = next(s for s in self.streams if s.request_id == request_id)
        stream.put(Finished(request_id, "cancelled", Stats(completion_tokens=3)))


def report(
    name: str = "guide",
    quantization: str = "Q4_K_M",
    *,
    verdict: Verdict = "cpu",
    speed: float | None = 9.0,
    file_bytes: int = 5 * GB,
) -> FitReport:
    """A verdict as the planner gives it."""
    return FitReport(
        model=ModelSummary(name, "llama", quantization, 8_200_000_000, file_bytes, 36),
        plan=PLAN,
        memory=(DeviceMemory("CPU", file_bytes, GB, GB // 2, 16 * 2**30, 9 * 2**30),),
        verdict=verdict,
        speed=Speed(None, speed, "predicted"),
        method="header",
        reason_key="fit.too_large" if verdict == "too_large" else "fit.cpu_no_speed",
        reason_params={"needed": file_bytes + GB, "total": 16 * 2**30, "usable": 9 * 2**30},
    )


class ScriptedOpener:
    """Opens whatever is asked for, at once or when `gate` is set, or fails with `error`."""

    def __init__(self, engine: Callable[[str], ScriptedEngine] = ScriptedEngine) -> None:
        self.make = engine
        self.engines: list[ScriptedEngine] = []
        self.names: list[str] = []
        self.wishes: list[Wish] = []
        self.error: HausgeistError | None = None
        self.steps: tuple[StepDown, ...] = ()
        self.gate: threading.Event | None = None
        self.progress: tuple[OpenProgress, ...] = (
            OpenProgress("checking", 0.0),
            OpenProgress("loading", 0.45),
        )
        self.hurried = False
        self.let_gone: list[str] = []

    @property
    def engine(self) -> ScriptedEngine:
        """The one that was opened last."""
        return self.engines[-1]

    def open(
        self,
        text: str,
        wish: Wish | None = None,
        *,
        on_progress: Callable[[OpenProgress], None] | None = None,
        cancel: CancelToken | None = None,
        start_now: CancelToken | None = None,
        usual_context: int | None = None,
        fresh: bool = False,
    ) -> OpenedModel:
        del fresh
        self.names.append(text)
        wish = wish or Wish()
        self.wishes.append(replace(wish, context=wish.context or usual_context))
        if on_progress is not None:
            for progress in self.progress:
                on_progress(progress)
        while self.gate is not None and not self.gate.wait(0.01):
            if cancel is not None:
                cancel.raise_if_cancelled()
            if start_now is not None and start_now.cancelled:
                self.hurried = True
                break
        if self.error is not None:
            raise self.error
        self.engines.append(self.make(text))
        return OpenedModel(text, self.engine, report(text), self.steps, is_guide=text == "guide")

    def let_go(self, text: str) -> bool:
        self.let_gone.append(text)
        return True

    def close(self) -> None:
        """Nothing is kept."""


class StillSensors:
    """A computer that does the same at every look: `sample_now`, at the moment of the look."""

    def __init__(self, sample_now: LiveSample = CALM) -> None:
        self.sample_now = sample_now
        self.closed = False

    def sample(self) -> LiveSample:
        return replace(self.sample_now, at=time.monotonic())

    def close(self) -> None:
        self.closed = True


def recommended_few(machine: Machine, language: str) -> tuple[Recommendation, ...]:
    """Recommended of four models of the catalogue: the whole takes a second."""
    whole = shipped_catalog()
    models = [model for model in whole.for_task("chat") if model.name in FEW]
    return recommend(machine, "chat", language, catalog=replace(whole, models=tuple(models)))


def machine_service(paths: Paths, machine: Machine) -> MachineService:
    """A service that finds this machine, whatever the tests run on."""
    return MachineService(
        paths,
        look=lambda **_: machine,
        measure=lambda found, _cache: found,
        look_at_memory=lambda: machine.memory,
        ask_engine=lambda _timeout_s: ENGINE_INFO,
    )


def make_services(
    env: dict[str, str],
    guide: Path,
    opener: ScriptedOpener,
    *,
    machine: Machine = MACHINE,
    language: str = "en",
    clock: Callable[[], float] = time.time,
    live: Callable[[], Sensors] | None = None,
) -> Services:
    """Real stores, real library, real chat service; only engine and hardware stand in."""
    paths = Paths.from_environment(env)
    paths.ensure()
    inside = paths.home / "guide.gguf"
    if not inside.exists():
        shutil.copyfile(guide, inside)
    settings_store = SettingsStore(paths.settings_file)
    store = ChatStore(open_database(paths.database, SCHEMA), clock)
    places = ModelPlaces(paths, settings_store)
    library = Library.open(paths.library_database, inside, folders=places.folders)
    marker = CrashMarker(paths.crash_marker)
    network = Network(paths, settings_store, env)
    hub = ModelFetcher(network.hub, network.headers, library, places.main)
    sources = Sources(network.door, settings_store, library, paths.cache_dir, places.main)
    fetcher = AnyFetcher(hub, sources, settings_store)
    return Services(
        paths=paths,
        settings_store=settings_store,
        settings=settings_store.load(),
        messages=Messages("de" if language == "de" else "en"),
        store=store,
        library=library,
        machine_service=machine_service(paths, machine),
        crash_marker=marker,
        kept_states=KeptStates.of(paths, settings_store.now),
        opener=cast("ModelPool", opener),
        energy=EnergyShares(),
        remotes=Remotes(
            RemoteFile(paths.data_dir / REMOTES_FILE),
            ServerKeys(paths.data_dir),
            RemoteDoor(network.door, network.ledger),
        ),
        chat_service=ChatService(store, marker),
        models_service=ModelsService(library, places.main, remover=remover(library)),
        history=History(paths.data_dir / "history.jsonl"),
        held=HeldMemory(),
        problems=(),
        crashes=(),
        interrupted_turns=store.mark_interrupted(),
        live=LiveMonitor(live or StillSensors),
        adviser=MachineAdviser(library, recommended_few),
        browser=cast("Browser", ScriptedBrowser()),
        account=cast("Account", ScriptedAccount()),
        network=network,
        pool=Pool(settings_store.now, network.policy, network.ledger),
        downloads=Downloads(fetcher, paths.downloads_file),
        places=places,
        mover=ModelMover(library, paths.data_dir / "move.json"),
        verifier=Verifier(library),
        model_settings=ModelSettingsService(library),
        library_watch=LibraryWatch(library, places),
        packs=Packs.of(library, places, settings_store),
        sources=sources,
        # A home of nobody: a test must not find the stores of whoever runs it.
        store_importer=StoreImporter(
            library, places.for_new, {}, home=paths.home / "nobody", root=paths.home / "nobody"
        ),
        quantizer=Quantizer(library, places.for_new),
    )


def remover(library: Library) -> ModelRemover:
    """As if no drive had a trash: a test must not fill the user's."""
    return ModelRemover(library, has_trash=lambda _path: False)
