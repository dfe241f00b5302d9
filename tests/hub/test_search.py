"""Searching the Hub by huggingface-hub, through the house's own door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.utils import _detect_agent
from huggingface_hub.utils._http import default_client_factory

from desktop.common.errors import CancelledError, HausgeistError
from desktop.hub.answer import MAX_ANSWER_BYTES
from desktop.hub.search import HubSearch, SearchQuery, Sort
from tests.hub.conftest import House
from tests.hub.shelf_of_repos import CODER, EMBED, GEMMA, LOCKED, QWEN, fill, info
from tests.hub.stand_in import HubStandIn

MakeHouse = Callable[..., House]


@pytest.fixture(autouse=True)
def filled(hub: HubStandIn) -> Iterator[None]:
    fill(hub)
    yield
    set_client_factory(default_client_factory)  # other tests ask with the library's own client


def search(house: House, page_repos: int = 30) -> HubSearch:
    return HubSearch(house.client, page_repos=page_repos)


def found(house: House, **query: object) -> list[str]:
    page = search(house).page(SearchQuery(**query))  # type: ignore[arg-type]
    return [repo.repo for repo in page.repos]


def failure(house: House, query: SearchQuery | None = None) -> HausgeistError:
    with pytest.raises(HausgeistError) as caught:
        search(house).page(query or SearchQuery())
    return caught.value


def test_only_gguf_repositories_are_found(house: House) -> None:
    assert set(found(house)) == {QWEN, GEMMA, CODER, EMBED, LOCKED}


def test_what_one_may_search_by(house: House) -> None:
    assert found(house, text="qwen") == [QWEN]
    assert found(house, text=" maker coder ") == [CODER]
    assert found(house, author="small") == [EMBED]
    assert set(found(house, task="chat")) == {QWEN, GEMMA, CODER, LOCKED}
    assert found(house, task="code") == [CODER]
    assert found(house, task="vision") == [GEMMA]
    assert found(house, task="embedding") == [EMBED]
    assert found(house, language="de") == [QWEN]
    assert found(house, licence="mit") == [EMBED]
    assert found(house, text="nothing of that name") == []


def test_by_size_what_is_named_counts_where_nothing_is_stated(house: House) -> None:
    """4 GB hold 6.6 billion parameters in four bits; "70B" stands in a name only."""
    assert set(found(house, max_bytes=4_000_000_000)) == {GEMMA, EMBED}
    assert LOCKED in found(house, max_bytes=42_000_000_000)


@pytest.mark.parametrize(
    ("sort", "first"),
    [("trending", CODER), ("downloads", QWEN), ("likes", GEMMA), ("updated", EMBED)],
)
def test_orders(house: House, sort: Sort, first: str) -> None:
    assert found(house, sort=sort)[0] == first


def test_what_is_told_of_a_repository(house: House) -> None:
    qwen = search(house).page(SearchQuery(text="Qwen3")).repos[0]
    assert (qwen.author, qwen.name, qwen.title) == ("maker", "Qwen3-8B-GGUF", "Qwen3-8B")
    assert (qwen.downloads, qwen.likes, qwen.gated) == (500, 1, "")
    assert (qwen.licence_id, qwen.languages, qwen.task) == ("apache-2.0", ("en", "de"), "chat")
    assert (qwen.parameters, qwen.architecture) == (8_190_000_000, "llama")
    assert qwen.context_tokens == 32768
    assert qwen.created_at == 1767323045.0
    assert qwen.updated_at is not None
    assert qwen.updated_at > qwen.created_at
    locked = search(house).page(SearchQuery(text="locked")).repos[0]
    assert locked.gated == "manual"


def test_pages_follow_one_another(house: House, hub: HubStandIn) -> None:
    searching = search(house, page_repos=2)
    seen: list[str] = []
    cursor: str | None = None
    for expected in (2, 2, 1):
        page = searching.page(SearchQuery(sort="downloads"), cursor)
        assert len(page.repos) == expected
        seen += [repo.repo for repo in page.repos]
        cursor = page.next
    assert cursor is None
    assert len(set(seen)) == 5
    assert len(hub.requests("api")) == 3  # one request a page


def test_the_library_asks_nothing_of_its_own(
    house: House, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """huggingface-hub fetches a list of its callers once a day and keeps it beside our folders; a
    hotel's answer kept there would end every search."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr(_detect_agent, "_registry", None)
    kept = tmp_path / "list.json"
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(kept))
    assert found(house, text="qwen") == [QWEN]
    assert len(hub.requests()) == 1
    assert not kept.exists()
    kept.write_text('[{"no": "list of callers"}]')
    monkeypatch.setattr(_detect_agent, "_registry", None)
    assert found(house, text="qwen") == [QWEN]


