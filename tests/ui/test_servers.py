"""Models on servers: in the chooser, in the words of the window, in the settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QPushButton

from desktop.common.settings import Settings
from desktop.ui.chats.model_words import state_words
from desktop.ui.model_names import display_name
from desktop.ui.rail import SETTINGS
from desktop.ui.settings.page import SettingsPage
from desktop.ui.settings.remotes import RemoteSettings
from tests.certificates import make_certificate, secured_by
from tests.engine.model_server import model_server, refuses, says
from tests.ui.conftest import Driven
from tests.ui.server_scenes import HERE, OFFICE, OPEN, open_servers_too, write_servers

OpenWindow = Callable[..., Driven]


@pytest.fixture(autouse=True)
def _servers(monkeypatch: pytest.MonkeyPatch) -> None:
    open_servers_too(monkeypatch)
    monkeypatch.setattr("desktop.hub.server_keys.system_keyring", lambda: None)
    for name in ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def named(open_window: OpenWindow, hausgeist_home: Path) -> Driven:
    """A window whose owner has named three servers."""
    write_servers(hausgeist_home / "data", HERE, OPEN, OFFICE)
    driven = open_window()
    driven.until(lambda: driven.desk.house.remotes.loaded)
    return driven


def settings_of(driven: Driven) -> RemoteSettings:
    page = driven.window.page(SETTINGS)
    assert isinstance(page, SettingsPage)
    driven.window.show_place(SETTINGS)
    return page.remotes


def entries(menu: QMenu) -> dict[str, QAction]:
    found: dict[str, QAction] = {}
    for action in menu.actions():
        found[action.text()] = action
        inside = action.menu()
        if isinstance(inside, QMenu):
            found |= entries(inside)
    return found


def words(part: RemoteSettings) -> str:
    labels = part.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisibleTo(part))


def press(driven: Driven, part: RemoteSettings, name: str) -> None:
    """Click the one button of that name, once it is there."""

    def found() -> list[QPushButton]:
        return [
            one
            for one in part.findChildren(QPushButton)
            if name in (one.text(), one.accessibleName())
            and one.isVisibleTo(part)
            and one.isEnabled()
        ]

    driven.until(lambda: len(found()) == 1)
    found()[0].click()


def test_the_chooser_shows_servers_with_where_they_are(named: Driven) -> None:
    menu = named.window.chats.pill.menu_of_models()
    found = entries(menu)
    assert not found["Ollama  ·  a server on this computer"].isEnabled()  # a heading
    assert found["gemma3:12b"].isEnabled()
    assert "Küche  ·  leaves this computer" in found
    office = found["Büro  ·  leaves this computer"].menu()  # many: a menu of their own
    assert isinstance(office, QMenu)
    assert len(office.actions()) == 9


def test_talking_to_a_server(named: Driven) -> None:
    chats = named.window.chats
    entries(chats.pill.menu_of_models())["mistral-small"].trigger()
    model = named.desk.house.model
    named.until(lambda: model.state.phase == "ready")
    assert model.state.name == "remote:Küche/mistral-small"
    assert model.state.leaves_computer
    assert "Goes to “Küche”" in chats.status.where
    assert "leaves this computer" in chats.pill.accessibleName()
    assert "mistral-small · Küche" in chats.pill.accessibleName()
    named.desk.house.conversation.send("Hello")
    named.asked(1)
    named.answer("Hi")
    assert named.shown() == ["Hello", "Hi"]
    assert named.desk.session.settings.last_model == "remote:Küche/mistral-small"
    entries(chats.pill.menu_of_models())["qwen3:8b"].trigger()
    named.until(lambda: model.state.phase == "ready" and "Ollama" in model.state.name)
    assert state_words(model.state) == "a server on this computer"
    assert chats.status.where == "Everything stays on this computer"


def test_offline_closes_the_way_to_others_alone(named: Driven) -> None:
    named.desk.session.change(offline=True)
    found = entries(named.window.chats.pill.menu_of_models())
    assert found["qwen3:8b"].isEnabled()
    assert not found["mistral-small"].isEnabled()
    assert not found["org/model-3"].isEnabled()
    assert "Küche  ·  offline" in found


def test_a_chosen_server_is_there_at_the_next_start(
    open_window: OpenWindow, hausgeist_home: Path
) -> None:
    write_servers(hausgeist_home / "data", HERE)
    driven = open_window(settings=Settings(last_model="remote:Ollama/qwen3:8b"))
    driven.until(lambda: driven.desk.house.remotes.loaded)
    state = driven.desk.house.model.state
    window = driven.window.chats
    assert "on this computer only" not in window.welcome.subtitle
    assert "sent there" in window.welcome.subtitle  # until the server is known to be here
    assert "off this computer" in window.status.where
    assert (state.name, state.phase) == ("remote:Ollama/qwen3:8b", "asleep")  # and nobody was asked


def test_a_server_that_is_gone_is_no_longer_chosen(open_window: OpenWindow) -> None:
    driven = open_window(settings=Settings(last_model="remote:Gone/x"))
    driven.until(lambda: driven.desk.house.remotes.loaded)
    driven.until(lambda: driven.desk.house.model.state.is_guide)


def test_names() -> None:
    assert display_name("remote:Büro/org/big") == "org/big · Büro"
    assert display_name("remote:Büro") == "Büro"


def test_the_settings_tell_of_each_server(named: Driven) -> None:
    part = settings_of(named)
    told = words(part)
    assert "https://llm.kanzlei.example/v1  ·  9 models  ·  with a key" in told
    assert told.count("leaves this computer") == 2
    assert "on this computer" in told
    assert "not protected" in told  # the one in the kitchen
    named.until(lambda: "file that only you can read" in part.place.text())


def test_adding_and_testing_and_removing(driven: Driven, hausgeist_home: Path) -> None:
    part = settings_of(driven)
    assert not part.enter.isEnabled()
    with model_server(says("Hi")) as server:
        part.name.setText("Office")
        part.address.setText(server.address)
        part.key.setText("sk-secret")
        part.address.returnPressed.emit()
        driven.until(lambda: driven.desk.house.remotes.servers)
        driven.until(lambda: not part.name.text())
        assert part.key.text() == ""
        driven.until(lambda: "1 model" in words(part))
        assert server.asked[0].headers["Authorization"] == "Bearer sk-secret"
        press(driven, part, "Test “Office”")
        driven.until(lambda: "It answers." in words(part))
        server.own["/v1/models"] = refuses(401, {})
        press(driven, part, "Test “Office”")
        driven.until(lambda: "does not accept the key" in words(part))
    assert "sk-secret" not in (hausgeist_home / "data" / "servers.json").read_text()
    press(driven, part, "Remove “Office” and its key")
    driven.until(lambda: not driven.desk.house.remotes.servers)
    assert "Office" not in words(part)


def test_a_server_that_does_not_answer(driven: Driven) -> None:
    part = settings_of(driven)
    part.name.setText("Office")
    part.address.setText("127.0.0.1:9")
    part.enter.click()
    driven.until(lambda: "refuses the connection" in part.problem.text())
    assert part.problem.accessibleName() == part.problem.text()
    assert part.name.text() == "Office"  # to be corrected
    part.address.setText("nonsense://x")
    part.enter.click()
    driven.until(lambda: "no address of a server" in part.problem.text())


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_that_nobody_knows(driven: Driven, tmp_path: Path, trusted: bool) -> None:
    part = settings_of(driven)
    with model_server(wrap=secured_by(make_certificate(tmp_path))) as server:
        part.name.setText("Office")
        part.address.setText(server.address)
        part.enter.click()
        driven.until(lambda: part.card.isVisible())
        assert "Inspecting Firewall" in part.shown.text()
        assert len(part.fingerprint.text().split()) == 32
        press(driven, part, "Trust this certificate" if trusted else "Do not trust")
        if trusted:
            driven.until(lambda: driven.desk.house.remotes.servers)
            (added,) = driven.desk.house.remotes.servers
            assert added.certificate
        driven.until(lambda: not part.card.isVisible())
    assert bool(driven.desk.house.remotes.servers) is trusted


def test_own_certificates(driven: Driven, tmp_path: Path, hausgeist_home: Path) -> None:
    file = make_certificate(tmp_path)
    part = settings_of(driven)
    with model_server(wrap=secured_by(file)) as server:
        part.name.setText("Office")
        part.address.setText(server.address)
        part.choose_certificates(file)
        part.patience.setCurrentIndex(2)
        assert str(file) in words(part)
        part.enter.click()
        driven.until(lambda: driven.desk.house.remotes.servers)
    document = json.loads((hausgeist_home / "data" / "servers.json").read_text())
    assert document["servers"][0]["ca_file"] == str(file)
    assert document["servers"][0]["patience"]["first_token_s"] == 3600.0
    driven.until(lambda: part.patience.currentData() == 600.0)


def test_all_of_it_by_keyboard_and_screen_reader(named: Driven) -> None:
    part = settings_of(named)
    for field in part.findChildren(QLineEdit):
        assert field.accessibleName()
    names = [one.accessibleName() or one.text() for one in part.findChildren(QPushButton)]
    shown = [name for name in names if name]
    assert len(shown) == len(names)
    assert len([name for name in names if name.startswith(("Test “", "Remove “"))]) == 6


def test_what_was_sent_stands_in_the_list_of_connections(driven: Driven) -> None:
    ledger = driven.services.network.ledger
    line = ledger.begin("remote_engine", "llm.example.org", "Office")
    ledger.end(line, "ok", status=200, sent_bytes=3_000, received_bytes=20_000)
    page = driven.window.page(SETTINGS)
    assert isinstance(page, SettingsPage)
    page.connections.show_or_hide()

    def told() -> str:
        return "\n".join(label.text() for label in page.connections.findChildren(QLabel))

    driven.until(lambda: "llm.example.org" in told())
    assert "An answer from a model server: Office" in told()
    assert "3 kB sent, 20 kB received" in told().replace("KB", "kB").replace(".0", "")
