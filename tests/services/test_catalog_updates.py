"""The catalogue brought up to date from a Hub that is, or is not, what it should be."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, HausgeistError, NetworkError
from desktop.common.paths import Paths
from desktop.common.settings import SettingsStore
from desktop.engine.cancel import CancelToken
from desktop.library.catalog import Catalog, CatalogModel, shipped_catalog
from desktop.services import catalog_updates
from desktop.services.network import Network
from desktop.services.recommend import recommend
from tests.fit.machines import laptop
from tests.gguf_files import LlamaShape, header_bytes
from tests.hub.stand_in import HubStandIn
from tests.hub.stored import Content

SMALL = ("granite-4.1-3b", "qwen3.5-2b")
GRANITE = "unsloth/granite-4.1-3b-GGUF"


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalogue of two models in three repositories."""
    shipped = shipped_catalog()
    small = Catalog(tuple(m for m in shipped.models if m.id in SMALL), shipped.licences)
    monkeypatch.setattr(catalog_updates, "shipped_catalog", lambda: small)
    return small


@pytest.fixture
def network(
    tmp_path: Path, hub: HubStandIn, few: Catalog, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Network]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    env = {"HAUSGEIST_HOME": str(tmp_path), "HF_ENDPOINT": hub.endpoint}
    paths = Paths.from_environment(env)
    paths.ensure()
    made = Network(paths, SettingsStore(paths.settings_file), env)
    yield made
    made.close()


def repos(catalog: Catalog) -> list[str]:
    return sorted({file.repo for m in catalog.models for file in (*m.files, *m.projectors)})


def sized(size: int) -> Content:
    return Content(b"GGUF", size)


def model_of(network: Network, identifier: str) -> CatalogModel:
    found = network.catalog.catalog().get(identifier)
    assert found is not None
    return found


def fill(hub: HubStandIn, few: Catalog) -> None:
    for repo in repos(few):
        hub.add(repo, {"Model-Q4_K_M.gguf": sized(1_500_000_000), "mmproj-F16.gguf": sized(9)})


def test_nothing_is_asked_by_itself(network: Network, hub: HubStandIn, few: Catalog) -> None:
    assert network.catalog.catalog() is few
    assert network.catalog.refreshed_at is None
    for model in few.models:
        assert network.catalog.header(model.files[0]) is None
    assert hub.requests() == []


def test_sizes_hashes_and_new_files_come_from_the_hub(
    network: Network, hub: HubStandIn, few: Catalog
) -> None:
    fill(hub, few)
    hub.add(
        GRANITE,
        {
            "granite-4.1-3b-Q4_K_M.gguf": sized(2_100_000_001),
            "granite-4.1-3b-Q5_K_S.gguf": sized(2_400_000_000),
            "granite-4.1-3b-BF16.gguf": sized(6_800_000_000),
            "granite-4.1-3b-STRANGE.gguf": sized(1_000_000_000),
            "README.md": b"#",
        },
    )
    told: list[tuple[int, int]] = []
    result = network.catalog.refresh(on_progress=lambda *step: told.append(step))
    assert (result.answered, result.failed) == (3, ())
    assert told == [(1, 3), (2, 3), (3, 3)]
    files = {file.quantization: file for file in model_of(network, "granite-4.1-3b").files}
    assert files.keys() == {"Q4_K_M", "Q5_K_S"}
    assert files["Q4_K_M"].file_bytes == 2_100_000_001
    assert files["Q4_K_M"].exact
    assert len(files["Q4_K_M"].sha256) == 64
    assert files["Q4_K_M"].source.startswith("Hugging Face unsloth/")
    assert network.catalog.refreshed_at is not None
    assert len(model_of(network, "qwen3.5-2b").projectors) == 2


def test_what_was_found_holds_without_a_network(
    network: Network, hub: HubStandIn, few: Catalog
) -> None:
    fill(hub, few)
    network.catalog.refresh()
    hub.close()
    files = model_of(network, "granite-4.1-3b").files
    assert [file.name for file in files] == ["Model-Q4_K_M.gguf"]
    (item,) = recommend(
        laptop(), catalog=Catalog((model_of(network, "granite-4.1-3b"),), few.licences)
    )
    assert item.file.exact


def test_a_repository_that_is_gone_recommends_nothing(
    network: Network, hub: HubStandIn, few: Catalog
) -> None:
    fill(hub, few)
    del hub.repos[GRANITE]
    result = network.catalog.refresh()
    assert [repo for repo, _ in result.failed] == [GRANITE]
    assert model_of(network, "granite-4.1-3b").files == ()
    assert model_of(network, "qwen3.5-2b").files


