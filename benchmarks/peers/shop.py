"""People in memory, and who is due when: what a program with state of its own does between records.

In: events in log order, and stamps up to which time has passed. Out: transitions, a person's in the order of their
moments, and the names of those who changed. Nothing here writes anywhere.
"""

from __future__ import annotations

import heapq

from benchmarks.peers.event import Event
from benchmarks.peers.person import NEVER, Person, Transition, advance, take


class Shop:
    """People by name, who is due when, and what is not committed yet."""

    def __init__(self, people: dict[str, Person] | None = None) -> None:
        self.people: dict[str, Person] = people or {}
        self.changed: set[str] = set()
        self.fresh: list[Transition] = []
        self._due = [(person.due, name) for name, person in self.people.items() if person.due != NEVER]
        heapq.heapify(self._due)

    @property
    def due(self) -> int:
        """When somebody is due next (ms), NEVER if nobody is."""
        while self._due and self.people[self._due[0][1]].due != self._due[0][0]:
            heapq.heappop(self._due)  # it was set anew since
        return self._due[0][0] if self._due else NEVER

    def take(self, event: Event) -> None:
        """Let time pass up to the event, then fold it."""
        self.wait(event.stamp)
        name = event.person
        person = self.people.get(name)
        if person is None:
            person = self.people[name] = Person()
        due = person.due
        self.fresh += take(person, event)
        self._arm(name, due, person.due)

    def wait(self, stamp: int) -> None:
        """Let time pass up to a stamp (ms)."""
        while self._due and self._due[0][0] <= stamp:
            due, name = heapq.heappop(self._due)
            person = self.people[name]
            if person.due == due:  # else it was set anew since
                self.fresh += advance(person, name, stamp)
                self._arm(name, due, person.due)

    def _arm(self, name: str, before: int, due: int) -> None:
        self.changed.add(name)
        if due not in (before, NEVER):
            heapq.heappush(self._due, (due, name))
