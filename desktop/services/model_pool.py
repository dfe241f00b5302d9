"""Several models open at once: each loaded when it is asked for, shared by all who ask, unloaded
when nobody has used it for a while or another one needs its room.

Whoever opens a model here holds a lease: closing the engine gives that back, and the model stays
loaded for the next one. Never unloaded: a model that is leased, or that still answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Protocol, Unpack

from desktop.common.errors import CancelledError, EngineError, HausgeistError
from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.engine.extras import NO_EXTRAS
from desktop.fit.types import FitReport, Wish
from desktop.services.held_memory import HeldMemory
from desktop.services.open_options import OpenOptions
from desktop.services.open_progress import Opened
from desktop.services.pooled_model import Lease, PooledModel, with_engine

_LOOK_EVERY_S = 0.1
_PATIENCE_S = 15.0

_log = get_logger("services")


class Opener(Protocol):
    """What opens models for the pool: see `AnyOpener.open`."""

    def open(self, ref: str, wish: Wish, **options: Unpack[OpenOptions]) -> Opened: ...


class ModelPool:
    """Every method may be called from any thread; `open` blocks while a model loads."""

    def __init__(
        self,
        opener: Opener,
        held: HeldMemory,
        *,
        key_of: Callable[[str], Hashable],
        idle_s: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key_of` tells which references mean the same model, and raises where one means none.

        After `idle_s` seconds (asked again and again; 0 means never) what nobody uses is
        unloaded, but for the model that was used last.
        """
        self._opener = opener
        self._held = held
        self._key_of = key_of
        self._idle_s = idle_s
        self._clock = clock
        self._changed = threading.Condition()
        self._models: dict[Hashable, PooledModel] = {}
        # One load at a time: two would count on the same free memory.
        self._loading = threading.Lock()
        self._reaper: threading.Thread | None = None
        self._closed = False

    def open(
        self, ref: str, wish: Wish, *, fresh: bool = False, **options: Unpack[OpenOptions]
    ) -> Opened:
        """The model, loaded if it is not; closing its engine gives the lease back.

        One that is loaded with another wish is opened anew, unless somebody else uses it: then
        he shares it as it is. `fresh` opens anew though nothing else was wished for (its own
        settings have changed). Raises as the opener does, EngineError("engine_closed").
        """
        key = (self._key_of(ref), options.get("extras", NO_EXTRAS))
        wanted = (wish, *(options.get(name) for name in ("usual_context", "apart", "to_chat")))
        cancel = options.get("cancel") or CancelToken()
        self._wait_for_turn(cancel)
        try:
            lease = self._lease(key, wanted, fresh=fresh)
            if lease is not None:
                return lease
            told: OpenOptions = {**options, "cancel": cancel, "make_room": self._make_room}
            opened = self._opener.open(ref, wish, **told)
            return self._take_in(key, wanted, opened)
        finally:
            self._loading.release()

    def loaded(self) -> tuple[PooledModel, ...]:
        """What is loaded now, the one that was used last first."""
        with self._changed:
            return tuple(sorted(self._models.values(), key=lambda m: m.used_s, reverse=True))

    def let_go(self, ref: str) -> bool:
        """Unload the model now if nobody uses it (its file is to be removed); whether none is
        left loaded."""
        try:
            key = self._key_of(ref)
        except HausgeistError:
            return True  # nobody can have opened it
        with self._changed:
            own = [(k, m) for k, m in self._models.items() if isinstance(k, tuple) and k[0] == key]
            idle = [(k, m) for k, m in own if not m.is_used]
            for one, _ in idle:
                del self._models[one]
        for _, model in idle:
            self._unload(model)
        return len(idle) == len(own)

    def close(self) -> None:
        """Unload everything, answers that still run included; a second call does nothing."""
        with self._changed:
            self._closed = True
            models, self._models = list(self._models.values()), {}
            self._changed.notify_all()
        for model in models:
            self._unload(model)

    # -- one load at a time ------------------------------------------------------------------

    def _wait_for_turn(self, cancel: CancelToken) -> None:
        while not self._loading.acquire(timeout=_LOOK_EVERY_S):
            cancel.raise_if_cancelled()
        if self._closed or cancel.cancelled:
            self._loading.release()
            raise EngineError("engine_closed") if self._closed else CancelledError

    def _lease(self, key: Hashable, wanted: object, *, fresh: bool) -> Opened | None:
        """What is loaded already, if it will do; an idle one that will not is unloaded."""
        with self._changed:
            model = self._models.get(key)
            if model is None:
                return None
            will_do = model.is_used or (model.wanted == wanted and not fresh)
            if model.opened.engine.alive and will_do:
                return self._leased(model)
            # Idle and not as wished, or dead: then its leases end by themselves.
            del self._models[key]
        self._unload(model)
        return None

    def _take_in(self, key: Hashable, wanted: object, opened: Opened) -> Opened:
        model = PooledModel(opened, wanted, self._clock)
        with self._changed:
            if not self._closed:
                self._models[key] = model
                self._watch()
                return self._leased(model)
        opened.engine.close()
        raise EngineError("engine_closed")

    def _leased(self, model: PooledModel) -> Opened:
        """A lease of `model`, with the condition held."""
        model.leases += 1
        model.used_s = self._clock()
        self._pin(model)
        return with_engine(model.opened, Lease(model, self._give_back))

    def _give_back(self, model: PooledModel) -> None:
        with self._changed:
            model.leases -= 1
            model.used_s = self._clock()
            self._pin(model)
            self._changed.notify_all()

    def _pin(self, model: PooledModel) -> None:
        """Tell whether unloading it is an option for whoever plans."""
        if model.opened.holder:
            self._held.pin(model.opened.holder, in_use=model.leases > 0)

    # -- room ----------------------------------------------------------------------------------

    def _make_room(self, report: FitReport) -> None:
        """Unload what is idle, the longest unused first, until `report`'s plan has its memory."""
        short = _missing(report)
        for key, model in sorted(self._idle(), key=lambda pair: pair[1].used_s):
            if not any(size > 0 for size in short.values()):
                return
            frees = self._held.of(model.opened.holder)
            if not any(short.get(device, 0) > 0 and size > 0 for device, size in frees.items()):
                continue
            if self._take_out(key, model):
                self._unload(model)
                for device, size in frees.items():
                    short[device] = short.get(device, 0) - size

    def _idle(self) -> list[tuple[Hashable, PooledModel]]:
        with self._changed:
            return [(key, model) for key, model in self._models.items() if not model.is_used]

    def _take_out(self, key: Hashable, model: PooledModel) -> bool:
        """Whether it was still idle and is nobody's any more."""
        with self._changed:
            if self._models.get(key) is not model or model.is_used:
                return False
            del self._models[key]
            return True

    def _unload(self, model: PooledModel) -> None:
        _log.info("unloading %s", model.opened.name)
        model.opened.engine.close()

    # -- idle ------------------------------------------------------------------------------------

    def _watch(self) -> None:
        if self._reaper is None:
            self._reaper = threading.Thread(target=self._reap, name="idle-models", daemon=True)
            self._reaper.start()

    def _reap(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                due = self._due_in_s()
                if due is None or due > 0:
                    self._changed.wait(due)
                    continue
                expired = self._expired()
                for key, _ in expired:
                    del self._models[key]
            for _, model in expired:
                self._unload(model)

    def _due_in_s(self) -> float | None:
        """Seconds until something may be due; None while nothing can be."""
        idle_s = self._idle_s()
        times = [m.used_s for _, m in self._candidates()]
        if not times:
            return None
        # A setting may change, and answers end without a word to us: look again meanwhile.
        if not idle_s:
            return _PATIENCE_S
        return min(max(0.0, min(times) + idle_s - self._clock()), _PATIENCE_S)

    def _expired(self) -> list[tuple[Hashable, PooledModel]]:
        idle_s = self._idle_s()
        if not idle_s:
            return []
        now = self._clock()
        return [pair for pair in self._candidates() if pair[1].used_s + idle_s <= now]

    def _candidates(self) -> list[tuple[Hashable, PooledModel]]:
        """Idle models but for the one that was used last, with the condition held."""
        newest = max((model.used_s for model in self._models.values()), default=0.0)
        return [
            (key, model)
            for key, model in self._models.items()
            if not model.is_used and model.used_s < newest
        ]


def _missing(report: FitReport) -> dict[str, int]:
    """Bytes by device that the plan lacks as long as nothing of ours is unloaded."""
    return {
        row.device: row.total_bytes - (row.available_bytes - row.ours_bytes)
        for row in report.memory
        if row.available_bytes is not None
    }
