"""Whose turn it is in the queue: who begins, who makes room, what sleep has shortened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.common.errors import HausgeistError
from desktop.services.downloads_entry import DownloadState
from desktop.services.downloads_line import Line

_SLEPT_S = 10.0


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps everything from running that needs the network, and why."""

    state: DownloadState
    why: HausgeistError | None = None


@dataclass(frozen=True, slots=True)
class Turns:
    """Who is to begin and who to stop now; `is_news`: others wait for something else by now."""

    begin: tuple[Line, ...]
    stop: tuple[Line, ...]
    is_news: bool


def take_turns(lines: Sequence[Line], hold: Hold | None, at_once: int, now: float) -> Turns:
    """Puts what has to wait into its state; the first ones run."""
    running = [line for line in lines if line.job is not None]
    begin: list[Line] = []
    is_news = False
    for line in lines:
        if line.job is not None or not line.is_wanted:
            continue
        if hold is not None and line.is_remote:
            is_news |= line.rest(hold.state, hold.why)
            line.try_soon()
        elif line.retry_at is not None and now < line.retry_at:
            continue
        elif len(running) + len(begin) < at_once:
            begin.append(line)
        else:
            line.try_soon()
            is_news |= line.rest("waiting")
    held = [line for line in running if line.is_remote] if hold is not None else []
    return Turns(tuple(begin), tuple(held), is_news)


def surplus(lines: Sequence[Line], at_once: int) -> list[Line]:
    """The running ones that are too many, from behind."""
    return _running(lines)[at_once:]


def in_the_way(line: Line, lines: Sequence[Line], at_once: int) -> Line | None:
    """Who makes room for a `line` that was put before it; None where nobody must."""
    if line.job is not None or not line.is_wanted or line.retry_at is not None:
        return None
    running = _running(lines)
    place = lines.index(line)
    behind = [one for one in running if lines.index(one) > place]
    return behind[-1] if behind and len(running) >= at_once else None


def shorten_after_sleep(lines: Sequence[Line], slept_s: float, now: float) -> None:
    """`slept_s` have passed that the clock of `now` does not know of: network and disk may be
    others now, and a break that somebody asked for is so much shorter."""
    if slept_s <= _SLEPT_S:
        return
    for line in lines:
        if line.retry_at is not None:
            line.retry_at = line.retry_at - slept_s if line.is_retry_sure else now


def _running(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.job is not None and not line.halt]
