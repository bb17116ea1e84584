"""The stores of a data folder, each with what it holds of a person and who answers for that: STORES.

In: a folder. Out: registrations; a standing each. Promised: a file that no store claims fails a test, and so does a
store that does not say how a person is erased from it, what it gives to an export, and how long it keeps what it has.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from livepost.govern.rights.store import DataStore
from livepost.model.standing import StoreStanding
from livepost.runtime.rights import decoding, giving
from livepost.runtime.rights.reach import Reach

Store: TypeAlias = DataStore[Reach]

NOBODY = "nothing of anybody"

STORES: tuple[Store, ...] = (
    Store(
        name="log",
        purpose="every accepted event, in the order it came",
        holds="what a person did: ids and personal values sealed under the person's keys, declared fields open",
        erased_by="vault",
        erased="the keys are destroyed: what was sealed opens for nobody, what is open belongs to a number without a "
        "name; a record says from when on the person is gone",
        kept="`retention_days`, by whole segments; a personal field as long as policy.toml says, if that is shorter",
        kept_by="log",
        decodes=decoding.log,
        gives=giving.log,
    ),
    Store(
        name="state.db",
        purpose="people, segments, journeys: made of the log",
        holds="a person's features, segments, journeys and transitions; personal values sealed",
        erased_by="state",
        erased="the engine drops the person when it folds the record of the erasure; transitions keep the number",
        kept="while the person is known; transitions 90 days",
        kept_by="person",
        decodes=decoding.people,
        gives=giving.state,
    ),
    Store(
        name="state.db.images",
        purpose="people as they were a while ago, whole: where a start begins",
        holds="rows of people as they were; personal values sealed",
        erased_by="vault",
        erased="the keys are destroyed, and a start folds the record of the erasure; the next image is without them",
        kept="until the next image is whole",
        kept_by="itself",
        decodes=decoding.people,
        instead="the state of now is given",
    ),
    Store(
        name="state.rocksdb",
        purpose="the same as state.db, in RocksDB",
        holds="what state.db holds",
        erased_by="state",
        erased="as from state.db; old bytes stay, sealed, until RocksDB compacts them",
        kept="as in state.db",
        kept_by="person",
        decodes=decoding.people,
        instead="it stands in the place of state.db, and is asked as that is",
    ),
    Store(
        name="state.rocksdb.images",
        purpose="its people, whole",
        holds="what state.db.images hold",
        erased_by="vault",
        erased="as from state.db.images",
        kept="until the next image is whole",
        kept_by="itself",
        decodes=decoding.people,
        instead="the state of now is given",
    ),
    Store(
        name="snapshots",
        purpose="the state as it was at some records: where a replay may begin",
        holds="people as they were; personal values sealed",
        erased_by="vault",
        erased="the keys are destroyed; a replay that begins there folds the record of the erasure",
        kept="the newest three",
        kept_by="itself",
        decodes=decoding.kept_states,
        instead="the state of now is given",
    ),
    Store(
        name="replay",
        purpose="a state that `livepost replay` builds; it goes when that is done",
        holds="people, made of the log anew; personal values sealed",
        erased_by="vault",
        erased="the keys are destroyed; the replay folds the record of the erasure",
        kept="until the replay ends",
        kept_by="itself",
        decodes=decoding.replayed,
        instead="the state of now is given",
    ),
    Store(
        name="ledger.db",
        purpose="decisions, deliveries, consents, suppressions",
        holds="mails decided and sent, consents and their proofs, drafts sealed, addresses as keyed hashes",
        erased_by="ledger",
        erased="addresses, drafts, wishes, consents go; open mails are skipped; rows keep the number; a suppression "
        "stays as a keyed hash, and a keyed hash of each id with the time",
        kept="deliveries, proofs and suppressions for good; open wishes until they expire; addresses, answers of "
        "servers and events of providers `mail_days`",
        kept_by="ledger",
        decodes=decoding.ledger,
        gives=giving.ledger,
    ),
    Store(
        name="webhooks.db",
        purpose="how far each webhook's target was told, and dead letters of webhooks",
        holds="messages that a target did not take, which name people by number",
        erased_by="webhooks",
        erased="messages about the person go; each target is told `person.erased`",
        kept="dead letters until replayed, then 30 days; `mail_days` at most",
        kept_by="webhooks",
        decodes=decoding.webhooks,
        gives=giving.webhooks,
        instead="messages repeat what transitions, decisions and receipts say",
    ),
    Store(
        name="audiences.db",
        purpose="what each destination of audiences has of whom (as keyed hashes), and who waits",
        holds="by what a vendor knows a person, sealed under a key of the workspace, and which lists they are in",
        erased_by="audiences",
        erased="each vendor is asked to forget the person; the row goes when the vendor has answered",
        kept="while the vendor has the person",
        kept_by="person",
        decodes=decoding.audiences,
        gives=giving.audiences,
    ),
    Store(
        name="audit.db",
        purpose="who saw and who changed what, in a chain",
        holds="numbers of people, never an id of theirs",
        erased_by="vault",
        erased="nothing is taken out of the chain: the numbers belong to nobody once the vault has no row of them",
        kept="for good",
        kept_by="good",
        decodes=decoding.audit,
        gives=giving.audit,
        beside=("audit.heads",),
    ),
    Store(
        name="control.db",
        purpose="users, sessions, what was asked for and approved",
        holds="what people asked for by right, and what others had approved about them, by numbers; erasures' receipts",
        erased_by="control",
        erased="the receipt stays; who was meant goes from it, from requests and from approvals when the last step is "
        "done; that somebody asked, when, and what was answered stays as proof, beside the receipt's id",
        kept="receipts and requests for good; sessions and invitations until they end",
        kept_by="control",
        decodes=decoding.control,
        gives=giving.control,
    ),
    Store(
        name="vault.db",
        purpose="who is who, and the keys to personal values",
        holds="external ids, sealed, and the keys of each",
        erased_by="vault",
        erased="rows are deleted and overwritten, the WAL is cut to nothing",
        kept="while the person is known; backups 7 days",
        kept_by="person",
        decodes=decoding.vault,
        gives=giving.vault,
        beside=("vault.db.lock",),
    ),
    Store(
        name="keys",
        purpose="the key-encryption key, where it is a file, and the keys of the API",
        holds=NOBODY,
        erased_by="",
        erased=NOBODY,
        kept="until a person revokes or destroys them",
        kept_by="",
        decodes=decoding.plain("keys/*"),
        instead=NOBODY,
    ),
    Store(
        name="mailbox",
        purpose="mails kept instead of sent, sealed",
        holds="whole mails, sealed under the person's keys",
        erased_by="vault",
        erased="the keys are destroyed: what is left opens for nobody",
        kept="`mail_days`, by whole files of a day",
        kept_by="mailbox",
        decodes=decoding.mailbox,
        gives=giving.mailbox,
    ),
    Store(
        name="applied",
        purpose="the author's pages that go with what serves",
        holds=NOBODY,
        erased_by="",
        erased=NOBODY,
        kept="while they serve",
        kept_by="",
        decodes=decoding.plain("applied/**/*"),
        instead=NOBODY,
        beside=("definitions.json",),
    ),
    Store(
        name="policy.toml",
        purpose="the policy in force, and where the project lies",
        holds=NOBODY,
        erased_by="",
        erased=NOBODY,
        kept="until another one is taken",
        kept_by="",
        decodes=decoding.plain("policy.toml*", "home*"),
        instead=NOBODY,
        beside=("policy.toml.new", "home", "home.new"),
    ),
    Store(
        name="feed.json",
        purpose="how far the demo's shoppers are, households of a published data set",
        holds=NOBODY,
        erased_by="",
        erased=NOBODY,
        kept="as long as the demo's folder",
        kept_by="",
        decodes=decoding.plain("feed*", "changed-households"),
        instead=NOBODY,
        beside=("feed-start", "changed-households"),
    ),
    Store(
        name="processes.json",
        purpose="what runs: processes, ports, sockets, how far they are",
        holds=NOBODY,
        erased_by="",
        erased=NOBODY,
        kept="while the house runs",
        kept_by="",
        decodes=decoding.plain("*.json", "port", "*.attempt"),
        instead=NOBODY,
        beside=("port", "run.lock", "engine.attempt", "courier*.json", "*.sock", "clock.json", "*.seat", "*.lock"),
    ),
)
"""Every store: a name in the data folder, a file (with what SQLite keeps beside it) or a folder."""


def store_standings(folder: Path) -> list[StoreStanding]:
    """Return the stores that are there, in the order of STORES, and what the folder's disk has left (for its owner)."""
    free = shutil.disk_usage(folder).free
    return [
        StoreStanding(name=store.name, purpose=store.purpose, bytes=_bytes(folder / store.name), free_bytes=free)
        for store in STORES
        if (folder / store.name).exists()
    ]


def unclaimed(folder: Path) -> list[str]:
    """Return the files and folders in a data folder that no store claims."""
    return sorted(path.name for path in folder.iterdir() if not any(store.claims(path.name) for store in STORES))


def _bytes(store: Path) -> int:
    total = 0
    for file in _files(store):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def _files(store: Path) -> Iterator[Path]:
    if store.is_dir():
        return (file for file in store.rglob("*") if file.is_file())
    return (store.with_name(store.name + side) for side in ("", "-wal", "-shm"))
