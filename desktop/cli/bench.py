"""`hausgeist bench MODEL`: how fast this computer really is with it."""

from __future__ import annotations

from argparse import Namespace

from desktop.cli import beside, options
from desktop.cli.arguments import Arguments, whole
from desktop.cli.front import Front, speed_text
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.opening import open_model
from desktop.cli.progress import StatusLine
from desktop.engine.cancel import CancelToken
from desktop.engine.engine import Engine
from desktop.fit.types import Wish
from desktop.fit.wishes import MIN_CONTEXT_A_SEQUENCE
from desktop.services.bench import BenchProgress, BenchResult, bench
from desktop.services.open_progress import Opened

MAX_TOKENS = 1 << 20
MAX_REPEAT = 1000
# The start of a sequence and the tokenizer's own marks, beside what is asked for.
_SPARE_TOKENS = 16


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    arguments.option(
        "--prompt",
        value="N",
        kind=whole(0, MAX_TOKENS),
        default=512,
        help_key="cli.option.bench-prompt",
    )
    arguments.option("--gen", value="N", kind=whole(0, MAX_TOKENS), default=128)
    options.parallel(arguments)
    arguments.option("--repeat", value="N", kind=whole(1, MAX_REPEAT), default=5)
    options.threads(arguments)
    options.placing(arguments)
    options.apart(arguments)
    options.pool(arguments)
    beside.with_model(arguments)
    arguments.switch("--force")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    wish = Wish(
        context=_context(given.prompt, given.gen, given.parallel),
        parallel=given.parallel,
        threads=given.threads,
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
            given=given,
            extras=beside.extras_of(given),
        ) as opened,
    ):
        info = opened.engine.info
        with core.crash_marker.running("generating", info.path, info.plan):
            result = interrupts.run(lambda cancel: _measure(opened.engine, given, front, cancel))
    if front.as_json:
        front.document(_document(result, opened))
    else:
        _say(front, result, opened)
    return 0


def _context(prompt: int, gen: int, parallel: int) -> int:
    """Room for the longest test: one prompt, or every conversation's text at once."""
    each = max(gen + _SPARE_TOKENS, MIN_CONTEXT_A_SEQUENCE)
    return max(prompt + _SPARE_TOKENS, parallel * each, 256)


def _measure(engine: Engine, given: Namespace, front: Front, cancel: CancelToken) -> BenchResult:
    with StatusLine(front) as status:

        def show(progress: BenchProgress) -> None:
            text = front.text("cli.bench.measuring", done=progress.done, total=progress.total)
            status.show(text)

        return bench(
            engine,
            given.prompt,
            given.gen,
            given.parallel,
            given.repeat,
            on_progress=show,
            cancel=cancel,
        )


def _document(result: BenchResult, opened: Opened) -> dict[str, object]:
    return {
        "prompt_tokens_per_s": _rounded(result.prompt_tokens_per_s),
        "tokens_per_s": _rounded(result.tokens_per_s),
        "aggregate_tokens_per_s": _rounded(result.aggregate_tokens_per_s),
        "first_token_s": _rounded(result.first_token_s, 4),
        "prompt_tokens": result.prompt_tokens,
        "gen_tokens": result.gen_tokens,
        "parallel": result.parallel,
        "repeat": result.repeat,
        "prompt_samples": [_rounded(sample) for sample in result.prompt_samples],
        "gen_samples": [_rounded(sample) for sample in result.gen_samples],
        "model": opened.name,
        "plan": None if opened.report is None else opened.report.plan.to_json(),
    }


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def _say(front: Front, result: BenchResult, opened: Opened) -> None:
    def number(value: float) -> str:
        return speed_text(value, front.messages.language)

    front.say(front.text("cli.bench.title", model=opened.name, repeat=result.repeat))
    if result.prompt_tokens_per_s is not None:
        speed = number(result.prompt_tokens_per_s)
        front.say(front.text("cli.bench.prompt", tokens=result.prompt_tokens, speed=speed))
    if result.tokens_per_s is not None:
        speed = number(result.tokens_per_s)
        front.say(front.text("cli.bench.gen", tokens=result.gen_tokens, speed=speed))
    if result.parallel > 1 and result.aggregate_tokens_per_s is not None:
        speed = number(result.aggregate_tokens_per_s)
        front.say(front.text("cli.bench.aggregate", parallel=result.parallel, speed=speed))
