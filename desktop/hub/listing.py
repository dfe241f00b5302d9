"""What lies in a repository: its files in groups, and the one that a reference means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from desktop.common.errors import HubError
from desktop.hub.answer import Purpose
from desktop.hub.client import HubClient
from desktop.hub.file_names import (
    FileKind,
    is_safe_file,
    kind_of,
    quantization_of,
    split_name,
    split_place,
)
from desktop.hub.refs import DEFAULT_REVISION, HubRef

LISTING = "hub_listing"
_TASTE_BYTES = 1024
_MAX_FILES = 50_000
_MAX_FILE_BYTES = 1 << 50
# What somebody gets who names no quantization: good quality for its size, then what is near it.
_USUAL = ("Q4_K_M", "Q4_K_S", "Q5_K_M", "Q4_K_XL", "Q4_0", "IQ4_NL", "IQ4_XS", "MXFP4", "Q5_K_S",
          "Q6_K", "Q8_0", "Q3_K_L", "Q3_K_M", "BF16", "F16")  # fmt: skip


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file; `size_bytes` and `sha256` as the Hub says, None and "" where it does not."""

    path: str
    size_bytes: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class FileGroup:
    """One model: a file, or all parts of a split one, in order."""

    files: tuple[HubFile, ...]
    quantization: str
    kind: FileKind

    @property
    def path(self) -> str:
        """The first part's path."""
        return self.files[0].path

    @property
    def size_bytes(self) -> int | None:
        """Of all parts together."""
        sizes = [file.size_bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit. `gated`: its owner wants an agreement before handing it out.

    `branch`: where its files are asked for, if the host did not say at which commit they are.
    """

    repo: str
    commit: str
    groups: tuple[FileGroup, ...]
    gated: bool = False
    branch: str = ""

    @property
    def revision(self) -> str:
        """What to ask files at."""
        return self.branch or self.commit

    def of_kind(self, kind: FileKind) -> tuple[FileGroup, ...]:
        return tuple(group for group in self.groups if group.kind == kind)

    def select(self, ref: HubRef) -> FileGroup:
        """The files that `ref` means.

        Raises HubError: hub_no_gguf, hub_no_file, hub_no_quant, hub_several, hub_part_missing.
        """
        if not self.groups:
            raise HubError("hub_no_gguf", repo=self.repo)
        found = self._by_file(ref.file) if ref.file is not None else self._by_quant(ref.quant)
        place = split_place(found.path)
        if place is not None and len(found.files) != place[2]:
            raise HubError("hub_part_missing", repo=self.repo, file=found.path, count=place[2])
        return found

    def _by_file(self, file: str) -> FileGroup:
        for group in self.groups:
            if any(part.path == file for part in group.files):
                return group
        wanted = file.casefold()
        for group in self.groups:  # a name without its folder, or in other letters
            names = {part.path.casefold() for part in group.files}
            if wanted in names or wanted in {name.rpartition("/")[2] for name in names}:
                return group
        raise HubError("hub_no_file", repo=self.repo, file=file)

    def _by_quant(self, quant: str | None) -> FileGroup:
        models = self.of_kind("model")
        if quant is None:
            for usual in _USUAL:
                for group in models:
                    if group.quantization.casefold() == usual.casefold():
                        return group
            if len(models) == 1:
                return models[0]
            raise self._no_quant("", models)
        # A model with "draft" or "lora" in its name is still one if nothing else is meant.
        for groups in (models, self.of_kind("draft"), self.of_kind("lora")):
            for matches in (_is, _is_variant):
                found = [g for g in groups if matches(g.quantization.casefold(), quant.casefold())]
                if found:
                    return self._only(found, quant)
        raise self._no_quant(quant, models)

    def _only(self, found: list[FileGroup], quant: str) -> FileGroup:
        """One of several of a quantization: the one named as the repository is."""
        if len(found) == 1:
            return found[0]
        name = self.repo.partition("/")[2].casefold().removesuffix("-gguf")
        named = [g for g in found if g.path.rpartition("/")[2].casefold().startswith(name)]
        if len(named) == 1:
            return named[0]
        files = _listed(group.path for group in found)
        raise HubError("hub_several", repo=self.repo, quant=quant, files=files)

    def _no_quant(self, quant: str, models: Iterable[FileGroup]) -> HubError:
        known = _listed(dict.fromkeys(g.quantization or g.path for g in models))
        return HubError("hub_no_quant", repo=self.repo, quant=quant, known=known)


def fetch_listing(client: HubClient, repo: str, revision: str = DEFAULT_REVISION) -> Listing:
    """Ask the Hub what lies in `repo`. Raises NetworkError, HubError."""
    path = f"api/models/{repo}"
    if revision != DEFAULT_REVISION:
        path += f"/revision/{quote(revision, safe='')}"
    document = client.json(f"{path}?blobs=true", Purpose(LISTING, repo), repo)
    return read_listing(document, repo, revision)


def listing_of_one(client: HubClient, ref: HubRef) -> Listing:
    """The file that `ref` names and the parts that belong to it, without sizes, at the commit that
    is told when the file is handed out. Raises NetworkError, HubError."""
    path = ref.file or ""
    url = client.file_url(ref.repo, ref.revision, path)
    answer = client.bytes_at(url, 0, _TASTE_BYTES, Purpose(LISTING, ref.repo), ref.repo, path)
    commit = answer.header("x-repo-commit") or ""
    if not is_commit(commit):
        raise HubError("hub_bad_answer", repo=ref.repo, detail="no commit")
    place = split_place(path)
    paths = [path]
    if place is not None:
        stem, _, count = place
        paths = [split_name(stem, number, count) for number in range(1, count + 1)]
    return Listing(ref.repo, commit, group_files(HubFile(path) for path in paths))


def read_listing(document: Any, repo: str, revision: str = DEFAULT_REVISION) -> Listing:
    """A listing out of the Hub's JSON; HubError("hub_bad_answer") for what cannot be one."""
    if not isinstance(document, dict) or not isinstance(document.get("siblings"), list):
        raise HubError("hub_bad_answer", repo=repo, detail="no list of files")
    commit = document.get("sha")
    if commit is not None and (not isinstance(commit, str) or not is_commit(commit)):
        raise HubError("hub_bad_answer", repo=repo, detail="no commit")
    siblings = document["siblings"]
    if len(siblings) > _MAX_FILES:
        raise HubError("hub_bad_answer", repo=repo, detail=f"{len(siblings)} files")
    files = [file for item in siblings if (file := _read_file(item, repo)) is not None]
    gated = document.get("gated") not in (None, False)
    branch = ""
    if commit is None:  # some mirrors; what lies there tells one state from another
        commit, branch = _digest(files), revision
    return Listing(repo, commit, group_files(files), gated, branch)


def group_files(files: Iterable[HubFile]) -> tuple[FileGroup, ...]:
    """The GGUF files among `files`, the parts of a split model together."""
    groups: dict[str, dict[int, HubFile]] = {}
    for file in files:
        if file.path.lower().endswith(".gguf"):
            place = split_place(file.path)
            if place is None:
                groups[file.path] = {1: file}
            else:
                stem, number, count = place
                groups.setdefault(split_name(stem, 1, count), {})[number] = file
    found = []
    for path, parts in groups.items():
        members = tuple(parts[number] for number in sorted(parts))
        found.append(FileGroup(members, quantization_of(path), kind_of(path)))
    return tuple(sorted(found, key=lambda group: group.path))


def _read_file(item: Any, repo: str) -> HubFile | None:
    """None for a name that no system should be asked to write."""
    if not isinstance(item, Mapping):
        raise HubError("hub_bad_answer", repo=repo, detail="a file that is none")
    path = item.get("rfilename")
    if not isinstance(path, str) or not is_safe_file(path):
        return None
    lfs = item.get("lfs")
    lfs = lfs if isinstance(lfs, Mapping) else {}
    size = lfs.get("size", item.get("size"))
    if size is not None and (type(size) is not int or not 0 <= size <= _MAX_FILE_BYTES):
        raise HubError("hub_bad_answer", repo=repo, detail=f"{path}: size {size!r:.40}")
    sha256 = lfs.get("sha256", lfs.get("oid", ""))
    good = isinstance(sha256, str) and _is_hex(sha256, 64)
    return HubFile(path, size, sha256.lower() if good else "")


def _digest(files: Iterable[HubFile]) -> str:
    stated = sorted((file.path, file.size_bytes or 0, file.sha256) for file in files)
    return blake2b(repr(stated).encode(), digest_size=20).hexdigest()


def is_commit(text: str) -> bool:
    """Whether `text` can name a state of a repository for good (40 hex digits at the Hub itself)
    and a folder here."""
    return 7 <= len(text) <= 64 and text.isascii() and text.isalnum()


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and all(c in "0123456789abcdefABCDEF" for c in text)


def _is(found: str, wanted: str) -> bool:
    return found == wanted


def _is_variant(found: str, wanted: str) -> bool:
    """``UD-Q4_K_XL`` for ``Q4_K_XL``: publishers put their own mark in front."""
    return found.endswith(f"-{wanted}")


def _listed(names: Iterable[str], most: int = 12) -> str:
    """Some names for a sentence."""
    known = list(names)
    return ", ".join(known[:most]) + (", …" if len(known) > most else "")
