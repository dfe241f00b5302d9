from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.errors import StorageError
from desktop.common.settings import Settings, SettingsStore
from tests.ordinary_user import ordinary_user, read_only


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    assert store.load() == Settings()
    assert store.problem is None


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    chosen = Settings(
        language="de", theme="dark", offline=True, last_model="Größe", context_tokens=8192
    )
    SettingsStore(path).save(chosen)
    assert SettingsStore(path).load() == chosen
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_a_list_of_words_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    chosen = Settings(models_folder="/größe", more_folders=("/a", "/b"))
    SettingsStore(path).save(chosen)
    assert SettingsStore(path).load() == chosen
    for wrong in ('"/a"', '["/a", 1]', "{}", "null"):
        path.write_text('{"more_folders": ' + wrong + ', "theme": "dark"}', encoding="utf-8")
        store = SettingsStore(path)
        assert store.load() == Settings(theme="dark")
        assert store.problem is not None
        assert store.problem.params["names"] == "more_folders"


def test_a_change_changes_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    window, command = SettingsStore(path), SettingsStore(path)
    window.save(Settings(theme="dark"))
    path.write_text(path.read_text().replace("{", '{"from_the_future": 1,', 1))
    assert command.update(more_folders=("/a",)).theme == "dark"
    window.update(last_model="x")
    assert window.load() == Settings(theme="dark", more_folders=("/a",), last_model="x")
    assert json.loads(path.read_text())["from_the_future"] == 1


@pytest.mark.parametrize("content", [b"", b'{"theme": "li', b"[]", b"\xff", b"[" * 100_000])
def test_a_file_that_somebody_is_writing_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    store = SettingsStore(path)
    assert store.now() == Settings()
    store.save(Settings(theme="dark"))
    path.write_bytes(content)
    assert store.now() == Settings(theme="dark")
    assert path.read_bytes() == content
    assert store.update(offline=True) == Settings(theme="dark", offline=True)
    assert SettingsStore(path).load() == Settings(theme="dark", offline=True)
    assert list(tmp_path.iterdir()) == [path]


def test_keys_of_a_newer_version_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "dark", "from_the_future": {"a": [1]}}', encoding="utf-8")
    store = SettingsStore(path)
    assert store.load().theme == "dark"
    store.save(Settings(theme="light"))
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["from_the_future"] == {"a": [1]}
    assert document["theme"] == "light"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"null", b"[" * 100_000]
)
def test_a_broken_file_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    (tmp_path / "settings.json.broken-1").write_text("an older one")
    path.write_bytes(content)
    store = SettingsStore(path)
    assert store.load() == Settings()
    assert store.problem is not None
    assert store.problem.kind == "settings_damaged"
    assert (tmp_path / "settings.json.broken-2").read_bytes() == content
    assert (tmp_path / "settings.json.broken-1").read_text() == "an older one"
    store.save(Settings(theme="dark"))
    assert store.load() == Settings(theme="dark")
    assert store.problem is None


def test_one_wrong_value_costs_one_setting(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        '{"theme": "pink", "offline": 1, "threads": true, "context_tokens": -1, "language": "de"}'
    )
    store = SettingsStore(path)
    assert store.load() == Settings(language="de")
    assert store.problem is not None
    assert store.problem.kind == "setting_unusable"
    assert store.problem.params["names"] == "context_tokens, offline, theme, threads"


@pytest.mark.parametrize("name", ["context_tokens", "threads"])
def test_a_number_that_no_model_could_be_opened_with(tmp_path: Path, name: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(f'{{"{name}": 99999999999}}')
    store = SettingsStore(path)
    assert store.load() == Settings()
    assert store.problem is not None
    assert store.problem.params["names"] == name


def test_no_permission_to_read_is_told_and_nothing_is_moved(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "dark"}')
    path.chmod(0)
    with ordinary_user():
        store = SettingsStore(path)
        assert store.load() == Settings()
    path.chmod(0o600)
    assert store.problem is not None
    assert store.problem.kind == "not_readable"
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.json"]


def test_saving_into_a_read_only_folder_is_told(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    with read_only(tmp_path), pytest.raises(StorageError) as caught:
        store.save(Settings())
    assert caught.value.kind == "read_only"


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["theme", "offline", "threads", "other"]) | st.text(), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_content_gives_settings_and_never_an_exception(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("s") / "settings.json"
    path.write_bytes(content)
    settings = SettingsStore(path).load()
    assert settings.theme in ("auto", "light", "dark")
    assert type(settings.offline) is bool
    assert settings.threads >= 0
