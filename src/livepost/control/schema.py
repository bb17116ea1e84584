"""The tables of the control store, as steps: a file that was made by an older version takes those that it lacks.

A step is never changed once it was released; what changes a table is a step of its own behind it.
"""

from __future__ import annotations

RIGHTS = """
    CREATE TABLE requests (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, regulation TEXT NOT NULL, way TEXT NOT NULL, outside TEXT NOT NULL,
        subjects TEXT NOT NULL, submitted_at INTEGER NOT NULL, received_at INTEGER NOT NULL, due_at INTEGER NOT NULL,
        extended TEXT NOT NULL, verified TEXT NOT NULL, state TEXT NOT NULL, answered_at INTEGER NOT NULL,
        answer TEXT NOT NULL, results INTEGER NOT NULL, entered_by TEXT NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX requests_outside ON requests (outside) WHERE outside != '';
    CREATE INDEX requests_open ON requests (due_at) WHERE state IN ('pending', 'in_progress');
    CREATE TABLE request_steps (
        number INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,
        state TEXT NOT NULL, told TEXT NOT NULL
    ) STRICT;
    CREATE INDEX request_steps_request ON request_steps (request);
    CREATE TABLE request_callbacks (
        number INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT NOT NULL, url TEXT NOT NULL, state TEXT NOT NULL,
        tries INTEGER NOT NULL, next_at INTEGER NOT NULL, done_at INTEGER NOT NULL, error TEXT NOT NULL
    ) STRICT;
    CREATE INDEX request_callbacks_due ON request_callbacks (next_at) WHERE done_at = 0;
    CREATE TABLE request_urls (request TEXT NOT NULL, url TEXT NOT NULL, PRIMARY KEY (request, url)) STRICT;
"""
"""What people ask for by right: see `requests`."""


ERASURES = """CREATE TABLE erasures (
    id BLOB PRIMARY KEY, asked_at INTEGER NOT NULL, body BLOB, receipt BLOB
) STRICT"""
"""`body` is an erasure while it is under way; `receipt` is what stays of it."""

USERS = """
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email_blind BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL,
    role TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    password TEXT NOT NULL DEFAULT '',
    second BLOB,
    second_step INTEGER NOT NULL DEFAULT -1
) STRICT;
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    PRIMARY KEY (user_id, hash)
) STRICT;
CREATE TABLE invitations (
    hash BLOB PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ends_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    begun_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_of_users ON sessions (user_id);
CREATE TABLE tries (
    what BLOB PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX tries_by_time ON tries (last_ms);
"""
"""Users and how they get in. `email_blind`, `hash` and `what` are hashes of what is not kept; `sealed` and `second` are
sealed. A session without a user is that of a one-time link. A row of `tries` without failures is a place from where
somebody got in.
"""

RETENTION = """
CREATE TABLE retention_runs (
    id TEXT PRIMARY KEY, begun_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE retention_places (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
"""
"""Runs of retention: see `retention`."""

APPROVALS = """
CREATE TABLE approvals (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, hash BLOB NOT NULL, told TEXT NOT NULL, people TEXT NOT NULL,
    asked_by TEXT NOT NULL, reason TEXT NOT NULL, asked_at INTEGER NOT NULL, until INTEGER NOT NULL,
    approved_at INTEGER NOT NULL, refused_by TEXT NOT NULL, refused_at INTEGER NOT NULL, used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX approvals_by_hash ON approvals (hash, asked_by);
CREATE TABLE approval_eyes (
    approval TEXT NOT NULL REFERENCES approvals (id) ON DELETE CASCADE,
    who TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (approval, who)
) STRICT;
"""
"""What one asks for and others approve: see `approvals`. A time is 0 where that has not happened."""

GLASS = """
CREATE TABLE glass (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, reason TEXT NOT NULL, begun_at INTEGER NOT NULL,
    until INTEGER NOT NULL, ended_at INTEGER NOT NULL, ended_by TEXT NOT NULL
) STRICT;
CREATE INDEX glass_by_user ON glass (user_id, until);
"""
"""Who broke the glass: see `glass`. `ended_at` is 0 where nobody ended it before its time."""

SIGN_INS = """
CREATE TABLE sign_ins (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    subject BLOB NOT NULL UNIQUE
) STRICT
"""
"""Who a user is at the provider that they sign in at: a keyed hash of issuer and id there, bound by the first
sign-in.
"""

REQUEST_RECEIPTS = """
CREATE TABLE request_receipts (
    request TEXT NOT NULL, receipt TEXT NOT NULL, PRIMARY KEY (request, receipt)
) STRICT
"""
"""Which erasures took whose a request was out of it: what is left of a request names nobody."""

STEPS: tuple[str, ...] = (ERASURES, USERS, RIGHTS, RETENTION, APPROVALS, GLASS, SIGN_INS, REQUEST_RECEIPTS)
