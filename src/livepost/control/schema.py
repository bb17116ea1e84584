"""The tables of the control store, as steps: a file that was made by an older version takes those that it lacks.

A step is never changed once it was released; what changes a table is a step of its own behind it.
"""

from __future__ import annotations

ERASURES = """CREATE TABLE erasures (
    id BLOB PRIMARY KEY, asked_at INTEGER NOT NULL, body BLOB, receipt BLOB
) STRICT"""
"""`body` is an erasure while it is under way; `receipt` is what stays of it."""

STEPS: tuple[str, ...] = (ERASURES,)
