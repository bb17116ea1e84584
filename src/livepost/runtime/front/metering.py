"""What `/metrics` tells, gathered as it is asked for.

In: the data folder, the ledger, who asks the engine. Out: metric families. Promised: an engine that does not answer, or
a book that cannot be read, keeps nothing else from being told.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress

from livepost.clock import WallClock
from livepost.control.requests import Requests
from livepost.errors import StoreError
from livepost.govern.rights.deadline import SOON_MS
from livepost.ledger.base import Ledger
from livepost.ledger.routing import Routing
from livepost.model.told import CourierStatus, Status
from livepost.observe.exposition import Family
from livepost.ops.metrics import (
    Destination,
    audience_metrics,
    engine_metrics,
    mail_metrics,
    request_metrics,
    sender_metrics,
    webhook_metrics,
)
from livepost.ops.webhooks import WebhookStanding, webhook_standings
from livepost.runtime.data.folder import DataFolder
from livepost.sync.book import Book as Audiences


class Metering:
    """Gathers metrics of one house."""

    def __init__(
        self,
        folder: DataFolder,
        ledger: Ledger,
        routing: Routing,
        *,
        engine: Callable[[], tuple[Status, int]],
        couriers: Callable[[], CourierStatus],
    ) -> None:
        """Take whom to ask: `engine` tells its status and the last position of the log, or raises StoreError."""
        self._folder = folder
        self._ledger = ledger
        self._routing = routing
        self._engine = engine
        self._couriers = couriers

    def families(self) -> list[Family]:
        """Return all metrics; raise StoreError if the ledger does not answer."""
        return [
            *self._of_engine(),
            *mail_metrics(self._ledger.counts(), self._ledger.outcome_counts(), self._couriers()),
            *sender_metrics(self._ledger.senders(self._routing)),
            *webhook_metrics(self._targets()),
            *audience_metrics(self._destinations()),
            *request_metrics(self._requests()),
        ]

    def _of_engine(self) -> list[Family]:
        try:
            status, last = self._engine()
        except StoreError:
            return engine_metrics(None, log=-1, ledger=-1)
        return engine_metrics(status, log=last, ledger=self._ledger.cursor())

    def _requests(self) -> dict[str, int]:
        with suppress(StoreError), closing(self._folder.control()) as store:
            return Requests(store).standing(WallClock().now_ms(), SOON_MS)
        return {}

    def _targets(self) -> list[WebhookStanding]:
        if self._folder.webhooks_file.exists():
            with suppress(StoreError):
                return webhook_standings(self._folder.settings.webhooks, self._folder.webhooks_file)
        return []

    def _destinations(self) -> list[Destination]:
        names = [one.name for one in self._folder.settings.audiences]
        if names and self._folder.audiences_file.exists():
            with suppress(StoreError), closing(Audiences(self._folder.audiences_file)) as book:
                return [Destination(name, book.standing(name), book.tally(name)) for name in names]
        return []
