"""What is remembered of loads and answers: sizes, speeds and names, never a word of a chat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from desktop.engine.device_usage import DeviceUsage
from desktop.fit.types import DeviceMemory, Plan, Speed

_MOST_BYTES = 1 << 60
_MOST_RATE = 1e9
_MOST_NUMBER = 1e12


@dataclass(frozen=True, slots=True)
class HeldBytes:
    """Bytes on one device, as predicted or as llama.cpp tells of a loaded model.

    `weights_bytes` counts what lies there a second time beside a mapped file as well.
    `driver_bytes` is predicted only: llama.cpp does not see what its driver takes.
    """

    device: str
    weights_bytes: int
    context_bytes: int
    compute_bytes: int
    output_bytes: int
    driver_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        return (
            self.weights_bytes
            + self.context_bytes
            + self.compute_bytes
            + self.output_bytes
            + self.driver_bytes
        )

    @classmethod
    def predicted(cls, row: DeviceMemory) -> Self:
        return cls(
            row.device,
            row.weights_bytes + row.repacked_bytes,
            row.context_bytes,
            row.compute_bytes,
            row.output_bytes,
            row.driver_bytes,
        )

    @classmethod
    def actual(cls, usage: DeviceUsage) -> Self:
        return cls(
            usage.device,
            usage.weights_bytes,
            usage.context_bytes,
            usage.compute_bytes,
            usage.output_bytes,
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens a second; None where nothing is known."""

    prompt_tokens_per_s: float | None = None
    tokens_per_s: float | None = None

    @classmethod
    def of(cls, speed: Speed) -> Self:
        return cls(speed.prompt_tokens_per_s, speed.tokens_per_s)


@dataclass(frozen=True, slots=True)
class Expected:
    """What was predicted without corrections: a context filled by `tokens`, and by `long_tokens`.

    The longer an answer looks back the slower it is, and that is no fault of the prediction.
    """

    rates: Rates
    tokens: int
    long_rates: Rates
    long_tokens: int

    def at(self, tokens: float) -> Rates:
        """For any filling between the two and a little beyond: the time grows in a line."""
        share = 0.0
        if self.long_tokens > self.tokens:
            share = (tokens - self.tokens) / (self.long_tokens - self.tokens)
        share = min(1.0, max(0.0, share))
        return Rates(
            _between(self.rates.prompt_tokens_per_s, self.long_rates.prompt_tokens_per_s, share),
            _between(self.rates.tokens_per_s, self.long_rates.tokens_per_s, share),
        )


def _between(near: float | None, far: float | None, share: float) -> float | None:
    if not near or not far:
        return near
    return 1 / ((1 - share) / near + share / far)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where and with what something was measured: figures of other conditions are not mixed.

    `driver` names engine and drivers, `app` the version that predicted, `speeds` whether it had
    measured kernels to predict from.
    """

    machine: str
    driver: str
    app: str
    speeds: bool = False
    on_battery: bool = False


@dataclass(frozen=True, slots=True)
class ModelName:
    """Which model: `fingerprint` is a digest of its content (library.files.content_of)."""

    name: str
    fingerprint: str
    architecture: str
    quantization: str
    file_bytes: int


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """A model that was loaded: what was predicted and what it took.

    `expected` are predictions without corrections, `told` the one that people saw.
    `grown_bytes`: how much the process, and on graphics all that is used of the device, grew.
    """

    id: str
    at: float
    model: ModelName
    conditions: Conditions
    plan: Plan
    method: str
    predicted: tuple[HeldBytes, ...]
    actual: tuple[HeldBytes, ...]
    grown_bytes: Mapping[str, int]
    expected: Expected
    told: Rates
    load_s: float


@dataclass(frozen=True, slots=True)
class SpeedRecord:
    """One answer that had the machine for itself; a rate is None where too little was done."""

    load: str
    at: float
    read_tokens: int
    written_tokens: int
    context_tokens: int
    rates: Rates

    @property
    def written_at_tokens(self) -> float:
        """How far the context was filled while the answer was written, in the middle of it."""
        return self.context_tokens - self.written_tokens / 2

    @property
    def read_at_tokens(self) -> float:
        """How far it was filled while the prompt was read, in the middle of that."""
        return max(0.0, self.context_tokens - self.written_tokens - self.read_tokens / 2)


@dataclass(frozen=True, slots=True)
class CloseRecord:
    """The end of a loaded model: what it held at last, and the most its use has grown to."""

    load: str
    at: float
    actual: tuple[HeldBytes, ...]
    peak_bytes: Mapping[str, int]
    answers: int


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A load that should have fitted into `device` and did not; free was `available_bytes`."""

    at: float
    machine: str
    device: str
    predicted_bytes: int
    available_bytes: int | None
    error: str
    model: str = ""


Record = LoadRecord | SpeedRecord | CloseRecord | FailureRecord

_KINDS: Mapping[type[Record], str] = {
    LoadRecord: "load",
    SpeedRecord: "speed",
    CloseRecord: "close",
    FailureRecord: "failure",
}


