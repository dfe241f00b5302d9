"""Packs and sources as they may be found in an office, for pictures and tests of the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError, PackError
from desktop.gguf.header import ModelHeader
from desktop.library.catalog import shipped_catalog
from desktop.library.packs.manifest import Manifest, PackedFile, PackedModel, Refused
from desktop.services.packs import PackPlan, PackView, PackWish
from desktop.services.sources import ModelSource
from tests.ui.stand_ins import GB


def packed(name: str, quantization: str, gigabytes: float, licence: str) -> PackedModel:
    file = PackedFile(f"{name}/{name}.gguf", int(gigabytes * GB), "0" * 64)
    return PackedModel(name, (file,), quantization=quantization, licence=licence)


OFFICE = (
    packed("Qwen3-8B-Q4_K_M", "Q4_K_M", 5.03, "apache-2.0"),
    packed("Gemma-3-4B-Q4_K_M", "Q4_K_M", 2.49, "gemma"),
    packed("Mistral-Small-3.2-Q4_K_M", "Q4_K_M", 14.3, "apache-2.0"),
    packed("Llama-3.3-70B-Q4_K_M", "Q4_K_M", 42.5, "llama3.3"),
)


class StillPacks:
    """Answers what a scene says, at once."""

    def __init__(self, view: PackView | HausgeistError, plan_files: int = 2) -> None:
        self._view = view
        self._files = plan_files

    def plan(self, wish: PackWish) -> PackPlan:
        return PackPlan(
            wish=wish,
            models=OFFICE[:1],
            total_bytes=int(5.03 * GB),
            volumes=self._files,
            split_bytes=4 * GB,
            begun_bytes=0,
            free_bytes=29 * GB,
            file_system="vfat",
            notes=("packs.note.licence_conditions",),
            problem=None,
        )

    def look(self, path: Path) -> PackView:
        if isinstance(self._view, HausgeistError):
            raise self._view
        return self._view

    def header(self, view: PackView, packed: PackedModel) -> ModelHeader:
        """As a model of about that size has it."""
        known = [(one, file) for one in shipped_catalog().models for file in one.files]
        model, file = min(known, key=lambda one: abs(one[1].file_bytes - packed.total_bytes))
        header = model.header(file)
        assert header is not None
        return header


def view(**values: Any) -> PackView:
    """A pack of four models, one of them here."""
    manifest = Manifest(
        OFFICE,
        title=values.pop("title", "Modelle für die Kanzlei, November"),
        refused=values.pop("refused", (Refused("Kaputt", "pack_unsafe_name", "../x"),)),
    )
    stated: dict[str, Any] = {
        "path": Path("/media/stick/kanzlei.hgpack"),
        "manifest": manifest,
        "total_bytes": manifest.total_bytes,
        "volumes": 16,
        "signed_by": "E7620F1842B4E81F",
        "comment": "",
        "is_trusted": True,
        "here": ("Gemma-3-4B-Q4_K_M",),
        "folder": Path("/home/me/.local/share/hausgeist/models"),
        "free_bytes": 212 * GB,
        "problem": None,
    }
    return PackView(**{**stated, **values})


def foreign() -> PackView:
    """One that may not come in."""
    path = "/media/stick/kanzlei.hgpack"
    problem = PackError("pack_foreign_key", path=path, key="E7620F1842B4E81F")
    return view(is_trusted=False, problem=problem, refused=(), here=())


class StillSources:
    """Two sources, one of them with a trouble."""

    def sources(self) -> tuple[ModelSource, ...]:
        gone = PackError("source_no_index", address="/srv/modelle")
        return (
            ModelSource("1", "https://modelle.kanzlei.example/", "web", "Kanzlei Muster", 12,
                        1.0, "E7620F1842B4E81F", is_trusted=True, problem=None),
            ModelSource("2", "/srv/modelle", "folder", "modelle", 0, 0.0, "",
                        is_trusted=False, problem=gone),
        )  # fmt: skip
