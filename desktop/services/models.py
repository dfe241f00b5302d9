"""The models of this computer: list them, take files and folders in, let them go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import CancelledError, HausgeistError, ModelFileError
from desktop.engine.cancel import CancelToken
from desktop.fit.types import FitReport, Wish
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.services.fit_model import fit
from desktop.services.import_paths import Candidate, candidates
from desktop.services.measured_speed import as_measured
from desktop.services.recording import Recorder
from desktop.services.removal import ModelRemover, Removal
from desktop.services.store_taking import take_in
from desktop.services.verify import Verifier

LEARNT_AT_ONCE_BYTES = 1 << 30
"""Up to a second's reading a file's hash is taken when it comes in; else at the first check."""

_EXTRA = "no_language_model"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one file: the model in the library, or why not."""

    path: Path
    model: LibraryModel | None
    error: HausgeistError | None


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """`done` of `total` files; `fraction` of the current one is copied."""

    path: Path
    done: int
    total: int
    fraction: float


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One model with its verdict on a machine; None where its file cannot be read."""

    model: LibraryModel
    report: FitReport | None


class ModelsService:
    """The library with what a person wants to know and do about it."""

    def __init__(
        self,
        library: Library,
        models_dir: Callable[[], Path],
        recorder: Recorder | None = None,
        *,
        remover: ModelRemover | None = None,
    ) -> None:
        """`models_dir` tells where copies go. `recorder`: what was learned here, and what is held
        now; for fits on this machine."""
        self._library = library
        self._remover = remover or ModelRemover(library)
        self._verifier = Verifier(library)
        self._models_dir = models_dir
        self._recorder = recorder

    def with_fit(self, machine: Machine, wish: Wish | None = None) -> list[ListedModel]:
        """All models with their verdict by the header's arithmetic: milliseconds a model."""
        return [
            ListedModel(model, self.fit_of(model, machine, wish or Wish()))
            for model in self._library.list()
        ]

    def fit_of(self, model: LibraryModel, machine: Machine, wish: Wish) -> FitReport | None:
        """The verdict on one model; None where its file cannot be read."""
        if model.problem:
            return None
        try:
            return self._fit(model, machine, wish)
        except HausgeistError:
            return None  # `problem` or opening it tells why

    def _fit(self, model: LibraryModel, machine: Machine, wish: Wish) -> FitReport:
        if self._recorder is None:
            return fit(model.path, machine, wish, try_out=False, advise=False)
        corrections = self._recorder.history.corrections(machine)
        ours = self._recorder.held.by_device(machine)
        report = fit(
            model.path,
            machine,
            wish,
            try_out=False,
            corrections=corrections,
            ours=ours,
            advise=False,
        )
        return as_measured(report, self._recorder.history, machine, lambda: model.content)

    def import_paths(
        self,
        paths: Sequence[Path],
        *,
        copy: bool = False,
        progress: Callable[[ImportProgress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> list[ImportResult]:
        """Take in files and, recursively, every model file of folders.

        Nothing is copied unless asked. A file that fails does not stop the others; a folder
        without any model file is a result with error "no_models_in_folder".
        Raises CancelledError.
        """
        token = cancel or CancelToken()
        found = list(candidates(paths, lambda: token.cancelled))
        results: list[ImportResult] = []
        for done, candidate in enumerate(found):
            token.raise_if_cancelled()

            def tell(fraction: float, path: Path = candidate.path, done: int = done) -> None:
                token.raise_if_cancelled()
                if progress is not None:
                    progress(ImportProgress(path, done, len(found), fraction))

            tell(0.0)
            results.append(self._import(candidate, copy=copy, tell=tell))
        token.raise_if_cancelled()
        return _told_apart(found, results)

    def _import(
        self, candidate: Candidate, *, copy: bool, tell: Callable[[float], None]
    ) -> ImportResult:
        path = candidate.path
        try:
            target = self._models_dir() if copy else None
            if candidate.model is not None:
                return ImportResult(
                    path, take_in(self._library, candidate.model, target, tell), None
                )
            header = read_header(path)
            check(header)
            model = self._library.add(path, header, copy_to=target, progress=tell)
            self._verifier.learn(model.name, at_most_bytes=LEARNT_AT_ONCE_BYTES)
        except CancelledError:
            raise
        except HausgeistError as error:
            return ImportResult(path, None, error)
        return ImportResult(path, model, None)

    def removal(self, name: str, *, delete: bool | None = None, for_good: bool = False) -> Removal:
        """What `remove` would do, to be said before. Raises as ModelRemover.plan."""
        return self._remover.plan(name, delete=delete, for_good=for_good)

    def remove(self, name: str, *, delete: bool | None = None, for_good: bool = False) -> Removal:
        """Forget a model; its file goes into the trash only where it is the app's own, or where
        `delete` says so. Raises as ModelRemover.remove."""
        return self._remover.remove(name, delete=delete, for_good=for_good)

    def list(self) -> list[LibraryModel]:
        """All models, the guide first."""
        return self._library.list()


def model_files(path: Path) -> Iterator[Path]:
    """`path` itself, or the models of a folder: first parts of split ones, no projectors."""
    for candidate in candidates([path]):
        if candidate.path != path or not candidate.is_searched:
            yield candidate.path


def _told_apart(found: Sequence[Candidate], results: list[ImportResult]) -> list[ImportResult]:
    """Without the projectors and adapters that came along with models: they are no failures.

    A folder in which only such files lie has no models.
    """
    models = {result.path.parent for result in results if result.model is not None}
    kept = []
    for candidate, result in zip(found, results, strict=True):
        kind = "" if result.error is None else result.error.kind
        if kind == "is_directory" and candidate.is_searched:
            error = ModelFileError("no_models_in_folder", path=str(candidate.path))
            kept.append(ImportResult(candidate.path, None, error))
        elif kind != _EXTRA or not (candidate.is_searched or candidate.path.parent in models):
            kept.append(result)
    if kept or not results:
        return kept
    folder = str(results[0].path.parent)
    return [ImportResult(results[0].path, None, ModelFileError("no_models_in_folder", path=folder))]
