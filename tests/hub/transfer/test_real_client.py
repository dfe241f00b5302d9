"""The stand-in speaks the Hub's language: the real huggingface-hub client understands it, and ours
finds the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.hub.listing import fetch_listing
from tests.cli.running import ROOT, TIMEOUT_S
from tests.hub.transfer.conftest import DATA, Bench
from tests.hub.transfer.faults import FILE, REPO

CLIENT = """
import json, sys
from huggingface_hub import HfApi, hf_hub_download
repo, file = sys.argv[1:3]
info = HfApi().model_info(repo, files_metadata=True)
found = next(one for one in info.siblings if one.rfilename == file)
path = hf_hub_download(repo, file)
said = {"commit": info.sha, "size": found.size, "sha256": found.lfs.sha256, "path": path}
print(json.dumps(said))
"""


@pytest.mark.parametrize("is_xet", [False, True], ids=["plain", "xet"])
def test_the_real_client(bench: Bench, tmp_path: Path, is_xet: bool) -> None:
    bench.hub.is_xet = is_xet
    env = os.environ | {
        "HF_ENDPOINT": bench.hub.endpoint,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_TOKEN": "hf_secret",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "0",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", CLIENT, REPO, FILE],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert Path(said["path"]).read_bytes() == DATA
    assert {seen.authorization for seen in bench.hub.requests("cdn")} == {""}
    assert "Bearer hf_secret" in {seen.authorization for seen in bench.hub.requests("resolve")}
    listing = fetch_listing(bench.house.client, REPO)
    (ours,) = listing.groups[0].files
    assert (listing.commit, ours.size_bytes, ours.sha256) == (
        said["commit"],
        said["size"],
        said["sha256"],
    )
