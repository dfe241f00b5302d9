"""What a computer is doing at one moment, as plain data; whatever is not told stays None.

Shares are 0 to 1 of the whole device, `ours` is this app with its child processes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CpuLive:
    """The processor since the last sample. `throttled`: it slowed down because it was too hot."""

    load: float | None = None
    ours: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    throttled: bool | None = None


@dataclass(frozen=True, slots=True)
class MemoryLive:
    """Main memory. Ours is told in two: `ours_bytes` are in use, `ours_mapped_bytes` are parts of
    model files that the system counts as available, though the engine reads them all the time.
    `stalled` is the share of the last ten seconds in which something waited for memory.
    """

    total_bytes: int = 0
    available_bytes: int | None = None
    ours_bytes: int = 0
    ours_mapped_bytes: int = 0
    swap_total_bytes: int | None = None
    swap_used_bytes: int | None = None
    swap_in_bytes_per_s: float | None = None
    swap_out_bytes_per_s: float | None = None
    stalled: float | None = None

    @property
    def held_bytes(self) -> int:
        """All of ours that lies in memory."""
        return self.ours_bytes + self.ours_mapped_bytes

    @property
    def free_bytes(self) -> int | None:
        """What is free beside everything that we hold."""
        if self.available_bytes is None:
            return None
        return max(0, self.available_bytes - self.ours_mapped_bytes)

    @property
    def others_bytes(self) -> int | None:
        """What everything else holds, the system included."""
        free = self.free_bytes
        return None if free is None else max(0, self.total_bytes - free - self.held_bytes)


@dataclass(frozen=True, slots=True)
class GpuLive:
    """One graphics processor; `key` tells two of one name apart (its place on the bus).

    `shared_bytes` is main memory that the driver uses as the card's: where the card has memory
    of its own, that much did not fit into it.
    """

    name: str
    key: str = ""
    total_bytes: int | None = None
    used_bytes: int | None = None
    ours_bytes: int | None = None
    shared_bytes: int | None = None
    load: float | None = None
    ours_load: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    throttled: bool | None = None


@dataclass(frozen=True, slots=True)
class DiskLive:
    """`ours_read_bytes_per_s` counts what really came from the disk, where the system tells it."""

    free_bytes: int | None = None
    read_bytes_per_s: float | None = None
    ours_read_bytes_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class PowerLive:
    """Where the power comes from. `system_w` is the whole computer's, known on battery only."""

    on_battery: bool | None = None
    battery: float | None = None
    seconds_left: int | None = None
    system_w: float | None = None
    saving: bool | None = None  # the system's power saving mode is on


@dataclass(frozen=True, slots=True)
class LiveSample:
    """Everything at one moment; `at` is seconds of a monotonic clock."""

    at: float
    cpu: CpuLive = CpuLive()
    memory: MemoryLive = MemoryLive()
    gpus: tuple[GpuLive, ...] = ()
    disk: DiskLive = DiskLive()
    power: PowerLive = PowerLive()
