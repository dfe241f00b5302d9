"""What stands in for the Hub and its account while the window is driven or pictured."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from desktop.common.errors import CancelledError, HausgeistError, HubError, UsageError
from desktop.fit.types import DeviceMemory, FitReport, ModelSummary, Plan, Speed, Verdict
from desktop.hub.listing import FileGroup, HubFile, Listing
from desktop.hub.model_card import ModelCard
from desktop.hub.search import FoundRepo, SearchPage, SearchQuery
from desktop.library.catalog import shipped_catalog
from desktop.services.account import AccountState
from desktop.services.offers import FileOffer, RepositoryView

GB = 1_000_000_000
COMMIT = "a" * 40
PLAN = Plan(
    gpu_layers=0,
    context=8192,
    kv_type="f16",
    parallel=1,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=512,
    threads=6,
    use_mmap=True,
)


def found(number: int, **values: object) -> FoundRepo:
    """A repository of a made-up maker."""
    made = FoundRepo(
        repo=f"maker/Model-{number}-GGUF",
        author="maker",
        name=f"Model-{number}-GGUF",
        downloads=1000 * number,
        likes=number,
        updated_at=1_760_000_000.0,
        task="chat",
        licence_id="apache-2.0",
        languages=("en", "de"),
        parameters=8_200_000_000,
        context_tokens=32768,
    )
    return replace(made, **values)  # type: ignore[arg-type]


def judged(
    quantization: str, gb: float, *, verdict: Verdict = "cpu", speed: float | None = 9.0
) -> FitReport:
    """How a file does, as the planner says it."""
    size = int(gb * GB)
    return FitReport(
        model=ModelSummary("model", "llama", quantization, 8_200_000_000, size, 36),
        plan=PLAN,
        memory=(DeviceMemory("CPU", size, GB, GB // 2, 16 * 2**30, 9 * 2**30),),
        verdict=verdict,
        speed=Speed(None, speed, "predicted"),
        method="header",
        reason_key="fit.too_large" if verdict == "too_large" else "fit.cpu_no_speed",
        reason_params={"needed": size + GB, "total": 16 * 2**30, "usable": 9 * 2**30},
    )


def offer(repo: str, quantization: str, gb: float, *, parts: int = 1) -> FileOffer:
    """A file nobody has judged."""
    stem = f"{repo.partition('/')[2].removesuffix('-GGUF')}-{quantization}"
    names = [f"{stem}.gguf"]
    if parts > 1:
        names = [f"{stem}-{n:05d}-of-{parts:05d}.gguf" for n in range(1, parts + 1)]
    files = tuple(HubFile(name, int(gb * GB) // parts, "b" * 64) for name in names)
    group = FileGroup(files, quantization, "model")
    return FileOffer(group, quantization, int(gb * GB), f"{repo}:{names[0]}")


def repository(repo: str = "maker/Model-1-GGUF", **values: object) -> RepositoryView:
    """Six quantizations of an 8B model, one split, with a part that sees."""
    offers = tuple(
        offer(repo, name, gb, parts=parts)
        for name, gb, parts in (
            ("Q2_K", 3.3, 1),
            ("Q4_K_M", 5.0, 1),
            ("Q5_K_M", 5.9, 1),
            ("Q6_K", 6.7, 1),
            ("Q8_0", 8.7, 1),
            ("F16", 16.4, 2),
        )
    )
    groups = tuple(entry.group for entry in offers)
    made = RepositoryView(
        repo=repo,
        listing=Listing(repo, COMMIT, groups),
        offers=offers,
        licence=shipped_catalog().licence("apache-2.0"),
        languages=("en", "de", "fr"),
        found=found(1, repo=repo),
        card=ModelCard(
            summary="A small model for everyday questions.",
            markdown="# Model 1\n\nA **small** model, see [its page](https://example.org/x).\n",
            base_model="maker/Model-1",
        ),
        page=f"https://huggingface.co/{repo}",
    )
    return replace(made, **values)  # type: ignore[arg-type]


SPEEDS: dict[str, tuple[Verdict, float | None]] = {
    "Q2_K": ("cpu", 13.0),
    "Q4_K_M": ("cpu", 9.0),
    "Q5_K_M": ("cpu", 7.6),
    "Q6_K": ("cpu", 6.5),
    "Q8_0": ("cpu", 2.4),
    "F16": ("too_large", None),
}


def with_verdict(entry: FileOffer, *, estimate: bool = False) -> FileOffer:
    """As the machine of the tests would do."""
    verdict, speed = SPEEDS.get(entry.quantization, ("cpu", 5.0))
    gb = (entry.file_bytes or 0) / GB
    return replace(
        entry,
        report=judged(entry.quantization, gb, verdict=verdict, speed=speed),
        basis="estimate" if estimate else "header",
        is_recommended=entry.quantization == "Q4_K_M",
    )


@dataclass
class ScriptedBrowser:
    """Answers from its fields; `gate`, where set, holds every answer back until it is open."""

    pages: dict[str | None, SearchPage] = field(default_factory=dict)
    views: dict[str, RepositoryView] = field(default_factory=dict)
    error: HausgeistError | None = None
    gate: threading.Event | None = None
    judge_gate: threading.Event | None = None
    card_gate: threading.Event | None = None
    answer: Callable[[SearchQuery, str | None], SearchPage] | None = None
    queries: list[tuple[SearchQuery, str | None]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def search(
        self,
        query: SearchQuery,
        cursor: str | None = None,
        *,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> SearchPage:
        self.queries.append((query, cursor))
        self._wait(self.gate, f"search {query.text}", is_cancelled)
        if self.error is not None:
            raise self.error
        if self.answer is not None:
            return self.answer(query, cursor)
        return self.pages.get(cursor, SearchPage(()))

    def repository(
        self,
        repo: str,
        *,
        with_card: bool = True,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> RepositoryView:
        self.opened.append(repo)
        self._wait(self.gate, f"repository {repo}", is_cancelled)
        if self.error is not None:
            raise self.error
        view = self._view(repo)
        return view if with_card else replace(view, card=None)

    def with_card(
        self, view: RepositoryView, *, is_cancelled: Callable[[], bool] | None = None
    ) -> RepositoryView:
        self._wait(self.card_gate, f"card {view.repo}", is_cancelled)
        return replace(view, card=self._view(view.repo).card)

    def _view(self, repo: str) -> RepositoryView:
        return self.views.get(repo) or repository(repo)

    def judge(
        self,
        view: RepositoryView,
        on_offer: Callable[[FileOffer], None],
        is_cancelled: Callable[[], bool],
    ) -> RepositoryView:
        known = []
        for number, entry in enumerate(view.offers):
            if number:
                self._wait(self.judge_gate, f"judge {view.repo}", is_cancelled)
            closed = HubError("hub_gated", repo=view.repo)  # as the Hub says without a token
            known.append(replace(entry, problem=closed) if view.gated else with_verdict(entry))
            on_offer(known[-1])
        return replace(view, offers=tuple(known))

    def _wait(
        self, gate: threading.Event | None, what: str, gone: Callable[[], bool] | None
    ) -> None:
        while gate is not None and not gate.wait(0.01):
            if gone is not None and gone():
                self.cancelled.append(what)
                raise CancelledError


@dataclass
class ScriptedAccount:
    """Takes the token "hf_good", refuses all others."""

    now: AccountState = field(default_factory=AccountState)
    tokens: list[str] = field(default_factory=list)

    tokens_page = "https://huggingface.co/settings/tokens"

    def state(self) -> AccountState:
        return self.now

    def sign_in(self, token: str) -> AccountState:
        self.tokens.append(token)
        if token != "hf_good":
            raise UsageError("bad_token")
        self.now = replace(self.now, place=self.now.keeps_in, user="somebody")
        return self.now

    def sign_out(self) -> AccountState:
        self.now = replace(self.now, place="none", user="")
        return self.now
