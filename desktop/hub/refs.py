"""What names a model on the Hub: a repository, and in it a file or a quantization."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from desktop.common.errors import UsageError
from desktop.hub.file_names import is_safe_file

DEFAULT_REVISION = "main"

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPO = re.compile(rf"{_PART}/{_PART}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# org/repo, perhaps @revision, perhaps :file or :quantization
_SHORT = re.compile(
    r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?(?::(?P<rest>.+))?",
    re.ASCII,
)
_PREFIX = re.compile(r"hf://|(?:huggingface|hf)\.co/", re.IGNORECASE)
_HUB_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co")
_PAGES = ("resolve", "blob", "raw", "tree")


@dataclass(frozen=True, slots=True)
class HubRef:
    """`file` is a path in the repository, `quant` a quantization's name; both None: the best
    known default. `revision` is a branch, a tag or a commit."""

    repo: str
    file: str | None = None
    quant: str | None = None
    revision: str = DEFAULT_REVISION

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return _COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        at = "" if self.revision == DEFAULT_REVISION else f"@{self.revision}"
        rest = self.file or self.quant
        return f"{self.repo}{at}{f':{rest}' if rest else ''}"


def parse_ref(text: str, endpoint: str = "") -> HubRef:
    """`org/repo:FILE.gguf`, `org/repo:QUANT`, `org/repo@revision:...` or a page's address.

    `endpoint` is the Hub's own address where it is not the public one.
    Raises UsageError("bad_hub_ref").
    """
    stripped = text.strip()
    if re.match(r"https?://", stripped, re.IGNORECASE):
        found = _from_url(stripped, endpoint)
    else:
        found = _from_short(stripped)
    if found is None or not _is_good(found):
        raise UsageError("bad_hub_ref", model=text)
    return found


def is_repo_name(text: str) -> bool:
    """Whether `text` can be a repository: ``org/name``."""
    return _REPO.fullmatch(text) is not None and "--" not in text and ".." not in text


def _from_short(text: str) -> HubRef | None:
    match = _SHORT.fullmatch(_PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text)
    if match is None:
        return None
    rest = match["rest"]
    is_file = rest is not None and rest.lower().endswith(".gguf")
    return HubRef(
        match["repo"],
        file=rest if is_file else None,
        quant=None if is_file else rest,
        revision=match["revision"] or DEFAULT_REVISION,
    )


def _from_url(text: str, endpoint: str) -> HubRef | None:
    """``https://huggingface.co/org/repo/resolve/main/file.gguf`` and the like."""
    try:
        url = urlsplit(text)
        own = urlsplit(endpoint)
        known = url.hostname in _HUB_HOSTS or (url.hostname and url.netloc == own.netloc)
    except ValueError:
        return None
    if not known:
        return None
    path = unquote(url.path)
    if url.netloc == own.netloc and own.path.strip("/"):
        path = path.removeprefix(own.path.rstrip("/"))
    words = [word for word in path.split("/") if word]
    if len(words) >= 2 and ":" in words[1]:  # https://hf.co/org/repo:Q4_K_M
        return _from_short("/".join(words))
    if len(words) < 2 or (len(words) > 2 and words[2] not in _PAGES):
        return None
    repo, revision = "/".join(words[:2]), DEFAULT_REVISION
    if len(words) > 3:
        revision = words[3]
    file = "/".join(words[4:])
    return HubRef(repo, file=file if file.lower().endswith(".gguf") else None, revision=revision)


def _is_good(ref: HubRef) -> bool:
    if not is_repo_name(ref.repo) or _REVISION.fullmatch(ref.revision) is None:
        return False
    if ".." in ref.revision:
        return False
    if ref.file is not None and not is_safe_file(ref.file):
        return False
    return ref.quant is None or re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", ref.quant) is not None
