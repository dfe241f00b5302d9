"""All stores of a person, one after the other: none stops another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from desktop.library.files import identity
from desktop.library.stores.gpt4all import read_gpt4all
from desktop.library.stores.huggingface import read_huggingface, read_llamacpp
from desktop.library.stores.jan import read_jan
from desktop.library.stores.lmstudio import read_lmstudio
from desktop.library.stores.model import STORES, StoreFolder, StoreKind
from desktop.library.stores.ollama import places_of_service, read_ollama
from desktop.library.stores.places import Surroundings, ollama_places

Stop = Callable[[], bool]
Reader = Callable[[Surroundings, Stop], Iterator[StoreFolder]]


def find_stores(
    around: Surroundings,
    stores: Sequence[StoreKind] = STORES,
    should_stop: Stop = lambda: False,
) -> Iterator[StoreFolder]:
    """Every store in which something is, each folder once a store, by whatever path."""
    for kind in stores:
        seen: set[tuple[int, int]] = set()
        for found in _READERS[kind](around, should_stop):
            if not found.models and found.problem is None:
                continue
            place = identity(found.path)
            if place is not None and place in seen:
                continue
            if place is not None:
                seen.add(place)
            yield found


def _ollama(around: Surroundings, should_stop: Stop) -> Iterator[StoreFolder]:
    for root in dict.fromkeys([*ollama_places(around), *places_of_service(around)]):
        found = read_ollama(root, should_stop)
        if found is not None:
            yield found


_READERS: dict[StoreKind, Reader] = {
    "ollama": _ollama,
    "lmstudio": read_lmstudio,
    "jan": read_jan,
    "gpt4all": read_gpt4all,
    "huggingface": read_huggingface,
    "llamacpp": read_llamacpp,
}
