"""How long the model browser takes beyond the network: a page, a repository, verdicts, traffic.

A Hub on loopback holds hundreds of repositories and one model in 13 quantizations with a vocabulary
of today's size; weights are holes. Prints one JSON line.

    python tests/benchmarks/browse.py [--repeat 3] [--latency-ms 30] [--vocabulary 150000]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from desktop.hub.search import SearchQuery  # noqa: E402
from desktop.services.core import guide_path  # noqa: E402
from desktop.services.offers import FileOffer  # noqa: E402
from tests.gguf_files import LlamaShape  # noqa: E402
from tests.hub.shelf_of_repos import info  # noqa: E402
from tests.hub.stand_in import HubStandIn  # noqa: E402
from tests.services.hub_family import REPO, BrowsingHouse, browsing, family  # noqa: E402

QUANTIZATIONS = (
    "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_0", "Q4_K_S", "Q4_K_M", "IQ4_NL", "Q5_K_S",
    "Q5_K_M", "Q6_K", "Q8_0", "BF16",
)  # fmt: skip
REPOS = 300


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--latency-ms", type=float, default=30.0)
    options.add_argument("--vocabulary", type=int, default=150_000)
    given = options.parse_args()
    with HubStandIn() as hub:
        fill(hub, given.vocabulary)
        hub.latency_s = given.latency_ms / 1000
        rounds = [one_round(hub) for _ in range(given.repeat)]
    found: dict[str, object] = {
        name: round(statistics.median(one[name] for one in rounds), 3) for name in rounds[0]
    }
    found |= {"library_import_s": round(import_s(), 3), "latency_s": given.latency_ms / 1000}
    print(json.dumps(found))


def fill(hub: HubStandIn, vocabulary: int) -> None:
    shape = LlamaShape(
        layers=36, embedding=4096, heads=32, kv_heads=8, feed_forward=12288, vocab=vocabulary,
        context=40960,
    )  # fmt: skip
    hub.add(REPO, family(*QUANTIZATIONS, shape=shape))
    for number in range(REPOS):
        about = info("conversational", "en", "license:mit", parameters=8_000_000_000, likes=number)
        hub.add(f"maker/Model-{number}-8B-GGUF", {}, info=about)


def one_round(hub: HubStandIn) -> dict[str, float]:
    """A fresh home: nothing is known of anything."""
    with (
        tempfile.TemporaryDirectory() as folder,
        browsing(Path(folder), hub, guide_path()) as house,
    ):
        return measured(house, hub)


def measured(house: BrowsingHouse, hub: HubStandIn) -> dict[str, float]:
    started = time.perf_counter()
    page = house.browser.search(SearchQuery(sort="likes"))
    page_s = time.perf_counter() - started
    started = time.perf_counter()
    house.browser.search(SearchQuery(sort="likes"), page.next)
    next_page_s = time.perf_counter() - started
    started = time.perf_counter()
    view = house.browser.repository(REPO)
    open_s = time.perf_counter() - started
    hub.forget()
    told: list[tuple[float, FileOffer]] = []
    started = time.perf_counter()

    def on_offer(offer: FileOffer) -> None:
        told.append((time.perf_counter() - started, offer))

    house.browser.judge(view, on_offer, lambda: False)
    all_s = time.perf_counter() - started
    traffic_bytes = hub.sent_bytes
    started = time.perf_counter()
    house.browser.judge(view, lambda _: None, lambda: False)
    return {
        "page_s": page_s,
        "next_page_s": next_page_s,
        "open_s": open_s,
        "first_verdict_s": told[0][0],
        "all_verdicts_s": told[len(view.offers) - 1][0],
        "refined_s": all_s,
        "again_s": time.perf_counter() - started,
        "offers": float(len(view.offers)),
        "traffic_mb": traffic_bytes / 1e6,
    }


def import_s() -> float:
    """What huggingface-hub's import adds to the first search of a process."""
    code = "import time; t = time.perf_counter(); import desktop.hub.hf_api; "
    code += "print(time.perf_counter() - t)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
