"""Downloads measured: the faults, the speed beside curl's, several connections, kill after kill.

    python tests/benchmarks/transfer.py [faults] [speed] [connections] [kills]

All four without arguments; one JSON line each. hf-xet is not compared: it speaks to a Xet storage
service, of which no stand-in exists; form "B" of the faults is what the Hub gives a plain client.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from desktop.common.errors import HausgeistError, HubError
from desktop.common.ledger import Ledger
from desktop.hub.client import HubClient
from desktop.hub.door import Door
from desktop.hub.listing import fetch_listing
from desktop.hub.policy import NetworkPolicy
from desktop.hub.transfer import hashing
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.source import ANOTHER_NOW
from desktop.hub.transfer.transfer import Transfer, TransferOptions
from tests.hub.stand_in import HubStandIn
from tests.hub.transfer.faults import FILE, FULL_BYTES, HOPELESS, RECOVERABLE, REPO
from tests.hub.transfer.quick_server import REPO as QUICK_REPO

ROOT = Path(__file__).resolve().parents[2]
SPEED_BYTES = 1 << 30
LIMITED_BYTES = 64 << 20
LIMITED_BYTES_PER_S = 8e6
KILL_BYTES = 256 << 20
KILLS = 100
PAIRS = 5


def client_for(endpoint: str, folder: Path) -> HubClient:
    policy = NetworkPolicy({"HF_ENDPOINT": endpoint}, lambda: False)
    return HubClient(Door(policy, Ledger(folder / "ledger.jsonl")))


def faults(folder: Path) -> dict[str, Any]:
    """Every case in both forms, with the patience that users get."""
    data = random.Random(1).randbytes(FULL_BYTES)
    table: list[dict[str, Any]] = []
    for form in ("A", "B"):
        for case in RECOVERABLE:
            with HubStandIn() as hub:
                hub.add(REPO, {FILE: data})
                hub.is_xet = form == "B"
                case.prepare(hub, 1.0)
                table.append({"form": form, "fault": case.name} | recovered(hub, folder))
    hopeless = []
    for bad in HOPELESS:
        with HubStandIn() as hub:
            hub.add(REPO, {FILE: data})
            bad.prepare(hub, 1.0)
            hopeless.append({"fault": bad.name} | given_up(hub, folder))
    return {
        "good": sum(row["result"] == "good" for row in table),
        "corrupt": sum(row["result"] == "corrupt" for row in table),
        "of": len(table),
        "slowest_error_s": max(row["seconds"] for row in hopeless),
        "table": table,
        "hopeless": hopeless,
    }


def identity_of(hub: HubStandIn) -> Identity:
    found = hub.repos[REPO].files[FILE]
    return Identity(REPO, FILE, hub.repos[REPO].commit, found.size, found.sha256)


def recovered(hub: HubStandIn, folder: Path) -> dict[str, Any]:
    place = folder / "fault" / FILE
    client = client_for(hub.endpoint, folder)
    began_s = time.monotonic()
    received = 0
    try:
        try:
            received += Transfer(client, identity_of(hub), place).run().received_bytes
        except HubError as error:
            if error.kind not in ANOTHER_NOW:
                raise
            received += Transfer(client, identity_of(hub), place).run().received_bytes
    except HausgeistError as error:
        return {"result": error.kind, "seconds": round(time.monotonic() - began_s, 1)}
    seconds = time.monotonic() - began_s
    is_right = place.read_bytes() == hub.repos[REPO].files[FILE].head
    shutil.rmtree(place.parent)
    return {
        "result": "good" if is_right else "corrupt",
        "seconds": round(seconds, 1),
        "wasted_bytes": received - FULL_BYTES,
        "sent_in_vain_bytes": hub.sent_bytes - FULL_BYTES,
        "requests": len(hub.requests("cdn")),
    }


def given_up(hub: HubStandIn, folder: Path) -> dict[str, Any]:
    began_s = time.monotonic()
    try:
        Transfer(client_for(hub.endpoint, folder), identity_of(hub), folder / "bad" / FILE).run()
        kind = "none"
    except HausgeistError as error:
        kind = error.kind
    shutil.rmtree(folder / "bad", ignore_errors=True)
    return {"error": kind, "seconds": round(time.monotonic() - began_s, 1)}


@contextlib.contextmanager
def quick_server(file: Path, rate: float = 0.0) -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.hub.transfer.quick_server", str(file), str(rate)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def write_file(path: Path, size: int) -> Path:
    block = random.Random(size).randbytes(4 << 20)
    with path.open("wb") as file:
        for number in range(size // len(block)):
            file.write(number.to_bytes(8, "little") + block[8:])
    return path


def fetch(endpoint: str, folder: Path, connections: int = 4) -> float:
    """Seconds of one transfer, its last fsync included."""
    client = client_for(endpoint, folder)
    listing = fetch_listing(client, QUICK_REPO)
    (file,) = listing.groups[0].files
    identity = Identity(QUICK_REPO, file.path, listing.commit, file.size_bytes or 0, file.sha256)
    place = folder / "got" / file.path
    began_s = time.monotonic()
    Transfer(client, identity, place, options=TransferOptions(connections=connections)).run()
    seconds = time.monotonic() - began_s
    place.unlink()
    return seconds


def curl(endpoint: str, name: str, folder: Path, *, sync: bool) -> float:
    place = folder / "curl.bin"
    url = f"{endpoint}/{QUICK_REPO}/resolve/main/{name}"
    began_s = time.monotonic()
    subprocess.run(["curl", "-sS", "-o", str(place), url], check=True)
    if sync:
        with place.open("rb+") as file:
            os.fsync(file.fileno())
    seconds = time.monotonic() - began_s
    place.unlink()
    return seconds


@contextlib.contextmanager
def without_hashing(wanted: str) -> Iterator[None]:
    """As if SHA-256 cost nothing: what is left is what bringing the bytes costs."""

    class Nothing:
        def update(self, _data: bytes) -> None: ...

        def copy(self) -> Nothing:
            return self

        def hexdigest(self) -> str:
            return wanted

    names = vars(hashing)
    real, names["hashlib"] = names["hashlib"], SimpleNamespace(sha256=Nothing)
    try:
        yield
    finally:
        names["hashlib"] = real


def speed(folder: Path) -> dict[str, Any]:
    """Beside curl, in turns; curl neither hashes nor brings anything to the disk for certain.

    Where two cores serve, receive and hash at once, hashing alone decides: so one row is without.
    """
    file = write_file(folder / "speed.gguf", SPEED_BYTES)
    with file.open("rb") as opened:
        wanted = hashlib.file_digest(opened, "sha256").hexdigest()
    rows = []
    with quick_server(file) as endpoint:
        for _ in range(PAIRS):
            ours = fetch(endpoint, folder)
            with without_hashing(wanted):
                unhashed = fetch(endpoint, folder)
            plain = curl(endpoint, file.name, folder, sync=False)
            synced = curl(endpoint, file.name, folder, sync=True)
            rows.append((ours, plain, synced, unhashed))
    file.unlink()
    return {
        "bytes": SPEED_BYTES,
        "bytes_per_s": round(SPEED_BYTES / statistics.median(row[0] for row in rows)),
        "curl_bytes_per_s": round(SPEED_BYTES / statistics.median(row[1] for row in rows)),
        "ratio_to_curl": round(statistics.median(row[1] / row[0] for row in rows), 3),
        "ratio_to_curl_synced": round(statistics.median(row[2] / row[0] for row in rows), 3),
        "ratio_without_hashing": round(statistics.median(row[1] / row[3] for row in rows), 3),
        "cores": os.cpu_count(),
    }


def connections(folder: Path) -> dict[str, Any]:
    """Against a server that limits each connection."""
    file = write_file(folder / "limited.gguf", LIMITED_BYTES)
    with quick_server(file, LIMITED_BYTES_PER_S) as endpoint:
        one = fetch(endpoint, folder, connections=1)
        four = min(fetch(endpoint, folder, connections=4) for _ in range(2))
    file.unlink()
    return {"one_s": round(one, 2), "four_s": round(four, 2), "ratio": round(one / four, 2)}


def kills(folder: Path) -> dict[str, Any]:
    """One download, killed a hundred times at random moments, then completed."""
    file = write_file(folder / "killed-Q4_K_M.gguf", KILL_BYTES)
    wanted = hashlib.sha256(file.read_bytes()).hexdigest()
    lucky = random.Random(7)
    with quick_server(file, rate=3e6) as endpoint:
        env = os.environ | {
            "HAUSGEIST_HOME": str(folder / "home"),
            "HF_ENDPOINT": endpoint,
            "HAUSGEIST_OFFLINE": "0",
        }
        pull = [sys.executable, "-m", "desktop", "pull", f"{QUICK_REPO}:Q4_K_M", "--json"]
        done = 0
        for _ in range(KILLS):
            child = subprocess.Popen(pull, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
            assert child.stdout is not None
            if lucky.random() < 0.8:  # else perhaps before it has begun
                child.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(lucky.random() * 0.4)
            if child.poll() is not None:
                break
            child.kill()
            child.communicate()
            done += 1
        killed_bytes = sent(endpoint)
        last = subprocess.run(pull, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        total = sent(endpoint)
    document = json.loads(last.stdout.splitlines()[-1])
    file.unlink()
    return {
        "kills": done,
        "right": document.get("sha256") == wanted,
        "sent_before_completion_bytes": killed_bytes,
        "sent_to_size": round(total / KILL_BYTES, 3),
        "wasted_a_kill_bytes": round((total - KILL_BYTES) / max(1, done)),
    }


def sent(endpoint: str) -> int:
    with urllib.request.urlopen(f"{endpoint}/count") as answer:
        return int(json.loads(answer.read())["sent_bytes"])


PARTS = {"faults": faults, "speed": speed, "connections": connections, "kills": kills}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"benchmark": f"transfer {name}"} | PARTS[name](Path(folder))))


if __name__ == "__main__":
    main()
