"""Where the access token lies: in the keyring, in a file where there is none, and nowhere else."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked, PasswordDeleteError

from desktop.common.errors import StorageError
from desktop.hub.account import ASK_AGAIN_S, TokenStore, is_token
from desktop.hub.keyring import SERVICE, system_keyring

HUB = "https://huggingface.co"
TOKEN = "hf_abcDEF123"


class FakeKeyring:
    """A keyring in memory; `fails` is raised, `waits` keeps everybody waiting until it is set."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.asked = 0
        self.fails: Exception | None = None
        self.waits: threading.Event | None = None

    def get_password(self, service: str, username: str) -> str | None:
        self._answer()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._answer()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._answer()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError

    def _answer(self) -> None:
        self.asked += 1
        if self.waits is not None:
            self.waits.wait(timeout=30)
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def keyring() -> Iterator[FakeKeyring]:
    found = FakeKeyring()
    yield found
    if found.waits is not None:
        found.waits.set()


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def make(tmp_path: Path, keyring: FakeKeyring, now: list[float]) -> Callable[..., TokenStore]:
    def make(found: FakeKeyring | None = keyring, folder: str = "data") -> TokenStore:
        return TokenStore(
            tmp_path / folder, find_keyring=lambda: found, wait_s=0.5, clock=lambda: now[0]
        )

    return make


def everything(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def test_in_the_keyring(
    make: Callable[..., TokenStore], keyring: FakeKeyring, tmp_path: Path
) -> None:
    note = make().save(TOKEN, HUB, "tester")
    assert (note.place, note.origin, note.user) == ("keyring", HUB, "tester")
    ((service, user),) = keyring.kept
    assert service == SERVICE
    assert user.startswith(HUB)
    assert TOKEN not in everything(tmp_path)
    assert make().token(HUB) == TOKEN
    assert make().note() == note


def test_in_a_file_only_its_owner_reads(make: Callable[..., TokenStore], tmp_path: Path) -> None:
    assert make(None).save(TOKEN, HUB, "").place == "file"
    assert make(None).token(HUB) == TOKEN
    file = tmp_path / "data" / "hub-token"
    assert file.read_text() == TOKEN
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_goes_when_there_is_a_keyring(
    make: Callable[..., TokenStore], tmp_path: Path
) -> None:
    make(None).save("hf_old", HUB, "")
    make().save(TOKEN, HUB, "")
    assert not (tmp_path / "data" / "hub-token").exists()
    assert make().token(HUB) == TOKEN


def test_no_keyring_is_asked_where_no_token_was_kept(
    make: Callable[..., TokenStore], keyring: FakeKeyring
) -> None:
    store = make()
    assert store.token(HUB) is None
    assert store.note() is None
    assert keyring.asked == 0


def test_the_keyring_is_asked_once(make: Callable[..., TokenStore], keyring: FakeKeyring) -> None:
    make().save(TOKEN, HUB, "")
    store = make()
    keyring.asked = 0
    assert [store.token(HUB) for _ in range(5)] == [TOKEN] * 5
    assert keyring.asked == 1


def test_another_hub_gets_no_token(make: Callable[..., TokenStore], keyring: FakeKeyring) -> None:
    """A mirror is somebody else."""
    store = make()
    store.save(TOKEN, HUB, "")
    keyring.asked = 0
    assert store.token("https://mirror.example") is None
    assert store.token("http://huggingface.co") is None
    assert keyring.asked == 0
    assert store.token(HUB) == TOKEN


def test_forgotten_everywhere(
    make: Callable[..., TokenStore], keyring: FakeKeyring, tmp_path: Path
) -> None:
    store = make()
    store.save(TOKEN, HUB, "")
    store.forget()
    assert keyring.kept == {}
    assert store.token(HUB) is None
    assert list((tmp_path / "data").iterdir()) == []
    store.forget()  # what is not there needs no removal
    make(None).save(TOKEN, HUB, "")
    make(None).forget()
    assert list((tmp_path / "data").iterdir()) == []


def test_a_token_that_another_process_forgot(make: Callable[..., TokenStore]) -> None:
    store = make()
    store.save(TOKEN, HUB, "")
    make().forget()
    assert store.token(HUB) is None


def test_a_keyring_that_never_answers_stops_nothing(
    make: Callable[..., TokenStore], keyring: FakeKeyring
) -> None:
    make().save(TOKEN, HUB, "")
    keyring.waits = threading.Event()
    store = make()
    assert store.token(HUB) is None
    assert store.problem is not None
    assert store.problem.kind == "keyring_locked"
    with pytest.raises(StorageError, match="keyring_locked"):
        store.save("hf_new", HUB, "")
    with pytest.raises(StorageError, match="keyring_locked"):
        store.forget()


def test_a_keyring_is_waited_for_once_and_heard_when_it_answers(
    make: Callable[..., TokenStore], keyring: FakeKeyring
) -> None:
    """Its owner types the password while the window goes on."""
    make().save(TOKEN, HUB, "")
    keyring.waits, keyring.asked = threading.Event(), 0
    store = make()
    assert store.token(HUB) is None
    started = time.monotonic()
    assert [store.token(HUB) for _ in range(20)] == [None] * 20
    assert time.monotonic() - started < 0.4
    assert keyring.asked == 1
    keyring.waits.set()
    pending = store._pending
    assert pending is not None
    pending.result(timeout=10)
    assert store.token(HUB) == TOKEN
    assert keyring.asked == 1
    assert store.problem is None


@pytest.mark.parametrize("fails", [KeyringLocked("no"), OSError("dbus"), RuntimeError("odd")])
def test_a_keyring_with_a_fault(
    make: Callable[..., TokenStore], keyring: FakeKeyring, fails: Exception, now: list[float]
) -> None:
    """Each desktop has errors of its own; none of them is a traceback, and nobody is asked for
    the password at each request."""
    make().save(TOKEN, HUB, "")
    keyring.fails = fails
    store = make()
    assert store.token(HUB) is None
    assert store.problem is not None
    assert store.problem.kind == "keyring_locked"
    keyring.fails, keyring.asked = None, 0
    assert store.token(HUB) is None
    assert keyring.asked == 0
    now[0] += ASK_AGAIN_S
    assert store.token(HUB) == TOKEN
    assert store.problem is None


def test_a_keyring_that_is_gone_or_was_emptied(
    make: Callable[..., TokenStore], keyring: FakeKeyring
) -> None:
    make().save(TOKEN, HUB, "")
    gone = make(None)
    assert gone.token(HUB) is None
    assert gone.problem is not None
    assert gone.problem.kind == "keyring_gone"
    keyring.kept.clear()
    emptied = make()
    assert emptied.token(HUB) is None
    assert emptied.problem is not None
    assert emptied.problem.kind == "token_lost"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"x"', b'{"place": "elsewhere", "origin": "x"}', b'{"place": "file"}',
     b"[" * 100_000, b'{"place": "keyring", "origin": 3}'],
)  # fmt: skip
def test_a_note_that_is_none(
    make: Callable[..., TokenStore], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "account.json").write_bytes(content)
    assert make().note() is None
    assert make().token(HUB) is None
    assert make().save(TOKEN, HUB, "").place == "keyring"


