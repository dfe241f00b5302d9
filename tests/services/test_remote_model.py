"""Models on the Hub for the services: found here first, else looked at from afar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import ModelFileError, NetworkError, UsageError
from desktop.common.paths import Paths
from desktop.common.settings import Settings, SettingsStore
from desktop.gguf.header import ModelHeader
from desktop.library.library import Library
from desktop.services.network import Network
from desktop.services.remote_model import find_for_fit
from tests.hub.models import REPO, model_file
from tests.hub.stand_in import HubStandIn


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        stand_in.add(REPO, {"Model-Q4_K_M.gguf": model_file(), "mmproj-F16.gguf": model_file()})
        yield stand_in


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})


@pytest.fixture
def network(paths: Paths, hub: HubStandIn) -> Iterator[Network]:
    made = Network(paths, SettingsStore(paths.settings_file), {"HF_ENDPOINT": hub.endpoint})
    yield made
    made.close()


@pytest.fixture
def library(tiny_model: Path) -> Iterator[Library]:
    opened = Library.in_memory(tiny_model)
    yield opened
    opened.close()


def test_a_model_here_needs_no_hub(
    library: Library, network: Network, hub: HubStandIn, tiny_model: Path
) -> None:
    assert find_for_fit("guide", library, network.remote_models) == tiny_model
    assert find_for_fit(str(tiny_model), library, network.remote_models) == tiny_model
    assert hub.seen == []


def test_a_model_on_the_hub(library: Library, network: Network, paths: Paths) -> None:
    told: list[int] = []
    found = find_for_fit(f"{REPO}:Q4_K_M", library, network.remote_models, on_bytes=told.append)
    assert isinstance(found, ModelHeader)
    assert found.paths[0].is_relative_to(paths.cache_dir)
    assert told
    assert next(line.purpose for line in network.ledger.entries()) == "hub_listing"


def test_what_is_nowhere(library: Library, network: Network) -> None:
    with pytest.raises(ModelFileError, match="unknown_model"):
        find_for_fit("Nothing", library, network.remote_models)
    with pytest.raises(UsageError, match="bad_hub_ref"):
        find_for_fit("https://example.org/x", library, network.remote_models)


def test_beside_the_model(network: Network) -> None:
    found = network.remote_models.model(f"{REPO}:Q4_K_M")
    assert [group.path for group in found.projectors] == ["mmproj-F16.gguf"]
    assert network.remote_models.listing(REPO).commit == found.commit


def test_what_belongs_to_a_model_is_named(network: Network, hub: HubStandIn) -> None:
    names = ["Model-Q4_K_M.gguf", "mmproj-F32.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf"]
    hub.add("maker/Seeing", {name: model_file() for name in names})
    remote = network.remote_models
    assert remote.beside("maker/Seeing:Q4_K_M") == ()  # nobody looked there yet
    remote.header("maker/Seeing:Q4_K_M")
    hub.forget()
    (found,) = remote.beside("https://huggingface.co/maker/Seeing")
    assert (found.kind, found.reference) == ("projector", "maker/Seeing:mmproj-F16.gguf")
    assert found.file_bytes == model_file().size
    assert hub.seen == []


def test_the_switch_in_the_settings(network: Network, paths: Paths, hub: HubStandIn) -> None:
    store = SettingsStore(paths.settings_file)
    store.save(Settings(offline=True))
    assert network.policy.is_offline
    with pytest.raises(NetworkError, match="offline_setting"):
        network.remote_models.header(f"{REPO}:Q4_K_M")
    store.save(Settings(offline=False))
    assert network.remote_models.header(f"{REPO}:Q4_K_M").block_count == 4


@pytest.mark.parametrize(
    ("content", "is_offline"),
    [
        ('{"offline": true}', True),
        ('{"offline": false}', False),
        ('{"offline": "yes"}', True),
        ('{"offline": 1}', True),
        ('{"offline": null}', True),
        ("{}", False),
    ],
)
def test_a_mistake_in_the_settings_opens_no_door(
    paths: Paths, content: str, is_offline: bool
) -> None:
    paths.settings_file.parent.mkdir(parents=True)
    paths.settings_file.write_text(content)
    assert SettingsStore(paths.settings_file).is_offline() is is_offline


def test_settings_damaged_meanwhile_change_nothing(paths: Paths) -> None:
    paths.settings_file.parent.mkdir(parents=True)
    store = SettingsStore(paths.settings_file)
    assert not store.is_offline()
    paths.settings_file.write_text('{"offline": true}')
    assert store.is_offline()
    paths.settings_file.write_text('{"offline": fal')
    assert store.is_offline()
    assert store.problem is None
    assert paths.settings_file.read_text() == '{"offline": fal'  # reading it touched nothing
