"""What is opened together with a model, beside its plan: plain picklable data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from desktop.engine.embedding import Pooling

POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last", "rank")


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """A LoRA adapter: its file, the name that requests use, its weight where they name none."""

    path: Path
    name: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Extras:
    """Files and wishes that a model is opened with.

    `projector` lets it see or hear, `draft` is a smaller model that guesses ahead. `embeddings`
    makes vectors of a model that writes, too (one that cannot write makes them anyway), in the way
    of `pooling`; None takes the model's own.
    """

    projector: Path | None = None
    draft: Path | None = None
    adapters: tuple[AdapterFile, ...] = ()
    embeddings: bool = False
    pooling: Pooling | None = None

    def to_json(self) -> dict[str, object]:
        """For another process; `from_json` reads it."""
        return {
            "projector": None if self.projector is None else str(self.projector),
            "draft": None if self.draft is None else str(self.draft),
            "adapters": [[str(one.path), one.name, one.scale] for one in self.adapters],
            "embeddings": self.embeddings,
            "pooling": self.pooling,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        projector, draft = document.get("projector"), document.get("draft")
        return cls(
            projector=None if projector is None else Path(projector),
            draft=None if draft is None else Path(draft),
            adapters=tuple(
                AdapterFile(Path(path), name, scale)
                for path, name, scale in document.get("adapters", ())
            ),
            embeddings=bool(document.get("embeddings", False)),
            pooling=document.get("pooling"),
        )


NO_EXTRAS = Extras()
