"""Everything around a `ModelOpener`, played by the test: the machine, loads, trials, the drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop.common.drives import DriveKind
from desktop.common.errors import EngineError, LoadError
from desktop.common.paths import Paths
from desktop.engine.cancel import CancelToken
from desktop.engine.engine import Engine
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.memory_now import MemoryNow
from desktop.engine.probe import ProbeResult
from desktop.fit.types import Plan
from desktop.hardware.machine import Cpu, EngineInfo, Gpu, Machine, Memory
from desktop.library.library import Library
from desktop.services.crash_marker import CrashMarker
from desktop.services.first_open import FirstOpenTuner, KnownPlans
from desktop.services.held_memory import HeldMemory
from desktop.services.history import History
from desktop.services.machine import MachineService
from desktop.services.open_model import ModelOpener, OpenTools
from desktop.services.probe_memory import ProbeMemory
from desktop.services.recording import Recorder
from tests.services.fake_engine import FakeEngine

GIB = 2**30
GOOD = ProbeResult(ok=True)


class Stage:
    """Everything around an opener; `loads` and `probes` are scripted, one item a call.

    `process_bytes` are what the process holds at each look, the last for all later ones.
    """

    def __init__(
        self,
        folder: Path,
        guide: Path,
        marker: CrashMarker,
        *,
        known_plans: KnownPlans | None = None,
        tuner: FirstOpenTuner | None = None,
    ) -> None:
        self.loads: list[LoadError | None] = []
        self.probes: list[ProbeResult] = []
        self.loaded: list[Plan] = []
        self.probed: list[Plan] = []
        self.template: str | None = None
        self.extras = NO_EXTRAS
        self.probed_with: list[Extras] = []
        self.asked_machine = 0
        self.ram_bytes = 16 * GIB
        self.gpus: tuple[Gpu, ...] = ()
        self.drive: DriveKind = "local"
        self.marker = marker
        self.marked_while_loading = False
        self.engine = FakeEngine([["ja"]] * 9)
        self.apart: list[Plan] = []
        self.servers: tuple[str, ...] = ()
        self.on_death: Callable[[EngineError], None] | None = None
        self.process_bytes = [100 << 20]
        self.library = Library.in_memory(guide)
        paths = Paths.from_environment({"HAUSGEIST_HOME": str(folder)})
        self.machines = MachineService(
            paths,
            look=self._look,
            look_at_memory=lambda: Memory(self.ram_bytes, self.ram_bytes),
            ask_engine=lambda _timeout_s: EngineInfo("1.0", ("CPU", "CUDA")),
        )
        tools = OpenTools(
            self._load,
            self._probe,
            lambda _path: self.drive,
            self._memory_now,
            self._load_apart,
        )
        memory = ProbeMemory(folder / "probed.json")
        self.recorder = Recorder(History(folder / "history.jsonl"), HeldMemory())
        self.opener = ModelOpener(
            self.library,
            self.machines,
            marker,
            memory,
            self.recorder,
            tools,
            known_plans=known_plans,
            tuner=tuner,
        )

    @property
    def history(self) -> History:
        return self.recorder.history

    def _look(self, **_options: Any) -> Machine:
        self.asked_machine += 1
        memory = Memory(self.ram_bytes, self.ram_bytes)
        return Machine(memory, Cpu(logical_cores=4), gpus=self.gpus)

    def _memory_now(self, *, graphics: bool) -> MemoryNow:
        now = self.process_bytes.pop(0) if len(self.process_bytes) > 1 else self.process_bytes[0]
        return MemoryNow(now, now, {"CUDA0": 7 * GIB - now} if graphics else {})

    def _load(
        self,
        path: Path,
        plan: Plan,
        *,
        on_progress: Callable[[float], None] | None = None,
        cancel: CancelToken | None = None,
        template: str | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> Engine:
        self.loaded.append(plan)
        self.extras = extras
        self.template = template
        assert cancel is not None
        assert on_progress is not None
        on_progress(0.5)
        later = CrashMarker(self.marker._crashes_file, alive=lambda _process: False)
        later._own_file = path
        self.marked_while_loading = bool(later._marker_files())
        error = self.loads.pop(0) if self.loads else None
        if error is not None:
            raise error
        return self.engine

    def _load_apart(
        self,
        path: Path,
        plan: Plan,
        *,
        on_progress: Callable[[float], None] | None = None,
        cancel: CancelToken | None = None,
        template: str | None = None,
        extras: Extras = NO_EXTRAS,
        servers: Sequence[str] = (),
        on_death: Callable[[EngineError], None] | None = None,
    ) -> ApartFake:
        self.apart.append(plan)
        self.servers, self.on_death = tuple(servers), on_death
        self._load(
            path, plan, on_progress=on_progress, cancel=cancel, template=template, extras=extras
        )
        return ApartFake([["ja"]] * 9)

    def _probe(
        self,
        path: Path,
        plan: Plan,
        *,
        timeout_s: float,
        cancel: CancelToken | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> ProbeResult:
        assert path.exists()
        assert timeout_s >= 30
        assert cancel is not None
        self.probed.append(plan)
        self.probed_with.append(extras)
        return self.probes.pop(0) if self.probes else GOOD


class ApartFake(FakeEngine):
    """As if in a process of its own."""

    memory_before = MemoryNow(50 << 20, 50 << 20, {})

    def memory_now(self, *, graphics: bool) -> MemoryNow:
        return MemoryNow(80 << 20, 80 << 20, {})


def card(device: str = "CUDA0", **fields: Any) -> Gpu:
    """A fast graphics card with 8 GB."""
    found = Gpu("RTX 4060", "nvidia", "cuda", 8 * GIB, 7 * GIB, device=device)
    return replace(found, **fields)


def crash_of(stage: Stage, path: Path, crashed: Plan) -> None:
    """An earlier process died while it loaded the model at `path`."""
    other = CrashMarker(stage.marker._crashes_file, alive=lambda _process: False)
    with other.running("loading", path, crashed):
        file = other._own_file
        file.with_name("running-0.json").write_bytes(file.read_bytes())
    collector = CrashMarker(stage.marker._crashes_file, alive=lambda _process: False)
    assert len(collector.collect()) == 1
