"""What the checks need to know about the deliveries of a group: one statement a kind of fact, not one a delivery.

In: rows of deliveries with their decisions, and addresses where they are known. Out: facts of each. Promised: each is
told of as it stands when it is asked for: what those of the group before it became meanwhile counts for its caps.

Sends are counted by the time of their decisions: a backlog must not turn what the engine allowed into a refusal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from livepost.ledger import choices
from livepost.ledger.base import ALL_MARKETING, COMPLAINTS, EVERY_PURPOSE
from livepost.ledger.checks import Facts
from livepost.ledger.moves import COUNTS_FOR_CAP, REJECTED
from livepost.ledger.store import Row, Store, decode_decision, filled, places
from livepost.model.decision import ASKED_FOR, Decision

NAMESAKES_MAX = 1_000
"""Mails of one campaign, the newest, among which one is looked for that a merged person had under another name."""

COUNTED_AT_A_TIME = 500
"""Caps whose mails one statement counts."""

_STATES = ", ".join(f"'{state}'" for state in COUNTS_FOR_CAP)
_CAPPED = f"(state IN ({_STATES}) OR reason = '{REJECTED}')"
"""What counts for a cap: a mail that its provider rejected too, so that no provider's word makes room for another."""

_SAID = """SELECT c.person, c.purpose, c.allowed, c.at, t.valid_ms FROM consents AS c
    LEFT JOIN consent_terms AS t ON t.purpose = c.purpose WHERE c.person IN ({})"""
_WITHDRAWN = "SELECT person, purpose, at FROM withdrawals WHERE person IN ({})"
_MERGED = "SELECT DISTINCT new FROM persons WHERE new IN ({})"
_SUPPRESSED = "SELECT address FROM suppressions WHERE address IN ({})"
_LIMITS = "SELECT person, kind, purpose FROM limits WHERE person IN ({})"
_KILLED = "SELECT campaign FROM kills"

_ASKED = "(?,?,?,?,?)"

_SENDS = f""" SELECT asked.place, (SELECT count(*) FROM deliveries WHERE person = asked.person
    AND campaign = asked.campaign AND at > asked.since AND at < asked.until AND {_CAPPED} AND id NOT IN ({{ids}}))
    FROM asked"""

_OVERALL = f""" SELECT asked.place, (SELECT count(*) FROM deliveries WHERE person = asked.person
    AND class = 'marketing' AND at > asked.since AND at < asked.until AND {_CAPPED} AND id NOT IN ({{ids}}))
    FROM asked"""

_NAMED = "(?,?,?,?)"

_NAMESAKES = f"""WITH asked (place, person, campaign, since) AS (VALUES {{asked}})
    SELECT place, body FROM (
        SELECT asked.place AS place, d.body AS body, row_number() OVER (PARTITION BY asked.place ORDER BY d.at DESC)
            AS newest
        FROM asked JOIN deliveries d ON d.person = asked.person AND d.campaign = asked.campaign AND d.at > asked.since
        WHERE {_CAPPED} AND d.id NOT IN ({{ids}})
    ) AS found WHERE newest <= ?"""


class _Cap(msgspec.Struct, frozen=True):
    """Mails of a person between two times, both left out, of one campaign, or "" for marketing of any: at most so
    many.
    """

    person: bytes
    campaign: str
    since: int
    until: int
    times: int


