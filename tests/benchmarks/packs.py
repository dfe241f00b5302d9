"""How fast packs are made, checked and unpacked, beside a plain copy of the same bytes.

    python tests/benchmarks/packs.py [--mib 1024] [--folder DIR]

Prints one JSON line. A plain copy syncs to the disk at its end, as a pack does; "hash" is SHA-256
alone, from memory. `ratio` is the plain copy's time divided by ours.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from desktop.common.errors import CancelledError  # noqa: E402  (the checkout's, not another's)
from desktop.library.packs.arrival import Arrival, check_pack  # noqa: E402
from desktop.library.packs.digests import CHUNK_BYTES  # noqa: E402
from desktop.library.packs.making import Making, ModelToPack  # noqa: E402
from desktop.library.packs.manifest import PackedFile, PackedModel  # noqa: E402
from desktop.library.packs.opening import open_pack  # noqa: E402

_BLOCK_BYTES = 4 << 20
_REPEATS = 3


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def plain_copy(source: Path, target: Path) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, _BLOCK_BYTES)
        writer.flush()
        os.fsync(writer.fileno())


def hash_alone(nbytes: int) -> None:
    digest, block = hashlib.sha256(), bytes(_BLOCK_BYTES)
    for _ in range(nbytes // _BLOCK_BYTES):
        digest.update(block)


def checked(target: Path) -> None:
    pack = open_pack(target)
    check_pack(pack)
    pack.close()


def unpacked(target: Path, models: Path) -> None:
    pack = open_pack(target)
    Arrival(pack, pack.manifest.models, models).run()
    pack.close()


def model_of(source: Path, sha256: str) -> ModelToPack:
    file = PackedFile("Model/model.gguf", source.stat().st_size, sha256)
    return ModelToPack(PackedModel("Model", (file,)), {file.path: source})


def resumed(model: ModelToPack, target: Path, share: float) -> float:
    """The time after an interruption at `share` of the way."""
    making = Making((model,), target, now=lambda: 0.0)
    pieces, asked = model.packed.total_bytes // CHUNK_BYTES, [0]

    def is_enough() -> bool:
        asked[0] += 1
        return asked[0] > share * pieces

    try:
        making.run(is_cancelled=is_enough)
    except CancelledError:
        return seconds(making.run)
    return 0.0


def run(nbytes: int, folder: Path) -> dict[str, float]:
    source = folder / "model.gguf"
    with source.open("wb") as file:
        for _ in range(nbytes // _BLOCK_BYTES):
            file.write(os.urandom(_BLOCK_BYTES))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    known, unknown = model_of(source, digest), model_of(source, "")
    copy, target, models = folder / "copy", folder / "a.hgpack", folder / "models"
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for _ in range(_REPEATS):
        note("copy_s", seconds(lambda: plain_copy(source, copy)))
        copy.unlink()
        note("hash_s", seconds(lambda: hash_alone(nbytes)))
        note("pack_s", seconds(lambda: Making((known,), target).run()))
        target.unlink()
        note("pack_unhashed_s", seconds(lambda: Making((unknown,), target).run()))
        note("check_s", seconds(partial(checked, target)))
        note("unpack_s", seconds(partial(unpacked, target, models)))
        shutil.rmtree(models)
        target.unlink()
        note("pack_resumed_at_90_percent_s", resumed(known, target, 0.9))
        target.unlink()
    best = {name: min(values) for name, values in found.items()}
    return {
        "mib": nbytes / 2**20,
        **{name: round(value, 3) for name, value in best.items()},
        "pack_ratio": round(best["copy_s"] / best["pack_s"], 2),
        "unpack_ratio": round(best["copy_s"] / best["unpack_s"], 2),
        "pack_mb_per_s": round(nbytes / 1e6 / best["pack_s"]),
        "unpack_mb_per_s": round(nbytes / 1e6 / best["unpack_s"]),
        "check_mb_per_s": round(nbytes / 1e6 / best["check_s"]),
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps(run(options.mib << 20, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
