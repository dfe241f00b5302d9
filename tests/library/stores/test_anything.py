"""Whatever stands in another program's files: a model, a problem, or nothing; never a crash."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.library.stores.find import find_stores
from desktop.library.stores.model import StoreFolder, StoreModel
from desktop.library.stores.places import Surroundings
from tests.library.stores.building import KIND

_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([KIND + "model", KIND + "params", "sha256:" + "0" * 64, "../../x", "\0", "/"]),
)
_KEYS = st.sampled_from(
    [
        *("layers", "config", "mediaType", "digest", "size", "load", "operation", "fields"),
        *("key", "value", "checked", "downloadsFolder", "data_folder", "schemaVersion"),
    ]
)
_JSON = st.recursive(
    _LEAF,
    lambda deeper: st.one_of(
        st.lists(deeper, max_size=4), st.dictionaries(_KEYS, deeper, max_size=5)
    ),
    max_leaves=25,
)
_TEXT = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [
                *("[General]", "[model-A.gguf]", "modelPath=", "modelPath=/", "temperature=nan"),
                *("model_path: a.gguf", "model_path: /", "files:", "  - x", "- ", "key: |", "'"),
                *('mmproj_path: "\\', "topK=1e999", "systemMessage=\\xffffff", "name: {}", "\t:"),
            ]
        ),
        max_size=12,
    ).map("\n".join),
)


def _read(files: dict[str, bytes]) -> list[StoreFolder]:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for place, content in files.items():
            path = home / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return list(find_stores(Surroundings(home, {}, "linux", home)))


def _is_sound(found: list[StoreFolder]) -> None:
    for store in found:
        for model in store.models:
            assert isinstance(model, StoreModel)
            assert (model.problem is None) == bool(model.paths), model
            for text in (model.name, model.system_prompt, model.settings.system_prompt or ""):
                assert text.encode().decode() == text


@settings(max_examples=150)
@given(document=_JSON)
def test_ollamas_manifests(document: Any) -> None:
    content = json.dumps(document).encode("utf-8", "surrogatepass")
    place = ".ollama/models/manifests/registry.ollama.ai/library/m/latest"
    blob = f".ollama/models/blobs/sha256-{'0' * 64}"
    _is_sound(_read({place: content, blob: content}))


@settings(max_examples=100)
@given(document=_JSON)
def test_lm_studios_settings(document: Any) -> None:
    content = json.dumps(document).encode("utf-8", "surrogatepass")
    beside = ".lmstudio/.internal/user-concrete-model-default-config/A.gguf.json"
    files = {".lmstudio/models/A.gguf": b"x", beside: content}
    found = _read({**files, ".lmstudio-home-pointer": content[:50]})
    _is_sound(found)
    assert [model.name for store in found for model in store.models] == ["A"]


@settings(max_examples=100)
@given(text=_TEXT)
def test_jans_descriptions_and_gpt4alls_settings(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass").replace(b"modelPath=/", b"modelPath=/nowhere")
    _is_sound(
        _read(
            {
                ".config/Jan/data/llamacpp/models/a/model.yml": content,
                ".config/Jan/data/llamacpp/models/a/a.gguf": b"x",
                ".local/share/nomic.ai/GPT4All/A.gguf": b"x",
                ".config/nomic.ai/GPT4All.ini": content,
            }
        )
    )
