"""Write `resources/catalog/catalog.json` from recorded facts and published shapes.

    python packaging/catalog.py

Facts (`catalogue/facts.json`) come from public catalogues, each with its source; shapes from the
models' configurations, checked here against the sizes of the real files. Unknown stays null.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from catalogue.blocks import Run, Shape  # noqa: E402  (the path must be set before)
from catalogue.known import LANGUAGES, LICENCES, NAMES, NATIVE, RELEASED, Spoken  # noqa: E402
from catalogue.shapes import SHAPES  # noqa: E402

from desktop.gguf.mixes import known_mix  # noqa: E402
from desktop.library.blueprint import Blueprint, TensorRun  # noqa: E402

FACTS = Path(__file__).resolve().parent / "catalogue" / "facts.json"
TARGET = ROOT / "resources" / "catalog" / "catalog.json"

_TASKS = {
    "chat": ["chat"],
    "reasoning": ["chat"],
    "coding": ["code"],
    "vision": [],
    "embedding": ["embedding"],
    "translation": [],
}
_QUANTIZATION = re.compile(
    r"(?:UD-)?(?:I?Q\d(?:_[K01])?(?:_(?:XXS|XS|S|M|L|XL|NL))?|MXFP4)", re.IGNORECASE
)
_FLOATS = re.compile(r"BF16|F16", re.IGNORECASE)
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_BITS = {"BF16": 16.0, "F16": 16.0, "Q8_0": 8.5}
_CHECKED_ERROR = 0.03
_ROUNDED_ERROR = 0.055  # "1.2 GiB" may be 1.15


def main() -> int:
    """Write the catalogue; returns 1 where a shape does not meet its files."""
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    document = catalogue(facts)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, ensure_ascii=False, indent=1)
    TARGET.write_text(_compact(text) + "\n", encoding="utf-8", newline="\n")
    problems = [problem for model in facts["models"] for problem in shape_problems(model)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(document['models'])} models, {TARGET.stat().st_size:,} bytes")
    return 1 if problems else 0


def catalogue(facts: dict[str, Any]) -> dict[str, Any]:
    """The whole document."""
    return {
        "note": facts["note"],
        "file_sources": _file_sources(facts),
        "licences": {
            key: {"name": name, "office": office, "about": about}
            for key, (name, office, about) in LICENCES.items()
        },
        "models": [entry(model, _file_sources(facts)) for model in facts["models"]],
    }


def entry(model: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    """One model as the catalogue has it; files name their source by its place in `sources`."""
    models, projectors = _files(model, sources)
    shape = SHAPES[model["id"]]() if model["id"] in SHAPES else None
    for file in models:
        if file["bytes"] is None and shape is not None and known_mix(file["quantization"]):
            file["bytes"], file["computed"] = _computed_bytes(shape, file["quantization"]), True
    spoken = LANGUAGES.get(model["id"])
    return {
        "id": model["id"],
        "name": NAMES.get(model["id"], _name(model["id"])),
        "base_model": model["base_model"],
        "tasks": _tasks(model, projectors),
        "parameters": shape.parameters if shape else _count(model.get("params_total_b")),
        "active_parameters": active_parameters(shape) if shape else None,
        "context_tokens": shape.metadata["context_length"] if shape else None,
        "native_quantization": NATIVE.get(model["id"]),
        "specialist": model["role"] == "coding",
        "licence": model.get("license"),
        "modalities": [name for name in model["modalities"] if not name.endswith("?")],
        "languages": _languages(spoken) if spoken else None,
        "german": True if model.get("german_mentioned") or (spoken and spoken.german) else None,
        **_released(model),
        "files": models,
        "projectors": projectors,
        "shape": _shape(shape, model["base_model"]) if shape else None,
        "sources": sorted({*model["sources"], *([spoken.source] if spoken else [])}),
    }


def shape_problems(model: dict[str, Any]) -> list[str]:
    """Where the shape's size and that of a plainly quantized file do not meet."""
    if model["id"] not in SHAPES:
        return []
    shape = SHAPES[model["id"]]()
    problems = []
    for file in model["files"]:
        size = file.get("bytes") or (file["gib"] * 2**30 if "gib" in file else None)
        bits = _BITS.get(_quantization(file["file"]) or "")
        if size is None or bits is None or "mmproj" in file["file"].lower():
            continue
        if model["id"].startswith("gpt-oss"):
            continue  # its F16 file keeps the experts in MXFP4
        error = (shape.parameters * bits / 8 + _vocabulary_bytes(shape)) / size - 1
        allowed = _CHECKED_ERROR if size > 4 * 2**30 else _ROUNDED_ERROR
        if abs(error) > allowed:
            problems.append(f"{model['id']}: {file['file']} is off by {error:+.1%}")
    return problems


def active_parameters(shape: Shape) -> int:
    """Weights that a token passes: no experts that are not asked, no rows only looked up."""
    looked_up = sum(
        run.dims[0] * run.dims[1] for run in shape.runs if run.name == "per_layer_token_embd.weight"
    )
    count = shape.metadata.get("expert_count", 0)
    used = shape.metadata.get("expert_used_count", 0)
    if not isinstance(count, int) or not isinstance(used, int) or not count:
        return shape.parameters - looked_up
    experts = Shape("", 0, {}, tuple(run for run in shape.runs if "_exps." in run.name)).parameters
    return shape.parameters - looked_up - experts + experts * used // count


