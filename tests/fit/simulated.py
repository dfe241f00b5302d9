"""Computers whose true memory and speed differ from what they claim, to tune models on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from desktop.fit.compute import estimated_compute
from desktop.fit.memory import CPU, Footprint, Share
from desktop.fit.planner import plan
from desktop.fit.proposals import Proposals, gpu_rooms
from desktop.fit.repack import rearranged_types
from desktop.fit.tuning import Search
from desktop.fit.tuning_terms import Choices, Limits, Measured, Order, Outcome
from desktop.fit.types import Plan, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True)
class Truth:
    """How a computer really is. Sizes in bytes for buffers, speeds in bytes a second.

    `capacity`: what more is taken fails. `spills_at`: what more is taken lies in slow memory.
    """

    capacity: Mapping[str, int] = field(default_factory=dict)
    spills_at: Mapping[str, int] = field(default_factory=dict)
    cpu_reads: float = 30e9
    gpu_reads: float = 250e9
    spilled_reads: float = 4e9
    cpu_operations: float = 0.3e12
    gpu_operations: float = 20e12
    compute_factor: float = 1.0
    best_threads: int = 4
    noise: float = 0.0
    rehearsal: bool = True
    flash_gain: float = 1.0
    slow_start_s: float = 0.0


class Simulated:
    """Runs orders as `truth` has it, and knows the best plan of a full sweep."""

    def __init__(self, machine: Machine, header: ModelHeader, truth: Truth, wish: Wish) -> None:
        self.machine = machine
        self.header = header
        self.truth = truth
        self.wish = wish
        self._footprint = Footprint(header, rearranged_types(machine.cpu.features))
        self._random = random.Random(1)
        self.failed = 0
        self._claimed = {room.device: room.claimed_bytes for room in gpu_rooms(machine)}
        self._capacity = {**self._claimed, **truth.capacity}

    def used(self, given: Plan) -> dict[str, int]:
        shares = self._shares(given)
        devices = tuple(share.device for share in shares)
        compute = estimated_compute(self._footprint, given, devices)
        return {
            name: part.weights_bytes
            + part.context_bytes
            + int(compute.get(name, 0) * self.truth.compute_factor)
            for name, part in self._footprint.place(given, shares).items()
        }

    def works(self, given: Plan) -> bool:
        used = self.used(given)
        return all(size <= self._capacity.get(name, size) for name, size in used.items())

    def _leaves(self, given: Plan) -> bool:
        """Whether it works and leaves what tuning leaves alone for other programs."""
        used = self.used(given)
        return all(
            used.get(name, 0) <= size - min(64 * MIB, size // 100)
            for name, size in self._capacity.items()
        )

    def measure(self, given: Plan, *, noisy: bool = True) -> Measured:
        truth = self.truth
        shares = self._shares(given)
        share = 1.0
        if self.header.expert_count:
            share = self.header.expert_used_count / self.header.expert_count
        active = _read_by_a_token(self._footprint, given, shares, share)
        used = self.used(given)
        threads = given.threads or 1
        cores = min(threads, truth.best_threads) / truth.best_threads
        if threads > truth.best_threads:
            cores *= (truth.best_threads / threads) ** 0.5
        seconds = prompt = 0.0
        for name, size in active.items():
            if name == CPU:
                seconds += size / (truth.cpu_reads * cores)
                prompt += size / (truth.cpu_operations * cores)
                continue
            over = max(0, used[name] - truth.spills_at.get(name, used[name])) / used[name]
            seconds += size * ((1 - over) / truth.gpu_reads + over / truth.spilled_reads)
            prompt += size / (truth.gpu_operations * given.ubatch / (given.ubatch + 200))
            prompt += size * over / truth.spilled_reads / given.ubatch
        if given.gpu_layers > 0 and active[CPU] > 0:
            prompt += active[CPU] / 12e9 / given.ubatch
        if not given.flash_attention:
            seconds *= truth.flash_gain
        noise = truth.noise if noisy else 0.0
        return Measured(given, self._wobble(noise) / seconds, self._wobble(noise) / prompt)

    def _wobble(self, noise: float) -> float:
        return max(0.1, self._random.gauss(1.0, noise))

    def run(self, order: Order) -> Outcome:
        if not self.works(order.plan):
            self.failed += 1
            return Outcome(seconds=6.0 + self.truth.slow_start_s)
        wanted = [order.plan, *(one for one in order.variants if self.works(one))]
        runs = tuple(self.measure(one) for one in wanted)
        seconds = 5.0 + 2.5 * len(runs) + self.truth.slow_start_s
        return Outcome(runs, self.used(order.plan), seconds=seconds)

    def search(self, limits: Limits | None = None) -> Search:
        start = plan(self.machine, self.header, self.wish, advise=False)
        room = self._claimed
        if self.truth.rehearsal:
            room = {name: min(size, self._capacity[name]) for name, size in room.items()}
        return Search(
            self.header,
            start,
            Proposals(self.machine, self.header, self.wish),
            room=room,
            choices=Choices.of(self.wish, (2, 4, 6)),
            limits=limits,
        )

    def tune(self, limits: Limits | None = None) -> Search:
        search = self.search(limits)
        while (order := search.next()) is not None:
            search.tell(self.run(order))
        return search

    def sweep(self, like: Plan) -> Measured:
        """The best of all placements that really work, in the context of `like`."""
        found = [self.measure(one, noisy=False) for one in self._all(like) if self._leaves(one)]
        return min(found, key=lambda measured: measured.turn_s)

    def ratio(self, search: Search) -> float:
        """Speed of what was found ÷ speed of the best, by whole turns and without noise."""
        assert search.best is not None
        mine = self.measure(search.best.plan, noisy=False)
        return self.sweep(search.best.plan).turn_s / mine.turn_s

    def _all(self, like: Plan) -> Iterator[Plan]:
        layers = self.header.block_count + 1
        names = [room.device for room in gpu_rooms(self.machine)]
        for threads in (2, 4, 6):
            one = replace(like, threads=threads, threads_batch=0, split=())
            yield replace(one, gpu_layers=0, device="", expert_layers_on_cpu=0)
            for name in names:
                for ubatch in sorted({like.ubatch, 512, 1024, 2048}):
                    for count in range(1, layers + 1):
                        offloaded = replace(one, gpu_layers=count, device=name, ubatch=ubatch)
                        yield replace(offloaded, expert_layers_on_cpu=0)
                    for experts in range(1, self._footprint.expert_layers + 1):
                        yield replace(
                            one,
                            gpu_layers=layers,
                            device=name,
                            ubatch=ubatch,
                            expert_layers_on_cpu=experts,
                        )

    def _shares(self, given: Plan) -> tuple[Share, ...]:
        if given.gpu_layers == 0:
            return ()
        if given.split:
            return tuple(Share(name, count) for name, count in given.split)
        return (Share(given.device),)


def _read_by_a_token(
    footprint: Footprint, given: Plan, shares: Sequence[Share], expert_share: float
) -> dict[str, float]:
    """Bytes by device: `expert_share` of the experts; a tied embedding is read as the output."""
    read: dict[str, float] = {CPU: 0.0, **{share.device: 0.0 for share in shares}}
    for run in footprint.runs(given, shares):
        for layer in range(run.start, min(run.stop, footprint.layers)):
            experts = footprint.expert_bytes[layer]
            home = CPU if layer < given.expert_layers_on_cpu else run.device
            read[home] += experts * expert_share
            read[run.device] += footprint.layer_bytes[layer] - experts
        if run.stop > footprint.layers:
            read[run.device] += footprint.output_bytes
            read[run.device] += footprint.embedding_bytes if footprint.tied else 0
    return read
