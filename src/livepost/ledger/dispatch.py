"""Which sender gets a mail, and when: breakers, paces and warm-ups together, inside one transaction.

In: the routing, mails that passed the checks. Out: a sender's name for each, or until when it waits. Promised: the
first sender that may be given the mail gets it; a mail of which nobody knows whether its sender has it goes to that one
or waits; what waits has taken no slot, and costs no attempt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from livepost.clock import DAY_MS, HOUR_MS, SECOND_MS
from livepost.ledger import breakers
from livepost.ledger.base import SenderStanding
from livepost.ledger.breakers import Breaker
from livepost.ledger.moves import State
from livepost.ledger.paces import Paces
from livepost.ledger.routing import ANY_DOMAIN, Pace, Routing, SenderRule, day_of
from livepost.ledger.store import Row, Store

PROBE_LOOK_MS = 5 * SECOND_MS
"""How often a mail that waits for one sender looks whether another mail's try there is answered."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The sender's name; or "", until when the mail waits (host ms), and why.

    `long`: for its turn among many, so that claims need not look at it meanwhile.
    """

    sender: str = ""
    until: int = 0
    reason: str = ""
    detail: str = ""
    long: bool = False


class Dispatch:
    """The senders as they are in one transaction; `domains` are keys of the recipients' domains, "" for no pace."""

    def __init__(self, store: Store, routing: Routing, domains: Sequence[str], host_ms: int) -> None:
        """Read what the routing needs: a statement for breakers, and one each for paces and warm-ups if any has one."""
        self._store = store
        self._routing = routing
        self._host_ms = host_ms
        self._breakers = breakers.read(store)
        self._paces = Paces(store, self._keys(domains), host_ms)
        self._warm = self._mails_of_today()
        self._warmed: set[str] = set()

    def allowance(self, limit: int) -> int:
        """Return how many mails may be given to all senders together now, at most `limit`."""
        return min(limit, sum(self._room(rule, limit) for rule in self._routing.senders))

    def give(self, row: Row, lane: str, domain: str) -> Given:
        """Choose a sender and take the slots; or say until when the mail waits."""
        pace = self._domain_pace(domain)
        if pace and (not self._paces.free(domain, pace) or (not row.queued and self._paces.queued(domain, lane))):
            until = self._paces.queue(domain, lane, pace)
            return Given(until=until, reason="pace", detail="waits for the pace of its domain", long=True)
        waits: list[Given] = []
        for rule in self._candidates(row):
            if wait := self._wait(rule, row.class_):
                waits.append(wait)
                continue
            self._take(rule)
            if pace:
                self._paces.take(domain, pace)
            return Given(sender=rule.name)
        return min(waits, key=lambda wait: wait.until, default=self._gone(row))

    def standing(self, rule: SenderRule, told: tuple[Any, ...], by_state: Mapping[State, int]) -> SenderStanding:
        """Return how a sender stands; `told` is its row's words and sums, `by_state` counts its mails."""
        breaker = self._breaker(rule)
        waits = breaker.waits(self._host_ms)
        _, answered, troubled, trouble, trouble_at = told
        return SenderStanding(
            name=rule.name,
            breaker="closed" if breaker.closed else "open" if waits else "half-open",
            open_until=breaker.open_until,
            answered=answered,
            troubled=troubled,
            trouble=trouble,
            trouble_at=trouble_at,
            slots=self._paces.free(sender_key(rule), rule.pace) if rule.pace else None,
            quota=rule.warm_up.quota(self._host_ms) if rule.warm_up else None,
            today=self._warm.get(rule.name, 0),
            in_flight=by_state.get("in_flight", 0),
            unknown=by_state.get("unknown", 0),
            by_state=by_state,
        )

    def save(self) -> None:
        """Write what was taken."""
        self._paces.save()
        for name in sorted(self._warmed):
            self._store.write(
                "INSERT INTO warm_days VALUES (?,?,?) ON CONFLICT (sender, day) DO UPDATE SET mails = excluded.mails",
                (name, day_of(self._host_ms), self._warm[name]),
            )

    def _candidates(self, row: Row) -> Sequence[SenderRule]:
        """Return the senders that may have the mail; of one that ledgers of before do not name, it was the only one."""
        if not row.pinned:
            return self._routing.senders
        if not row.sender:
            return self._routing.senders[:1]
        return [rule for rule in self._routing.senders if rule.name == row.sender]

    def _wait(self, rule: SenderRule, class_: str) -> Given | None:
        """Return why and until when a sender cannot have a mail; None if it can."""
        breaker = self._breaker(rule)
        if not breaker.closed and not breaker.tries(self._host_ms):
            until = breaker.open_until if breaker.waits(self._host_ms) else self._host_ms + PROBE_LOOK_MS
            return Given(until=until, reason="breaker", detail=f"waits for {rule.name} to be well again")
        if class_ != "transactional" and not self._warm_enough(rule):
            midnight = (day_of(self._host_ms) + 1) * DAY_MS
            return Given(until=midnight, reason="warm_up", detail=f"waits for {rule.name} to warm up", long=True)
        if rule.pace and not self._paces.free(sender_key(rule), rule.pace):
            until = self._host_ms + max(1, rule.pace.step_us // 1_000)
            return Given(until=until, reason="pace", detail=f"waits for the pace of {rule.name}")
        return None

    def _take(self, rule: SenderRule) -> None:
        breaker = self._breaker(rule)
        if not breaker.closed:
            breakers.probe(self._store, breaker, self._host_ms)
        if rule.pace:
            self._paces.take(sender_key(rule), rule.pace)
        if rule.warm_up:
            self._warm[rule.name] = self._warm.get(rule.name, 0) + 1
            self._warmed.add(rule.name)

    def _gone(self, row: Row) -> Given:
        """Return the wait of a mail whose sender the settings do not name any more."""
        return Given(
            until=self._host_ms + HOUR_MS,
            reason="sender",
            detail=f"perhaps {row.sender} has it, which senders does not name any more",
            long=True,
        )

    def _room(self, rule: SenderRule, limit: int) -> int:
        breaker = self._breaker(rule)
        if not breaker.closed:
            return int(breaker.tries(self._host_ms))
        return self._paces.free(sender_key(rule), rule.pace) if rule.pace else limit

    def _warm_enough(self, rule: SenderRule) -> bool:
        quota = rule.warm_up.quota(self._host_ms) if rule.warm_up else None
        return quota is None or self._warm.get(rule.name, 0) < quota

    def _breaker(self, rule: SenderRule) -> Breaker:
        return self._breakers.setdefault(rule.name, Breaker(rule.name))

    def _domain_pace(self, domain: str) -> Pace | None:
        return self._routing.domains.get(ANY_DOMAIN if domain.startswith(ANY_DOMAIN) else domain)

    def _keys(self, domains: Sequence[str]) -> list[str]:
        paced = [sender_key(rule) for rule in self._routing.senders if rule.pace]
        return [*paced, *(key for domain in domains if domain for key in Paces.keys_of(domain))]

    def _mails_of_today(self) -> dict[str, int]:
        if not any(rule.warm_up for rule in self._routing.senders):
            return {}
        found = self._store.rows("SELECT sender, mails FROM warm_days WHERE day = ?", (day_of(self._host_ms),))
        return dict(found)


def sender_key(rule: SenderRule) -> str:
    """Return the key of a sender's pace; no domain has a blank in it."""
    return f"sender {rule.name}"


def standings(store: Store, routing: Routing, host_ms: int) -> list[SenderStanding]:
    """Return how each sender stands, in their order, inside a transaction."""
    dispatch = Dispatch(store, routing, (), host_ms)
    told = {row[0]: row for row in store.rows("SELECT sender, answered, troubled, trouble, trouble_at FROM breakers")}
    by_sender: defaultdict[str, dict[State, int]] = defaultdict(dict)
    for sender, state, count in store.rows("SELECT sender, state, count FROM sender_tallies WHERE count != 0"):
        by_sender[sender][state] = count
    return [
        dispatch.standing(rule, told.get(rule.name, (rule.name, 0, 0, "", 0)), by_sender[rule.name])
        for rule in routing.senders
    ]
