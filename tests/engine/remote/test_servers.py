"""What servers tell of themselves and their models, and servers that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop.engine.remote.engine import open_remote
from tests.engine.model_server import (
    Answer,
    link_to,
    model_server,
    raw,
    refuses,
    whole,
)
from tests.engine.remote_talk import (
    Open,
    failing,
    owned,
)


@pytest.mark.parametrize(
    ("models", "own", "context"),
    [
        (owned("vllm", max_model_len=8192), {}, 8192),
        (owned("x", context_length=4096), {}, 4096),
        (owned("x", context_window=131072), {}, 131072),
        (owned("x", top_provider={"context_length": 77}), {}, 77),
        (owned("x", context_length=True), {}, 0),
        (owned("x", context_length=-5), {}, 0),
        (
            owned("organization_owner"),
            {
                "/api/v0/models": {
                    "data": [
                        {
                            "id": "tiny",
                            "type": "vlm",
                            "max_context_length": 9,
                            "loaded_context_length": 4,
                        }
                    ]
                }
            },
            4,
        ),
        ({"models": [{"name": "tiny"}]}, {}, 0),
        (["tiny"], {}, 0),
        ([{"id": 5}, None, {"id": "tiny"}, {"id": "tiny", "n_ctx": 4}, {"id": "x" * 999}], {}, 0),
    ],
)
def test_what_servers_tell(talk_to: Open, models: Any, own: dict[str, Any], context: int) -> None:
    engine, _ = talk_to(models=models, own=own)
    assert engine.info.name == "tiny"
    assert engine.info.context_tokens == context


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (whole({"object": "list", "data": []}), "remote_no_model"),
        (whole({"nothing": 1}), "remote_nonsense"),
        (whole(7), "remote_nonsense"),
        (raw("<html>", kind="text/html"), "remote_nonsense"),
        (refuses(401, {}), "remote_key_refused"),
        (refuses(404, {}), "remote_not_there"),
        (refuses(500, {}), "remote_down"),
        (raw("["), "remote_nonsense"),
    ],
)
def test_servers_that_are_none(tmp_path: Path, answer: Answer, kind: str) -> None:
    with model_server() as server:
        server.own["/v1/models"] = answer
        found = failing(lambda: open_remote(link_to(server, tmp_path), "tiny"))
    assert found.kind == kind


def test_which_model(tmp_path: Path) -> None:
    def named(*names: str) -> dict[str, Any]:
        return {"data": [{"id": name} for name in names]}

    with model_server() as server:
        link = link_to(server, tmp_path)
        server.models = named("only")
        assert open_remote(link, "").info.name == "only"
        server.models = named("a", "b")
        assert failing(lambda: open_remote(link, "")).kind == "remote_which_model"
        assert failing(lambda: open_remote(link, "c")).kind == "remote_no_model"
        server.models = named("chat", "some-embedding")
        assert open_remote(link, "").info.name == "chat"
        assert open_remote(link, "some-embedding").info.abilities.embeddings
