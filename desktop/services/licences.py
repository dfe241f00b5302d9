"""What the licences on the Hub mean for somebody who wants to use a model at work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from desktop.library.catalog import Catalog, Licence, OfficeUse

OFFICE = "office"
"""As a query's licence: only what may be used at work."""

# By the Hub's own names: https://huggingface.co/docs/hub/repositories-licenses
_FREE = {
    "afl-3.0": "AFL 3.0",
    "artistic-2.0": "Artistic 2.0",
    "bsd": "BSD",
    "bsd-2-clause": "BSD 2-Clause",
    "bsd-3-clause": "BSD 3-Clause",
    "bsd-3-clause-clear": "BSD 3-Clause Clear",
    "bsl-1.0": "Boost 1.0",
    "cc-by-2.0": "CC BY 2.0",
    "cc-by-2.5": "CC BY 2.5",
    "cc-by-3.0": "CC BY 3.0",
    "cc-by-4.0": "CC BY 4.0",
    "cc0-1.0": "CC0 1.0",
    "cdla-permissive-1.0": "CDLA Permissive 1.0",
    "cdla-permissive-2.0": "CDLA Permissive 2.0",
    "ecl-2.0": "ECL 2.0",
    "etalab-2.0": "Etalab 2.0",
    "isc": "ISC",
    "ms-pl": "MS-PL",
    "ncsa": "NCSA",
    "ofl-1.1": "OFL 1.1",
    "osl-3.0": "OSL 3.0",
    "pddl": "PDDL",
    "postgresql": "PostgreSQL",
    "unlicense": "Unlicense",
    "wtfpl": "WTFPL",
    "zlib": "zlib",
}
_SHARE_ALIKE = {
    "agpl-3.0": "AGPL 3.0",
    "cc-by-sa-3.0": "CC BY-SA 3.0",
    "cc-by-sa-4.0": "CC BY-SA 4.0",
    "epl-1.0": "EPL 1.0",
    "epl-2.0": "EPL 2.0",
    "eupl-1.1": "EUPL 1.1",
    "eupl-1.2": "EUPL 1.2",
    "gpl": "GPL",
    "gpl-2.0": "GPL 2.0",
    "gpl-3.0": "GPL 3.0",
    "lgpl": "LGPL",
    "lgpl-2.1": "LGPL 2.1",
    "lgpl-3.0": "LGPL 3.0",
    "mpl-2.0": "MPL 2.0",
    "odbl": "ODbL",
}
_RESPONSIBLE = {
    "bigcode-openrail-m": "BigCode OpenRAIL-M",
    "bigscience-bloom-rail-1.0": "BigScience BLOOM RAIL 1.0",
    "bigscience-openrail-m": "BigScience OpenRAIL-M",
    "creativeml-openrail-m": "CreativeML OpenRAIL-M",
    "openrail": "OpenRAIL",
    "openrail++": "OpenRAIL++",
}
_LLAMA = {"llama2": "Llama 2", "llama3": "Llama 3", "llama4": "Llama 4"}
_PRIVATE = {
    "apple-amlr": "Apple AMLR",
    "cc-by-nc-2.0": "CC BY-NC 2.0",
    "cc-by-nc-3.0": "CC BY-NC 3.0",
    "cc-by-nc-nd-3.0": "CC BY-NC-ND 3.0",
    "cc-by-nc-nd-4.0": "CC BY-NC-ND 4.0",
    "cc-by-nc-sa-2.0": "CC BY-NC-SA 2.0",
    "cc-by-nc-sa-3.0": "CC BY-NC-SA 3.0",
    "cc-by-nc-sa-4.0": "CC BY-NC-SA 4.0",
    "c-uda": "C-UDA",
    "deepfloyd-if-license": "DeepFloyd IF",
    "fair-noncommercial-research-license": "FAIR Noncommercial Research",
    "h-research": "h-research",
    "intel-research": "Intel Research",
}
_UNCHANGED = {"cc-by-nd-4.0": "CC BY-ND 4.0"}


def _table() -> Mapping[str, Licence]:
    groups: tuple[tuple[Mapping[str, str], OfficeUse, str], ...] = (
        (_FREE, "yes", "free"),
        (_SHARE_ALIKE, "yes", "share_alike"),
        (_UNCHANGED, "yes", "unchanged"),
        (_RESPONSIBLE, "conditions", "responsible"),
        (_LLAMA, "conditions", "llama"),
        (_PRIVATE, "no", "private"),
    )
    return MappingProxyType(
        {
            key: Licence(key, name, office, about)
            for names, office, about in groups
            for key, name in names.items()
        }
    )


_KNOWN = _table()
# A licence of the maker's own, told by its name: what forbids work says so there.
_NOT_AT_WORK = re.compile(
    r"research|non-?commercial|(?:^|[-_ ])(?:nc|mrl|mnpl|amlr|exaone)(?:[-_ .\d]|$)", re.I
)


def licence_of(stated: str, catalog: Catalog, name: str = "") -> Licence:
    """The licence that a repository states by the Hub's tag; `name` is what its card calls one of
    the maker's own ("other")."""
    key = stated.strip().lower()
    if not key or key == "unknown":
        return Licence("")
    known = catalog.licences.get(key) or _KNOWN.get(key)
    if known is not None and key != "other":
        return known
    shown = name.strip() or ("" if key == "other" else stated.strip())
    if _NOT_AT_WORK.search(shown):
        return Licence(key, shown[:60], "no", "private")
    return Licence(key, shown[:60], "conditions", "own")


def may_be_used_at_work(licence: Licence) -> bool:
    """For a filter: yes, or with conditions that are known; a maker's own stays out unread."""
    return licence.office == "yes" or (licence.office == "conditions" and licence.about != "own")
