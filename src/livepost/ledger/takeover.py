"""Taking over a page of the outbox: decisions, cancellations, consents, merges, undone ones, and the cursor, in one
transaction.

In: an OutboxPage, in order of position. Out: TakenOver. Promised: a decision at or behind the fence is
compared, never inserted; the same page twice changes nothing; the cursor never goes back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeAlias, cast

import msgspec

from livepost.ledger import choices, consents, permits
from livepost.ledger.base import LANES, TakenOver
from livepost.ledger.choices import name_of, names_of
from livepost.ledger.erasures import ERASED, forgotten
from livepost.ledger.moves import CANCELLABLE
from livepost.ledger.persons import merge, part
from livepost.ledger.store import CURSOR, Row, Store, decode_decision
from livepost.model.decision import Cancellation, ConsentChange, Decision, Merge, Parting
from livepost.model.outbox import OutboxPage

WORDS = frozenset(("cause_text", "detail"))
"""Fields of a decision that are words for people: another wording is no divergence."""


LATER = frozenset(("entered_at", "reentry_ms"))
"""Fields of a decision that ledgers of before do not have: what is not there is no divergence."""

Other: TypeAlias = Cancellation | ConsentChange | Merge | Parting
"""What a page has beside decisions."""


def read_cursor(store: Store) -> int:
    """Return the fence inside a transaction; -1 at first."""
    found = store.rows("SELECT number FROM bookmarks WHERE name = ?", (CURSOR,))
    return int(found[0][0]) if found else -1


def take_over(store: Store, page: OutboxPage, now_ms: int) -> TakenOver:
    """Apply the page inside a transaction."""
    fence = read_cursor(store)
    inserted = compared = diverged = 0
    for kind, run in groupby(page.items, key=type):
        if kind is Decision:
            for new, differs in _take_decisions(store, cast("list[Decision]", list(run)), fence, now_ms):
                inserted += new
                compared += not new
                diverged += differs
        else:
            for item in run:
                if item.position > fence:
                    _take_other(store, cast(Other, item), now_ms)
    cursor = max(fence, page.complete_to)
    store.change(
        "INSERT INTO bookmarks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number",
        (CURSOR, cursor),
    )
    return TakenOver(inserted=inserted, compared=compared, diverged=diverged, cursor=cursor)


def _take_decisions(
    store: Store, decisions: Sequence[Decision], fence: int, now_ms: int
) -> Iterator[tuple[bool, bool]]:
    """Take decisions that follow each other; yield of each whether it is new, and whether it differs from what the
    ledger has. What is known of them is asked for in one statement a kind.
    """
    known = store.rows_of([decision.id for decision in decisions])
    names = names_of(store, [decision.person for decision in decisions])
    erased = forgotten(store, [names.get(decision.person, decision.person) for decision in decisions])
    for decision in decisions:
        if (row := known.get(decision.id)) is not None:
            fields = differing(decode_decision(row.body), decision)
            yield False, _note_divergence(store, decision, fields)
        elif decision.position <= fence:
            yield False, _note_divergence(store, decision, ("missing",))
        else:
            person = names.get(decision.person, decision.person)
            row = known[decision.id] = _insert(store, decision, person, now_ms)
            if person in erased and row.state == "pending":
                store.move(row, "skipped", now_ms, ERASED)
            yield True, False


def _insert(store: Store, decision: Decision, person: bytes, now_ms: int) -> Row:
    row = store.insert(decision, person, rank(decision.lane), now_ms, spread(decision))
    if decision.skip:
        store.move(row, "skipped", now_ms, decision.skip, decision.detail)
    return row


def spread(decision: Decision) -> int:
    """Return when a mail of a broadcast is let go (workspace's ms), 0 at once.

    Its place among all of them is drawn from its id; they come ever faster: after a tenth of the time a hundredth has.
    """
    if not decision.over_ms:
        return 0
    place = int.from_bytes(decision.id[:8], "big") / 2**64
    return decision.at + round(decision.over_ms * math.sqrt(place))


def rank(lane: str) -> int:
    """Return a lane's place in the order of claiming."""
    return LANES.index(lane) if lane in LANES else len(LANES)


def differing(known: msgspec.Struct, told: msgspec.Struct) -> tuple[str, ...]:
    """Return the names of the fields in which two decisions, or two transitions, differ: but for WORDS, and for what an
    older version did not note of a decision.
    """
    before = isinstance(known, Decision) and known.entered_at is None
    unknown = WORDS | LATER if before else WORDS
    names = (name for name in known.__struct_fields__ if name not in unknown)
    return tuple(name for name in names if getattr(known, name) != getattr(told, name))


def _note_divergence(store: Store, decision: Decision, fields: tuple[str, ...]) -> bool:
    if fields:
        store.change(
            "INSERT INTO divergences VALUES (?,?,?,?,1) ON CONFLICT (decision) DO UPDATE"
            " SET times = divergences.times + 1, fields = excluded.fields, position = excluded.position",
            (decision.id, decision.campaign, decision.position, " ".join(fields)),
        )
    return bool(fields)


def _take_other(store: Store, item: Other, now_ms: int) -> None:
    match item:
        case Cancellation():
            _cancel(store, item, now_ms)
        case ConsentChange():
            _take_consent(store, item)
        case Merge():
            merge(store, item.old, item.new)
        case Parting():
            part(store, item)


def _cancel(store: Store, item: Cancellation, now_ms: int) -> None:
    """Skip what is not written yet; of what is, only note that the cancellation came too late."""
    row = store.row(item.decision)
    if row is None or row.state == "skipped":
        return
    if row.state in CANCELLABLE:
        store.move(row, "skipped", now_ms, item.reason, item.detail)
    else:
        store.change(
            "INSERT INTO notes VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
            (item.decision, item.reason, item.detail, item.at),
        )


def _take_consent(store: Store, item: ConsentChange) -> None:
    """Keep the newest by position: the engine folds consent in its own order and tells each change. What comes from a
    page is the echo of a proof that stands already; what one said who was erased meanwhile is nobody's.
    """
    if forgotten(store, [item.person]):
        return
    choices.note_event(store, item)
    permits.note(store, person=item.person)
    name = name_of(store, item.person)
    with consents.followed(store, [name], consents.cause_of(item), item.purpose):
        _keep_consent(store, name, item)


def _keep_consent(store: Store, name: bytes, item: ConsentChange) -> None:
    store.change(
        "INSERT INTO consents VALUES (?,?,?,?,?,?,?) ON CONFLICT (person, purpose) DO UPDATE SET"
        " allowed = excluded.allowed, at = excluded.at, position = excluded.position,"
        " source = excluded.source, message_id = excluded.message_id"
        " WHERE excluded.position >= consents.position",
        (
            name,
            item.purpose,
            int(item.allowed),
            item.at,
            item.position,
            item.source,
            item.message_id,
        ),
    )
