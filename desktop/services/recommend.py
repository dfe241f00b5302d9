"""What to fetch for this machine: a short, ordered list, each entry with its reason.

Nothing is recommended that does not run well, and nothing in fewer than four bits: a smaller
model in Q4_K_M answers better than a larger one in Q2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from desktop.common.errors import Param
from desktop.common.reading import TOKENS_PER_PAGE
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.types import FitReport
from desktop.hardware.machine import Machine
from desktop.library.catalog import (
    Catalog,
    CatalogFile,
    CatalogModel,
    Task,
    shipped_catalog,
)
from desktop.services.model_choice import Choice, Chooser, Headers, in_order

Label = Literal["best", "fast", "small", "other"]

MOST = 5
FAST_FACTOR = 1.8
"""How much faster than the best a "fast" one must be."""
SMALL_SHARE = 0.5
"""How much of the best one's disk a "small" one may take."""
_FAST_TOKENS_PER_S = 15.0
_WITHIN_NATS = 0.35  # what is offered beside the best may be so much weaker
_MORE_CAPABLE_NATS = 0.03
_MUCH_WEAKER_NATS = 0.15


@dataclass(frozen=True, slots=True)
class Remark:
    """A short sentence beside the reason: ``recommend.note.<kind>``."""

    kind: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One entry: `reason_key` with `reason_params` is its sentence.

    `projector` is the second file that a model needs to see; `disk_bytes` counts both.
    """

    label: Label
    model: CatalogModel
    file: CatalogFile
    projector: CatalogFile | None
    report: FitReport
    tokens_per_s: float
    disk_bytes: int
    reason_key: str
    reason_params: Mapping[str, Param]
    remarks: tuple[Remark, ...]


def recommend(
    machine: Machine,
    task: Task = "chat",
    language: str = "",
    *,
    catalog: Catalog | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    ours: Mapping[str, int] | None = None,
    headers: Headers | None = None,
) -> tuple[Recommendation, ...]:
    """The best first, then a fast and a small one, then others; () where nothing runs well.

    `language` "de" prefers models whose makers name German. `ours`: bytes by device that
    unloading our own models would free. `headers` knows real headers of the catalogue's files.
    """
    known = catalog or shipped_catalog()
    models = known.for_task(task)
    chooser = Chooser(machine, task, language, corrections=corrections, ours=ours, headers=headers)
    found = _enough(in_order(chooser, models))
    if not found:
        return ()
    labelled = _labelled(found)
    best = labelled[0][1]
    squeezed = _squeezed(chooser, models, best)
    most = max(chooser.ability(choice.model, choice.file) for choice in found)
    is_ablest = chooser.ability(best.model, best.file) >= most
    described = []
    for label, choice in labelled:
        key, params = _reason(label, choice, best, squeezed if choice is best else None)
        if key == "recommend.reason.best" and not is_ablest:
            key = "recommend.reason.best_overall"
        described.append(_recommendation(label, choice, key, params, language))
    return tuple(described)


def _enough(ordered: Iterator[Choice]) -> list[Choice]:
    """As many of the choices, the best first, as decide what is recommended."""
    found: list[Choice] = []
    for choice in ordered:
        if found and choice.worth < found[0].worth - _WITHIN_NATS:
            break
        found.append(choice)
        if len(_labelled(found)) == MOST and _fast(found) and _small(found):
            break
    return found


def _labelled(found: list[Choice]) -> list[tuple[Label, Choice]]:
    """`found` is in order. Each model once, the labelled ones first."""
    labelled: list[tuple[Label, Choice]] = [("best", found[0])]
    fast, small = _fast(found), _small(found)
    if fast is not None:
        labelled.append(("fast", fast))
    if small is not None:
        labelled.append(("small", small))
    makers = {_maker(choice) for _, choice in labelled}
    least = 0 if small is None else small.disk_bytes  # no other is smaller than the "small" one
    for choice in found[1:]:
        if len(labelled) == MOST:
            break
        if _maker(choice) not in makers and choice.disk_bytes >= least:
            makers.add(_maker(choice))
            labelled.append(("other", choice))
    return labelled


def _fast(found: list[Choice]) -> Choice | None:
    speed = max(_FAST_TOKENS_PER_S, found[0].tokens_per_s * FAST_FACTOR)
    return next((choice for choice in found[1:] if choice.tokens_per_s >= speed), None)


def _small(found: list[Choice]) -> Choice | None:
    """Smaller than the fast one, and not slower than the best: somebody gains by it."""
    best, fast = found[0], _fast(found)
    limit = best.disk_bytes * SMALL_SHARE
    if fast is not None:
        limit = min(limit, fast.disk_bytes - 1)
    fitting = (choice for choice in found[1:] if choice.disk_bytes <= limit)
    return next((one for one in fitting if one.tokens_per_s >= best.tokens_per_s), None)


def _maker(choice: Choice) -> str:
    return choice.model.base_model.partition("/")[0].lower()


def _squeezed(
    chooser: Chooser, models: tuple[CatalogModel, ...], best: Choice
) -> tuple[CatalogModel, CatalogFile] | None:
    """The most capable model that would fit only in too few bits, and in which file."""
    ceiling = chooser.capability(best.model) + _MORE_CAPABLE_NATS
    larger = [
        model
        for model in models
        if chooser.capability(model) > ceiling and model.parameters > best.model.parameters
    ]
    for model in sorted(larger, key=lambda model: -chooser.capability(model)):
        if chooser.best(model) is not None:
            continue
        file = chooser.squeezed(model)
        if file is not None and chooser.quality(model, file) < chooser.quality(
            best.model, best.file
        ):
            return model, file
    return None


def _recommendation(
    label: Label,
    choice: Choice,
    key: str,
    params: Mapping[str, Param],
    language: str,
) -> Recommendation:
    return Recommendation(
        label=label,
        model=choice.model,
        file=choice.file,
        projector=choice.projector,
        report=choice.report,
        tokens_per_s=choice.tokens_per_s,
        disk_bytes=choice.disk_bytes,
        reason_key=key,
        reason_params=params,
        remarks=tuple(_remarks(choice, language)),
    )


def _reason(
    label: Label,
    choice: Choice,
    best: Choice,
    squeezed: tuple[CatalogModel, CatalogFile] | None,
) -> tuple[str, Mapping[str, Param]]:
    params: dict[str, Param] = {
        "tokens_per_s": round(choice.tokens_per_s, 1),
        "page_s": round(TOKENS_PER_PAGE / max(choice.tokens_per_s, 0.01), 1),
        "disk": choice.disk_bytes,
    }
    if label == "fast":
        params["factor"] = round(choice.tokens_per_s / max(best.tokens_per_s, 0.01), 1)
    small = choice.disk_bytes <= best.disk_bytes * SMALL_SHARE
    suffix = "_small" if label == "fast" and small else ""
    if "embedding" in choice.model.tasks:
        return f"recommend.reason.embedding_{label}{suffix}", params
    if label == "fast":
        weaker = "_weaker" if choice.worth < best.worth - _MUCH_WEAKER_NATS else ""
        return f"recommend.reason.fast{weaker}{suffix}", params
    if label == "best" and squeezed is not None:
        model, file = squeezed
        params |= {"larger": model.name, "quantization": file.quantization}
        return "recommend.reason.best_before_larger", params
    return f"recommend.reason.{label}", params


def _remarks(choice: Choice, language: str) -> list[Remark]:
    model = choice.model
    remarks = []
    if language == "de":
        remarks.append(Remark("german_named" if model.german else "german_not_stated", {}))
    if choice.projector is not None:
        remarks.append(Remark("second_file", {"file": choice.projector.name}))
    if choice.file.gated:
        remarks.append(Remark("gated", {}))
    if not choice.file.exact:
        remarks.append(Remark("size_rounded", {}))
    return remarks
