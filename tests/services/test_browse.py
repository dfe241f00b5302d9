"""The model browser: found, opened, judged for this machine; the catalogue without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

from desktop.common.errors import CancelledError, HausgeistError, UsageError
from desktop.fit.types import Wish
from desktop.gguf.reader import read_header
from desktop.hub.search import SearchQuery
from desktop.library.catalog import shipped_catalog
from desktop.services.browse import Browser
from desktop.services.fit_model import fit
from desktop.services.offers import FileOffer, RepositoryView
from tests.fit.machines import desktop, laptop
from tests.gguf_files import LlamaShape, Tensor, data_bytes, header_bytes
from tests.hub.models import split_files
from tests.hub.shelf_of_repos import GEMMA, QWEN, fill
from tests.hub.stand_in import HubStandIn
from tests.hub.stored import Content, content
from tests.services.hub_family import NAMES, REPO, SHAPE, BrowsingHouse, browsing, family, quantized

CARD = b"---\nlicense: other\nlicense_name: my-licence\nlanguage: de\n---\n# Hi\n\nA model that answers questions in a friendly voice.\n"  # noqa: E501


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        yield stand_in
    set_client_factory(default_client_factory)


@pytest.fixture
def house(tmp_path: Path, hub: HubStandIn, tiny_model: Path) -> Iterator[BrowsingHouse]:
    with browsing(tmp_path, hub, tiny_model) as found:
        yield found


def never() -> bool:
    return False


def judged(house: BrowsingHouse, repo: str = REPO) -> tuple[RepositoryView, list[FileOffer]]:
    told: list[FileOffer] = []
    view = house.browser.repository(repo)
    return house.browser.judge(view, told.append, never), told


def failure(house: BrowsingHouse, repo: str) -> str:
    with pytest.raises(HausgeistError) as caught:
        house.browser.repository(repo)
    return caught.value.kind


def test_a_repository_opened(house: BrowsingHouse, hub: HubStandIn, tmp_path: Path) -> None:
    files = family("Q4_K_M", "Q8_0") | split_files(tmp_path)
    files |= {"mmproj-F16.gguf": content(b"x", 900), "mmproj-BF16.gguf": content(b"x", 800)}
    files |= {"Family-draft-Q4_0.gguf": b"x", "Family-lora.gguf": b"x", "imatrix.gguf": b"x"}
    hub.add(REPO, files | {"README.md": CARD}, gated="manual", info={"downloads": 7})
    view = house.browser.repository(REPO)
    assert [offer.quantization for offer in view.offers] == ["Q4_K_M", "Q4_K_M", "Q8_0"]
    parts, single, largest = view.offers
    assert len(parts.group.files) == 3
    assert parts.file_bytes == sum(file.size_bytes or 0 for file in parts.group.files)
    assert single.reference == f"{REPO}:Family-8B-Q4_K_M.gguf"
    assert largest.projector is not None
    assert largest.projector.reference == f"{REPO}:mmproj-F16.gguf"
    assert largest.download_bytes == (largest.file_bytes or 0) + 900
    assert [draft.reference for draft in view.drafts] == [f"{REPO}:Family-draft-Q4_0.gguf"]
    assert [lora.reference for lora in view.loras] == [f"{REPO}:Family-lora.gguf"]
    assert view.gated == "manual"
    assert view.found is not None
    assert view.found.downloads == 7
    assert (view.licence.name, view.licence.office) == ("my-licence", "conditions")
    assert view.languages == ("de",)
    assert view.card_summary == "A model that answers questions in a friendly voice."
    assert view.page == f"{hub.endpoint}/{REPO}"
    assert (view.source, view.is_catalogue, view.problem) == ("hub", False, None)


def test_a_reference_into_a_repository_and_an_address_open_it(
    house: BrowsingHouse, hub: HubStandIn
) -> None:
    commit = hub.add(REPO, family("Q4_K_M")).commit
    assert house.browser.repository(f"{REPO}:Q4_K_M").repo == REPO
    pinned = house.browser.repository(f"{hub.endpoint}/{REPO}/tree/{commit}")
    assert pinned.offers[0].reference == f"{REPO}@{commit}:Family-8B-Q4_K_M.gguf"
    with pytest.raises(UsageError):
        house.browser.repository("no repository")


def test_verdicts_by_one_header_and_then_by_each(house: BrowsingHouse, hub: HubStandIn) -> None:
    hub.add(REPO, family())
    view, told = judged(house)
    assert [offer.quantization for offer in view.offers] == list(NAMES)
    assert [offer.basis for offer in told[: len(NAMES)]].count("estimate") == len(NAMES) - 1
    assert all(offer.basis == "header" for offer in view.offers)
    assert all(offer.verdict == "cpu" for offer in view.offers)
    assert all(0 < (offer.page_s or 0) < 600 for offer in view.offers)


def test_estimates_are_what_the_real_headers_say(house: BrowsingHouse, hub: HubStandIn) -> None:
    """From any one quantization; within a thousandth in memory and a hundredth in speed."""
    hub.add(REPO, family())
    view, told = judged(house)
    first = {offer.reference: offer for offer in reversed(told)}
    for offer in view.offers:
        estimate, real = first[offer.reference].report, offer.report
        assert estimate is not None
        assert real is not None
        assert estimate.total_bytes == pytest.approx(real.total_bytes, rel=1e-3)
        assert estimate.verdict == real.verdict
        assert estimate.plan == real.plan
        assert estimate.speed.tokens_per_s == pytest.approx(real.speed.tokens_per_s, rel=0.01)


def test_what_a_model_can_do(house: BrowsingHouse, hub: HubStandIn) -> None:
    template = "{% if tools %}{{ tools }}{% endif %}<think>"
    metadata = SHAPE.metadata(tokenizer__chat_template=template)
    head = header_bytes(metadata, SHAPE.tensors())
    whole = Content(head, len(head) + data_bytes(SHAPE.tensors()))
    hub.add(REPO, {"Model-Q4_K.gguf": whole, "mmproj-F16.gguf": b"x"})
    view, _ = judged(house)
    assert house.browser.repository(REPO).abilities == ()
    assert view.abilities == ("vision", "tools", "reasoning")


def test_a_verdict_is_that_of_fit(house: BrowsingHouse, hub: HubStandIn, tmp_path: Path) -> None:
    hub.add(REPO, family("Q4_K_M"))
    view, _ = judged(house)
    file = tmp_path / "Family-8B-Q4_K_M.gguf"
    file.write_bytes(quantized("Q4_K_M").head)
    header = read_header(file, allow_missing_data=True)
    report = fit(header, house.machine.found, Wish(), try_out=False, advise=False)
    assert view.offers[0].report is not None
    assert view.offers[0].report.total_bytes == report.total_bytes
    assert view.offers[0].report.speed == report.speed


def test_the_recommended_one(house: BrowsingHouse, hub: HubStandIn) -> None:
    """The best quality for its bytes that runs well: never below four bits, never too large."""
    hub.add(REPO, family())
    house.machine.found = desktop(24, total=64, free=56)
    view, _ = judged(house)
    (chosen,) = [offer for offer in view.offers if offer.is_recommended]
    assert chosen == view.recommended
    assert chosen.quantization in ("Q4_K_M", "Q5_K_M")
    assert chosen.verdict == "gpu"
    house.machine.found = laptop(4, 2)
    view, _ = judged(house)
    assert view.recommended is None
    assert {offer.verdict for offer in view.offers} == {"too_large"}


def test_a_second_look_makes_no_traffic(house: BrowsingHouse, hub: HubStandIn) -> None:
    hub.add(REPO, family())
    first, _ = judged(house)
    hub.forget()
    view = house.browser.repository(REPO)
    house.browser.judge(view, lambda _: None, never)
    assert [seen.role for seen in hub.seen] == ["api"]  # what lies there may have changed
    hub.forget()
    again = house.browser.judge(first, lambda _: None, never)
    assert [o.report for o in again.offers] == [o.report for o in first.offers]
    assert hub.seen == []


def test_traffic_is_bounded(
    house: BrowsingHouse, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first header and what a few more take; the others stay estimates."""
    hub.add(REPO, family())
    header_bytes = len(quantized("Q4_K_M").head)
    monkeypatch.setattr("desktop.services.judge_offers._LARGE_HEADER_BYTES", header_bytes)
    house.browser = Browser(house.parts, traffic_bytes=4 * header_bytes)
    view, _ = judged(house)
    assert hub.sent_bytes < 6 * header_bytes
    assert 0 < sum(offer.basis == "header" for offer in view.offers) < len(NAMES)
    assert all(offer.report is not None for offer in view.offers)
    assert view.recommended is None or view.recommended.basis == "header"


