"""Headers in the shapes of real models, and what llama.cpp's dry run said of them.

`data/real_shapes.json` holds both: metadata, tensors by name and layers, and the recorded runs
(`tests/benchmarks/memory_error.py --record` asks the installed llama.cpp anew).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from desktop.fit.memory import CPU, Share
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.values import ArrayRef, MetaValue
from tests.gguf_files import BLOCKS, BOOL, F32, I32, STRING, U32, Array, Tensor, write_gguf

DATA = Path(__file__).parent / "data" / "real_shapes.json"
GRAPHICS = "RPC0"


@dataclass(frozen=True)
class Run:
    """One dry run: the plan's settings, and (weights, context, compute) bytes a side."""

    settings: dict[str, Any]
    cpu: tuple[int, int, int]
    gpu: tuple[int, int, int]

    @property
    def plan(self) -> Plan:
        return plan_for(self.settings)

    @property
    def shares(self) -> tuple[Share, ...]:
        return (Share(GRAPHICS),) if self.plan.gpu_layers else ()

    @property
    def sides(self) -> dict[str, tuple[int, int, int]]:
        return {CPU: self.cpu} | ({GRAPHICS: self.gpu} if self.plan.gpu_layers else {})


@dataclass(frozen=True)
class Shape:
    """A model of one architecture; metadata keys without its prefix, with "!" for general ones."""

    name: str
    architecture: str
    vocab: int
    metadata: dict[str, Any]
    tensors: list[list[Any]]
    runs: tuple[Run, ...]

    def header(self) -> ModelHeader:
        """As `read_header` would have it of a whole file.

        The runs were recorded in contexts that write: a file that asks for vectors says nothing
        of that here.
        """
        offset, infos = 0, []
        for tensor in self._tensors():
            code = BLOCKS[tensor.type][0]
            infos.append(
                TensorInfo(tensor.name, tensor.dims, code, tensor.type, offset, tensor.nbytes)
            )
            offset += -(-tensor.nbytes // 32) * 32
        values: dict[str, MetaValue] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in self._metadata().items()
            if not key.endswith(".pooling_type")
        }
        values["tokenizer.ggml.tokens"] = ArrayRef(STRING, self.vocab)
        return ModelHeader((), 3, "little", MappingProxyType(values), tuple(infos), offset, 0, 32)

    def write(self, path: Path, *, with_data: bool = True) -> Path:
        """The file, its tensor data a hole."""
        metadata = {key: _array(key, value) for key, value in self._metadata().items()}
        metadata["general.name"] = "A shape"  # llama.cpp looks for special tokens by some names
        metadata["tokenizer.ggml.model"] = "test"
        tokens = [f"t{number}" for number in range(self.vocab)]
        metadata["tokenizer.ggml.tokens"] = Array(STRING, tokens)
        metadata["tokenizer.ggml.scores"] = Array(F32, [0.0] * self.vocab)
        return write_gguf(path, metadata, list(self._tensors()), with_data=with_data)

    def _metadata(self) -> dict[str, Any]:
        arch = self.architecture
        named = {
            key[1:] if key.startswith("!") else f"{arch}.{key}": value
            for key, value in self.metadata.items()
        }
        return {
            "general.architecture": arch,
            "general.name": self.name,
            f"{arch}.vocab_size": self.vocab,
            **named,
        }

    def _tensors(self) -> list[Tensor]:
        found = []
        for name, dims, kind, *layers in self.tensors:
            names = [name.replace("*", str(n)) for n in _numbers(layers[0])] if layers else [name]
            found += [Tensor(each, tuple(dims), kind) for each in names]
        return found


@cache
def shapes() -> dict[str, Shape]:
    """By name."""
    return _read(DATA)


@cache
def made_up_shapes() -> dict[str, Shape]:
    """Of further architectures, in sizes drawn at random: the estimates were not fitted to them."""
    return _read(DATA.with_name("made_up_shapes.json"))


def _read(path: Path) -> dict[str, Shape]:
    document = json.loads(path.read_text("utf-8"))
    return {name: _shape(name, model) for name, model in document["models"].items()}


@cache
def features() -> tuple[str, ...]:
    """Of the processor that the runs were recorded on."""
    return tuple(json.loads(DATA.read_text("utf-8"))["features"])


def plan_for(settings: dict[str, Any]) -> Plan:
    return Plan(
        gpu_layers=settings.get("ngl", 0),
        context=settings.get("ctx", 4096),
        kv_type=settings.get("kv", "f16"),
        parallel=settings.get("par", 1),
        flash_attention=True,
        expert_layers_on_cpu=settings.get("ex", 0),
        ubatch=settings.get("ub", 512),
        threads=2,
        use_mmap=False,
    )


def _shape(name: str, model: dict[str, Any]) -> Shape:
    runs = []
    for run in model["runs"]:
        settings = {key: value for key, value in run.items() if key not in ("cpu", "gpu")}
        runs.append(Run(settings, tuple(run["cpu"]), tuple(run.get("gpu", (0, 0, 0)))))
    return Shape(
        name,
        model["architecture"],
        model["vocab"],
        model["metadata"],
        model["tensors"],
        tuple(runs),
    )


def _numbers(ranges: str) -> list[int]:
    """The numbers of "0-3,7"."""
    numbers: list[int] = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def _array(key: str, value: object) -> object:
    if not isinstance(value, list):
        return value
    if isinstance(value[0], bool):
        return Array(BOOL, value)
    if isinstance(value[0], float):
        return Array(F32, value)
    return Array(I32 if key.endswith("dimension_sections") else U32, value)
