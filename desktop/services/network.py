"""What of the house reaches outside, put together once: the door, its ledger, the Hub behind it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from desktop.common.errors import HausgeistError
from desktop.common.ledger import Ledger
from desktop.common.paths import Paths
from desktop.common.settings import SettingsStore
from desktop.hub.account import TokenStore
from desktop.hub.client import HubClient
from desktop.hub.door import Door
from desktop.hub.header_cache import HeaderCache
from desktop.hub.policy import NetworkPolicy
from desktop.services.account import Account
from desktop.services.remote_model import RemoteModels

if TYPE_CHECKING:
    from desktop.common.messages import Messages
    from desktop.hub.search import HubSearch
    from desktop.services.catalog_updates import CatalogUpdates
    from desktop.services.network_problem import NetworkProblem


class Network:
    """Makes no connection by itself; the offline switch is asked at every one."""

    def __init__(self, paths: Paths, settings: SettingsStore, env: Mapping[str, str]) -> None:
        self.ledger = Ledger(paths.ledger_file)
        self.tokens = TokenStore(paths.data_dir)
        self.policy = NetworkPolicy(
            env, settings.is_offline, self.tokens.token, settings.certificates
        )
        self.door = Door(self.policy, self.ledger)
        self.hub = HubClient(self.door)
        self.account = Account(self.door, self.tokens)
        self.headers = HeaderCache(paths.cache_dir / "headers")
        self.remote_models = RemoteModels(self.hub, self.headers)
        self._catalog_file = paths.cache_dir / "catalog.json"

    @functools.cached_property
    def search(self) -> HubSearch:
        """The Hub's models by words and filters."""
        # Imported here: every command makes a Network, few search.
        from desktop.hub.search import HubSearch

        return HubSearch(self.hub)

    @functools.cached_property
    def catalog(self) -> CatalogUpdates:
        """The catalogue as of its last refresh."""
        # Imported here: every command makes a Network, few look into the catalogue.
        from desktop.services.catalog_updates import CatalogUpdates

        return CatalogUpdates(self.remote_models, self.headers, self._catalog_file)

    def explain(self, error: HausgeistError, messages: Messages) -> NetworkProblem:
        """What is the matter, with a closer look where that helps: at most 15 s, not in the
        window's own thread."""
        # Imported here: only a failing network needs them.
        from desktop.services.network_findings import look_closer
        from desktop.services.network_problem import explain

        return explain(error, self.policy, messages, findings=look_closer(error, self.door))

    def close(self) -> None:
        """Give up open connections."""
        self.door.close()
