"""The one model that is open, or is to be opened: chosen, asleep, opening, ready, failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import CancelledError, HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.library.model import GUIDE_NAME
from desktop.services.remote_ref import parse_remote
from desktop.ui.bridge import Batch
from desktop.ui.log import log
from desktop.ui.notice import Action, Banner
from desktop.ui.session import Session
from desktop.ui.step_words import step_words

if TYPE_CHECKING:  # only their names are needed before the first paint
    from desktop.engine.engine import Engine
    from desktop.fit.types import FitReport
    from desktop.services.open_progress import Opened, OpenProgress, Stage

Phase = Literal["asleep", "opening", "ready", "failed"]

LANE = "engine"


@dataclass(frozen=True, slots=True)
class ModelState:
    """What the window shows of the model. "asleep": chosen, and opened when one begins to write.

    While the fastest setting is looked for, `trial` of at most `trials` is being made.
    """

    name: str
    phase: Phase = "asleep"
    stage: Stage = "checking"
    fraction: float = 0.0
    trial: int = 0
    trials: int = 0
    opened: Opened | None = None
    error: HausgeistError | None = None

    @property
    def is_guide(self) -> bool:
        return self.name == GUIDE_NAME

    @property
    def is_remote(self) -> bool:
        """Whether the model is on a server that the person has named."""
        return parse_remote(self.name) is not None

    @property
    def leaves_computer(self) -> bool:
        """Whether what is said to the model leaves this computer; of a server that has not been
        asked yet that is taken for granted."""
        return self.is_remote if self.opened is None else self.opened.leaves_computer

    @property
    def may_start_now(self) -> bool:
        """Whether tuning is past its first trial, so that the model could be used already."""
        return self.phase == "opening" and self.stage == "tuning" and self.trial > 1

    @property
    def engine(self) -> Engine | None:
        return None if self.opened is None else self.opened.engine

    @property
    def report(self) -> FitReport | None:
        return None if self.opened is None else self.opened.report


class ModelSession(QObject):
    """Opens and closes models in a thread of its own; the window sees `state` and `changed`."""

    changed = Signal()
    became_ready = Signal()
    became_failed = Signal()
    about_to_close = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.state = ModelState(session.settings.last_model or GUIDE_NAME)
        self._cancel: CancelToken | None = None
        self._start_now: CancelToken | None = None
        self._wanted = False
        session.ready.connect(self._services_ready)

    def choose(self, name: str) -> None:
        """Make `name` the model to talk with; it is opened at once."""
        if name == self.state.name and self.state.phase in ("opening", "ready"):
            return
        self._session.change(last_model=name)
        self._open(name)

    def wake_if_asleep(self) -> None:
        """Somebody begins to write: have the model open by the time they are done."""
        if self.state.phase == "asleep":
            self._open(self.state.name)

    def wake(self) -> None:
        """Open the chosen model if it is not, after a failure too."""
        if self.state.phase in ("asleep", "failed"):
            self._open(self.state.name)

    def cancel(self) -> None:
        """Stop an opening that is under way."""
        self._wanted = False
        if self._cancel is not None:
            self._cancel.cancel()

    def start_now(self) -> None:
        """Enough of tuning: open the model with the best setting that is known."""
        if self._start_now is not None:
            self._start_now.cancel()

    def forget(self, name: str) -> None:
        """The model is gone from the library: fall back to the guide, opened when needed."""
        if name == self.state.name:
            self._session.change(last_model=GUIDE_NAME)
            self._release(self.state)
            self._set(ModelState(GUIDE_NAME))
        services = self._session.services
        if services is not None:  # nobody may have its file open any more
            self._session.bridge.run(LANE, partial(services.opener.let_go, name), _nothing, _ignore)

    def prefer(self, name: str) -> None:
        """The one to begin with from now on; who talks with another one just now goes on."""
        self._session.change(last_model=name)
        if self.state.phase == "asleep":
            self._set(ModelState(name))

    def look_after(self) -> None:
        """An answer has ended: a model whose process died is asleep now, and opened when needed."""
        engine = self.state.engine
        if self.state.phase == "ready" and engine is not None and not engine.alive:
            self._release(self.state)
            self._set(ModelState(self.state.name))

    def reopen(self) -> None:
        """Open the model anew, so that changed settings hold."""
        if self.state.phase == "ready":
            self._open(self.state.name, fresh=True)

    def renamed(self, name: str, new_name: str) -> None:
        """The library calls the model something else now; it stays open."""
        if name == self.state.name:
            self._session.change(last_model=new_name)
            self._set(replace(self.state, name=new_name))

    def close(self) -> None:
        """Free the model; for the end of the window."""
        self.cancel()
        self._release(self.state)

    def _services_ready(self) -> None:
        if self._wanted:
            self._wanted = False
            self._open(self.state.name)

    def _open(self, name: str, *, fresh: bool = False) -> None:
        services = self._session.services
        before = self.state
        self.cancel()
        self._set(ModelState(name, "opening"))
        if services is None:
            self._wanted = True
            return
        if before.engine is not None:
            self.about_to_close.emit()
        token, start_now = CancelToken(), CancelToken()
        self._cancel, self._start_now = token, start_now
        progress = partial(self._session.bridge.post, self._progressed)
        settings = self._session.settings

        def work() -> Opened:
            from desktop.fit.types import Wish  # not before the first paint

            wish = Wish(threads=settings.threads or None)
            if before.opened is not None:
                before.opened.engine.close()
            token.raise_if_cancelled()
            return services.opener.open(
                name,
                wish,
                on_progress=progress,
                cancel=token,
                start_now=start_now,
                usual_context=settings.context_tokens or None,
                fresh=fresh,
            )

        self._run(work, token)

    def _run(self, work: Callable[[], Opened], token: CancelToken) -> None:
        def done(opened: Opened) -> None:
            if token is not self._cancel:
                self._session.bridge.run(LANE, opened.engine.close, _nothing, _ignore)
                return
            self._cancel = None
            self._set(replace(self.state, phase="ready", fraction=1.0, opened=opened))
            if words := step_words(opened):
                self._session.tell(Banner("model", words, "info"))
            self.became_ready.emit()

        def failed(error: HausgeistError) -> None:
            if token is not self._cancel:
                return
            self._cancel = None
            stopped = isinstance(error, CancelledError)
            self._set(
                ModelState(
                    self.state.name,
                    "asleep" if stopped else "failed",
                    error=None if stopped else error,
                )
            )
            if not stopped:
                self._tell_failure(error)
            self.became_failed.emit()

        self._session.bridge.run(LANE, work, done, failed)

    def _tell_failure(self, error: HausgeistError) -> None:
        again = Action(self.tr("Try again"), self.wake)
        guide = Action(self.tr("Talk to the guide"), partial(self.choose, GUIDE_NAME))
        actions = (again,) if self.state.is_guide else (again, guide)
        log.warning("model not opened: %s", error)
        self._session.tell(Banner("model", self._session.messages.error(error), "bad", actions))

    def _progressed(self, batch: Batch) -> None:
        last: OpenProgress = batch[-1]
        if self.state.phase == "opening":
            now = replace(
                self.state,
                stage=last.stage,
                fraction=last.fraction,
                trial=last.trial,
                trials=last.trials,
            )
            self._set(now)

    def _release(self, state: ModelState) -> None:
        if state.opened is not None:
            self.about_to_close.emit()
            self._session.bridge.run(LANE, state.opened.engine.close, _nothing, _ignore)

    def _set(self, state: ModelState) -> None:
        self.state = state
        self.changed.emit()


def _nothing(_result: object) -> None:
    """Closing has no result."""


def _ignore(_error: HausgeistError) -> None:
    """A model that does not close well is logged by the bridge; the user can do nothing."""
