"""The connections of one transfer: as many as help, each taking piece after piece."""

from __future__ import annotations

import threading
import time

from desktop.common.errors import HausgeistError, NetworkError
from desktop.common.logs import get_logger
from desktop.hub.transfer.claims import Claim, Claims
from desktop.hub.transfer.pace import RateLimit
from desktop.hub.transfer.patience import Patience
from desktop.hub.transfer.reception import SEAM_BYTES, EnoughError, Reception, SeamError
from desktop.hub.transfer.rounds import Round
from desktop.hub.transfer.source import Source

_TASTE_S = 0.05
_QUICK_BYTES_PER_S = 80e6  # where one connection does this, more of them only cost
_MORE_THAN_ONE_BYTES = 4 << 20
_SLOW_BYTES_PER_S = 8_000.0
_SLOW_SHARE = 0.05
# What may come of too many connections: then fewer of them do better.
_CROWDED = ("hub_busy", "hub_down", "connection_refused", "hub_link_refused")
_SEAMS = 3
_MOST_SEAMS = 60  # what is fetched and doubted again and again is no progress either
_ANSWER_TIMES = 3  # 15 s for an answer to begin, all redirections included
_SETTLE_S = 0.1
_HOLD_S = 0.02
_WHOLE_AGAIN_BYTES = 1 << 20
_WHOLE_ANSWERS = 2

_log = get_logger("transfer")