def test_several_models_in_one_repository(house: BrowsingHouse, hub: HubStandIn) -> None:
    """A small one beside a large one is judged by its own shape."""
    small = LlamaShape(layers=4, embedding=512, heads=8, kv_heads=8, feed_forward=1024, vocab=9000)
    hub.add(REPO, family("Q4_K_M", "Q8_0") | {"Tiny-Q4_K_M.gguf": quantized("Q4_K_M", small)})
    view, told = judged(house)
    tiny = view.offers[0]
    assert tiny.group.path == "Tiny-Q4_K_M.gguf"
    assert all(offer.basis == "header" for offer in told if offer.group == tiny.group)
    assert tiny.report is not None
    assert tiny.report.model.layers == 4


def test_hundreds_of_models_in_one_repository(house: BrowsingHouse, hub: HubStandIn) -> None:
    """Some are looked at, and it ends."""
    small = LlamaShape(layers=2, embedding=256, heads=4, kv_heads=4, feed_forward=512, vocab=500)
    file = quantized("Q4_K_M", small)
    hub.add(REPO, {f"Model{number:03}-Q4_K_M.gguf": file for number in range(300)})
    view, told = judged(house)
    assert len(view.offers) == 300
    assert len({offer.reference for offer in told}) >= 24
    assert len(hub.requests("cdn")) <= 60


