"""The tables of the ledger. Ids are 16-byte BLOBs; times ms; `body` is the decision as msgpack; `number` grows by each
decision taken over.

A move names its delivery by `number` too, and is found by that: numbers of one group are next to each other, so that an
index over them is written in one place, where one over ids is written in as many as there are mails.

In: the version there is. Out: DDL in SQLite's words, which the body on PostgreSQL puts into its own. Promised: what a
claim reads has an index; the cursor is one row.
"""

from __future__ import annotations

from itertools import chain

from livepost.errors import StoreError

SCHEMA_VERSION = 8

MAIL_HOURS = """CREATE TABLE IF NOT EXISTS mail_hours (
        hour INTEGER PRIMARY KEY, sent INTEGER NOT NULL, complained INTEGER NOT NULL
    )"""
"""Marketing mails sent, and complaints about some, by hours since 1970: what a complaint rate is counted from."""

BROADCASTS = """CREATE TABLE IF NOT EXISTS broadcasts (
        id BLOB PRIMARY KEY, campaign TEXT NOT NULL, message_id TEXT NOT NULL,
        asked_at INTEGER NOT NULL, asked_by TEXT NOT NULL, people INTEGER NOT NULL,
        approved_at INTEGER NOT NULL, approved_by TEXT NOT NULL, begun_at INTEGER NOT NULL, position INTEGER NOT NULL
    )"""

SENDER_TALLIES = """CREATE TABLE IF NOT EXISTS sender_tallies (
    sender TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (sender, state)
)"""
"""How many mails are in which state, by the sender they were given to last; `tallies` has those given to none too."""

OUTCOMES = """CREATE TABLE IF NOT EXISTS outcomes (
        decision BLOB NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (decision, outcome)
    )"""

BROADCAST_COUNTS = (
    """CREATE TABLE IF NOT EXISTS broadcast_tallies (
        broadcast BLOB NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (broadcast, state, reason)
    )""",
    """CREATE TABLE IF NOT EXISTS broadcast_outcomes (
        broadcast BLOB NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (broadcast, outcome)
    )""",
)
"""Of each broadcast by itself what `tallies` and `outcome_tallies` count of its campaign."""

