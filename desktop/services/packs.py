"""Packs: models with their parts, settings, licences and hashes, carried to another computer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop.common.errors import (
    HausgeistError,
    PackError,
    StorageError,
    UsageError,
)
from desktop.common.file_systems import FAT_MOST_BYTES, file_system_of, takes_large_files
from desktop.common.logs import get_logger
from desktop.common.settings import SettingsStore
from desktop.common.storage import free_bytes
from desktop.engine.cancel import CancelToken
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header_from
from desktop.library.catalog import shipped_catalog
from desktop.library.library import Library
from desktop.library.packs.arrival import Arrival, check_pack, delete_staged
from desktop.library.packs.making import (
    Making,
    ModelToPack,
    archive_bytes,
    delete_unfinished,
    require_folder,
    size_of,
    unique_files,
)
from desktop.library.packs.making_folder import FolderMaking
from desktop.library.packs.manifest import INDEX_NAME, PackedModel
from desktop.library.packs.minisign import (
    PublicKey,
    parse_public_key,
    read_secret_key,
)
from desktop.library.packs.opening import OpenPack, open_pack
from desktop.library.packs.progress import OnProgress
from desktop.library.packs.trust import judge
from desktop.library.packs.writer import unfinished, volume_paths
from desktop.services.model_places import ModelPlaces
from desktop.services.pack_contents import contents_of
from desktop.services.pack_intake import InPack, already_here, taken_in
from desktop.services.pack_keys import pinned_keys, signature_bytes, signer
from desktop.services.pack_views import (
    Packed,
    PackPlan,
    PackView,
    PackWish,
    Unpacked,
    UnpackedModel,
)

__all__ = [
    "FAT32_SPLIT_BYTES",
    "PackPlan",
    "PackView",
    "PackWish",
    "Packed",
    "Packs",
    "Unpacked",
    "UnpackedModel",
]

FAT32_SPLIT_BYTES = FAT_MOST_BYTES
"""As much of a file as a FAT32 drive takes: one byte less than 4 GiB."""

_log = get_logger("packs")


class Packs:
    """Any thread; each call works in the thread that makes it."""

    def __init__(
        self,
        library: Library,
        main_folder: Callable[[], Path],
        trusted_keys: Callable[[], Sequence[str]],
        *,
        free: Callable[[Path], int] = free_bytes,
        file_system: Callable[[Path], str] = file_system_of,
    ) -> None:
        """`main_folder` is where new models go, `trusted_keys` what the organisation pins."""
        self._library = library
        self._main_folder = main_folder
        self._trusted_keys = trusted_keys
        self._free = free
        self._file_system = file_system

    @classmethod
    def of(cls, library: Library, places: ModelPlaces, settings: SettingsStore) -> Packs:
        """For this house, as its settings say at the time."""
        return cls(library, places.for_new, lambda: pinned_keys(settings))

    def plan(self, wish: PackWish) -> PackPlan:
        """What packing would write, without writing; `problem` is what it would fail with.

        Raises ModelFileError("unknown_model"), UsageError("guide_not_packed"), PackError.
        """
        models = self._contents(wish)
        file_system = self._file_system(wish.target.parent)
        split_bytes = self._split_bytes(wish, file_system)
        total = sum(file.size_bytes for file in unique_files(models).values())
        volumes = 0
        begun = 0
        if not wish.as_folder:
            signature = 0 if wish.sign_with is None else signature_bytes()
            total = archive_bytes(models, wish.title, signature)
            paths = volume_paths(wish.target, total, split_bytes)
            volumes = len(paths)
            begun = sum(size_of(unfinished(path)) for path in paths)
        problem: HausgeistError | None = None
        room = 0
        try:
            require_folder(wish.target.parent)
            room = self._free(wish.target.parent)
        except StorageError as error:
            problem = error
        if problem is None and total - begun > room:
            problem = StorageError(
                "no_room_for_pack",
                path=str(wish.target.parent),
                needed_bytes=total - begun,
                free_bytes=room,
            )
        return PackPlan(
            wish=wish,
            models=tuple(model.packed for model in models),
            total_bytes=total,
            volumes=volumes,
            split_bytes=split_bytes if volumes > 1 or wish.as_folder else 0,
            begun_bytes=begun,
            free_bytes=room,
            file_system=file_system,
            notes=_licence_notes(models),
            problem=problem,
        )

    def pack(
        self,
        wish: PackWish,
        *,
        progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
        keep_unfinished: bool = True,
    ) -> Packed:
        """Write the pack, from where an interrupted time stopped.

        Raises CancelledError (with `keep_unfinished` the next time goes on), ModelFileError,
        UsageError: sign_key_unreadable, sign_key_password; as Making.run.
        """
        started = time.monotonic()
        models = self._contents(wish)
        key = None if wish.sign_with is None else read_secret_key(wish.sign_with, wish.password)
        split_bytes = self._split_bytes(wish, self._file_system(wish.target.parent))
        sign = None if key is None else signer(key)
        if wish.as_folder:
            run = FolderMaking(
                models, wish.target, split_bytes, wish.title, sign, free=self._free
            ).run
        else:
            run = Making(
                models,
                wish.target,
                split_bytes,
                wish.title,
                sign,
                may_replace=wish.may_replace,
                free=self._free,
            ).run
        made = run(
            progress, None if cancel is None else lambda: cancel.cancelled,
            keep_unfinished=keep_unfinished,
        )  # fmt: skip
        index_sha256 = hashlib.sha256(made.index).hexdigest()
        is_one_file = not wish.as_folder and len(made.volumes) == 1
        return Packed(
            path=wish.target / INDEX_NAME if wish.as_folder else made.volumes[0].path,
            sha256=made.volumes[0].sha256 if is_one_file else index_sha256,
            total_bytes=sum(one.size_bytes for one in made.volumes),
            volumes=made.volumes,
            models=made.manifest.models,
            signed_by="" if key is None else key.public.number,
            seconds=time.monotonic() - started,
        )

    def give_up(self, wish: PackWish) -> None:
        """Delete what an interrupted `pack` has written. Raises StorageError."""
        if not wish.as_folder:
            delete_unfinished(wish.target)

    def forget(self, view: PackView) -> None:
        """Delete what an interrupted `unpack` has brought. Raises PackError, StorageError."""
        pack = open_pack(view.path)
        try:
            delete_staged(pack, view.folder)
        finally:
            pack.close()

    def look(self, path: Path, *, keys: Sequence[PublicKey] = ()) -> PackView:
        """What is inside; quick. With `keys` only what one of them signed may come in.

        Raises StorageError, PackError: as open_pack.
        """
        pack = open_pack(path)
        try:
            return self._view(pack, keys)
        finally:
            pack.close()

    def header(self, view: PackView, model: PackedModel) -> ModelHeader:
        """What the model's own file says, read inside the pack: whether it fits can be said before
        it is unpacked. Raises ModelFileError, PackError, StorageError."""
        return self.header_at(view.path, model)

    def header_at(self, path: Path, model: PackedModel) -> ModelHeader:
        """As `header`, for a pack or a source's folder."""
        pack = open_pack(path)
        try:
            readers = [InPack(pack, file) for file in model.parts]
            return read_header_from(readers, model.parts[0].path, allow_missing_data=False)
        finally:
            pack.close()

    def unpack(
        self,
        view: PackView,
        *,
        only: Sequence[str] | None = None,
        progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Unpacked:
        """Take the models in: nothing of them is visible before every hash was right.

        A model that is in the library already is not written again. Raises the view's `problem`,
        UsageError("pack_no_such_model"), CancelledError; as Arrival.run.
        """
        if view.problem is not None:
            raise view.problem
        started = time.monotonic()
        chosen = _chosen(view, only)
        here = {
            model.packed.name: model
            for one in chosen
            if (model := already_here(self._library, one)) is not None
        }
        wanted = tuple(model for model in chosen if model.name not in here)
        results = dict(here)
        if wanted:
            pack = open_pack(view.path)
            try:
                _require_same(pack, view)
                arrived = Arrival(pack, wanted, self._main_folder(), free=self._free).run(
                    progress, None if cancel is None else lambda: cancel.cancelled
                )
            finally:
                pack.close()
            results |= {one.packed.name: taken_in(self._library, one, view) for one in arrived}
        models = tuple(results[model.name] for model in chosen)
        return Unpacked(view, models, time.monotonic() - started)

    def check(
        self,
        view: PackView,
        *,
        progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Read all of the pack and compare every hash; raises PackError("pack_wrong_hash")."""
        pack = open_pack(view.path)
        try:
            check_pack(pack, progress, None if cancel is None else lambda: cancel.cancelled)
        finally:
            pack.close()

    def _contents(self, wish: PackWish) -> tuple[ModelToPack, ...]:
        if not wish.models:
            raise UsageError("nothing_to_pack")
        found = (contents_of(self._library, text) for text in wish.models)
        return tuple({model.packed.name: model for model in found}.values())

    def _split_bytes(self, wish: PackWish, file_system: str) -> int:
        if wish.split_bytes is not None:
            return wish.split_bytes
        return 0 if takes_large_files(file_system) else FAT32_SPLIT_BYTES

    def _view(self, pack: OpenPack, keys: Sequence[PublicKey]) -> PackView:
        trust = judge(pack.index, pack.signature, keys or self._pinned(), str(pack.path))
        problem = trust.problem
        folder, room = Path(), 0
        try:
            folder = self._main_folder()
            room = self._free(folder)
        except StorageError as error:
            problem = problem or error
        models = pack.manifest.models
        contents = {model.content for model in self._library.list() if not model.problem}
        return PackView(
            path=pack.path,
            manifest=pack.manifest,
            total_bytes=pack.manifest.total_bytes,
            volumes=len(pack.volumes),
            signed_by=trust.signed_by,
            comment=trust.comment,
            is_trusted=trust.is_trusted,
            here=tuple(one.name for one in models if one.content and one.content in contents),
            folder=folder,
            free_bytes=room,
            problem=problem,
        )

    def _pinned(self) -> list[PublicKey]:
        """Raises UsageError("bad_public_key"): a mistyped pin must not open the door."""
        return [parse_public_key(text) for text in self._trusted_keys()]


def _chosen(view: PackView, only: Sequence[str] | None) -> tuple[PackedModel, ...]:
    if only is None:
        return view.manifest.models
    by_name = {model.name.casefold(): model for model in view.manifest.models}
    for name in only:
        if name.casefold() not in by_name:
            raise UsageError("pack_no_such_model", model=name, path=str(view.path))
    wanted = {name.casefold() for name in only}
    return tuple(model for name, model in by_name.items() if name in wanted)


def _require_same(pack: OpenPack, view: PackView) -> None:
    """What was looked at is what is taken in: sticks get exchanged."""
    if pack.manifest != view.manifest:
        raise PackError("pack_changed", path=str(view.path))


def _licence_notes(models: Sequence[ModelToPack]) -> tuple[str, ...]:
    """What to think of before passing them on."""
    licences = {model.packed.licence for model in models}
    uses = {shipped_catalog().licence(licence).office for licence in licences}
    return tuple(f"packs.note.licence_{use}" for use in ("no", "conditions") if use in uses)