def test_a_mixture_of_experts_counts_what_is_used(
    house: BrowsingHouse, hub: HubStandIn, tmp_path: Path
) -> None:
    """18 GB of weights, a tenth of which is read for a token: recommended on a laptop."""
    shape = LlamaShape(
        layers=48, embedding=2048, heads=32, kv_heads=4, feed_forward=768, vocab=32_000,
        context=32768, architecture="qwen3moe",
    )  # fmt: skip
    tensors = [t for t in shape.tensors() if ".ffn_" not in t.name or "norm" in t.name]
    for layer in range(shape.layers):
        tensors.append(Tensor(f"blk.{layer}.ffn_gate_inp.weight", (2048, 128), "F32"))
        for name, dims in (("gate", (2048, 768, 128)), ("up", (2048, 768, 128)),
                           ("down", (768, 2048, 128))):  # fmt: skip
            tensors.append(Tensor(f"blk.{layer}.ffn_{name}_exps.weight", dims, "Q4_K"))
    more = {"expert_count": 128, "expert_used_count": 8, "expert_feed_forward_length": 768}
    metadata = shape.metadata(**{f"qwen3moe__{key}": value for key, value in more.items()})
    head = header_bytes(metadata, tensors)
    hub.add(REPO, {"Experts-30B-A3B-Q4_K_M.gguf": Content(head, len(head) + data_bytes(tensors))})
    house.machine.found = laptop(32, 26)
    view, _ = judged(house)
    (offer,) = view.offers
    assert offer.report is not None
    assert 25e9 < offer.report.model.parameters < 35e9
    assert (offer.tokens_per_s or 0) > 10
    assert offer.is_recommended


