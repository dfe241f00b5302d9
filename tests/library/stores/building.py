"""Stores of other programs, built as those programs lay them out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.gguf_files import LlamaShape

KIND = "application/vnd.ollama.image."


def model_bytes(folder: Path, name: str = "Tiny") -> bytes:
    """A small model's file."""
    path = folder / f"source-{name}.gguf"
    folder.mkdir(parents=True, exist_ok=True)
    LlamaShape().write(path, general__name=name)
    content = path.read_bytes()
    path.unlink()
    return content


class OllamaStore:
    """`manifests` and `blobs` below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs").mkdir(parents=True)
        (root / "manifests").mkdir()

    def blob(self, content: bytes) -> dict[str, Any]:
        """Written; what a layer says of it."""
        sha256 = hashlib.sha256(content).hexdigest()
        (self.root / "blobs" / f"sha256-{sha256}").write_bytes(content)
        return {"digest": f"sha256:{sha256}", "size": len(content)}

    def layer(self, kind: str, content: bytes) -> dict[str, Any]:
        return {"mediaType": KIND + kind, **self.blob(content)}

    def manifest(self, place: str, document: object) -> Path:
        """`place`: ``library/llama3.2/3b`` or with the host in front; text is written as it is."""
        parts = place.split("/")
        if len(parts) == 3:
            parts = ["registry.ollama.ai", *parts]
        path = self.root.joinpath("manifests", *parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def model(self, place: str, content: bytes, **layers: bytes) -> Path:
        """A whole model; further layers by kind."""
        listed = [self.layer("model", content)]
        listed += [self.layer(kind, text) for kind, text in layers.items()]
        config = self.blob(b'{"model_format": "gguf"}')
        return self.manifest(place, {"schemaVersion": 2, "config": config, "layers": listed})
