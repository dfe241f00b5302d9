"""What stands in for an organisation's source of models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from desktop.common.errors import StorageError, UsageError
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.library.catalog import Licence
from desktop.library.packs.manifest import PackedFile, PackedModel
from desktop.services.sources import ModelSource, SourceModel

SOURCE = ModelSource(
    id="ab12",
    address="https://models.example/",
    kind="web",
    name="Intranet",
    models=2,
    seen_at=1.0,
    signed_by="",
    is_trusted=True,
    problem=None,
)


def model(name: str, **values: object) -> SourceModel:
    packed = PackedModel(
        name=name,
        files=(
            PackedFile(f"{name}.gguf", 5_000_000_000, "c" * 64),
            PackedFile("mmproj.gguf", 800_000_000, "d" * 64, "projector"),
        ),
        quantization="Q4_K_M",
        parameters=8_000_000_000,
        licence="apache-2.0",
        languages=("de",),
        task="chat",
        about="Our own.",
    )
    packed = replace(packed, **values)  # type: ignore[arg-type]
    licence = Licence("apache-2.0", "Apache 2.0", "yes", "free")
    return SourceModel(SOURCE, packed, licence, f"source:ab12/{name}", is_here=False)


@dataclass
class ScriptedSources:
    """An index with a few models."""

    header_path: Path
    models: tuple[SourceModel, ...] = ()
    later: tuple[SourceModel, ...] = ()
    broken: bool = False
    asked: list[str] = field(default_factory=list)

    def sources(self) -> tuple[ModelSource, ...]:
        return (replace(SOURCE, models=len(self.models)),)

    def search(self, text: str = "") -> tuple[SourceModel, ...]:
        self.asked.append(text)
        return tuple(m for m in self.models if text.casefold() in m.name.casefold())

    def get(self, reference: str) -> SourceModel:
        for known in self.models:
            if known.reference == reference:
                return known
        raise UsageError("no_source_model", model=reference)

    def refresh(self, is_cancelled: Callable[[], bool] | None = None) -> tuple[ModelSource, ...]:
        assert is_cancelled is not None
        self.models += self.later
        self.later = ()
        return (SOURCE,)

    def header(
        self, _model: SourceModel, _is_cancelled: Callable[[], bool] | None = None
    ) -> ModelHeader:
        if self.broken:
            raise StorageError("not_readable", path="x")
        return read_header(self.header_path)
