"""What a plan takes of each device, set against what the device has."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.fit.companions import Companions, companion_bytes
from desktop.fit.compute import ComputeEstimator, estimated_compute
from desktop.fit.devices import Room, Rooms
from desktop.fit.memory import CPU, Footprint, Placed
from desktop.fit.overheads import driver_bytes, output_bytes
from desktop.fit.types import DeviceMemory, Method, Plan

Rows = tuple[DeviceMemory, ...]


class MemoryRows:
    """The memory table of one model on one machine, for many plans."""

    def __init__(
        self,
        footprint: Footprint,
        found: Rooms,
        companions: Companions,
        compute: ComputeEstimator | None = None,
    ) -> None:
        self._footprint = footprint
        self._rooms = found
        self._companions = companions
        self._ask = compute
        self._known: dict[Plan, Rows] = {}
        self._placed: dict[Plan, Mapping[str, Placed]] = {}
        self._beyond: dict[str, int] = {}

    def estimated(self, plan: Plan) -> Rows:
        """By the header alone, with what llama.cpp has been seen to need beyond the estimate."""
        rows = self._known.get(plan)
        if rows is None:
            compute = self._estimated_compute(plan)
            for device in compute:
                compute[device] = max(0, compute[device] + self._beyond.get(device, 0))
            rows = self._known[plan] = self._rows(plan, compute)
        return rows

    def asked(self, plan: Plan) -> tuple[Rows, Method]:
        """With llama.cpp's own compute buffers where it can be asked; remembers how far off."""
        found = self._ask(plan) if self._ask is not None else None
        if found is None:
            return self.estimated(plan), "header"
        guessed = self._estimated_compute(plan)
        compute = dict.fromkeys(guessed, 0)
        for name, size in found.items():
            # Buffers of the host that a card's driver shares lie in main memory.
            compute[name if name in compute else CPU] += size
        for device, size in compute.items():
            beyond = size - guessed[device]
            self._beyond[device] = max(beyond, self._beyond.get(device, beyond))
        self._known.clear()
        return self._rows(plan, compute), "dry_run"

    def fits(self, plan: Plan) -> bool:
        return self.fit(self.estimated(plan), plan)

    def fit(self, rows: Rows, plan: Plan) -> bool:
        """Whether every device keeps its margin; memory that is shared is counted once."""
        party = self._rooms.taking_part(plan)
        rooms = {room.device: room for room in (self._rooms.cpu, *party)}
        if any(row.total_bytes > rooms[row.device].usable_bytes for row in rows):
            return False
        if not any(room.in_main_memory for room in party):
            return True
        return sum(row.total_bytes for row in rows) <= self._rooms.usable_bytes(party)

    def overhead_bytes(self, plan: Plan, room: Room) -> int:
        """What `room` needs under `plan` besides the model's weights and context."""
        rows = self.estimated(plan)
        placed = self._placed[plan].get(room.device, Placed())
        total = sum(row.total_bytes for row in rows if row.device == room.device)
        return total - placed.weights_bytes - placed.context_bytes

    def _estimated_compute(self, plan: Plan) -> dict[str, int]:
        devices = tuple(share.device for share in self._rooms.shares(plan))
        return dict(estimated_compute(self._footprint, plan, devices))

    def _rows(self, plan: Plan, compute: Mapping[str, int]) -> Rows:
        placed = self._placed[plan] = self._footprint.place(plan, self._rooms.shares(plan))
        beside = companion_bytes(self._companions, plan, self._rooms.shares(plan), self._footprint)
        rows = []
        for room in (self._rooms.cpu, *self._rooms.taking_part(plan)):
            part = placed.get(room.device, Placed())
            weights, context, work = part.weights_bytes, part.context_bytes, 0
            if room.device in beside:
                more = beside[room.device]
                weights += more.weights_bytes
                context += more.context_bytes
                work = more.compute_bytes
            on_cpu = room.device == CPU
            rows.append(
                DeviceMemory(
                    device=room.device,
                    weights_bytes=weights,
                    context_bytes=context,
                    compute_bytes=compute.get(room.device, 0) + work,
                    capacity_bytes=room.total_bytes,
                    available_bytes=room.available_bytes,
                    output_bytes=output_bytes(self._footprint.header, plan) if on_cpu else 0,
                    repacked_bytes=part.repacked_bytes,
                    driver_bytes=0 if room.gpu is None else driver_bytes(room.gpu),
                    others_bytes=room.others_bytes,
                    ours_bytes=room.ours_bytes,
                    margin_bytes=room.margin_bytes,
                )
            )
        return tuple(rows)
