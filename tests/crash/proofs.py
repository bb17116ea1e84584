"""What must hold of a data folder that nobody writes any more. Each proof returns what is wrong; nothing is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from typing import Any

import msgspec

from livepost.deliver.keep import each
from livepost.intake.seal import UNDECLARED, open_value
from livepost.ledger.store import decode_decision
from livepost.log.base import LogReader
from livepost.model.decision import Decision, Transition
from livepost.model.record import Kind, Record
from livepost.runtime.data.folder import DataFolder
from livepost.vault.base import Vault
from tests.crash.house import SOURCE, rows_of
from tests.crash.replaying import Told

WORDS = ("cause_text", "detail")


def records_of(log: LogReader) -> Iterator[Record]:
    """Go through a log, record by record."""
    after = -1
    while blocks := log.read(after, 5_000):
        for block in blocks:
            yield from block.records()
        after = blocks[-1].first + blocks[-1].count - 1


def lost_or_unreadable(folder: DataFolder, acked: Collection[str]) -> list[str]:
    """Return the message ids that were acknowledged and are not in the log, or do not read as they were sent."""
    readable = set()
    with closing(folder.log_reader()) as log, closing(folder.vault(readonly=True)) as vault:
        for record in records_of(log):
            if record.source == SOURCE and _reads_as_sent(record, vault, folder.settings.workspace):
                readable.add(record.message_id)
    return sorted(set(acked) - readable)


def folding_trouble(folder: DataFolder, counts: dict[str, int]) -> list[str]:
    """Return what is wrong with the fates of events: each id once processed, the rest duplicates, nothing missing."""
    with closing(folder.log_reader()) as log:
        ids = [(record.source, record.message_id) for record in records_of(log) if record.kind is Kind.EVENT]
        known = log.events_after(-1)
    wanted = {"processed": len(set(ids)), "duplicate": len(ids) - len(set(ids))}
    found = {name: count for name, count in counts.items() if count or name in wanted}
    trouble = [] if found == wanted else [f"expected the fates {wanted}, got {found}"]
    return trouble + ([] if known == len(ids) else [f"the log counts {known} events and holds {len(ids)}"])


def mail_trouble(folder: DataFolder, told: Told, lost_at_most: int) -> list[str]:
    """Return what is wrong with the mails: each decision once in the ledger, its mail once in the mailbox.

    `told` is what the engine decided; `lost_at_most` mails may have been in flight when a courier was killed. A
    marketing mail may be in flight once only, whatever the mailbox makes of a second one.
    """
    ledger = dict(_deliveries(folder))
    mails = Counter(_mailbox(folder))
    sent = {id for id, (_, state) in ledger.items() if state == "sent"}
    return [
        *(f"decision {id.hex()} has {count} mails" for id, count in mails.items() if count > 1),
        *(f"decision {id.hex()} is sent and has no mail" for id in sent - set(mails)),
        *(f"decision {id.hex()} has a mail and is {ledger.get(id, ('', 'nowhere'))[1]}" for id in set(mails) - sent),
        *_differences(told.decisions, {id: decision for id, (decision, _) in ledger.items()}),
        *(f"marketing decision {id.hex()} was in flight {times} times" for id, times in _flown_again(folder)),
        *([f"{unknown_once(folder)} mails were unknown"] if unknown_once(folder) > lost_at_most else []),
    ]


def unknown_once(folder: DataFolder) -> int:
    """Return of how many mails nobody knew, for a time or for good, whether they were sent."""
    sql = "SELECT count(DISTINCT decision) FROM moves WHERE after = 'unknown'"
    ((count,),) = rows_of(folder.path / "ledger.db", sql)
    assert isinstance(count, int)
    return count


def divergences(folder: DataFolder) -> list[str]:
    """Return the divergences that the ledger shows."""
    return [str(row) for row in rows_of(folder.path / "ledger.db", "SELECT campaign, fields FROM divergences")]


def differences(one: Told, other: Told) -> list[str]:
    """Return in what two engines' accounts of a log differ; what was pruned from an outbox is not looked at."""
    pairs = {
        "transitions": (_by_id(one), _by_id(other)),
        "people": (one.people, other.people),
        "counts": (+Counter(one.counts), +Counter(other.counts)),
    }
    return [f"{name} differ" for name, (here, there) in pairs.items() if here != there]


def _by_id(told: Told) -> list[Transition]:
    """Return the transitions in an order of their own: that of different people at one moment means nothing."""
    return sorted(told.transitions, key=lambda transition: transition.id)


def _reads_as_sent(record: Record, vault: Vault, workspace: str) -> bool:
    """Open every seal of a record; say whether its note is the id it was sent under."""
    keys = vault.keys(record.subject)
    opened: dict[str, Any] = {}
    for field in record.sealed:
        value = record.sealed_value(field)
        assert value is not None
        opened[field] = open_value(keys, workspace, value)
    return bool(opened[UNDECLARED]["note"] == record.message_id)


def _deliveries(folder: DataFolder) -> Iterator[tuple[bytes, tuple[Decision, str]]]:
    for body, state in rows_of(folder.path / "ledger.db", "SELECT body, state FROM deliveries"):
        assert isinstance(body, bytes)
        decision = decode_decision(body)
        yield decision.id, (decision, str(state))


def _flown_again(folder: DataFolder) -> Iterator[tuple[bytes, int]]:
    sql = (
        "SELECT d.id, count(*) FROM moves m JOIN deliveries d ON d.id = m.decision"
        " WHERE m.after = 'in_flight' AND d.class = 'marketing' GROUP BY d.id HAVING count(*) > 1"
    )
    for id, times in rows_of(folder.path / "ledger.db", sql):
        assert isinstance(id, bytes) and isinstance(times, int)
        yield id, times


def _mailbox(folder: DataFolder) -> Iterator[bytes]:
    with closing(folder.vault(readonly=True)) as vault:
        for mail in each(folder.mailbox, vault, folder.settings.workspace):
            yield mail.decision


def _differences(decided: dict[bytes, Decision], taken: dict[bytes, Decision]) -> Iterator[str]:
    yield from (f"decision {id.hex()} is not in the ledger" for id in decided.keys() - taken.keys())
    yield from (f"decision {id.hex()} is in the ledger and nobody made it" for id in taken.keys() - decided.keys())
    for id in decided.keys() & taken.keys():
        if _without_words(decided[id]) != _without_words(taken[id]):
            yield f"decision {id.hex()} is {taken[id]} in the ledger, and was made as {decided[id]}"


def _without_words(decision: Decision) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(decision).items() if name not in WORDS}
