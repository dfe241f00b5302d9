"""A model's own settings: kept by content, checked, and not lost with the index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.common.errors import StorageError, UsageError
from desktop.library.library import SETTINGS_FILE, Library
from desktop.library.model_settings import ModelSettings, ModelSettingsStore, settings_from
from tests.gguf_files import LlamaShape
from tests.ordinary_user import read_only

COLD = ModelSettings(temperature=0.1, top_k=5, system_prompt="Antworte kurz.", context_tokens=8192)


def test_what_was_kept_comes_back_and_reset_forgets_it(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    store = ModelSettingsStore(path)
    assert store.own("a") == ModelSettings()
    store.keep("a", COLD)
    store.recommend("a", ModelSettings(temperature=0.9, min_p=0.1))
    again = ModelSettingsStore(path)
    assert again.own("a") == COLD
    assert again.recommended("a") == ModelSettings(temperature=0.9, min_p=0.1)
    assert COLD.over(again.recommended("a")).min_p == 0.1
    assert again.own("b") == ModelSettings()
    again.keep("a", ModelSettings())
    assert store.own("a") == ModelSettings()  # it sees what another has written
    assert store.recommended("a") != ModelSettings()


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    one, two = ModelSettingsStore(tmp_path / "s.json"), ModelSettingsStore(tmp_path / "s.json")
    one.keep("a", COLD)
    two.keep("b", ModelSettings(top_p=0.5))
    one.keep("c", ModelSettings(top_k=1))
    assert (two.own("a"), two.own("b"), two.own("c").top_k) == (COLD, ModelSettings(top_p=0.5), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        ModelSettings(temperature=-1.0),
        ModelSettings(temperature=float("nan")),
        ModelSettings(top_p=1.5),
        ModelSettings(top_k=-1),
        ModelSettings(top_k=2.5),  # type: ignore[arg-type]
        ModelSettings(min_p=True),
        ModelSettings(repeat_penalty=0.0),
        ModelSettings(context_tokens=0),
        ModelSettings(context_tokens=1 << 40),
        ModelSettings(template="x" * (1 << 21)),
        ModelSettings(system_prompt=5),  # type: ignore[arg-type]
    ],
)
def test_values_that_no_engine_takes_are_refused(tmp_path: Path, wrong: ModelSettings) -> None:
    store = ModelSettingsStore(tmp_path / "s.json")
    store.keep("a", COLD)
    with pytest.raises(UsageError) as caught:
        store.keep("a", wrong)
    assert caught.value.kind == "bad_model_setting"
    assert store.own("a") == COLD
    store.recommend("a", wrong)  # others' rubbish is left out
    assert store.recommended("a") == ModelSettings()


def test_what_others_wrote_is_read_value_by_value() -> None:
    document = {"temperature": 0.5, "top_p": "much", "top_k": None, "unknown": 1, "min_p": 0}
    assert settings_from(document) == ModelSettings(temperature=0.5, min_p=0)
    assert settings_from([1]) == ModelSettings()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_kept_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    store = ModelSettingsStore(path)
    assert store.own("a") == ModelSettings()
    store.keep("a", COLD)
    assert ModelSettingsStore(path).own("a") == COLD
    assert (tmp_path / "s.json.broken-1").read_bytes() == content


def test_strange_entries_in_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"a": 5, "b": {"own": [1]}, "c": {"own": {"temperature": 1.0}}}))
    store = ModelSettingsStore(path)
    assert [store.own(key) for key in "ab"] == [ModelSettings()] * 2
    assert store.own("c").temperature == 1.0


def test_a_disk_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    store = ModelSettingsStore(tmp_path / "s.json")
    with read_only(tmp_path), pytest.raises(StorageError) as caught:
        store.keep("a", COLD)
    assert caught.value.kind == "read_only"
    assert store.own("a") == ModelSettings()
    volatile = ModelSettingsStore(None)
    volatile.keep("a", COLD)
    assert volatile.own("a") == COLD


def test_they_outlive_index_place_and_name(tmp_path: Path, guide: Path, drive: Path) -> None:
    path = tmp_path / "data" / "library.db"
    library = Library.open(path, guide)
    recommended = ModelSettings(temperature=0.6)
    model = library.add(LlamaShape().write(drive / "m.gguf"), settings=recommended, name="Mein")
    assert model.name == "Mein"
    library.model_settings.keep(model.content, COLD)
    library.close()
    for file in path.parent.iterdir():
        if file.name != SETTINGS_FILE:
            file.unlink()
    (drive / "m.gguf").rename(drive / "anders.gguf")
    library = Library.open(path, guide)
    again = library.add(drive / "anders.gguf")
    assert again.name == "Test-Q4_K_M"
    assert library.model_settings.own(again.content) == COLD
    assert library.model_settings.recommended(again.content) == recommended
    library.close()
