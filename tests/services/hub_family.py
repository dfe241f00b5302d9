"""One model in several quantizations on the Hub of the tests, their tensors typed as real ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from desktop.common.paths import Paths
from desktop.common.settings import SettingsStore
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.gguf.mixes import tensor_type
from desktop.gguf.tensor_types import TENSOR_TYPES
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.services.browse import Browser, BrowserParts
from desktop.services.network import Network
from tests.fit.machines import laptop
from tests.gguf_files import LlamaShape, Tensor, data_bytes, header_bytes
from tests.hub.stand_in import HubStandIn
from tests.hub.stored import Content

REPO = "maker/Family-8B-GGUF"
SHAPE = LlamaShape(
    layers=32, embedding=4096, heads=32, kv_heads=8, feed_forward=14336, vocab=32_000, context=32768
)
NAMES = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")


def quantized(name: str, shape: LlamaShape = SHAPE) -> Content:
    """The model in that quantization: a whole header, and weights of zeros that nobody stores."""
    tensors = [_typed(tensor, name, shape) for tensor in shape.tensors()]
    head = header_bytes(shape.metadata(general__file_type=_file_type(name)), tensors)
    return Content(head, len(head) + data_bytes(tensors))


def _typed(tensor: Tensor, name: str, shape: LlamaShape) -> Tensor:
    kind = tensor_type(tensor.name, tensor.dims, name, shape.layers, tied=shape.tied)
    return replace(tensor, type=TENSOR_TYPES[kind].name)


def _file_type(name: str) -> int:
    from desktop.gguf.quantization import FILE_TYPES

    return next(number for number, known in FILE_TYPES.items() if known == name)


def family(*names: str, shape: LlamaShape = SHAPE) -> dict[str, bytes | Content]:
    return {f"Family-8B-{name}.gguf": quantized(name, shape) for name in names or NAMES}


class MachineOf:
    """Answers at once what the test says."""

    def __init__(self, machine: Machine) -> None:
        self.found = machine

    def machine(self, refresh: bool = False) -> Machine:
        return self.found


class Nothing:
    """No history, and nothing held."""

    def corrections(self, machine: Machine) -> Corrections:
        return NO_CORRECTIONS

    def by_device(self, machine: Machine | None = None) -> dict[str, int]:
        return {}


@dataclass
class BrowsingHouse:
    """What a browser stands on, with a Hub of the test's own."""

    browser: Browser
    parts: BrowserParts
    network: Network
    library: Library
    paths: Paths
    machine: MachineOf
    env: dict[str, str] = field(default_factory=dict)


@contextmanager
def browsing(tmp_path: Path, hub: HubStandIn, guide: Path, **env: str) -> Iterator[BrowsingHouse]:
    found = {"HF_ENDPOINT": hub.endpoint} | env
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})
    network = Network(paths, SettingsStore(paths.settings_file), found)
    library = Library.in_memory(guide)
    machine = MachineOf(laptop())
    parts = BrowserParts(
        network.hub,
        network.headers,
        network.search,
        network.catalog,
        library,
        machine,
        Nothing(),
        Nothing(),
    )
    try:
        yield BrowsingHouse(Browser(parts), parts, network, library, paths, machine, found)
    finally:
        network.close()
        library.close()
