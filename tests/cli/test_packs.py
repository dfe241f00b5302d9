"""`hausgeist pack`, `unpack`, `index`, `sources` and `keygen`, as a script and as a person."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import ROOT, TIMEOUT_S, Cli, command, environment
from tests.gguf_files import LlamaShape, write_gguf
from tests.hub.plain_server import PlainServer
from tests.tiny_models import write_tiny_model

NAME = "Office-F32"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def model(cli: Cli, tmp_path: Path) -> Path:
    """A real model in the library."""
    path = write_tiny_model(
        tmp_path / "office.gguf", metadata={"general.name": "Office", "general.license": "mit"}
    )
    assert cli("import", str(path)).code == 0
    return path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Another computer's home."""
    return tmp_path / "elsewhere"


def move_to(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("HAUSGEIST_HOME", str(home))


def test_there_and_here(
    cli: Cli, model: Path, tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.hgpack"
    packed = cli("pack", NAME, "--out", str(out), "--json")
    assert packed.code == 0, packed.err
    *progress, last = lines(packed.out)
    assert all(line["event"] == "progress" for line in progress)
    assert {"bytes", "total_bytes", "bytes_per_s"} <= set(progress[-1])
    assert last["event"] == "done"
    assert last["path"] == str(out)
    assert last["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert last["models"] == [NAME]

    move_to(monkeypatch, elsewhere)
    listed = cli("unpack", str(out), "--list", "--json")
    (pack,) = lines(listed.out)
    assert (pack["event"], pack["models"][0]["name"]) == ("pack", NAME)
    assert not (elsewhere / "models" / NAME).exists()
    done = cli("unpack", str(out), "--json")
    assert done.code == 0, done.err
    last = lines(done.out)[-1]
    assert last["event"] == "done"
    assert Path(last["path"]).read_bytes() == model.read_bytes()
    assert last["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert last["models"][0]["was_here"] is False
    assert NAME in [one["name"] for one in cli("list", "--json").json]
    again = cli("unpack", str(out))
    assert (again.code, again.out.strip()) == (0, f"{NAME} is here already.")
    ran = cli("run", NAME, "-p", "hi", "--max-tokens", "2", "--json")
    assert ran.json["completion_tokens"] >= 1


def test_any_name_will_do(
    cli: Cli, model: Path, tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "models.bin"
    assert cli("pack", NAME, "--out", str(out)).code == 0
    folder = tmp_path / "somewhere"
    folder.mkdir()
    assert cli("pack", str(model), "--out", str(folder)).code == 0
    assert [path.name for path in folder.iterdir()] == ["office.hgpack"]
    move_to(monkeypatch, elsewhere)
    assert cli("unpack", str(out)).code == 0
    assert cli("unpack", str(folder / "office.hgpack")).code == 0


def test_words_for_a_person(cli: Cli, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.hgpack"
    made = cli("pack", NAME, "--out", str(out), "--check", language="de")
    assert made.code == 0, made.err
    assert "1 Modell" in made.out
    assert "1 Datei" in made.out
    shown = cli("unpack", str(out), "--list", language="de")
    assert NAME in shown.out
    assert "Alles stimmt" in cli("unpack", str(out), "--check", language="de").out


def test_in_pieces(cli: Cli, model: Path, tmp_path: Path) -> None:
    big = write_gguf(
        tmp_path / "big.gguf",
        LlamaShape(embedding=1024, feed_forward=2048).metadata(general__name="Big"),
        LlamaShape(embedding=1024, feed_forward=2048).tensors(),
    )
    out = tmp_path / "a.hgpack"
    done = cli("pack", str(big), "--out", str(out), "--split", "2MB", "--json")
    assert done.code == 0, done.out
    last = lines(done.out)[-1]
    assert [Path(file["path"]).name for file in last["files"]][:2] == [
        "a.hgpack.001",
        "a.hgpack.002",
    ]
    for file in last["files"]:
        data = Path(file["path"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert len(data) == file["file_bytes"] <= 2_000_000
    assert cli("unpack", f"{out}.003", "--check").code == 0
    Path(f"{out}.002").unlink()
    missing = cli("unpack", f"{out}.001", "--json")
    assert missing.code == 1
    assert lines(missing.out)[-1]["kind"] == "pack_part_missing"
    assert "a.hgpack.002" in lines(missing.out)[-1]["message"]


def test_a_wrong_byte(
    cli: Cli, model: Path, tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.hgpack"
    cli("pack", NAME, "--out", str(out))
    data = bytearray(out.read_bytes())
    data[200_000] ^= 1
    out.write_bytes(data)
    move_to(monkeypatch, elsewhere)
    for more in ([], ["--check"]):
        done = cli("unpack", str(out), *more, "--json")
        assert done.code == 1
        last = lines(done.out)[-1]
        assert (last["event"], last["kind"]) == ("error", "pack_wrong_hash")
    assert [one["name"] for one in cli("list", "--json").json] == ["guide"]
    assert list((elsewhere / "models").rglob("*.gguf")) == []


def test_signed_and_pinned(
    cli: Cli, model: Path, tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "office.key"
    made = cli("keygen", str(key), "--json").json
    out, plain = tmp_path / "a.hgpack", tmp_path / "b.hgpack"
    signed = lines(cli("pack", NAME, "--out", str(out), "--sign", str(key), "--json").out)[-1]
    assert signed["signed_by"] == made["number"]
    assert cli("pack", NAME, "--out", str(plain)).code == 0
    move_to(monkeypatch, elsewhere)
    for pub in (made["key"], made["public"]):
        assert cli("unpack", str(out), "--key", pub, "--check").code == 0
    refused = cli("unpack", str(plain), "--key", made["key"], "--json")
    assert lines(refused.out)[-1]["kind"] == "pack_unsigned"
    assert cli("sources", "--trust", made["public"]).code == 0
    refused = cli("unpack", str(plain), "--json")
    assert lines(refused.out)[-1]["kind"] == "pack_unsigned"
    done = lines(cli("unpack", str(out), "--json").out)[-1]
    assert done["trusted"] is True
    assert cli("sources", "--untrust", made["number"], "--json").json["trusted_keys"] == []


def test_a_key_with_a_password(
    cli: Cli, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, out = tmp_path / "office.key", tmp_path / "a.hgpack"
    monkeypatch.setenv("HAUSGEIST_KEY_PASSWORD", "geheim")
    assert cli("keygen", str(key), "--password").code == 0
    assert "encrypted" in key.read_text()
    assert cli("pack", NAME, "--out", str(out), "--sign", str(key)).code == 0
    monkeypatch.setenv("HAUSGEIST_KEY_PASSWORD", "falsch")
    wrong = cli("pack", NAME, "--out", str(tmp_path / "b"), "--sign", str(key), "--json")
    assert (wrong.code, lines(wrong.out)[-1]["kind"]) == (2, "sign_key_password")


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["pack", NAME], 2, "missing_option"),
        (["pack", "None", "--out", "x"], 1, "unknown_model"),
        (["pack", "guide", "--out", "x"], 2, "guide_not_packed"),
        (["pack", NAME, "--out", "x", "--split", "many"], 2, "not_a_size"),
        (["pack", NAME, "--out", "x", "--split", "12"], 2, "piece_too_small"),
        (["unpack", "nothing.hgpack"], 1, "pack_not_there"),
        (["unpack", "nothing.hgpack", "--key", "x"], 2, "bad_public_key"),
        (["index", "nowhere"], 2, "not_a_folder"),
        (["sources", "--add", "ftp://x"], 2, "bad_source"),
        (["sources", "--remove", "x"], 2, "no_such_source"),
        (["sources", "--trust", "x"], 2, "bad_public_key"),
    ],
)
def test_what_goes_wrong_is_a_kind_and_a_sentence(
    cli: Cli, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], code: int, kind: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    done = cli(*arguments, "--json")
    assert done.code == code
    text = done.out.strip()
    last = json.loads(text if text.startswith("{\n") else text.splitlines()[-1])
    assert last.get("error", last)["kind"] == kind
    said = cli(*arguments, language="de").err
    assert said.startswith("hausgeist: ")
    assert "{" not in said


def test_a_share_and_a_server_become_sources(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "0")
    share = tmp_path / "share"
    (share / "sub").mkdir(parents=True)
    write_tiny_model(share / "sub" / "office.gguf", metadata={"general.name": "Office"})
    key = tmp_path / "k"
    made = cli("keygen", str(key), "--json").json
    written = cli("index", str(share), "--title", "Büro", "--sign", str(key), "--json")
    assert lines(written.out)[-1]["models"] == [NAME]
    unsigned = cli("index", str(share), "--json")
    assert lines(unsigned.out)[-1]["kind"] == "pack_would_unsign"
    with PlainServer() as server:
        server.files = {
            path.relative_to(share).as_posix(): path.read_bytes()
            for path in share.rglob("*")
            if path.is_file()
        }
        assert cli("sources", "--trust", made["key"]).code == 0
        both = cli("sources", "--add", server.address, "--add", str(share), "--json").json
        assert [one["name"] for one in both["sources"]] == ["Büro", "Büro"]
        assert all(one["trusted"] for one in both["sources"])
        shown = cli("sources", language="de").out
        assert f'hausgeist pull "source:{both["sources"][0]["id"]}/{NAME}"' in shown
        server.status = 500
        troubled = cli("sources", "--json").json["sources"][0]
        assert troubled["problem"]["kind"] == "source_down"
        assert len(troubled["models"]) == 1
    assert cli("sources", "--remove", server.address).code == 0
    assert len(cli("sources", "--json").json["sources"]) == 1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupted_it_goes_on(hausgeist_home: Path, tmp_path: Path) -> None:
    """SIGINT ends it with a sentence; the same command then writes only what is missing."""
    shape = LlamaShape(layers=24, embedding=2048, feed_forward=4096)
    big = write_gguf(tmp_path / "big.gguf", shape.metadata(general__name="Big"), shape.tensors())
    out = tmp_path / "big.hgpack"
    arguments = command("pack", str(big), "--out", str(out), "--json")
    process = subprocess.Popen(
        arguments, cwd=ROOT, env=environment(hausgeist_home), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("state") == "writing":
            process.send_signal(signal.SIGINT)
            break
    rest, _ = process.communicate(timeout=TIMEOUT_S)
    told = [json.loads(line) for line in rest.splitlines()]
    if process.returncode != 0:  # else it was through already
        assert told[-1]["kind"] == "cancelled"
        assert not out.exists()
    done = subprocess.run(
        arguments if not out.exists() else command("unpack", str(out), "--check", "--json"),
        cwd=ROOT, env=environment(hausgeist_home), capture_output=True, text=True,
        timeout=TIMEOUT_S, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1])["event"] in ("done", "pack")


def test_a_script_hears_what_was_left_out(
    cli: Cli, model: Path, tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stick"
    assert cli("pack", NAME, "--out", f"{folder}/", "--json").code == 0
    document = json.loads((folder / "index.json").read_bytes())
    evil = json.loads(json.dumps(document["models"][0]).replace(NAME + "/", "../"))
    document["models"].append({**evil, "name": "Evil"})
    (folder / "index.json").write_text(json.dumps(document))
    move_to(monkeypatch, elsewhere)
    for arguments in (("--list",), ()):
        done = cli("unpack", str(folder), *arguments, "--json")
        assert done.code == 0
        (refused,) = lines(done.out)[-1]["refused"]
        assert (refused["name"], refused["kind"]) == ("Evil", "pack_unsafe_name")
