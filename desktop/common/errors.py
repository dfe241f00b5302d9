"""One error tree for the whole house.

Logic raises these and says what happened in `kind` and `params`; only the fronts (window,
command line, server) turn them into words for a person, through `common.messages`.

    HausgeistError
    ├── UsageError              wrong arguments                                   (exit code 2)
    ├── ModelFileError          the file: missing, no GGUF, cut short, malformed, unreadable
    │   └── UnsafeModelError    a well-formed file whose numbers would abort llama.cpp
    ├── MachineError            a machine description that cannot be used
    ├── FitError                no plan can hold the model, or the wish contradicts itself
    ├── EngineError             llama.cpp refused, died, or was asked for what it cannot do
    │   ├── LoadError           the model did not load, with every step that was tried
    │   ├── RequestError        a request that is wrong in itself (too long, bad parameters)
    │   ├── TemplateError       the chat template is broken or runs too long
    │   └── RemoteError         a model server said no, or nothing that makes sense
    ├── NetworkError            the way out: offline, no such host, refused, untrusted, too slow
    │   └── HubError            what the Hub said: not there, locked, too busy, nonsense
    ├── PackError               a pack or a source's index: damaged, foreign, not signed as asked
    ├── CancelledError          somebody asked to stop; no fault
    └── StorageError            the disk: full, read-only, locked, a damaged database
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

Param = str | int | float


class HausgeistError(Exception):
    """A failure with a stable `kind` and the values that its sentence needs.

    `kind` is a slug such as ``not_gguf``; ``errors.<kind>`` in resources/messages holds its
    sentence in every language, with `params` as the named fields. `detail` is for a log or a
    support person (llama.cpp's own words, an errno): never shown alone.
    """

    default_kind: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1

    def __init__(self, kind: str = "", /, *, detail: str = "", **params: Param) -> None:
        self.kind = kind or self.default_kind
        self.params: Mapping[str, Param] = params
        self.detail = detail
        shown = ", ".join(f"{k}={v}" for k, v in params.items())
        super().__init__(f"{self.kind}({shown}){': ' + detail if detail else ''}")


class UsageError(HausgeistError):
    default_kind = "usage"
    exit_code = 2


class ModelFileError(HausgeistError):
    default_kind = "malformed_gguf"


class UnsafeModelError(ModelFileError):
    default_kind = "unsafe_model"


class MachineError(HausgeistError):
    default_kind = "bad_machine"


class FitError(HausgeistError):
    default_kind = "too_large"


class EngineError(HausgeistError):
    default_kind = "engine_failed"


class LoadError(EngineError):
    default_kind = "load_failed"


class RequestError(EngineError):
    default_kind = "bad_request"


class TemplateError(EngineError):
    default_kind = "bad_template"


class RemoteError(EngineError):
    default_kind = "remote_down"


class NetworkError(HausgeistError):
    default_kind = "connection_failed"


class HubError(NetworkError):
    default_kind = "hub_bad_answer"


class PackError(HausgeistError):
    default_kind = "pack_damaged"


class CancelledError(HausgeistError):
    default_kind = "cancelled"


class StorageError(HausgeistError):
    default_kind = "storage"
