"""Licences as the Hub names them, in words for somebody who works with them."""

from __future__ import annotations

import pytest

from desktop.common.messages import LANGUAGES, Messages
from desktop.library.catalog import shipped_catalog
from desktop.services.catalog_words import licence_explained, licence_words
from desktop.services.licences import _KNOWN, licence_of, may_be_used_at_work

CATALOG = shipped_catalog()


@pytest.mark.parametrize(
    ("stated", "name", "shown", "office", "filtered"),
    [
        ("apache-2.0", "", "Apache 2.0", "yes", True),
        ("MIT", "", "MIT", "yes", True),
        ("gpl-3.0", "", "GPL 3.0", "yes", True),
        ("llama3.1", "", "Llama 3.1", "conditions", True),
        ("llama4", "", "Llama 4", "conditions", True),
        ("gemma", "", "Gemma", "conditions", True),
        ("bigcode-openrail-m", "", "BigCode OpenRAIL-M", "conditions", True),
        ("cc-by-nc-4.0", "", "CC BY-NC 4.0", "no", False),
        ("cc-by-nc-sa-4.0", "", "CC BY-NC-SA 4.0", "no", False),
        ("other", "", "", "conditions", False),
        ("other", "qwen-research", "qwen-research", "no", False),
        ("other", "mrl", "mrl", "no", False),
        ("other", "Mistral AI Non-Production: MNPL-0.1", "Mistral AI Non-Production: MNPL-0.1",
         "no", False),
        ("other", "exaone", "exaone", "no", False),
        ("other", "lfm1.0", "lfm1.0", "conditions", False),
        ("other", "nvidia-open-model-license", "nvidia-open-model-license", "conditions", False),
        ("grok2-community", "", "grok2-community", "conditions", False),
        ("", "", "", "unknown", False),
        ("unknown", "", "", "unknown", False),
    ],
)  # fmt: skip
def test_what_they_mean(stated: str, name: str, shown: str, office: str, filtered: bool) -> None:
    found = licence_of(stated, CATALOG, name)
    assert (found.name, found.office) == (shown, office)
    assert may_be_used_at_work(found) == filtered


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_has_its_words(language: str) -> None:
    messages = Messages(language)  # type: ignore[arg-type]
    for licence in (*_KNOWN.values(), *CATALOG.licences.values(), licence_of("", CATALOG)):
        assert licence_words(licence, messages)
        assert len(licence_explained(licence, messages)) > 20


def test_a_long_name_is_cut() -> None:
    assert len(licence_of("other", CATALOG, "x" * 500).name) == 60