class GroupFacts:
    """What is known about the deliveries of one group, inside a transaction."""

    def __init__(
        self, store: Store, rows: Sequence[Row], decisions: Sequence[Decision], now_ms: int, addresses: Sequence[bytes]
    ) -> None:
        """Read what there is to read; without `addresses` they are not known yet."""
        self._store = store
        self._now_ms = now_ms
        self._rows = rows
        self._decisions = decisions
        self._addresses = addresses
        persons = filled(sorted({row.person for row in rows}))
        self._said = _by_person(_found(store, _SAID, persons))
        self._withdrawn = _by_person(_found(store, _WITHDRAWN, persons))
        self._merged = {bytes(name) for (name,) in _found(store, _MERGED, persons)}
        self._limits = {(bytes(one), kind, purpose) for one, kind, purpose in _found(store, _LIMITS, persons)}
        self._suppressed = {bytes(one) for (one,) in _found(store, _SUPPRESSED, filled(sorted(set(addresses))))}
        self._killed = {campaign for (campaign,) in store.rows(_KILLED)}
        self._beside: defaultdict[bytes, list[Row]] = defaultdict(list)
        for row in rows:
            self._beside[row.person].append(row)
        self._refused = [self._choices(row) for row in rows]
        self._own = [_own_cap(row) for row in rows]
        self._wide = [_wide_caps(*one) for one in zip(rows, decisions, self._refused, strict=True)]
        self._sends = self._counted(_SENDS, [cap for cap in self._own if cap])
        self._overall = self._counted(_OVERALL, list(chain.from_iterable(chain.from_iterable(self._wide))))
        self._namesakes = self._mails_of_namesakes()

    def of(self, place: int) -> Facts:
        """Return the facts of one of the deliveries as it stands now."""
        row, decision, refused = self._rows[place], self._decisions[place], self._refused[place]
        granted, granted_at, valid_ms = self._said.get(row.person, _NOTHING).get(row.purpose, (None, 0, None))
        (withdrawn_at,) = self._withdrawn.get(row.person, _NOTHING).get(row.purpose, (None,))
        own, (overall, wished) = self._own[place], self._wide[place]
        return Facts(
            class_=row.class_,
            killed=self._is_killed(row),
            suppressed=bool(self._addresses) and self._addresses[place] in self._suppressed,
            granted=None if granted is None else bool(granted),
            granted_at=granted_at,
            withdrawn_at=withdrawn_at,
            expired=valid_ms is not None and granted_at + valid_ms <= self._now_ms,
            sends=self._sends[own] + self._beside_it(row, own) if own else 0,
            cap_times=row.cap_times,
            capped=any(self._is_reached(row, cap) for cap in overall),
            merged=row.person in self._merged and self._went_under_another_name(place),
            topic_off=choices.is_off(refused, decision.topic),
            restricted=self._is_restricted(row),
            objected=self._objects(row),
            frequent=any(self._is_reached(row, cap) for cap in wished),
        )

    def _is_killed(self, row: Row) -> bool:
        killed = self._killed
        if not killed:
            return False
        return row.campaign in killed or (row.class_ == "marketing" and not killed.isdisjoint(_ALL))

    def _is_restricted(self, row: Row) -> bool:
        """Say whether the person's data is only kept; what a program asks for by itself is no campaign's mail."""
        return row.campaign not in ASKED_FOR and (row.person, "restricted", EVERY_PURPOSE) in self._limits

    def _objects(self, row: Row) -> bool:
        limits = self._limits
        return bool(limits) and any((row.person, "objected", one) in limits for one in (row.purpose, EVERY_PURPOSE))

    def _choices(self, row: Row) -> frozenset[str]:
        if row.class_ != "marketing":
            return frozenset()
        return choices.refused_choices(self._said.get(row.person, _NOTHING), self._withdrawn.get(row.person, _NOTHING))

    def _counted(self, statement: str, caps: Sequence[_Cap]) -> dict[_Cap, int]:
        """Return how many mails beside those of the group count for each cap."""
        found: dict[_Cap, int] = {}
        ids = filled([row.id for row in self._rows])
        for first in range(0, len(caps), COUNTED_AT_A_TIME):
            asked = filled(caps[first : first + COUNTED_AT_A_TIME])
            values = ((place, cap.person, cap.campaign, cap.since, cap.until) for place, cap in enumerate(asked))
            told = self._store.rows(
                f"WITH asked (place, person, campaign, since, until) AS (VALUES {', '.join(_ASKED for _ in asked)})"
                + statement.format(ids=places(ids)),
                [*chain.from_iterable(values), *ids],
            )
            found.update((asked[place], count) for place, count in told)
        return found

    def _mails_of_namesakes(self) -> dict[int, list[Decision]]:
        """Return by place the mails that may be of a journey which a merged person had under another name, but for
        those of the group.
        """
        ids = filled([row.id for row in self._rows])
        asked = [
            (place, row.person, row.campaign, _since(decision))
            for place, (row, decision) in enumerate(zip(self._rows, self._decisions, strict=True))
            if row.person in self._merged and decision.entered_at is not None
        ]
        if not asked:
            return {}
        more = [(-1, b"", "", 0)] * (len(filled(asked)) - len(asked))
        told = self._store.rows(
            _NAMESAKES.format(asked=", ".join([_NAMED] * (len(asked) + len(more))), ids=places(ids)),
            [*chain.from_iterable(asked), *chain.from_iterable(more), *ids, NAMESAKES_MAX],
        )
        found: defaultdict[int, list[Decision]] = defaultdict(list)
        for place, body in told:
            found[place].append(decode_decision(body))
        return found

    def _went_under_another_name(self, place: int) -> bool:
        """Say whether a mail of the campaign that is or may be sent is of a journey beside which this one's would not
        have begun, had one known before a merge that both are one person's.

        Within one name the engine sees to it. Only mails decided after `entered_at - reentry` can be of such a journey.
        """
        row, mine = self._rows[place], self._decisions[place]
        beside = (
            decode_decision(other.body)
            for other in self._beside[row.person]
            if other.id != row.id and other.campaign == row.campaign and _counts(other) and other.at > _since(mine)
        )
        return any(_keeps_out(other, mine) for other in chain(self._namesakes.get(place, ()), beside))

    def _is_reached(self, row: Row, cap: _Cap) -> bool:
        return self._overall[cap] + self._beside_it(row, cap) >= cap.times

    def _beside_it(self, row: Row, cap: _Cap) -> int:
        """Return how many of the group count for a cap now, but for the delivery itself."""
        others = self._beside[row.person]
        if len(others) == 1:
            return 0
        return sum(other.id != row.id and _counts(other) and _is_of(other, cap) for other in others)