@dataclass(frozen=True, slots=True)
class Session:
    """One load with its answers and its end, as far as they are known."""

    load: LoadRecord
    answers: tuple[SpeedRecord, ...] = field(default=())
    close: CloseRecord | None = None


def sessions(records: Iterable[Record]) -> tuple[Session, ...]:
    """The loads of `records` in their order, each with what belongs to it."""
    loads: dict[str, LoadRecord] = {}
    answers: dict[str, list[SpeedRecord]] = {}
    closes: dict[str, CloseRecord] = {}
    for record in records:
        if isinstance(record, LoadRecord):
            loads[record.id] = record
        elif isinstance(record, SpeedRecord):
            answers.setdefault(record.load, []).append(record)
        elif isinstance(record, CloseRecord):
            closes[record.load] = record
    return tuple(
        Session(load, tuple(answers.get(load.id, ())), closes.get(load.id))
        for load in loads.values()
    )


def to_json(record: Record) -> dict[str, Any]:
    """Plain data for a line of the file and for `doctor`."""
    document = {"kind": _KINDS[type(record)], **asdict(record)}
    if isinstance(record, LoadRecord):
        document["plan"] = record.plan.to_json()
    return document


def from_json(document: Mapping[str, Any]) -> Record | None:
    """What `to_json` made; None for a kind that a later version writes.

    Raises ValueError where something is missing, of another type or without sense.
    """
    try:
        read = _READERS.get(document["kind"])
        return None if read is None else read(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _load(document: Mapping[str, Any]) -> LoadRecord:
    return LoadRecord(
        id=_text(document["id"]),
        at=_number(document["at"]),
        model=_model(document["model"]),
        conditions=_conditions(document["conditions"]),
        plan=Plan.from_json(document["plan"]),
        method=_text(document["method"]),
        predicted=_held(document["predicted"]),
        actual=_held(document["actual"]),
        grown_bytes=_sizes(document["grown_bytes"]),
        expected=_expected(document["expected"]),
        told=_rates(document["told"]),
        load_s=_number(document["load_s"]),
    )


def _speed(document: Mapping[str, Any]) -> SpeedRecord:
    return SpeedRecord(
        load=_text(document["load"]),
        at=_number(document["at"]),
        read_tokens=_size(document["read_tokens"]),
        written_tokens=_size(document["written_tokens"]),
        context_tokens=_size(document["context_tokens"]),
        rates=_rates(document["rates"]),
    )


def _close(document: Mapping[str, Any]) -> CloseRecord:
    return CloseRecord(
        load=_text(document["load"]),
        at=_number(document["at"]),
        actual=_held(document["actual"]),
        peak_bytes=_sizes(document["peak_bytes"]),
        answers=_size(document["answers"]),
    )


def _failure(document: Mapping[str, Any]) -> FailureRecord:
    available = document["available_bytes"]
    return FailureRecord(
        at=_number(document["at"]),
        machine=_text(document["machine"]),
        device=_text(document["device"]),
        predicted_bytes=_size(document["predicted_bytes"]),
        available_bytes=None if available is None else _size(available),
        error=_text(document["error"]),
        model=_text(document["model"]),
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Record]] = {
    "load": _load,
    "speed": _speed,
    "close": _close,
    "failure": _failure,
}


def _model(document: Mapping[str, Any]) -> ModelName:
    return ModelName(
        _text(document["name"]),
        _text(document["fingerprint"]),
        _text(document["architecture"]),
        _text(document["quantization"]),
        _size(document["file_bytes"]),
    )


def _conditions(document: Mapping[str, Any]) -> Conditions:
    return Conditions(
        _text(document["machine"]),
        _text(document["driver"]),
        _text(document["app"]),
        bool(document["speeds"]),
        bool(document["on_battery"]),
    )


def _held(rows: Sequence[Mapping[str, Any]]) -> tuple[HeldBytes, ...]:
    return tuple(
        HeldBytes(
            _text(row["device"]),
            _size(row["weights_bytes"]),
            _size(row["context_bytes"]),
            _size(row["compute_bytes"]),
            _size(row["output_bytes"]),
            _size(row["driver_bytes"]),
        )
        for row in rows
    )


def _rates(document: Mapping[str, Any]) -> Rates:
    return Rates(_rate(document["prompt_tokens_per_s"]), _rate(document["tokens_per_s"]))


def _expected(document: Mapping[str, Any]) -> Expected:
    return Expected(
        _rates(document["rates"]),
        _size(document["tokens"]),
        _rates(document["long_rates"]),
        _size(document["long_tokens"]),
    )


def _rate(value: object) -> float | None:
    if value is None:
        return None
    number = _number(value)
    if not 0 < number <= _MOST_RATE:
        raise ValueError(f"a rate of {number}")
    return number


def _sizes(document: Mapping[str, Any]) -> dict[str, int]:
    return {_text(name): _size(value) for name, value in document.items()}


def _size(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_BYTES:
        raise ValueError(f"a size of {value!r}")
    return value


def _number(value: object) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= _MOST_NUMBER
    ):
        raise ValueError(f"a number of {value!r}")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text of {value!r}")
    return value
