"""Which server it is, and what it understands beyond what all do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from desktop.common.errors import CancelledError, HausgeistError
from desktop.engine.remote.link import LISTING, RemoteLink
from desktop.engine.remote.models import RemoteModel, context_of, parse_models

ServerKind = Literal[
    "openai", "llama_server", "hausgeist", "llama_cpp_python", "vllm", "ollama", "lmstudio", "other"
]

# Our names of samplers and the server's. What is not listed is not sent there.
_STANDARD = {
    "temperature": "temperature",
    "top_p": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
}
_COMMON = {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repeat_penalty"}
_LLAMA = {
    name: name
    for name in (
        "repeat_last_n",
        "dynatemp_range",
        "dynatemp_exponent",
        "typical_p",
        "top_n_sigma",
        "xtc_probability",
        "xtc_threshold",
        "dry_multiplier",
        "dry_base",
        "dry_allowed_length",
        "dry_penalty_last_n",
        "dry_sequence_breakers",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
        "min_keep",
    )
}
_LLAMA_CPP_PYTHON = {
    "mirostat": "mirostat_mode",
    "mirostat_tau": "mirostat_tau",
    "mirostat_eta": "mirostat_eta",
}
_VLLM = {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repetition_penalty"}

_SAMPLERS: Mapping[ServerKind, Mapping[str, str]] = {
    "openai": _STANDARD,
    "llama_server": _STANDARD | _COMMON | _LLAMA,
    "hausgeist": _STANDARD | _COMMON | _LLAMA,
    "llama_cpp_python": _STANDARD | _COMMON | _LLAMA_CPP_PYTHON,
    "vllm": _STANDARD | _VLLM,
    "ollama": _STANDARD,
    "lmstudio": _STANDARD | _COMMON,
    "other": _STANDARD | _COMMON,
}
_OWNERS: Mapping[str, ServerKind] = {
    "llamacpp": "llama_server",
    "hausgeist": "hausgeist",
    "vllm": "vllm",
    "library": "ollama",
    "organization_owner": "lmstudio",
    "organization-owner": "lmstudio",
    "me": "llama_cpp_python",
    "openai": "openai",
    "openai-internal": "openai",
}
_HOSTS: Mapping[str, ServerKind] = {"api.openai.com": "openai"}
_OWN_FIELDS: tuple[ServerKind, ...] = ("llama_server", "hausgeist")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a kind of server understands.

    `has_structured_outputs`: vLLM's newer name for its constraints.
    """

    kind: ServerKind = "other"
    has_structured_outputs: bool = True

    @property
    def samplers(self) -> Mapping[str, str]:
        """The names of our sampling's fields that it knows, as it calls them."""
        return _SAMPLERS[self.kind]

    @property
    def has_own_fields(self) -> bool:
        """Whether it speaks llama-server's own dialect: ``ignore_eos``, progress, mixed prompts."""
        return self.kind in _OWN_FIELDS

    @property
    def has_grammar(self) -> bool:
        """Whether a GBNF grammar may be sent as ``grammar``."""
        return self.has_own_fields or self.kind == "llama_cpp_python"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server told of itself; `audio` and `vision` None where it does not."""

    dialect: Dialect
    models: tuple[RemoteModel, ...]
    vision: bool | None = None
    audio: bool | None = None


def look_at_server(link: RemoteLink) -> ServerFacts:
    """Ask which models there are, and what the server itself tells beside the standard.

    Raises NetworkError, RemoteError.
    """
    models = parse_models(link.ask("/models", purpose=LISTING), link.name)
    kind = _kind_of(link, models)
    if kind == "other":
        kind = _by_its_own_paths(link)
    facts = ServerFacts(Dialect(kind), models)
    if kind in ("llama_server", "hausgeist"):
        return _with_props(link, facts)
    if kind == "ollama":
        return replace(facts, models=_of_ollama(link, models))
    if kind == "lmstudio":
        return _of_lmstudio(link, facts)
    if kind == "vllm":
        return replace(facts, dialect=Dialect(kind, _is_new_vllm(link)))
    return facts


def _kind_of(link: RemoteLink, models: tuple[RemoteModel, ...]) -> ServerKind:
    by_host = _HOSTS.get(link.address.host)
    if by_host is not None:
        return by_host
    for model in models:
        if model.owner in _OWNERS:
            return _OWNERS[model.owner]
    return "other"


def _by_its_own_paths(link: RemoteLink) -> ServerKind:
    """Servers whose models do not tell."""
    if "version" in _asked(link, "/api/version"):
        return "ollama"
    if "default_generation_settings" in _asked(link, "/props"):
        return "llama_server"
    return "other"


def _with_props(link: RemoteLink, facts: ServerFacts) -> ServerFacts:
    """llama-server's ``/props``: the context of one sequence, and what it can see and hear."""
    props = _asked(link, "/props")
    settings = props.get("default_generation_settings")
    context = context_of(settings) if isinstance(settings, Mapping) else 0
    seen = props.get("modalities")
    modalities: Mapping[str, Any] = seen if isinstance(seen, Mapping) else {}
    models = facts.models
    if context and len(models) == 1:
        models = (replace(models[0], context_tokens=context),)
    vision, audio = modalities.get("vision"), modalities.get("audio")
    return replace(
        facts,
        models=models,
        vision=vision if isinstance(vision, bool) else None,
        audio=audio if isinstance(audio, bool) else None,
    )


def _of_ollama(link: RemoteLink, models: tuple[RemoteModel, ...]) -> tuple[RemoteModel, ...]:
    """Ollama's context is what it has loaded a model with; not loaded, nobody knows it."""
    contexts = _loaded_contexts(link)
    return tuple(replace(one, context_tokens=contexts.get(one.id, 0)) for one in models)


def context_after_loading(link: RemoteLink, dialect: Dialect, model: str) -> int:
    """The context of a model that Ollama loads at its first answer; 0 where nobody tells.

    It matters there: a chat that is too long is cut by the server, which says nothing of it.
    """
    return _loaded_contexts(link).get(model, 0) if dialect.kind == "ollama" else 0


def _loaded_contexts(link: RemoteLink) -> Mapping[str, int]:
    running = _asked(link, "/api/ps").get("models")
    found: dict[str, int] = {}
    for entry in running if isinstance(running, list) else ():
        name = entry.get("name", entry.get("model")) if isinstance(entry, Mapping) else None
        if isinstance(name, str):
            found[name] = context_of(entry)
    return found


def _of_lmstudio(link: RemoteLink, facts: ServerFacts) -> ServerFacts:
    told = _asked(link, "/api/v0/models")
    if not told:
        return facts
    own = {model.id: model for model in parse_models(told, link.name)}
    models = tuple(
        replace(
            model,
            context_tokens=own[model.id].context_tokens,
            kind=own[model.id].kind,
            vision=own[model.id].vision,
        )
        if model.id in own
        else model
        for model in facts.models
    )
    return replace(facts, models=models)


def _is_new_vllm(link: RemoteLink) -> bool:
    """From 0.11 on constraints are called "structured_outputs"."""
    version = _asked(link, "/version").get("version")
    numbers = str(version).split(".")[:2]
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers):
        return True
    return (int(numbers[0]), int(numbers[1])) >= (0, 11)


def _asked(link: RemoteLink, path: str) -> Mapping[str, Any]:
    """A server's own document; empty where it has none such: only the list of models is needed."""
    try:
        found = link.ask(path, own_path=True, purpose=LISTING, timeout_s=5.0)
    except CancelledError:
        raise
    except HausgeistError:
        return {}
    return found if isinstance(found, Mapping) else {}