def test_a_hub_that_knows_nothing_empties_no_catalogue(network: Network, few: Catalog) -> None:
    result = network.catalog.refresh()
    assert result.answered == 0
    assert len(result.failed) == 3
    assert network.catalog.catalog() is few
    assert network.catalog.refreshed_at is None


def test_a_hub_that_serves_pages_changes_nothing(
    network: Network, hub: HubStandIn, few: Catalog
) -> None:
    fill(hub, few)
    hub.fail("api", "page", times=None)
    with contextlib.suppress(NetworkError):  # a captive portal is told as such
        assert network.catalog.refresh().answered == 0
    assert network.catalog.catalog() is few


@pytest.mark.parametrize("size", [1, 200_000_000, 21_000_000_000, 1 << 45])
def test_a_size_that_cannot_be_is_not_believed(
    network: Network, hub: HubStandIn, few: Catalog, size: int
) -> None:
    fill(hub, few)
    hub.add(GRANITE, {"granite-4.1-3b-Q4_K_M.gguf": sized(size)})
    network.catalog.refresh()
    assert model_of(network, "granite-4.1-3b").files == ()


def test_gated_repositories_are_said_to_be(network: Network, hub: HubStandIn, few: Catalog) -> None:
    fill(hub, few)
    hub.add(GRANITE, {"granite-4.1-3b-Q4_K_M.gguf": sized(2_100_000_000)}, gated="manual")
    network.catalog.refresh()
    model = model_of(network, "granite-4.1-3b")
    assert model.files[0].gated
    (item,) = recommend(laptop(), catalog=Catalog((model,), few.licences))
    assert "gated" in [remark.kind for remark in item.remarks]


def test_the_offline_switch_is_respected(network: Network, hub: HubStandIn) -> None:
    offline = Network(
        Paths.from_environment({"HAUSGEIST_HOME": "/nonexistent"}),
        SettingsStore(Path("/nonexistent/settings.json")),
        {"HAUSGEIST_OFFLINE": "1", "HF_ENDPOINT": hub.endpoint},
    )
    with pytest.raises(HausgeistError) as caught:
        offline.catalog.refresh()
    assert caught.value.kind == "offline_environment"
    assert hub.requests() == []
    offline.close()


def test_it_can_be_stopped(network: Network, hub: HubStandIn, few: Catalog) -> None:
    fill(hub, few)
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        network.catalog.refresh(cancel=token)
    assert network.catalog.catalog() is few


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "[]",
        "{}",
        '{"format": 9, "repos": {}}',
        '{"format": 1, "repos": {"a/b": 3}}',
        '{"format": 1, "repos": {"a/b": {"gated": false, "files": [["x", "y", 1, 2, 3]]}}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_cache_is_not_there(
    network: Network, few: Catalog, tmp_path: Path, damage: str
) -> None:
    path = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path)}).cache_dir / "catalog.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(damage)
    assert network.catalog.catalog() is few


def test_a_header_that_was_fetched_is_used(
    network: Network, hub: HubStandIn, few: Catalog, tmp_path: Path
) -> None:
    fill(hub, few)
    shape = LlamaShape(vocab=3000, layers=4, context=8192)
    head = header_bytes(shape.metadata(), shape.tensors())
    hub.add(GRANITE, {"granite-4.1-3b-Q4_K_M.gguf": Content(head, 2_100_000_000)})
    network.catalog.refresh()
    (file,) = model_of(network, "granite-4.1-3b").files
    assert network.catalog.fetch_headers((file,)) == 1
    asked = len(hub.requests())
    header = network.catalog.header(file)
    assert header is not None
    assert header.block_count == 4
    assert len(hub.requests()) == asked  # known: nobody was asked again
    (item,) = recommend(
        laptop(),
        catalog=Catalog((model_of(network, "granite-4.1-3b"),), few.licences),
        headers=network.catalog.header,
    )
    assert item.report.model.layers == 4


def test_headers_that_cannot_be_had_are_left_out(
    network: Network, hub: HubStandIn, few: Catalog
) -> None:
    fill(hub, few)
    network.catalog.refresh()
    assert network.catalog.fetch_headers(model_of(network, "granite-4.1-3b").files) == 0


def test_every_question_stands_in_the_ledger(
    network: Network, hub: HubStandIn, few: Catalog
) -> None:
    fill(hub, few)
    network.catalog.refresh()
    told = {(line.purpose, line.subject) for line in network.ledger.entries()}
    assert told == {("hub_listing", repo) for repo in repos(few)}
    assert json.dumps([line.to_json() for line in network.ledger.entries()])
