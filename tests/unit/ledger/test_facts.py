"""Facts of a group against facts told one by one from whole tables, by code that shares nothing with them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from livepost.clock import DAY_MS, SimulatedClock
from livepost.ids import digest
from livepost.ledger import facts
from livepost.ledger.checks import Facts, refusal
from livepost.ledger.facts import GroupFacts, facts_of
from livepost.ledger.sqlite import SqliteLedger, SqliteStore
from livepost.ledger.store import ROW, Row, decode_decision
from livepost.model.decision import ConsentChange, Decision, Merge, OutboxItem
from livepost.testing.contracts.ledger import START_MS, decision, page

PEOPLE = [digest("person", n) for n in range(6)]
ADDRESSES = [digest("address", n) for n in range(4)]
WORDS = ("marketing", "topic:news", "frequency:1 per 3d")
COUNTING = ("claimed", "in_flight", "unknown", "sent")


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as one:
        yield one


def filled_by(chance: random.Random, ledger: SqliteLedger) -> SqliteStore:
    """Let a ledger have what chance brings: words, withdrawals, merges, kills, and mails in all states."""
    items: list[OutboxItem] = [drawn_item(chance, number) for number in range(60)]
    ledger.take_over(page(*items), START_MS)
    for person in chance.sample(PEOPLE, 2):
        ledger.withdraw(person, chance.choice(WORDS), START_MS + chance.randrange(60), "link")
    ledger.suppress(chance.choice(ADDRESSES), "bounced", START_MS)
    for name in chance.sample(["a", "*", "*complaints"], chance.choice([0, 0, 0, 1])):
        ledger.kill(name, True, START_MS)
    store = ledger._store
    assert isinstance(store, SqliteStore)
    states = ("pending", *COUNTING, "failed", "skipped")
    with store.transaction():
        for (id_,) in store.rows("SELECT id FROM deliveries"):
            reason = chance.choice(["", "rejected"])
            store.change(
                "UPDATE deliveries SET state = ?, reason = ? WHERE id = ?", (chance.choice(states), reason, id_)
            )
    return store


def drawn_item(chance: random.Random, number: int) -> OutboxItem:
    person = chance.choice(PEOPLE)
    kind = chance.random()
    if kind < 0.05:
        return Merge(old=person, new=chance.choice(PEOPLE), position=number)
    if kind < 0.3:
        return ConsentChange(
            person=person,
            purpose=chance.choice(WORDS),
            allowed=chance.random() < 0.7,
            at=START_MS + number,
            position=number,
            source="web",
            message_id=f"m{number}",
        )
    caps: dict[str, Any] = {"cap_times": chance.randrange(3), "cap_per_ms": chance.choice([DAY_MS, 5 * DAY_MS])}
    wide = ((chance.randrange(1, 4), 4 * DAY_MS),) if chance.random() < 0.5 else ()
    class_ = chance.choice(["marketing", "marketing", "marketing", "transactional"])
    return decision(
        number,
        person=person,
        at=START_MS + chance.randrange(8) * DAY_MS,
        campaign=chance.choice("ab"),
        class_=class_,
        lane="transactional" if class_ == "transactional" else "triggered",
        topic=chance.choice(["", "news"]),
        overall=wide,
        entered_at=chance.choice([None, START_MS + chance.randrange(8) * DAY_MS]),
        reentry_ms=chance.choice([None, 0, DAY_MS]),
        **caps,
    )


def told_one_by_one(store: SqliteStore, row: Row, mine: Decision, address: bytes | None) -> Facts:
    """Return the facts of one delivery from whole tables, as they stand."""
    said = {
        purpose: (bool(allowed), at)
        for person, purpose, allowed, at in store.rows("SELECT person, purpose, allowed, at FROM consents")
        if person == row.person
    }
    withdrawn = {
        purpose: at
        for person, purpose, at in store.rows("SELECT person, purpose, at FROM withdrawals")
        if person == row.person
    }
    refused = [word for word in WORDS[1:] if row.class_ == "marketing" and is_refused(word, said, withdrawn)]
    others = [
        (other, decode_decision(other.body))
        for other in (Row(*values) for values in store.rows(f"SELECT {ROW} FROM deliveries"))
        if other.person == row.person and other.id != row.id and (other.state in COUNTING or other.reason == "rejected")
    ]

    def marketing(per_ms: int) -> int:
        return sum(other.class_ == "marketing" and abs(other.at - row.at) < per_ms for other, _ in others)

    mine_too = [(other, its) for other, its in others if other.campaign == row.campaign]
    kills = {name for (name,) in store.rows("SELECT campaign FROM kills")}
    names = [old for old, new in store.rows("SELECT old, new FROM persons") if new == row.person]
    granted, granted_at = said.get(row.purpose, (None, 0))
    return Facts(
        class_=row.class_,
        killed=row.campaign in kills or (row.class_ == "marketing" and bool(kills & {"*", "*complaints"})),
        suppressed=(address,) in store.rows("SELECT address FROM suppressions"),
        granted=granted,
        granted_at=granted_at,
        withdrawn_at=withdrawn.get(row.purpose),
        sends=sum(abs(other.at - row.at) < row.cap_per_ms for other, _ in mine_too) if row.cap_times else 0,
        cap_times=row.cap_times,
        capped=any(marketing(per_ms) >= times for times, per_ms in mine.overall),
        merged=bool(names) and any(keeps_out(its, mine) for _, its in mine_too),
        topic_off=mine.topic == "news" and "topic:news" in refused,
        frequent="frequency:1 per 3d" in refused and marketing(3 * DAY_MS) >= 1,
    )


def is_refused(word: str, said: dict[str, tuple[bool, int]], withdrawn: dict[str, int]) -> bool:
    allowed, at = said.get(word, (True, -1))
    return not allowed or withdrawn.get(word, -2) >= at


def keeps_out(its: Decision, mine: Decision) -> bool:
    if its.entered_at is None or mine.entered_at is None or its.cause == mine.cause:
        return False
    apart = abs(its.entered_at - mine.entered_at)
    if mine.reentry_ms is None or apart < mine.reentry_ms:
        return its.at > -1 if mine.reentry_ms is None else its.at > mine.entered_at - mine.reentry_ms
    late = its.at > mine.entered_at - mine.reentry_ms
    return late and its.entered_at < mine.at and mine.entered_at < its.at


def differences(store: SqliteStore, state: str, addresses: bool, limit: int = 40) -> int:
    """Go through a group as claim or confirm does, moving what has nothing against it; return how many facts differ."""
    wrong = 0
    with store.transaction():
        found = store.rows(f"SELECT {ROW} FROM deliveries WHERE state = ? ORDER BY number LIMIT ?", (state, limit))
        rows = [Row(*values) for values in found]
        decisions = [decode_decision(row.body) for row in rows]
        given = [ADDRESSES[number % len(ADDRESSES)] for number in range(len(rows))] if addresses else []
        group = facts_of(store, rows, decisions, 0, given)
        for place, (row, mine) in enumerate(zip(rows, decisions, strict=True)):
            told = told_one_by_one(store, row, mine, given[place] if addresses else None)
            wrong += told != group.of(place)
            if refusal(told):
                store.move(row, "skipped", START_MS, refusal(told))
            else:
                store.move(row, "claimed" if state == "pending" else "in_flight", START_MS)
    return wrong


@pytest.mark.parametrize("seed", range(25))
def test_facts_of_a_group_are_those_of_each_delivery_behind_the_ones_before_it(ledger: SqliteLedger, seed: int) -> None:
    store = filled_by(random.Random(seed), ledger)
    assert differences(store, "pending", addresses=False) == 0
    assert differences(store, "claimed", addresses=True) == 0


def test_a_group_that_does_not_count_its_own_mails_would_be_found(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GroupFacts, "_beside_it", lambda self, row, cap: 0)
    assert differences(filled_by(random.Random(1), ledger), "pending", addresses=False) > 0


def test_more_caps_than_are_counted_at_a_time_are_counted(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "COUNTED_AT_A_TIME", 3)
    assert differences(filled_by(random.Random(1), ledger), "pending", addresses=False) == 0


@pytest.mark.parametrize("mails", [1, 20])
def test_a_group_is_asked_for_in_as_many_statements_as_one_mail(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, mails: int
) -> None:
    capped = {"cap_times": 1, "cap_per_ms": DAY_MS, "overall": ((9, DAY_MS),)}
    people = [digest("person", number) for number in range(mails)]
    ledger.take_over(page(*(decision(n, person=one, **capped) for n, one in enumerate(people))), START_MS)
    store = ledger._store
    with store.transaction():
        rows = [Row(*values) for values in store.rows(f"SELECT {ROW} FROM deliveries")]
        asked = counted(store, monkeypatch)
        facts_of(store, rows, [decode_decision(row.body) for row in rows], 0, [row.id for row in rows])
    assert len(asked) == 8


def counted(store: Any, patch: pytest.MonkeyPatch) -> list[str]:
    """Return the list to which statements are added that a store is asked from now on."""
    asked: list[str] = []
    rows = store.rows

    def noted(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return list(rows(sql, values))

    patch.setattr(store, "rows", noted)
    return asked