def test_a_page_is_not_its_own_successor(house: House, hub: HubStandIn) -> None:
    searching = search(house, page_repos=2)
    cursor = searching.page(SearchQuery()).next
    assert cursor is not None
    hub.next_page = f'<{hub.endpoint}/api/models?{cursor}>; rel="next"'
    assert searching.page(SearchQuery(), cursor).next is None


def test_models_for_programming_are_known_by_their_names_too(house: House, hub: HubStandIn) -> None:
    hub.add("maker/Untagged-Coder-7B-GGUF", {}, info=info("conversational"))
    hub.add("maker/Decoder-7B-GGUF", {}, info=info("conversational"))
    assert set(found(house, task="code")) == {CODER, "maker/Untagged-Coder-7B-GGUF"}


def test_a_page_of_what_is_too_large_is_filled_from_the_next(house: House, hub: HubStandIn) -> None:
    for number in range(9):
        large = info(parameters=70_000_000_000, trendingScore=50)
        hub.add(f"large/Model{number}-GGUF", {}, info=large)
    page = search(house, page_repos=2).page(SearchQuery(max_bytes=5_000_000_000))
    assert [repo.repo for repo in page.repos] == [QWEN, GEMMA, EMBED]
    assert len(hub.requests("api")) == 3  # of six each
    for number in range(9, 30):
        hub.add(f"large/Model{number}-GGUF", {}, info=large)
    hub.forget()
    page = search(house, page_repos=2).page(SearchQuery(max_bytes=5_000_000_000))
    assert (page.repos, page.next is not None) == ((), True)
    assert len(hub.requests("api")) == 4  # and no more


def test_a_further_page_never_leads_elsewhere(house: House, hub: HubStandIn) -> None:
    """A mirror hands on the Hub's own addresses; another host must not be asked."""
    link = '<https://elsewhere.invalid/api/models?limit=2&cursor=Mg%3D%3D>; rel="next"'
    body = json.dumps([{"id": QWEN}]).encode()
    fault = hub.fail("api", "status", times=1, body=body, headers={"Link": link})
    searching = search(house, page_repos=2)
    page = searching.page(SearchQuery())
    assert fault.times == 0
    assert page.next == "limit=2&cursor=Mg%3D%3D"
    searching.page(SearchQuery(), page.next)
    assert {line.host for line in house.ledger.entries()} == {urlsplit(hub.endpoint).netloc}
    assert parse_qs(urlsplit(hub.seen[-1].path).query)["cursor"] == ["Mg=="]


def test_a_mirror_below_a_folder(make_house: MakeHouse, hub: HubStandIn) -> None:
    """HF_ENDPOINT may have a path, and further pages lie below it, too."""
    house = make_house(HF_ENDPOINT=f"{hub.endpoint}/mirror/")
    link = '<https://huggingface.co/api/models?limit=2&cursor=Mg>; rel="next"'
    hub.fail("resolve", "status", body=b"[]", headers={"Link": link})
    page = search(house).page(SearchQuery())
    search(house).page(SearchQuery(), page.next)
    first, second = (seen.path for seen in hub.requests("resolve"))
    assert first.startswith("/mirror/api/models?filter=gguf")
    assert second == "/mirror/api/models?limit=2&cursor=Mg"


@pytest.mark.parametrize("text", ["ä ö", "\ud800", "a&filter=x#y?z", "\0\n", "x" * 9000])
def test_whatever_is_typed(house: House, hub: HubStandIn, text: str) -> None:
    search(house).page(SearchQuery(text=text, author=text, language="de"))
    asked = parse_qs(urlsplit(hub.seen[-1].path).query)
    assert asked["filter"] == ["gguf", "de"]
    assert len(hub.seen[-1].path) < 2000


@pytest.mark.parametrize(
    "link",
    ["", "<>; rel=next", "nonsense", "<http://[::1>; rel=next", f"<?{'x' * 9000}>; rel=next",
     '<https://h/api/models?c=1>; rel="prev"'],
)  # fmt: skip
def test_links_that_lead_nowhere(house: House, hub: HubStandIn, link: str) -> None:
    hub.fail("api", "status", body=b"[]", headers={"Link": link})
    assert search(house).page(SearchQuery()).next is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{}", b"null", b'"text"', b"42", b"[" * 100_000, b"\xff\xfe", b'{"error": "x"}'],
)
def test_nonsense_is_one_typed_error(house: House, hub: HubStandIn, body: bytes) -> None:
    hub.fail("api", "status", body=body, headers={"Content-Type": "application/json"})
    assert failure(house).kind == "hub_bad_list"