def test_a_broken_file_costs_only_itself(house: BrowsingHouse, hub: HubStandIn) -> None:
    files = family("Q4_K_M", "Q8_0") | {"Family-8B-Q6_K.gguf": b"no gguf at all" * 1000}
    hub.add(REPO, files)
    view, told = judged(house)
    assert "not_gguf" in {offer.problem.kind for offer in told if offer.problem}
    broken = next(offer for offer in view.offers if offer.quantization == "Q6_K")
    assert broken.problem is not None
    assert broken.problem.kind == "not_gguf"
    assert all(offer.basis == "header" for offer in view.offers if offer is not broken)


def test_a_split_model_without_all_parts(
    house: BrowsingHouse, hub: HubStandIn, tmp_path: Path
) -> None:
    files = split_files(tmp_path)
    files.pop(sorted(files)[1])
    hub.add(REPO, files)
    view, _ = judged(house)
    (offer,) = view.offers
    assert offer.problem is not None
    assert offer.problem.kind == "hub_part_missing"


def test_a_gated_model_is_seen_and_says_what_is_missing(
    house: BrowsingHouse, hub: HubStandIn
) -> None:
    hub.add(REPO, family("Q4_K_M"), gated="manual")
    view, told = judged(house)
    assert view.gated == "manual"
    assert view.offers[0].problem is not None
    assert view.offers[0].problem.kind == "hub_gated"
    assert told[-1] == view.offers[0]


def test_nobody_waits_any_more(house: BrowsingHouse, hub: HubStandIn) -> None:
    hub.add(REPO, family())
    view = house.browser.repository(REPO)
    told: list[FileOffer] = []
    with pytest.raises(CancelledError):
        house.browser.judge(view, told.append, lambda: bool(told))
    assert len(told) <= len(NAMES)
    with pytest.raises(CancelledError):
        house.browser.repository(REPO, is_cancelled=lambda: True)


def test_the_network_goes_while_it_is_judged(house: BrowsingHouse, hub: HubStandIn) -> None:
    """The estimates stay, nothing is tried again and again."""
    hub.add(REPO, family())
    view = house.browser.repository(REPO)
    hub.fail("cdn", "hangup", path="Q8_0")
    hub.fail("cdn", "hangup", path="Q2_K")
    view = house.browser.judge(view, lambda _: None, never)
    assert all(offer.report is not None for offer in view.offers)
    assert not any(offer.problem for offer in view.offers)
    assert "estimate" in {offer.basis for offer in view.offers}


def test_what_is_here_is_known(
    house: BrowsingHouse, hub: HubStandIn, tmp_path: Path, tiny_model: Path
) -> None:
    hub.add(REPO, family("Q4_K_M", "Q8_0"))
    place = tmp_path / "models" / REPO / "Family-8B-Q8_0.gguf"
    place.parent.mkdir(parents=True)
    place.write_bytes(tiny_model.read_bytes())
    house.library.add(place)
    view = house.browser.repository(REPO)
    assert [offer.is_here for offer in view.offers] == [False, True]


def test_what_is_not_there(house: BrowsingHouse, hub: HubStandIn) -> None:
    hub.add("maker/Plain", {"model.safetensors": b"x"})
    assert failure(house, "maker/Nothing") == "hub_no_repo"
    assert failure(house, "maker/Plain") == "hub_no_gguf"
    hub.fail("api", "status", status=503)
    assert failure(house, "maker/Unknown") == "hub_down"


def test_a_card_that_cannot_be_had_keeps_nobody(house: BrowsingHouse, hub: HubStandIn) -> None:
    hub.add(REPO, family("Q4_K_M") | {"README.md": CARD})
    hub.fail("resolve", "hangup", path="README.md")
    view = house.browser.repository(REPO)
    assert view.card is None
    hub.faults.clear()
    assert house.browser.with_card(view).card is not None


