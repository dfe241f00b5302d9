"""What a search may find, for pictures: well-known shapes of names, made-up figures."""

from __future__ import annotations

import time
from dataclasses import replace

from desktop.common.errors import HubError, NetworkError
from desktop.hub.model_card import ModelCard
from desktop.hub.search import FoundRepo, SearchPage
from desktop.library.catalog import shipped_catalog
from desktop.services.offers import RepositoryView
from desktop.services.remote_model import Beside
from tests.ui.browse.stand_ins import ScriptedBrowser, found, offer, repository

DAY_S = 86_400.0

CARD = """# Gemma 3 12B

A model of **twelve billion** parameters that reads text and pictures and answers in more than
140 languages.

## What it is good for

- Answering questions, summing up, drafting letters
- Describing pictures
- Translating, German included

| Test | Score |
|---|---|
| MMLU | 74.5 |
| HumanEval | 45.7 |

Picture: chart of results (not loaded)

See [the report (example.org)](https://example.org/report) for more.

```python
print("Hello")
```
"""

_ROWS = (
    ("unsloth", "Qwen3-8B-GGUF", 8.2, "apache-2.0", 1_240_000, 3412, 3, "chat", ""),
    ("ggml-org", "gemma-3-12b-it-GGUF", 12.2, "gemma", 402_113, 981, 12, "vision", "manual"),
    ("bartowski", "Mistral-Small-3.2-24B-Instruct-2506-GGUF", 23.6, "apache-2.0", 98_220, 207, 40,
     "chat", ""),
    ("lmstudio-community", "Qwen2.5-Coder-14B-Instruct-GGUF", 14.8, "apache-2.0", 45_010, 77, 200,
     "code", ""),
    ("maziyarpanahi", "Llama-3.3-70B-Instruct-GGUF", 70.6, "llama3.3", 210_000, 512, 300, "chat",
     "auto"),
    ("nomic-ai", "nomic-embed-text-v1.5-GGUF", 0.137, "apache-2.0", 880_431, 120, 400,
     "embedding", ""),
    ("somebody", "A-model-with-a-very-long-name-that-no-window-of-usual-width-can-show-in-one-line-"
     "Instruct-abliterated-i1-GGUF", 7.6, "cc-by-nc-4.0", 12, 0, 1, None, ""),
)  # fmt: skip


def demo_rows() -> tuple[FoundRepo, ...]:
    """A first page."""
    now = time.time()
    rows = []
    for author, name, billions, licence, downloads, likes, days, task, gated in _ROWS:
        rows.append(
            found(
                1,
                repo=f"{author}/{name}",
                author=author,
                name=name,
                parameters=int(billions * 1e9),
                licence_id=licence,
                downloads=downloads,
                likes=likes,
                updated_at=now - days * DAY_S,
                task=task,
                gated=gated,
            )
        )
    more = [found(n, parameters=int((n % 30 + 1) * 1e9)) for n in range(8, 30)]
    return (*rows, *more)


def demo_view(*, gated: bool = False) -> RepositoryView:
    """A repository with a part that sees, a draft and a LoRA."""
    repo = "ggml-org/gemma-3-12b-it-GGUF"
    projector = Beside(f"{repo}:mmproj-F16.gguf", "projector", 854_000_000)
    draft = Beside(f"{repo}:gemma-3-270m-draft-Q8_0.gguf", "draft", 290_000_000)
    lora = Beside(f"{repo}:letters-lora-F16.gguf", "lora", 90_000_000)
    made = repository(repo)
    sizes = (("Q2_K", 4.8), ("Q3_K_M", 6.0), ("Q4_K_M", 7.3), ("Q5_K_M", 8.4), ("Q6_K", 9.7),
             ("Q8_0", 12.5), ("F16", 23.5))  # fmt: skip
    offers = [
        replace(offer(repo, name, gb, parts=2 if name == "F16" else 1), projector=projector)
        for name, gb in sizes
    ]
    row = demo_rows()[1]
    return replace(
        made,
        offers=tuple(offers),
        licence=shipped_catalog().licence("gemma"),
        languages=("de", "en", "fr", "es", "it", "pl", "nl", "cs", "ja", "zh"),
        found=replace(row, context_tokens=131072, updated_at=row.updated_at),
        card=ModelCard(
            "A model of twelve billion parameters that reads text and pictures.",
            CARD,
            base_model="google/gemma-3-12b-it",
        ),
        projectors=(projector,),
        drafts=(draft,),
        loras=(lora,),
        gated="manual" if gated else "",
    )


def fill(browser: ScriptedBrowser, scene: str) -> None:
    """`scene`: browse, repository, gated, offline, busy, nothing."""
    rows = demo_rows()
    browser.pages = {None: SearchPage(rows, "2"), "2": SearchPage(())}
    browser.views = {"ggml-org/gemma-3-12b-it-GGUF": demo_view(gated=scene == "gated")}
    problems = {
        "offline": NetworkError("offline_setting"),
        "busy": HubError("hub_busy", wait_s=45),
        "dns": NetworkError("host_unknown", host="huggingface.co"),
    }
    if scene in problems:
        page = SearchPage(rows[:4], None, is_catalogue=True, problem=problems[scene])
        browser.pages = {None: page}
    if scene == "nothing":
        browser.pages = {}
