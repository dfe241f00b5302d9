"""The stand-in is like the Hub: the Hub's own client understands it, and reads what we read."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.hub.listing import fetch_listing
from tests.hub.conftest import House
from tests.hub.stand_in import HubStandIn

REPO = "maker/Model-GGUF"


@pytest.fixture
def filled(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HubStandIn:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    hub.add(REPO, {"Model-Q4_K_M.gguf": b"GGUF" + bytes(5000), "README.md": b"# Model"})
    return hub


def test_the_hubs_own_client_reads_the_same_listing(filled: HubStandIn, house: House) -> None:
    from huggingface_hub import HfApi  # a second of imports that only these tests need

    theirs = HfApi(endpoint=filled.endpoint, token=False).model_info(REPO, files_metadata=True)
    ours = fetch_listing(house.client, REPO)
    assert theirs.sha == ours.commit
    assert theirs.siblings is not None
    sizes = {s.rfilename: (s.size, s.lfs.sha256 if s.lfs else "") for s in theirs.siblings}
    (group,) = ours.groups
    assert sizes[group.path] == (group.size_bytes, group.files[0].sha256)


def test_the_hubs_own_client_finds_a_file(filled: HubStandIn) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(REPO, "Model-Q4_K_M.gguf", endpoint=filled.endpoint)
    found = get_hf_file_metadata(url, token=False, endpoint=filled.endpoint)
    repo = filled.repos[REPO]
    assert found.commit_hash == repo.commit
    assert found.size == 5004
    assert found.etag == repo.files["Model-Q4_K_M.gguf"].sha256
    assert found.location is not None
    assert found.location.startswith(filled.cdn_endpoint)


def test_the_hubs_own_client_understands_its_refusals(filled: HubStandIn) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    api = HfApi(endpoint=filled.endpoint, token=False)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("maker/Nothing")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(REPO, revision="nowhere")
    with pytest.raises(RemoteEntryNotFoundError):
        api.get_hf_file_metadata(url=f"{filled.endpoint}/{REPO}/resolve/main/none.gguf")
    filled.add("maker/Gated", {"a.gguf": b"GGUF"}, gated="manual")
    with pytest.raises(GatedRepoError):
        api.get_hf_file_metadata(url=f"{filled.endpoint}/maker/Gated/resolve/main/a.gguf")