class Connections:
    """Driven by `keep_going`, about 20 times a second, from one thread."""

    def __init__(
        self,
        source: Source,
        fill: Round,
        patience: Patience,
        limit: RateLimit,
        *,
        most: int,
        slow_after_s: float,
    ) -> None:
        """`most` at once; one that is far slower than others for `slow_after_s` is made anew."""
        self._source = source
        self._fill = fill
        self._patience = patience
        self._limit = limit
        self._most = most
        self._slow_after_s = slow_after_s
        self._answer_s = _ANSWER_TIMES * slow_after_s
        self._claims = Claims(
            fill.there, fill.part.size_bytes, connections=most, most_bytes=fill.piece_bytes
        )
        self._lock = threading.Lock()
        self._halted = threading.Event()
        self._workers: set[threading.Thread] = set()
        self._started_s = 0.0
        self._received = 0
        self._best = 0.0
        self._strikes = 0
        self._strike_s = 0.0
        self._seam_errors = 0
        self._whole_answers = 0
        self._waiting: tuple[str, float] | None = None
        self.error: HausgeistError | None = None

    @property
    def received_bytes(self) -> int:
        """All that came over the network."""
        return self._received

    @property
    def is_settled(self) -> bool:
        """Whether it is known how many connections help."""
        return 0 < self._started_s < time.monotonic() - 2 * _TASTE_S

    def waiting(self) -> tuple[str, float] | None:
        """The kind of error that is waited out and how long still, if nothing else goes on."""
        waiting = self._waiting
        if waiting is None or any(claim.shut is not None for claim in self._claims.active):
            return None
        left_s = waiting[1] - time.monotonic()
        return (waiting[0], left_s) if left_s > 0 else None

    def halt(self) -> None:
        """End all connections now; those that hang are left to themselves."""
        with self._lock:
            workers = self._workers
            if not workers:
                return
            halted, self._halted = self._halted, threading.Event()
            self._workers = set()
            self._started_s = 0.0
        halted.set()
        self._claims.halt()
        until_s = time.monotonic() + _SETTLE_S  # to write what came
        for worker in workers:
            worker.join(max(0.0, until_s - time.monotonic()))

    def keep_going(self) -> None:
        """Start what is missing, end what is too slow."""
        if self.error is not None:
            return
        self._watch_speed()
        self._give_up_late_answers()
        with self._lock:
            self._workers = {worker for worker in self._workers if worker.is_alive()}
            for _ in range(len(self._workers), self._wanted()):
                worker = threading.Thread(
                    target=self._work, args=(self._halted,), name="transfer", daemon=True
                )
                self._workers.add(worker)
                worker.start()

    def _give_up_late_answers(self) -> None:
        """A head that comes in drops is never silent and never there; its thread is left to
        itself."""
        now = time.monotonic()
        for claim in self._claims.active:
            if claim.is_answered or now - claim.asked_at < self._answer_s:
                continue
            _log.info("no answer after %.1f s", now - claim.asked_at)
            self._source.start_over()
            self._claims.release(claim)
            claim.stop()
            with self._lock:
                if claim.worker is not None:
                    self._workers.discard(claim.worker)
            error = NetworkError(
                "connection_timeout", host=self._source.host, timeout_s=round(self._answer_s)
            )
            if self._patience.pause_s(error, 1) is None:
                self.error = self.error or error

    def _wanted(self) -> int:
        """One to begin with; more as soon as it shows that one does not fill the line."""
        if not (self._started_s and self._source.has_ranges and self._source.says_places):
            return 1
        spent_s = time.monotonic() - self._started_s
        part = self._fill.part
        left = part.size_bytes - self._fill.there().total_bytes
        if spent_s < _TASTE_S or left < _MORE_THAN_ONE_BYTES:
            return max(1, len(self._workers))
        if self._claims.bytes_per_s > _QUICK_BYTES_PER_S:
            self._claims.connections = 1
            return 1
        self._claims.connections = self._most
        return self._most

    def _watch_speed(self) -> None:
        now = time.monotonic()
        for claim in self._claims.active:
            began_s, began_at = claim.since
            if claim.shut is None or now - began_s < _TASTE_S:
                continue
            speed = (claim.at - began_at) / (now - began_s)
            self._best = max(self._best, speed)
            self._claims.bytes_per_s = max(self._claims.bytes_per_s * 0.98, speed)
            if now - began_s < self._slow_after_s:
                continue
            claim.since = (now, claim.at)
            if self._is_too_slow(speed) and now >= self._strike_s:
                self._strikes += 1
                self._strike_s = now + self._slow_after_s * 2**self._strikes
                _log.info("a connection with %.0f bytes/s is made anew", speed)
                self._source.forget_link()
                claim.shut()

    def _is_too_slow(self, speed: float) -> bool:
        usual = max(_SLOW_BYTES_PER_S, _SLOW_SHARE * self._best)
        rate = self._limit.bytes_per_s
        if rate > 0:
            usual = min(usual, rate / self._most / 4)
        return speed < usual

    def _work(self, halted: threading.Event) -> None:
        try:
            self._live(halted)
        except Exception as error:  # noqa: BLE001  (else the transfer would wait for this thread)
            _log.exception("a connection's thread died")
            self.error = self.error or HausgeistError(detail=repr(error))

    def _live(self, halted: threading.Event) -> None:
        """One connection's life: piece after piece, and what to do when it breaks."""
        failures = 0
        while not halted.is_set():
            if self._fill.is_on_hold:
                halted.wait(_HOLD_S)
                continue
            claim = self._claims.next()
            if claim is None:
                return
            claim.worker, claim.asked_at = threading.current_thread(), time.monotonic()
            error = self._fetch(claim)
            self._claims.release(claim)
            if halted.is_set() or threading.current_thread() not in self._workers:
                return
            if claim.at > claim.start:
                failures = 0
                self._patience.progressed()
            if self._is_one_too_many(error, halted):
                return
            if error is None:
                continue
            failures += 1
            pause_s = self._patience.pause_s(error, failures)
            if pause_s is None:
                self.error = self.error or error
                return
            self._waiting = (error.kind, time.monotonic() + pause_s)
            _log.info("once more in %.1f s: %s", pause_s, error)
            halted.wait(pause_s)

    def _fetch(self, claim: Claim) -> HausgeistError | None:
        """One request; None if something good came of it."""
        reception = Reception(
            claim,
            self._fill.seam(claim.at, SEAM_BYTES),
            self._store,
            pause=self._pause,
            on_start=lambda: self._begin(claim),
        )
        error: HausgeistError | None = None
        try:
            self._source.fetch(reception)
        except EnoughError:
            pass
        except SeamError as found:
            error = self._doubt(claim, found)
        except HausgeistError as found:
            error = found
        finally:
            claim.shut = None
        try:
            reception.flush()
        except HausgeistError as found:
            error = error or found
        if error is None and claim.at == claim.start and not claim.stopped and claim.rest_bytes:
            error = NetworkError("connection_cut", host=self._source.host)
        return error

    def _begin(self, claim: Claim) -> None:
        """A good answer begins."""
        now = time.monotonic()
        claim.is_answered = True
        claim.since = (now, claim.at)
        self._claims.answer_s = max(self._claims.answer_s, now - claim.started_at)
        if not self._started_s:
            self._started_s = time.monotonic()
        if self._source.has_ranges:
            return
        # The whole file comes, whatever was asked for.
        if claim.at > _WHOLE_AGAIN_BYTES and self._whole_answers < _WHOLE_ANSWERS:
            self._whole_answers += 1
            raise self._source.inconsistent("no range")
        if any(other.at < claim.at for other in self._claims.active):
            raise EnoughError
        self._claims.extend(claim)

    def _store(self, offset: int, data: bytes) -> None:
        """Only what is kept is progress: a host may send for ever what has to be thrown away."""
        self._fill.store(offset, data)
        self._patience.progressed()

    def _pause(self, n: int) -> None:
        self._received += n
        wait_s = self._limit.wait_s(n)
        if wait_s > 0:
            self._halted.wait(wait_s)

    def _doubt(self, claim: Claim, error: SeamError) -> HausgeistError:
        """What came does not continue what is there: the newcomer is wrong, most likely; if it
        insists, what is there."""
        self._seam_errors += 1
        self._source.forget_link()
        if self._seam_errors % _SEAMS == 0:
            self._fill.distrust_before(claim.at)
        found = self._source.inconsistent(error.detail)
        if self._seam_errors >= _MOST_SEAMS:
            self.error = self.error or found
        return found

    def _is_one_too_many(self, error: HausgeistError | None, halted: threading.Event) -> bool:
        """Whether this connection should end: others get on, and it is refused or of no use."""
        with self._lock:
            if halted.is_set():
                return True
            others = len([worker for worker in self._workers if worker.is_alive()]) - 1
            if others < 1:
                return False
            if error is not None and error.kind in _CROWDED and self._patience.idle_s < 1.0:
                self._most = max(1, min(self._most - 1, others))
            most = self._most if self._source.has_ranges and self._source.says_places else 1
            if others < most:
                return False
            self._workers.discard(threading.current_thread())
            return True
