"""A fit's answer as lines at the terminal: each part of each device's memory in words."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.cli.front import Front, speed_text
from desktop.common.messages import format_bytes, format_memory, format_number, format_speed
from desktop.fit.companions import Companions
from desktop.fit.devices import rooms
from desktop.fit.memory import CPU
from desktop.fit.types import DeviceMemory, FitReport
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine

Row = tuple[str, str]

_RIGHT_PERCENT = 2  # the rule of thumb is called right up to here
_WORTH_A_WORD_BYTES = 1 << 20


def rows(report: FitReport, companions: Companions, machine: Machine, front: Front) -> list[Row]:
    """Label and text; further lines of a text stand in lines of their own."""
    cards = {room.device: room.gpu.name for room in rooms(machine).gpus if room.gpu is not None}
    say, language = front.text, front.messages.language
    model, plan = report.model, report.plan
    described = say(
        "cli.fit.model",
        quantization=model.quantization,
        size=format_bytes(model.file_bytes, language),
        parameters=_count(model.parameters, front),
    )
    found = [(say("cli.fit.name"), f"{model.name}\n{described}")]
    found += _companions(companions, front)
    found += [(_device(row, front), _memory(row, cards, front)) for row in report.memory]
    found.append(
        (
            say("cli.fit.context"),
            say("cli.fit.context_tokens", tokens=plan.context, kv=plan.kv_type),
        )
    )
    if plan.gpu_layers:
        key = "cli.fit.layers_experts" if plan.expert_layers_on_cpu else "cli.fit.layers"
        layers = {"layers": plan.gpu_layers, "total": model.layers + 1}
        words = say(key, **layers, experts=plan.expert_layers_on_cpu)
        found.append((say("cli.fit.gpu_layers"), words))
    if report.speed.tokens_per_s is not None and report.verdict != "too_large":
        measured = report.speed.basis == "measured"
        write = speed_text if measured else format_speed
        speed = write(report.speed.tokens_per_s, language)
        words = say(f"cli.fit.speed_{report.speed.basis}", tokens_per_s=speed)
        found.append((say("cli.fit.speed"), words))
    found += _rule_of_thumb(report, front)
    found.append((say("cli.fit.method"), say(f"cli.fit.method_{report.method}")))
    return found


def _count(parameters: int, front: Front) -> str:
    """ "8.0 billion", "12 million": how people speak of a model's size."""
    unit, size = ("billions", 1e9) if parameters >= 1e9 else ("millions", 1e6)
    value = parameters / size
    digits = 1 if value < 20 else 0
    number = format_number(value, front.messages.language, digits)
    return front.text(f"cli.count.{unit}", number=number)


def _companions(companions: Companions, front: Front) -> list[Row]:
    found = [(kind, header) for kind, header in companion_headers(companions)]
    language = front.messages.language
    lines = [
        front.text(
            f"cli.fit.with_{kind}",
            name=header.name,
            size=format_bytes(header.file_bytes, language),
        )
        for kind, header in found
    ]
    return [(front.text("cli.fit.with"), "\n".join(lines))] if lines else []


def companion_headers(companions: Companions) -> list[tuple[str, ModelHeader]]:
    """Each with its kind: projector, draft, lora."""
    found = [("projector", companions.projector), ("draft", companions.draft)]
    named = [(kind, header) for kind, header in found if header is not None]
    return named + [("lora", lora) for lora in companions.loras]


def _device(row: DeviceMemory, front: Front) -> str:
    if row.device == CPU:
        return front.text("cli.fit.main_memory")
    return front.text("cli.fit.graphics_memory")


def _memory(row: DeviceMemory, cards: Mapping[str, str], front: Front) -> str:
    language = front.messages.language
    needed = format_memory(row.total_bytes, language)
    if row.available_bytes is None:
        lines = [front.text("cli.fit.needed", needed=needed)]
    else:
        available = format_memory(row.available_bytes, language)
        fits = row.total_bytes <= row.available_bytes
        key = "cli.fit.needed_of" if fits else "cli.fit.needed_over"
        lines = [front.text(key, needed=needed, available=available)]
    if row.device != CPU:
        name = cards.get(row.device)
        lines.insert(0, f"{name} ({row.device})" if name else row.device)
    parts = {
        "weights": row.weights_bytes,
        "repacked": row.repacked_bytes,
        "context": row.context_bytes,
        "compute": row.compute_bytes,
        "output": row.output_bytes,
        "driver": row.driver_bytes,
    }
    shown = [(name, size) for name, size in parts.items() if size >= _WORTH_A_WORD_BYTES]
    if len(shown) > 1:
        words = (
            f"{front.text(f'cli.fit.part.{name}')} {format_memory(size, language)}"
            for name, size in shown
        )
        lines.append(", ".join(words))
    if row.ours_bytes >= _WORTH_A_WORD_BYTES:
        ours = format_memory(row.ours_bytes, language)
        lines.append(front.text("cli.fit.part.ours", size=ours))
    if row.others_bytes is not None and row.others_bytes >= _WORTH_A_WORD_BYTES:
        others = format_memory(row.others_bytes, language)
        lines.append(front.text("cli.fit.part.others", size=others))
    return "\n".join(lines)


def _rule_of_thumb(report: FitReport, front: Front) -> list[Row]:
    total, rule = report.total_bytes, report.rule_of_thumb_bytes
    if not total or not rule:
        return []
    percent = round(100 * (rule - total) / total)
    key = "right" if abs(percent) <= _RIGHT_PERCENT else "low" if percent < 0 else "high"
    size = format_memory(rule, front.messages.language)
    words = front.text(f"cli.fit.rule_{key}", size=size, percent=abs(percent))
    return [(front.text("cli.fit.rule"), words)]
