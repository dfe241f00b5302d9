"""Open a model: look at the file, plan, try it out in a child process, load, step down.

The guide that ships inside is trusted: it is opened at once, without a trial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from desktop.common.errors import CancelledError, FitError, LoadError
from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.engine.engine import Engine
from desktop.engine.probe import ProbeResult
from desktop.fit.planner import smaller
from desktop.fit.types import FitReport, Plan, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.services.crash_marker import CrashMarker
from desktop.services.drive import DriveKind
from desktop.services.file_guard import FileGuard, GuardedEngine
from desktop.services.fit_model import fit
from desktop.services.machine import MachineService
from desktop.services.model_ref import ResolvedModel, resolve
from desktop.services.open_progress import OpenedModel, OpenProgress, StepDown
from desktop.services.probe_memory import ProbeMemory

_log = get_logger("services")

ProgressListener = Callable[[OpenProgress], None]