_NOTHING: Mapping[str, Any] = {}
_ALL = (ALL_MARKETING, COMPLAINTS)


def facts_of(
    store: Store, rows: Sequence[Row], decisions: Sequence[Decision], now_ms: int, addresses: Sequence[bytes] = ()
) -> GroupFacts:
    """Return what the checks need to know about a group of deliveries, inside a transaction at `now_ms`."""
    return GroupFacts(store, rows, decisions, now_ms, addresses)


def _by_person(found: Sequence[Sequence[Any]]) -> dict[bytes, dict[str, tuple[Any, ...]]]:
    """Return what stands behind person and purpose, by both."""
    kept: defaultdict[bytes, dict[str, tuple[Any, ...]]] = defaultdict(dict)
    for person, purpose, *told in found:
        kept[person][purpose] = tuple(told)
    return kept


def _found(store: Store, statement: str, asked: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """Return what is found of those asked for."""
    return store.rows(statement.format(places(asked)), asked) if asked else []


def _own_cap(row: Row) -> _Cap | None:
    """Return the cap of the delivery's campaign, None without one."""
    if not row.cap_times:
        return None
    return _Cap(row.person, row.campaign, row.at - row.cap_per_ms, row.at + row.cap_per_ms, row.cap_times)


def _wide_caps(row: Row, decision: Decision, refused: frozenset[str]) -> tuple[list[_Cap], list[_Cap]]:
    """Return the caps on mails of all campaigns: the campaigns' own, and those that the person wishes."""
    own = [_Cap(row.person, "", row.at - per_ms, row.at + per_ms, times) for times, per_ms in decision.overall]
    wished = choices.caps_in(refused) if refused else ()
    return own, [_Cap(row.person, "", row.at - per_ms, row.at + per_ms, times) for times, per_ms in wished]


def _counts(row: Row) -> bool:
    """Say of a delivery what _CAPPED says."""
    return row.state in COUNTS_FOR_CAP or row.reason == REJECTED


def _is_of(row: Row, cap: _Cap) -> bool:
    if not cap.since < row.at < cap.until:
        return False
    return row.campaign == cap.campaign if cap.campaign else row.class_ == "marketing"


def _since(mine: Decision) -> int:
    """Return behind which time the other journey's mails are."""
    return -1 if mine.entered_at is None or mine.reentry_ms is None else mine.entered_at - mine.reentry_ms


def _keeps_out(other: Decision, mine: Decision) -> bool:
    """Say whether two journeys overlap, or are nearer to each other than re-entry allows; of one journey are the mails
    of one cause.
    """
    if other.entered_at is None or mine.entered_at is None or other.cause == mine.cause:
        return False
    if mine.reentry_ms is None or abs(other.entered_at - mine.entered_at) < mine.reentry_ms:
        return True
    return other.entered_at < mine.at and mine.entered_at < other.at
