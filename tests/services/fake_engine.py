"""An engine without llama.cpp: the test says what it answers, when, and how fast it "was"."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.errors import HausgeistError, Param
from desktop.engine.chat import Chat, Rendered
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.elsewhere import Elsewhere
from desktop.engine.engine import ModelInfo
from desktop.engine.events import (
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    Started,
    Stats,
    Text,
)
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream
from desktop.engine.templates.chat_fit import fit_chat
from desktop.fit.types import Plan


def plan(*, context: int = 4096, gpu_layers: int = 0, use_mmap: bool = True) -> Plan:
    return Plan(
        gpu_layers=gpu_layers,
        context=context,
        kv_type="f16",
        parallel=1,
        flash_attention=True,
        expert_layers_on_cpu=0,
        ubatch=512,
        threads=2,
        use_mmap=use_mmap,
    )


@dataclass(frozen=True)
class FakePrompt:
    """A chat as the fake engine would read it: a token is a word."""

    rendered: Rendered
    prompt_tokens: int


class FakeTurn:
    """One request, played by the test step by step. A chat's prompt stands in `request.prompt`."""

    def __init__(self, engine: FakeEngine, request: Request) -> None:
        self.rendered = Rendered(request.prompt)
        if request.chat is not None:
            self.rendered = rendered = engine.render(request.chat)
            request = replace(request, prompt=rendered.prompt, stop=(*request.stop, *rendered.stop))
        self.request = request
        self.stream = Stream(request.id, engine.cancel)
        self.pieces: list[str] = []
        self.ended = False
        self._engine = engine

    def start(self, cached_tokens: int = 0) -> None:
        tokens = self._engine.count_tokens(self.request.prompt)
        left_out, first_kept = self.rendered.left_out, self.rendered.first_kept
        self.stream.put(Started(self.request.id, tokens, cached_tokens, left_out, first_kept))

    def read(self, done: int, total: int) -> None:
        self.stream.put(PromptProgress(self.request.id, done, total))

    def say(self, text: str) -> None:
        self.pieces.append(text)
        self.stream.put(Text(self.request.id, text))

    def finish(self, reason: FinishReason = "stop") -> None:
        self.ended = True
        self.stream.put(Finished(self.request.id, reason, self._stats()))

    def fail(self, kind: str = "engine_failed", **params: Param) -> None:
        self.ended = True
        self.stream.put(Failed(self.request.id, kind, params))

    def play(self, pieces: Sequence[str]) -> None:
        """The whole answer at once."""
        self.start()
        for piece in pieces:
            self.say(piece)
        self.finish()

    def _stats(self) -> Stats:
        prompt = self._engine.count_tokens(self.request.prompt)
        written = len(self.pieces)
        return Stats(
            prompt_tokens=prompt,
            completion_tokens=written,
            prompt_s=prompt / self._engine.prompt_tokens_per_s,
            generation_s=max(0, written - 1) / self._engine.tokens_per_s,
            first_token_s=prompt / self._engine.prompt_tokens_per_s,
            context_tokens_used=prompt + written,
            context_tokens=self._engine.info.context_tokens,
        )


class FakeEngine(Elsewhere):
    """The `Engine` protocol. A token is a word.

    With `answers` each request is answered at once by the next of them; without, the test takes
    the turn with `next_turn` and plays it. Speeds are figures in the statistics: nobody waits.
    """

    def __init__(
        self,
        answers: Sequence[Sequence[str]] = (),
        *,
        name: str = "fake",
        context_tokens: int = 4096,
        path: Path = Path("fake.gguf"),
        sampling: Sampling | None = None,
        prompt_tokens_per_s: float = 1000.0,
        tokens_per_s: float = 50.0,
    ) -> None:
        self._info = ModelInfo(
            path=path,
            name=name,
            architecture="llama",
            context_tokens=context_tokens,
            plan=plan(context=context_tokens),
            vocab_size=1000,
            template_name="model",
            sampling=sampling,
        )
        self.prompt_tokens_per_s = prompt_tokens_per_s
        self.tokens_per_s = tokens_per_s
        self.requests: list[Request] = []
        self.closed = False
        self.usage: tuple[DeviceUsage, ...] | None = None
        self.answers_with_failure = ""  # the kind of error that every request ends with
        self._answers = list(answers)
        self._turns: queue.SimpleQueue[FakeTurn] = queue.SimpleQueue()
        self._open: dict[str, FakeTurn] = {}

    @property
    def info(self) -> ModelInfo:
        return self._info

    def submit(self, request: Request) -> Stream:
        try:
            turn = FakeTurn(self, request)
        except HausgeistError as error:
            stream = Stream(request.id, self.cancel)
            stream.put(Failed(request.id, error.kind, error.params))
            return stream
        self.requests.append(turn.request)
        self._open[request.id] = turn
        if self.answers_with_failure:
            turn.fail(self.answers_with_failure)
        elif self._answers:
            turn.play(self._answers.pop(0))
        else:
            self._turns.put(turn)
        return turn.stream

    def next_turn(self, timeout_s: float = 10.0) -> FakeTurn:
        """The next request that waits for the test; queue.Empty if none comes."""
        return self._turns.get(timeout=timeout_s)

    def cancel(self, request_id: str) -> None:
        turn = self._open.get(request_id)
        if turn is not None and not turn.ended:
            turn.finish("cancelled")

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def render(self, chat: Chat) -> Rendered:
        if chat.overflow == "error":
            return self._write(chat).rendered
        fitted = fit_chat(chat, self.info.context_tokens, self._write)
        return replace(
            fitted.written.rendered, left_out=fitted.left_out, first_kept=fitted.first_kept
        )

    def _write(self, chat: Chat) -> FakePrompt:
        lines = [
            f"<{message.role}> {message.content} </{message.role}>" for message in chat.led_messages
        ]
        if chat.add_generation_prompt:
            lines.append("<assistant>")
        prompt = "\n".join(lines)
        return FakePrompt(Rendered(prompt, ("</assistant>",)), self.count_tokens(prompt))

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        return self.usage

    def close(self) -> None:
        self.closed = True
        for turn in self._open.values():
            if not turn.ended:
                turn.fail("engine_closed")
