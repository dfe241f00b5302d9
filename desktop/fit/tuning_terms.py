"""What tuning speaks of: orders, outcomes, choices, and what makes one plan better than another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from desktop.fit.types import FitReport, KvType, Plan, Wish

Stopped = Literal["done", "predicted", "time", "user", "failed"]

MAX_TRIALS = 6
MAX_SECONDS = 90.0
# A turn of a chat: what is read, what is written. Of two plans the better one ends it sooner.
TURN_PROMPT_TOKENS = 512
TURN_ANSWER_TOKENS = 256

_REALLY_FASTER = 1.015
_CLEARLY_FASTER = 1.1


@dataclass(frozen=True, slots=True)
class Measured:
    """A plan with the speeds that it reached, tokens per second."""

    plan: Plan
    tokens_per_s: float
    prompt_tokens_per_s: float

    @property
    def turn_s(self) -> float:
        return turn_s(self.prompt_tokens_per_s, self.tokens_per_s)


@dataclass(frozen=True, slots=True)
class Order:
    """What to try: `plan`, and with the same load the `variants`, which need other contexts."""

    plan: Plan
    variants: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order. No runs: it failed.

    `used`: bytes of llama.cpp's buffers by device. `curable`: less memory might help. `busy`:
    other programs took so much of the processor that counts of threads were not compared.
    """

    runs: tuple[Measured, ...] = ()
    used: Mapping[str, int] = field(default_factory=dict)
    curable: bool = True
    seconds: float = 0.0
    busy: bool = False

    @property
    def found(self) -> Measured:
        """The best of what ran."""
        return compose(self.runs, threads=not self.busy)


class Ways(Protocol):
    """How the model could be opened, by prediction."""

    def propose(self, room: Mapping[str, int], like: Plan | None = None) -> FitReport | None:
        """The best plan where the graphics may hold `room` (bytes of buffers a device).

        `like` pins context, KV type, micro-batch and threads. None where nothing fits.
        """
        ...

    def offload(self, room: Mapping[str, int], like: Plan) -> FitReport | None:
        """As much on the graphics as fits, whatever speed is predicted for it."""
        ...

    def judge(self, plan: Plan) -> FitReport: ...


@dataclass(frozen=True, slots=True)
class Limits:
    trials: int = MAX_TRIALS
    seconds: float = MAX_SECONDS


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be varied: what somebody has asked for stays as it is."""

    threads: tuple[int, ...] = ()
    ubatches: tuple[int, ...] = ()
    kv_types: tuple[KvType, ...] = ()
    flash_attention: bool = True
    placement: bool = True

    @classmethod
    def of(cls, wish: Wish, threads: tuple[int, ...], *, quick: bool = False) -> Choices:
        """`quick`: while somebody waits, only what decides much."""
        free_kv = wish.kv_type is None and wish.priority != "quality"
        return cls(
            threads=threads if wish.threads is None else (),
            ubatches=(128, 256, 1024, 2048) if wish.ubatch is None and not quick else (),
            flash_attention=not quick and wish.flash_attention is None,
            kv_types=("q8_0",) if free_kv and wish.flash_attention is not False else (),
            placement=wish.gpu_layers is None and wish.expert_layers_on_cpu is None,
        )


def turn_s(prompt_tokens_per_s: float, tokens_per_s: float) -> float:
    """How long a usual turn takes: a prompt read, an answer written."""
    return TURN_PROMPT_TOKENS / prompt_tokens_per_s + TURN_ANSWER_TOKENS / tokens_per_s


def compose(runs: Sequence[Measured], *, threads: bool = True) -> Measured:
    """The best of what was measured with one load; each setting chosen by what it decides.

    `runs[0]` is the plan itself; the others differ from it in one setting. Threads are chosen for
    writing and for reading apart, the context's settings by the whole turn.
    """
    base = runs[0]
    by_threads = [base, *(run for run in runs if run.plan.threads != base.plan.threads)]
    others = [run for run in runs[1:] if run.plan.threads == base.plan.threads]
    shaped = _better(base, others, lambda run: run.turn_s)
    # Without it a long context is slower and larger: only for what is no chance.
    if shaped.plan.flash_attention != base.plan.flash_attention:
        clear = shaped.turn_s * _CLEARLY_FASTER < base.turn_s
        shaped = shaped if clear else base
    counts = by_threads[1:] if threads else []
    writing = _better(base, counts, lambda run: 1 / run.tokens_per_s)
    reading = _better(base, counts, lambda run: 1 / run.prompt_tokens_per_s)
    for_batch = reading.plan.threads
    plan = replace(
        shaped.plan,
        threads=writing.plan.threads,
        threads_batch=0 if for_batch == writing.plan.threads else for_batch,
    )
    return Measured(
        plan,
        shaped.tokens_per_s * writing.tokens_per_s / base.tokens_per_s,
        shaped.prompt_tokens_per_s * reading.prompt_tokens_per_s / base.prompt_tokens_per_s,
    )


def same_placement(one: Plan, other: Plan) -> bool:
    """Whether every layer lies on the same device, in a context of the same size."""
    return _placement(one) == _placement(other)


def need(report: FitReport) -> dict[str, int]:
    """Bytes of buffers by graphics device, without what the driver takes for itself."""
    return {
        row.device: row.total_bytes - row.driver_bytes
        for row in report.memory
        if row.device != "CPU"
    }


def predicted_turn_s(report: FitReport) -> float | None:
    prompt, answer = report.speed.prompt_tokens_per_s, report.speed.tokens_per_s
    if not prompt or not answer:
        return None
    return turn_s(prompt, answer)


def gain(before: FitReport, after: FitReport) -> float:
    """How many times faster `after` is predicted to be; where nothing is known, by memory."""
    slow, fast = predicted_turn_s(before), predicted_turn_s(after)
    if slow is None or fast is None:
        return sum(need(after).values()) / max(1, sum(need(before).values()))
    return slow / fast


def _better(
    base: Measured, others: Sequence[Measured], seconds: Callable[[Measured], float]
) -> Measured:
    """The fastest; the plan itself where none is faster beyond doubt."""
    best = min(others, key=seconds, default=base)
    return best if seconds(best) * _REALLY_FASTER < seconds(base) else base


def _placement(plan: Plan) -> tuple[object, ...]:
    return (
        plan.gpu_layers,
        plan.expert_layers_on_cpu,
        plan.device,
        plan.split,
        plan.context,
        plan.kv_type,
    )
