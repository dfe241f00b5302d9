"""`hausgeist run MODEL`: one answer with -p, a chat at the terminal without."""

from __future__ import annotations

import sys
import uuid
from argparse import Namespace

from desktop.cli import beside, form, options
from desktop.cli.arguments import Arguments, one_of, real, text, whole
from desktop.cli.chat import chat
from desktop.cli.conversation import Answer, Conversation
from desktop.cli.front import Front, is_terminal, speed_text, write_words
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.opening import open_model
from desktop.cli.typed import read_all, repaired
from desktop.common.errors import CancelledError, UsageError
from desktop.common.wording import format_energy
from desktop.engine.sampling import MAX_SEED, Sampling
from desktop.fit.types import Wish
from desktop.services.open_progress import Opened

MAX_TOKENS = 1 << 24


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    arguments.option("-p", "--prompt", value="TEXT", kind=text)
    arguments.option("--system", value="TEXT", kind=text)
    options.context(arguments)
    arguments.option("--max-tokens", value="N", kind=whole(1, MAX_TOKENS))
    arguments.option("--temperature", value="T", kind=real(0.0, 10.0))
    arguments.option("--seed", value="N", kind=whole(0, MAX_SEED))
    arguments.option("--reasoning", value="on|off|auto", kind=one_of("on", "off", "auto"))
    arguments.option("--reasoning-budget", value="N", kind=whole(0, MAX_TOKENS))
    form.options(arguments)
    options.threads(arguments)
    options.placing(arguments)
    options.guessing(arguments)
    options.apart(arguments)
    options.pool(arguments)
    beside.with_model(arguments)
    beside.to_show(arguments)
    arguments.switch("--force")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    prompt = _prompt(given, front)
    media, extras = beside.media_of(given), beside.extras_of(given)
    constraint = form.constraint_of(given)
    settings = front.start.settings
    wish = Wish(
        context=given.ctx or None,
        threads=given.threads or settings.threads or None,
        draft_tokens=given.draft_tokens,
        mtp=options.heads(given),
    )
    with (
        Interrupts() as interrupts,
        open_house(front) as core,
        open_model(
            front,
            core,
            interrupts,
            given.model,
            options.placed(given, wish),
            insist=given.force,
            usual_context=settings.context_tokens or None,
            given=given,
            extras=extras,
        ) as opened,
    ):
        conversation = Conversation(
            opened.engine,
            core.crash_marker,
            id=uuid.uuid4().hex,
            system=repaired(given.system or ""),
            sampling=form.sampling_of(given, opened.engine.info.sampling or Sampling()),
            constraint=constraint,
            max_tokens=given.max_tokens,
            media=media,
            reasoning=given.reasoning or "auto",
            reasoning_budget=given.reasoning_budget,
            on_thinking=lambda: _tell_thinking(front),
        )
        if prompt is None:
            return chat(front, interrupts, conversation, opened)
        return _one_answer(front, interrupts, conversation, prompt, opened)


def _prompt(given: Namespace, front: Front) -> str | None:
    """What to answer; None means to chat. Text that is piped in is the prompt, as is `-p -`."""
    if given.prompt == "-" or (given.prompt is None and not is_terminal(sys.stdin)):
        prompt = read_all(sys.stdin)
    elif given.prompt is None:
        if front.as_json:
            raise UsageError("json_needs_prompt")
        return None
    else:
        prompt = repaired(given.prompt)
    if not prompt.strip():
        raise UsageError("empty_prompt")
    return prompt


def _one_answer(
    front: Front,
    interrupts: Interrupts,
    conversation: Conversation,
    prompt: str,
    opened: Opened,
) -> int:
    answer = conversation.ask(prompt, interrupts, lambda piece: _stream(front, piece))
    if front.as_json:
        if answer.reason == "cancelled":
            raise CancelledError
        front.document(_document(answer, opened))
        return 0
    front.say()
    if front.shows_progress:
        front.note(summary(front, answer))
    return 130 if answer.reason == "cancelled" else 0


def _stream(front: Front, piece: str) -> None:
    if not front.as_json:
        write_words(sys.stdout, piece)


def _tell_thinking(front: Front) -> None:
    if front.shows_progress:
        front.note(front.text("cli.run.thinking"))


def _document(answer: Answer, opened: Opened) -> dict[str, object]:
    stats = answer.stats
    # Absent where nothing on this computer counts it.
    energy: dict[str, object] = {}
    if stats.energy_wh is not None:
        energy = {"energy_wh": stats.energy_wh, "energy_method": stats.energy_method}
    return {
        "text": answer.text,
        **({"reasoning": answer.reasoning} if answer.reasoning else {}),
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "prompt_tokens_per_s": round(stats.prompt_tokens_per_s, 2),
        "tokens_per_s": round(stats.tokens_per_s, 2),
        "first_token_s": round(stats.first_token_s, 4),
        "draft_tokens": stats.draft_tokens,
        "accepted_tokens": stats.accepted_tokens,
        "finish_reason": answer.reason,
        "model": opened.name,
        "context_tokens": stats.context_tokens,
        "cached_tokens": stats.cached_tokens,
        **energy,
    }


def summary(front: Front, answer: Answer) -> str:
    """One grey line behind an answer: how much, how fast, and why it stopped early."""
    stats = answer.stats
    line = front.text(
        "cli.run.summary",
        tokens=stats.completion_tokens,
        speed=speed_text(stats.tokens_per_s, front.messages.language),
    )
    if stats.energy_wh is not None:
        energy = format_energy(stats.energy_wh, front.messages.language)
        method = front.text(f"energy.{stats.energy_method}")
        line += " " + front.text("cli.run.energy", energy=energy, method=method)
    if answer.reason == "length":
        line += " " + front.text("cli.run.cut")
    if answer.reason == "cancelled":
        line += " " + front.text("cli.run.stopped")
    return line