CONSENTS = (
    """CREATE TABLE IF NOT EXISTS consent_events (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person BLOB NOT NULL, purpose TEXT NOT NULL, channel TEXT NOT NULL, step INTEGER NOT NULL,
        layer TEXT NOT NULL, state TEXT NOT NULL, allowed INTEGER, at INTEGER NOT NULL, how TEXT NOT NULL,
        source TEXT NOT NULL, message_id TEXT NOT NULL, position INTEGER NOT NULL, words TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX IF NOT EXISTS consent_events_step ON consent_events (person, purpose, step)",
    """CREATE TABLE IF NOT EXISTS consent_tallies (
        purpose TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, people INTEGER NOT NULL,
        PRIMARY KEY (purpose, channel, state)
    )""",
    "CREATE TABLE IF NOT EXISTS consent_terms (purpose TEXT PRIMARY KEY, valid_ms INTEGER NOT NULL)",
)
"""The history of consents (`consents.py`), how many people are where, and how long a consent is good."""

LIMITS = """CREATE TABLE IF NOT EXISTS limits (
        person BLOB NOT NULL, kind TEXT NOT NULL, purpose TEXT NOT NULL, at INTEGER NOT NULL, request TEXT NOT NULL,
        PRIMARY KEY (person, kind, purpose)
    )"""
"""What people limited by right: see `limits`."""

OF_BROADCASTS = "FROM broadcasts b JOIN deliveries d ON d.campaign = b.campaign AND d.position = b.position"
"""Broadcasts with their deliveries, as a ledger of version 5 finds them: the record that asks everybody is their
position."""

TELLS = "provider_id != '' AND provider NOT IN ('smtp', 'keep')"
"""Mails whose provider may tell of them by its own id: a mail server does not."""

SCHEMA: tuple[str, ...] = (
    """CREATE TABLE IF NOT EXISTS deliveries (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id BLOB NOT NULL UNIQUE,
        body BLOB NOT NULL,
        campaign TEXT NOT NULL,
        person BLOB NOT NULL,
        class TEXT NOT NULL,
        purpose TEXT NOT NULL,
        lane INTEGER NOT NULL,
        at INTEGER NOT NULL,
        position INTEGER NOT NULL,
        cap_times INTEGER NOT NULL,
        cap_per_ms INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '',
        fence INTEGER NOT NULL DEFAULT 0,
        worker TEXT NOT NULL DEFAULT '',
        lease_until INTEGER NOT NULL DEFAULT 0,
        not_before INTEGER NOT NULL DEFAULT 0,
        waits_until INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        first_tried INTEGER NOT NULL DEFAULT 0,
        address BLOB,
        provider TEXT NOT NULL DEFAULT '',
        provider_id TEXT NOT NULL DEFAULT '',
        changed_at INTEGER NOT NULL,
        sender TEXT NOT NULL DEFAULT '',
        queued INTEGER NOT NULL DEFAULT 0,
        pinned INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE INDEX IF NOT EXISTS deliveries_ready ON deliveries (lane, at, position)
        WHERE state = 'pending' AND waits_until = 0""",
    """CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (waits_until)
        WHERE state = 'pending' AND waits_until > 0""",
    "CREATE INDEX IF NOT EXISTS deliveries_claimed ON deliveries (lease_until) WHERE state = 'claimed'",
    "CREATE INDEX IF NOT EXISTS deliveries_in_flight ON deliveries (worker) WHERE state = 'in_flight'",
    "CREATE INDEX IF NOT EXISTS deliveries_unknown ON deliveries (first_tried) WHERE state = 'unknown'",
    "CREATE INDEX IF NOT EXISTS deliveries_campaign ON deliveries (campaign, number)",
    """CREATE INDEX IF NOT EXISTS deliveries_out ON deliveries (campaign, state, number)
        WHERE state = 'skipped' OR state = 'failed' OR state = 'unknown' OR state = 'held'""",
    "CREATE INDEX IF NOT EXISTS deliveries_person ON deliveries (person, campaign, at)",
    "CREATE INDEX IF NOT EXISTS deliveries_address ON deliveries (address, at) WHERE address IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS deliveries_provider ON deliveries (provider_id, provider) WHERE {TELLS}",
    """CREATE TABLE IF NOT EXISTS moves (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        decision BLOB NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        at INTEGER NOT NULL,
        delivery INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX IF NOT EXISTS moves_delivery ON moves (delivery)",
    """CREATE TABLE IF NOT EXISTS tallies (
        campaign TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (campaign, state, reason)
    )""",
    SENDER_TALLIES,
    OUTCOMES,
    """CREATE TABLE IF NOT EXISTS outcome_tallies (
        campaign TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (campaign, outcome)
    )""",
    """CREATE TABLE IF NOT EXISTS notes (
        decision BLOB NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (decision, reason)
    )""",
    """CREATE TABLE IF NOT EXISTS divergences (
        decision BLOB PRIMARY KEY, campaign TEXT NOT NULL, position INTEGER NOT NULL,
        fields TEXT NOT NULL, times INTEGER NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS consents (
        person BLOB NOT NULL, purpose TEXT NOT NULL, allowed INTEGER NOT NULL, at INTEGER NOT NULL,
        position INTEGER NOT NULL, source TEXT NOT NULL, message_id TEXT NOT NULL,
        PRIMARY KEY (person, purpose)
    )""",
    """CREATE TABLE IF NOT EXISTS withdrawals (
        person BLOB NOT NULL, purpose TEXT NOT NULL, at INTEGER NOT NULL, proof TEXT NOT NULL,
        echoed INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (person, purpose)
    )""",
    "CREATE INDEX IF NOT EXISTS withdrawals_unechoed ON withdrawals (at) WHERE echoed = 0",
    """CREATE TABLE IF NOT EXISTS heard (
        key BLOB PRIMARY KEY, decision BLOB, at INTEGER NOT NULL, logged INTEGER NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS feedback_tallies (
        provider TEXT NOT NULL, outcome TEXT NOT NULL, ours INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (provider, outcome, ours)
    )""",
    """CREATE TABLE IF NOT EXISTS soft_bounces (
        address BLOB NOT NULL, decision BLOB NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (address, decision)
    )""",
    MAIL_HOURS,
    "CREATE TABLE IF NOT EXISTS persons (old BLOB PRIMARY KEY, new BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS persons_new ON persons (new)",
    """CREATE TABLE IF NOT EXISTS suppressions (
        address BLOB PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS sends (
        key BLOB PRIMARY KEY, body BLOB NOT NULL, decision BLOB NOT NULL UNIQUE, draft BLOB
    )""",
    """CREATE TABLE IF NOT EXISTS lifts (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        address BLOB NOT NULL, was TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS lifts_address ON lifts (address)",
    """CREATE TABLE IF NOT EXISTS proofs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person BLOB NOT NULL, said_as BLOB NOT NULL, purpose TEXT NOT NULL, channel TEXT NOT NULL,
        allowed INTEGER NOT NULL, at INTEGER NOT NULL, how TEXT NOT NULL, source TEXT NOT NULL,
        message_id TEXT NOT NULL, words TEXT NOT NULL, echoed INTEGER NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS proofs_person ON proofs (person, purpose)",
    "CREATE INDEX IF NOT EXISTS proofs_unechoed ON proofs (number) WHERE echoed = 0",
    "CREATE TABLE IF NOT EXISTS shown_words (name TEXT PRIMARY KEY, words TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS confirmations (
        decision BLOB PRIMARY KEY, address BLOB NOT NULL, person BLOB NOT NULL, wish BLOB NOT NULL,
        asked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, confirmed_at INTEGER NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS confirmations_address ON confirmations (address, asked_at)",
    "CREATE INDEX IF NOT EXISTS confirmations_open ON confirmations (expires_at) WHERE confirmed_at = 0",
    LIMITS,
    "CREATE TABLE IF NOT EXISTS kills (campaign TEXT PRIMARY KEY, at INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS permit_changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT, person BLOB, address BLOB
    )""",
    BROADCASTS,
    *BROADCAST_COUNTS,
    *CONSENTS,
    """CREATE TABLE IF NOT EXISTS clicks (
        id BLOB PRIMARY KEY, decision BLOB NOT NULL, campaign TEXT NOT NULL, broadcast BLOB NOT NULL,
        at INTEGER NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS orders (
        id BLOB PRIMARY KEY, event BLOB NOT NULL UNIQUE, subject BLOB NOT NULL, person BLOB NOT NULL,
        at INTEGER NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS orders_person ON orders (person, at)",
    """CREATE TABLE IF NOT EXISTS breakers (
        sender TEXT PRIMARY KEY, failures INTEGER NOT NULL DEFAULT 0, opened INTEGER NOT NULL DEFAULT 0,
        open_until INTEGER NOT NULL DEFAULT 0, probe_until INTEGER NOT NULL DEFAULT 0,
        answered INTEGER NOT NULL DEFAULT 0, troubled INTEGER NOT NULL DEFAULT 0,
        trouble TEXT NOT NULL DEFAULT '', trouble_at INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE TABLE IF NOT EXISTS paces (key TEXT PRIMARY KEY, tat INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS warm_days (
        sender TEXT NOT NULL, day INTEGER NOT NULL, mails INTEGER NOT NULL, PRIMARY KEY (sender, day)
    )""",
    "CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS erasures (id BLOB PRIMARY KEY, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS forgotten (subject BLOB PRIMARY KEY, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS bookmarks (name TEXT PRIMARY KEY, number INTEGER NOT NULL)",
)

_COLUMNS_3 = (
    "id, body, campaign, person, class, purpose, lane, at, position, cap_times, cap_per_ms, state, "
    "reason, detail, fence, worker, lease_until, not_before, waits_until, attempts, first_tried, address, "
    "provider, provider_id, changed_at"
)

_EVENT_COLUMNS = "(person, purpose, channel, step, layer, state, allowed, at, how, source, message_id, position, words)"

UPGRADES: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE deliveries ADD COLUMN waits_until INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX deliveries_pending",
    ),
    3: (
        "ALTER TABLE deliveries RENAME TO deliveries_3",
        """CREATE TABLE deliveries (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id BLOB NOT NULL UNIQUE,
            body BLOB NOT NULL,
            campaign TEXT NOT NULL,
            person BLOB NOT NULL,
            class TEXT NOT NULL,
            purpose TEXT NOT NULL,
            lane INTEGER NOT NULL,
            at INTEGER NOT NULL,
            position INTEGER NOT NULL,
            cap_times INTEGER NOT NULL,
            cap_per_ms INTEGER NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT '',
            detail TEXT NOT NULL DEFAULT '',
            fence INTEGER NOT NULL DEFAULT 0,
            worker TEXT NOT NULL DEFAULT '',
            lease_until INTEGER NOT NULL DEFAULT 0,
            not_before INTEGER NOT NULL DEFAULT 0,
            waits_until INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            first_tried INTEGER NOT NULL DEFAULT 0,
            address BLOB,
            provider TEXT NOT NULL DEFAULT '',
            provider_id TEXT NOT NULL DEFAULT '',
            changed_at INTEGER NOT NULL
        )""",
        f"INSERT INTO deliveries (number, {_COLUMNS_3}) SELECT rowid, {_COLUMNS_3} FROM deliveries_3 ORDER BY rowid",
        "DROP TABLE deliveries_3",
        MAIL_HOURS,
        "INSERT INTO mail_hours SELECT changed_at / 3600000, count(*), 0 FROM deliveries"
        " WHERE state = 'sent' AND class = 'marketing' GROUP BY changed_at / 3600000",
    ),
    4: (
        "ALTER TABLE deliveries ADD COLUMN sender TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE deliveries ADD COLUMN queued INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE deliveries ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
        "UPDATE deliveries SET pinned = 1 WHERE state IN ('unknown', 'held')",
    ),
    5: (
        OUTCOMES,
        BROADCASTS,
        *BROADCAST_COUNTS,
        f"INSERT INTO broadcast_tallies SELECT b.id, d.state, d.reason, count(*) {OF_BROADCASTS}"
        " GROUP BY b.id, d.state, d.reason",
        f"INSERT INTO broadcast_outcomes SELECT b.id, o.outcome, count(*) {OF_BROADCASTS}"
        " JOIN outcomes o ON o.decision = d.id GROUP BY b.id, o.outcome",
        "ALTER TABLE moves ADD COLUMN delivery INTEGER NOT NULL DEFAULT 0",
        "UPDATE moves SET delivery = coalesce((SELECT number FROM deliveries WHERE id = moves.decision), 0)",
        "DROP INDEX moves_decision",
    ),
    6: (
        *CONSENTS,
        f"INSERT INTO consent_events {_EVENT_COLUMNS} SELECT c.person, c.purpose, 'email', 1, 'engine', CASE WHEN"
        " c.allowed = 1 AND NOT EXISTS (SELECT 1 FROM withdrawals AS w WHERE w.person = c.person"
        " AND w.purpose = c.purpose AND w.at >= c.at) THEN 'given' ELSE 'withdrawn' END, c.allowed, c.at, 'before',"
        " c.source, c.message_id, c.position, '' FROM consents AS c ORDER BY c.position, c.person, c.purpose",
        f"INSERT INTO consent_events {_EVENT_COLUMNS} SELECT w.person, w.purpose, 'email',"
        " CASE WHEN c.person IS NULL THEN 1 ELSE 2 END, 'ledger',"
        " CASE WHEN c.allowed = 1 AND c.at > w.at THEN 'given' ELSE 'withdrawn' END, 0, w.at, 'before', w.proof, '',"
        " -1, '' FROM withdrawals AS w LEFT JOIN consents AS c ON c.person = w.person AND c.purpose = w.purpose"
        " ORDER BY w.at, w.person, w.purpose",
        "INSERT INTO consent_tallies SELECT purpose, channel, state, count(*) FROM consent_events AS e WHERE step ="
        " (SELECT max(step) FROM consent_events AS l WHERE l.person = e.person AND l.purpose = e.purpose)"
        " GROUP BY purpose, channel, state",
    ),
    7: (
        SENDER_TALLIES,
        "INSERT INTO sender_tallies SELECT sender, state, count(*) FROM deliveries WHERE sender != ''"
        " GROUP BY sender, state",
    ),
}
"""What a ledger of a version needs besides what is missing of SCHEMA to be of the next one; PostgreSQL has known none
before version 4.
"""


TABLES: tuple[str, ...] = tuple(
    sql.removeprefix("CREATE TABLE IF NOT EXISTS ").split(maxsplit=1)[0]
    for sql in SCHEMA
    if sql.startswith("CREATE TABLE")
)
"""The names of the tables."""


def statements_from(version: int) -> tuple[str, ...]:
    """Return what makes of a ledger of a version (0: none yet) one of today; raise StoreError for a later one."""
    if version > SCHEMA_VERSION:
        raise StoreError(f"expected a ledger of version {SCHEMA_VERSION} or older, got {version}; update livepost")
    upgrades = (UPGRADES.get(older, ()) for older in range(version, SCHEMA_VERSION) if version)
    return (*chain.from_iterable(upgrades), *SCHEMA)