def test_entries_that_lie_cost_only_themselves(house: House, hub: HubStandIn) -> None:
    entries: list[object] = [
        7,
        None,
        [],
        {},
        {"id": 5},
        {"id": "no-slash"},
        {"id": "../../etc/passwd"},
        {"id": "a/b c"},
        {
            "id": "good/one",
            "author": 3,
            "downloads": "many",
            "likes": True,
            "createdAt": "yesterday",
            "lastModified": "2026-13-45T00:00:00.000Z",
            "gated": ["x"],
            "tags": ["license:MIT", 3, None, "de", "moe", "xx"],
            "pipeline_tag": {},
            "gguf": {"total": "8B", "architecture": 5, "context_length": -1},
            "siblings": [{"x": 1}],
            "inferenceProviderMapping": 3,
            "safetensors": {"x": 1},
            "cardData": {"license": {}},
            "self": 1,
        },
        {"id": "good/two", "gguf": [], "tags": "de"},
    ]
    hub.fail("api", "json", body=json.dumps(entries).encode())
    one, two = search(house).page(SearchQuery()).repos
    assert (one.repo, two.repo) == ("good/one", "good/two")
    assert (one.author, one.downloads, one.likes, one.created_at) == ("good", None, None, None)
    assert (one.licence_id, one.languages, one.gated) == ("mit", ("de",), "")
    assert (one.parameters, one.context_tokens, one.updated_at) == (None, None, None)


def test_faults_are_those_of_the_door(house: House, hub: HubStandIn) -> None:
    """The library would try six times and wait for minutes; nothing of that is left."""
    for kind, status in (("hub_down", 503), ("hub_busy", 429), ("hub_down", 500)):
        hub.faults.clear()
        hub.fail("api", "status", status=status, headers={"Retry-After": "400"})
        hub.forget()
        assert failure(house).kind == kind
        assert len(hub.requests()) <= 2
    hub.faults.clear()
    hub.fail("api", "page")
    assert failure(house).kind == "portal"
    hub.faults.clear()
    hub.fail("api", "hangup")
    assert failure(house).kind == "connection_cut"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_mirror_that_knows_no_search(house: House, hub: HubStandIn, status: int) -> None:
    hub.fail("api", "status", status=status)
    error = failure(house)
    assert error.kind == "hub_no_search"
    assert error.params["host"] == "127.0.0.1"


def test_a_token_that_is_refused_is_said_so(house: House, hub: HubStandIn) -> None:
    said = {"X-Error-Message": "Invalid credentials in Authorization header"}
    hub.fail("api", "status", status=401, headers=said)
    assert failure(house).kind == "hub_token_refused"


def test_a_flood_is_cut(house: House, hub: HubStandIn) -> None:
    hub.fail("api", "json", body=b"[" + b" " * (MAX_ANSWER_BYTES + 1) + b"]")
    assert failure(house).kind == "answer_too_large"


def test_silence_has_an_end(make_house: MakeHouse, hub: HubStandIn) -> None:
    house = make_house(stall_s=0.3)
    hub.fail("api", "silent")
    assert failure(house).kind == "connection_timeout"


def test_offline_asks_nobody(house: House, hub: HubStandIn) -> None:
    house.switched_off.append(True)
    assert failure(house).kind == "offline_setting"
    assert hub.seen == []
    assert house.ledger.entries() == ()


def test_a_search_that_nobody_waits_for_any_more(house: House, hub: HubStandIn) -> None:
    fault = hub.fail("api", "hold")
    with pytest.raises(CancelledError):
        search(house).page(SearchQuery(), is_cancelled=lambda: bool(hub.requests("api")))
    fault.gate.set()


def test_each_request_stands_in_the_ledger_without_what_was_typed(house: House) -> None:
    found(house, text="something private")
    (line,) = house.ledger.entries()
    assert line.purpose == "hub_search"
    assert "private" not in house.ledger.path.read_text()


def test_the_token_and_nothing_of_the_machine_goes_along(
    make_house: MakeHouse, hub: HubStandIn
) -> None:
    house = make_house(HF_TOKEN="hf_secret")
    found(house)
    seen = hub.requests("api")[0]
    assert seen.authorization == "Bearer hf_secret"
    assert seen.headers["user-agent"] == "hausgeist"


def test_another_client_in_the_same_process_is_replaced(house: House, hub: HubStandIn) -> None:
    assert QWEN in found(house)
    set_client_factory(default_client_factory)
    assert [model.id for model in HfApi(endpoint=hub.endpoint).list_models(search="qwen")]
    before = len(house.ledger.entries())
    found(house)
    assert len(house.ledger.entries()) == before + 1
