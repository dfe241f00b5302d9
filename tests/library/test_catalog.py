"""The catalogue that ships: what it says, and headers for files that nobody has fetched."""

from __future__ import annotations

import json

import pytest

from desktop.common.errors import StorageError
from desktop.common.resources import read_text
from desktop.fit.layers import layer_caches
from desktop.gguf.safety import check
from desktop.library import catalog
from desktop.library.catalog import (
    TASKS,
    CatalogModel,
    parse_catalog,
    shipped_catalog,
)

CATALOG = shipped_catalog()
CATALOG_FILE = catalog.CATALOG
WITH_FILES = [model for model in CATALOG.models if model.files]


def model(identifier: str) -> CatalogModel:
    found = CATALOG.get(identifier)
    assert found is not None
    return found


def test_every_task_has_several_models() -> None:
    assert len(CATALOG.models) >= 55
    for task in TASKS:
        assert len(CATALOG.for_task(task)) >= 3


def test_names_and_references_are_unique() -> None:
    assert len({entry.id for entry in CATALOG.models}) == len(CATALOG.models)
    assert len({entry.name for entry in CATALOG.models}) == len(CATALOG.models)
    references = [file.reference for entry in WITH_FILES for file in entry.files]
    assert len(set(references)) == len(references)


@pytest.mark.parametrize("entry", WITH_FILES, ids=lambda entry: str(entry.id))
def test_every_file_can_be_planned_for(entry: CatalogModel) -> None:
    for file in entry.files:
        header = entry.header(file)
        assert header is not None
        check(header)
        assert header.file_bytes == file.file_bytes
        assert header.tensor_bytes == pytest.approx(file.file_bytes, rel=0.05, abs=20_000_000)
        assert len(layer_caches(header)) == header.block_count
        assert not header.complete


def test_unknown_stays_unknown() -> None:
    jina = model("jina-embeddings-v4")
    assert jina.blueprint is None
    assert jina.released is None
    assert jina.licence.office == "unknown"
    assert model("qwen3.6-27b").german is None
    assert model("phi-4").files == ()


def test_every_stated_licence_is_explained() -> None:
    stated = {entry.licence.id for entry in CATALOG.models} - {""}
    assert stated <= CATALOG.licences.keys()
    assert model("gpt-oss-20b").licence.office == "yes"
    assert model("gemma-3-27b").licence.office == "conditions"


def test_licences_of_files_are_known_however_they_are_written() -> None:
    assert CATALOG.licence("MIT").office == "yes"
    assert CATALOG.licence("a licence of its own").office == "unknown"
    assert CATALOG.licence("").id == ""


def test_sizes_that_a_source_has_are_taken_as_they_are() -> None:
    (file,) = model("multilingual-e5-small").files
    assert (file.file_bytes, file.exact) == (241_873_728, True)
    assert "HilbertRaum" in file.source


@pytest.mark.parametrize(
    ("identifier", "quantization", "tensor_bytes"),
    [
        # What llama.cpp printed when it loaded the real files (public load logs).
        ("gpt-oss-20b", "MXFP4", 12_096_558_336),
        ("gpt-oss-120b", "MXFP4", 63_374_323_968),
        ("gemma-3-1b", "Q8_0", 1_062_773_248),
        ("qwen3.5-2b", "Q8_0", 2_001_050_880),
        ("gemma-4-12b", "Q4_K_M", 7_365_558_464),
        ("qwen3-coder-30b-a3b", "Q4_K_M", 18_550_716_416),
    ],
)
def test_computed_sizes_meet_real_loads(
    identifier: str, quantization: str, tensor_bytes: int
) -> None:
    blueprint = model(identifier).blueprint
    assert blueprint is not None
    computed = blueprint.file_bytes(quantization) - blueprint.header_bytes
    assert computed == pytest.approx(tensor_bytes, rel=0.01)


@pytest.mark.parametrize(
    ("quantization", "gib"),
    [
        # What llama.cpp's own quantizer prints for Llama 3 8B.
        ("Q2_K", 2.96),
        ("Q3_K_M", 3.74),
        ("Q4_0", 4.34),
        ("Q4_K_M", 4.58),
        ("Q5_K_M", 5.33),
        ("Q6_K", 6.14),
        ("Q8_0", 7.96),
    ],
)
def test_computed_sizes_meet_the_quantizers_own(quantization: str, gib: float) -> None:
    blueprint = model("llama-3.1-8b").blueprint
    assert blueprint is not None
    computed = blueprint.file_bytes(quantization) - blueprint.header_bytes
    assert computed / 2**30 == pytest.approx(gib, rel=0.006)


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.pop("models"),
        lambda document: document["models"][0].pop("name"),
        lambda document: document["models"][0].update(files=[7]),
        lambda document: document.update(licences=[]),
        lambda document: document["models"][0]["shape"].update(tensors=[["a"]]),
    ],
)
def test_a_damaged_catalogue_is_told(damage: object, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(read_text(CATALOG_FILE))
    damage(document)  # type: ignore[operator]
    monkeypatch.setattr(catalog, "read_text", lambda _name: json.dumps(document))
    shipped_catalog.cache_clear()
    try:
        with pytest.raises(StorageError) as caught:
            shipped_catalog()
    finally:
        shipped_catalog.cache_clear()
    assert caught.value.kind == "resource_missing"


def test_an_unknown_licence_is_not_taken_for_a_free_one() -> None:
    document = json.loads(read_text(CATALOG_FILE))
    document["models"][0]["licence"] = "new-licence-9"
    assert parse_catalog(document).models[0].licence.office == "unknown"


def test_the_smallest_gemma_speaks_english() -> None:
    """A gallery gave it the family's "over 140 languages", which hold for the larger ones."""
    by_id = {model.id: model for model in shipped_catalog().models}
    small, large = by_id["gemma-3-1b"], by_id["gemma-3-27b"]
    assert small.languages is not None
    assert large.languages is not None
    assert (small.languages.codes, small.languages.count) == (("en",), 0)
    assert large.languages.count == 140
