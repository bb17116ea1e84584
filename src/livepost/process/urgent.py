"""Which decisions may go before what stands before them in the outbox: those of transactional mails.

In: outbox items with their numbers, as they are committed. Out: the urgent ones behind a number. Promised: whoever
takes these first and then all in order has in the end what reading in order alone gives. A person's decision waits for
a merge or a parting of them that stands before it, since by these a ledger knows whose mails count together.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from itertools import islice

from livepost.model.decision import Cancellation, Decision, Merge, OutboxItem, Parting

TRANSACTIONAL = "transactional"


class UrgentItems:
    """The urgent items of one outbox, and what holds them up."""

    def __init__(self) -> None:
        """Begin with an empty outbox."""
        self._items: deque[tuple[int, OutboxItem]] = deque()
        self._decided: set[bytes] = set()
        self._ties: defaultdict[bytes, list[int]] = defaultdict(list)
        self._tied: deque[tuple[int, bytes]] = deque()

    def note(self, first: int, items: Iterable[OutboxItem]) -> None:
        """Take what a commit brought; its items have the numbers from `first` on."""
        for number, item in enumerate(items, first):
            match item:
                case Decision():
                    if item.class_ == TRANSACTIONAL and item.lane == TRANSACTIONAL:
                        self._items.append((number, item))
                        self._decided.add(item.id)
                case Cancellation():
                    if item.decision in self._decided:
                        self._items.append((number, item))
                case Merge():
                    self._tie(number, item.old, item.new)
                case Parting():
                    self._tie(number, item.person, item.other, *item.subjects)

    def after(self, number: int, read: int, limit: int) -> list[tuple[int, OutboxItem]]:
        """Return at most `limit` items with a number > `number`, for whom has read the outbox up to the number `read`.

        >>> UrgentItems().after(0, 0, 10)
        []
        """
        behind = max(number, read)
        free = (one for one in self._items if one[0] > behind and not self._is_tied(*one, read))
        return list(islice(free, limit))

    def served(self, upto: int) -> None:
        """Forget items with a position <= `upto`: they were read in order."""
        while self._items and self._items[0][1].position <= upto:
            _, item = self._items.popleft()
            if isinstance(item, Decision):
                self._decided.discard(item.id)

    def read(self, number: int) -> None:
        """Forget merges and partings up to a number: they were read in order."""
        while self._tied and self._tied[0][0] <= number:
            at, person = self._tied.popleft()
            left = self._ties[person]
            left.remove(at)
            if not left:
                del self._ties[person]

    def _tie(self, number: int, *persons: bytes) -> None:
        for person in set(persons):
            self._ties[person].append(number)
            self._tied.append((number, person))

    def _is_tied(self, number: int, item: OutboxItem, read: int) -> bool:
        if not isinstance(item, Decision) or item.person not in self._ties:
            return False
        return any(read < tie < number for tie in self._ties[item.person])