def _computed_bytes(shape: Shape, quantization: str) -> int:
    """Where no source has the size: by llama.cpp's own rules, a few per cent off at most."""
    runs = tuple(TensorRun(run.name, run.dims, run.layers) for run in shape.runs)
    blueprint = Blueprint(shape.architecture, shape.vocabulary, dict(shape.metadata), runs, "")
    return blueprint.file_bytes(quantization)


def _vocabulary_bytes(shape: Shape) -> int:
    """About what a header takes: tokens, their kinds and their merges."""
    return 45 * shape.vocabulary


def _file_sources(facts: dict[str, Any]) -> list[str]:
    return sorted({file["source"] for model in facts["models"] for file in model["files"]})


def _files(
    model: dict[str, Any], sources: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(models, projectors), each file once: where two sources name it, the exact size counts."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for found in model["files"]:
        file = _file(found, sources, model)
        if file is None:
            continue
        key = (file["repo"], file["file"])
        known = best.get(key)
        if known is None or _certainty(file) > _certainty(known):
            best[key] = {**(known or {}), **file}
    models = [file for (_, name), file in best.items() if "mmproj" not in name.lower()]
    projectors = [file for (_, name), file in best.items() if "mmproj" in name.lower()]
    return models, projectors


def _certainty(file: dict[str, Any]) -> tuple[bool, bool]:
    return file["exact"], file["bytes"] is not None


def _file(
    found: dict[str, Any], sources: list[str], model: dict[str, Any]
) -> dict[str, Any] | None:
    name = found["file"]
    part = _PART.search(name)
    if part is not None and int(part[1]) != 1:
        return None  # the first part stands for all
    quantization = _quantization(name)
    projector = "mmproj" in name.lower()
    if quantization is None:
        return None
    if quantization in ("BF16", "F16") and not projector and model["role"] != "embedding":
        return None  # twice as large as Q8_0 and no better; what embeds often comes so only
    size = found.get("bytes") or (round(found["gib"] * 2**30) if "gib" in found else None)
    if part is not None:
        size = None  # that would be the first part's alone
    file: dict[str, Any] = {
        "repo": found["repo"],
        "file": name,
        "quantization": quantization,
        "bytes": size,
        "exact": "bytes" in found,
        "source": sources.index(found["source"]),
    }
    if "sha256" in found:
        file["sha256"] = found["sha256"]
    return file


def _quantization(name: str) -> str | None:
    stem = _PART.sub("", name).removesuffix(".gguf")
    found = _QUANTIZATION.findall(stem) or _FLOATS.findall(stem)
    return found[-1].upper() if found else None


def _tasks(model: dict[str, Any], projectors: list[dict[str, Any]]) -> list[str]:
    tasks = list(_TASKS[model["role"]])
    if "chat" in tasks and model["role"] == "chat":
        tasks.append("code")
    if "image" in model["modalities"] and projectors:
        tasks.append("vision")
    return tasks


def _languages(spoken: Spoken) -> dict[str, Any]:
    return {"codes": list(spoken.codes), "count": spoken.number, "word": spoken.word}


def _released(model: dict[str, Any]) -> dict[str, Any]:
    created = model.get("gguf_repo_created")
    dated = RELEASED.get(model["id"])
    if dated is not None:
        return {"released": dated.day, "released_exact": dated.exact, "dated_by": dated.source}
    if created is not None:
        return {"released": created, "released_exact": True, "dated_by": "repository created"}
    return {"released": None, "released_exact": False, "dated_by": None}


def _shape(shape: Shape, base_model: str) -> dict[str, Any]:
    return {
        "architecture": shape.architecture,
        "vocabulary": shape.vocabulary,
        "metadata": dict(shape.metadata),
        "tensors": [_run(run) for run in shape.runs],
        "source": f"config.json of {base_model}",
    }


def _run(run: Run) -> list[Any]:
    return [run.name, list(run.dims), _ranges(run.layers)]


def _ranges(layers: tuple[int, ...]) -> str:
    """ "0-27", or "3,7,11"; "" for a tensor of its own."""
    if not layers:
        return ""
    if len(layers) > 1 and layers == tuple(range(layers[0], layers[-1] + 1)):
        return f"{layers[0]}-{layers[-1]}"
    return ",".join(str(layer) for layer in layers)


def _name(identifier: str) -> str:
    """ "qwen3.5-35b-a3b" as people write it: "Qwen3.5 35B-A3B"."""
    head, _, rest = identifier.partition("-")
    words = [head[:1].upper() + head[1:]]
    for word in re.split(r"-(?!a\d)", rest):
        sized = re.fullmatch(r"[ae]?\d+(?:\.\d+)?[bm](?:-a\d+b)?", word)
        words.append(word.upper() if sized else word.capitalize())
    return " ".join(words)


def _count(billions: float | None) -> int | None:
    return None if billions is None else round(billions * 1e9)


def _compact(text: str) -> str:
    """Lists of numbers on one line each: for whoever reads the file or its changes."""
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)


if __name__ == "__main__":
    sys.exit(main())
