"""What the Hub cannot be asked for and is left out here: by licence, by what this machine holds."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.hub.search import FoundRepo
from desktop.library.catalog import shipped_catalog


@dataclass(frozen=True, slots=True)
class Sieve:
    """`office`: only licences under which the model may be used at work, conditions included."""

    office: bool = False

    @property
    def is_open(self) -> bool:
        """Whether everything goes through."""
        return not self.office

    def lets_through(self, found: FoundRepo) -> bool:
        if not self.office:
            return True
        return shipped_catalog().licence(found.licence_id).office in ("yes", "conditions")
