"""Memory bandwidth, measured: it decides how fast a model generates on the processor."""

from __future__ import annotations

from pathlib import Path


class BandwidthCache:
    """Measured bandwidths by machine, in a JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
