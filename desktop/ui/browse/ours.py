"""The organisation's own sources, put together when somebody looks for models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.services.source_browse import SourceBrowser
    from desktop.services.wiring import Services

SOURCE_PREFIX = "source:"


def source_browser(services: Services) -> SourceBrowser:
    """On the parts of the window's services."""
    from desktop.services.source_browse import SourceBrowser  # not before somebody searches

    return SourceBrowser(
        services.sources, services.machine_service, services.history, services.held
    )


def is_ours(repo: str) -> bool:
    """Whether it is a model of a source and no repository of the Hub."""
    return repo.lower().startswith(SOURCE_PREFIX)