def test_the_hub_is_gone_and_what_it_said_stays(house: BrowsingHouse, hub: HubStandIn) -> None:
    hub.add(REPO, family() | {"README.md": CARD})
    judged(house)
    hub.forget()
    hub.fail("api", "status", status=503)
    hub.fail("resolve", "hangup")
    view, _ = judged(house)
    assert view.card is not None
    assert {seen.role for seen in hub.seen} == {"api"}
    assert view.problem is not None
    assert view.problem.kind == "hub_down"
    assert not view.is_catalogue
    assert all(offer.basis == "header" for offer in view.offers)


def test_without_a_network_the_catalogue_answers(
    tmp_path: Path, hub: HubStandIn, tiny_model: Path
) -> None:
    with browsing(tmp_path, hub, tiny_model, HAUSGEIST_OFFLINE="1") as house:
        page = house.browser.search(SearchQuery(text="qwen3 8b"))
        assert page.is_catalogue
        assert page.problem is not None
        assert page.problem.kind == "offline_environment"
        assert "Qwen/Qwen3-8B-GGUF" in [repo.repo for repo in page.repos]
        assert page.next is None
        view, _ = judged(house, "Qwen/Qwen3-8B-GGUF")
        assert view.is_catalogue
        assert view.licence.id == "apache-2.0"
        assert all(offer.report is not None and not offer.problem for offer in view.offers)
        assert all(offer.basis == "estimate" for offer in view.offers)
        assert failure(house, "maker/Unknown") == "offline_environment"
    assert hub.seen == []


def test_the_catalogue_may_be_searched_as_the_hub_is(
    tmp_path: Path, hub: HubStandIn, tiny_model: Path
) -> None:
    models = {file.repo: m for m in shipped_catalog().models for file in m.files}
    with browsing(tmp_path, hub, tiny_model, HAUSGEIST_OFFLINE="1") as house:

        def found(**query: object) -> list[str]:
            page = house.browser.search(SearchQuery(**query))  # type: ignore[arg-type]
            return [repo.repo for repo in page.repos]

        assert len(found()) == len(set(found())) == len(models)
        assert all("code" in models[repo].tasks for repo in found(task="code"))
        assert found(task="embedding")
        assert all(repo.startswith("unsloth/") for repo in found(author="Unsloth"))
        assert all(models[repo].german for repo in found(language="de"))
        assert all(models[repo].licence.id == "gemma" for repo in found(licence="gemma"))
        assert found(licence="gemma") or found(licence="apache-2.0")
        small = found(max_bytes=2_000_000_000)
        assert small
        assert all(min(f.file_bytes for f in models[r].files) <= 2_000_000_000 for r in small)
        assert found(text="no such model") == []
        assert "other" not in {models[repo].licence.id for repo in found(licence="office")}


def test_a_hub_that_cannot_be_reached_costs_only_the_first_page(
    house: BrowsingHouse, hub: HubStandIn
) -> None:
    fill(hub)
    page = house.browser.search(SearchQuery(sort="downloads"))
    assert not page.is_catalogue
    hub.fail("api", "status", status=429, headers={"Retry-After": "90"})
    failed = house.browser.search(SearchQuery())
    assert failed.is_catalogue
    assert failed.problem is not None
    assert failed.problem.params["wait_s"] == 90
    with pytest.raises(HausgeistError, match="hub_busy"):
        house.browser.search(SearchQuery(), "limit=2&cursor=Mg%3D%3D")


def test_only_what_may_be_used_at_work(house: BrowsingHouse, hub: HubStandIn) -> None:
    fill(hub)
    hub.add("maker/nc-GGUF", {}, info={"tags": ["gguf", "license:cc-by-nc-4.0"]})
    hub.add("maker/none-GGUF", {}, info={"tags": ["gguf"]})
    found = [repo.repo for repo in house.browser.search(SearchQuery(licence="office")).repos]
    assert {QWEN, GEMMA} <= set(found)
    assert not {"maker/nc-GGUF", "maker/none-GGUF"} & set(found)


def test_a_search_that_is_given_up(house: BrowsingHouse) -> None:
    with pytest.raises(CancelledError):
        house.browser.search(SearchQuery(), is_cancelled=lambda: True)