@pytest.mark.parametrize("content", ["", "two words", "hf_\u00fc", "x" * 5000])
def test_a_file_that_holds_no_token(
    make: Callable[..., TokenStore], tmp_path: Path, content: str
) -> None:
    make(None).save(TOKEN, HUB, "")
    (tmp_path / "data" / "hub-token").write_text(content, encoding="utf-8")
    store = make(None)
    assert store.token(HUB) is None
    assert store.problem is not None
    assert store.problem.kind == "token_lost"


def test_two_homes_on_one_computer(make: Callable[..., TokenStore]) -> None:
    make(folder="one").save("hf_one", HUB, "")
    make(folder="two").save("hf_two", HUB, "")
    assert make(folder="one").token(HUB) == "hf_one"
    make(folder="two").forget()
    assert make(folder="one").token(HUB) == "hf_one"


def test_what_is_written_down_is_no_secret(make: Callable[..., TokenStore], tmp_path: Path) -> None:
    make().save(TOKEN, HUB, "tester")
    document = json.loads((tmp_path / "data" / "account.json").read_bytes())
    assert document == {"place": "keyring", "origin": HUB, "user": "tester"}


def test_tokens() -> None:
    assert is_token(TOKEN)
    for none in ("", "a b", "hf_\n", "hf_ü", "x" * 5000, "\x7f"):
        assert not is_token(none)


def test_a_system_without_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring as package
    from keyring.backends import fail, null

    for backend in (fail.Keyring(), null.Keyring()):  # type: ignore[no-untyped-call]
        monkeypatch.setattr(package, "get_keyring", lambda backend=backend: backend)
        assert system_keyring() is None
