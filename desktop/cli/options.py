"""Options that several commands share."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from desktop.cli.arguments import Arguments, one_of, text, whole
from desktop.cli.front import Front
from desktop.common.wording import format_bytes
from desktop.engine.plan_limits import MAX_UBATCH_TOKENS
from desktop.fit.types import Plan, Wish
from desktop.fit.wishes import MAX_CONTEXT, MAX_DRAFT_TOKENS
from desktop.hardware.memlock import lockable_bytes
from desktop.services.core import Core

MAX_THREADS = 512
MAX_PARALLEL = 256


def context(arguments: Arguments) -> None:
    arguments.option("--ctx", value="N", kind=whole(1, MAX_CONTEXT))


def threads(arguments: Arguments) -> None:
    arguments.option("--threads", value="N", kind=whole(1, MAX_THREADS))


def parallel(arguments: Arguments) -> None:
    arguments.option("--parallel", value="N", kind=whole(1, MAX_PARALLEL), default=1)


def kv_type(arguments: Arguments) -> None:
    arguments.option("--kv-type", value="f16|q8_0|q4_0", kind=one_of("f16", "q8_0", "q4_0"))


def gpu_layers(arguments: Arguments) -> None:
    arguments.option("--gpu-layers", value="N", kind=whole(0, 10_000))


def ubatch(arguments: Arguments) -> None:
    arguments.option("--ubatch", value="N", kind=whole(1, MAX_UBATCH_TOKENS))


def priority(arguments: Arguments) -> None:
    arguments.option(
        "--priority",
        value="balanced|quality|speed",
        kind=one_of("balanced", "quality", "speed"),
        default="balanced",
    )


def guessing(arguments: Arguments) -> None:
    """How far ahead is guessed, and by whom."""
    arguments.option("--draft-tokens", value="N", kind=whole(0, MAX_DRAFT_TOKENS))
    arguments.option("--mtp", value="on|off", kind=one_of("on", "off"))


def heads(given: Namespace) -> bool | None:
    """What `--mtp` said; None where it was not given."""
    return None if given.mtp is None else given.mtp == "on"


def placing(arguments: Arguments) -> None:
    """Where and how a model lies in memory; `placed` reads it."""
    kv_type(arguments)
    gpu_layers(arguments)
    ubatch(arguments)
    arguments.option("--flash-attn", value="on|off", kind=one_of("on", "off"))
    arguments.option("--cpu-moe", value="N", kind=whole(0, 4096))
    arguments.switch("--no-mmap")
    arguments.switch("--mlock")


def placed(given: Namespace, wish: Wish) -> Wish:
    """`wish` with what `placing` was given."""
    return replace(
        wish,
        kv_type=given.kv_type,
        gpu_layers=given.gpu_layers,
        ubatch=given.ubatch,
        flash_attention=None if given.flash_attn is None else given.flash_attn == "on",
        expert_layers_on_cpu=given.cpu_moe,
        use_mmap=False if given.no_mmap else None,
        lock_memory=given.mlock,
    )


def tell_lock(front: Front, plan: Plan | None) -> None:
    """How much of a model the system lets us keep from being swapped out, if that is little."""
    allowed = lockable_bytes() if plan is not None and plan.lock_memory else None
    if allowed is not None:
        size = format_bytes(allowed, front.messages.language)
        front.note(front.text("cli.mlock_limited", size=size))


def planning(arguments: Arguments) -> None:
    """All that a plan can be asked for, threads apart; `planned_wish` reads it."""
    context(arguments)
    parallel(arguments)
    placing(arguments)
    priority(arguments)
    guessing(arguments)


def pool(arguments: Arguments) -> None:
    """Other machines' memory; `use_pool` takes it over."""
    arguments.option("--pool", value="HOST:PORT", kind=text, repeated=True)
    arguments.switch("--pool-anywhere")


def use_pool(given: Namespace, core: Core, front: Front) -> None:
    """Raises UsageError for what is no address."""
    if given.pool:
        core.pool.use(given.pool, anywhere=given.pool_anywhere)
        front.note(front.text("cli.pool.open"))


def tell_pool(core: Core, front: Front) -> None:
    """Which of the other machines could not be used, once this one has been looked at."""
    if not core.pool.servers:
        return
    for note in core.machine_service.machine().notes:
        if note.kind.startswith("pool_"):
            front.note(front.text(f"notes.{note.kind}", **dict(note.params)))


def apart(arguments: Arguments) -> None:
    arguments.switch("--isolated")


def planned_wish(given: Namespace) -> Wish:
    """What `planning` was given."""
    wish = Wish(
        context=given.ctx,
        parallel=given.parallel,
        priority=given.priority,
        draft_tokens=given.draft_tokens,
        mtp=heads(given),
    )
    return placed(given, wish)
