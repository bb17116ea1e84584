"""The audit as people read it: who did what to whose data, the newest first.

In: a workspace's audit. Out: a line an entry. Promised: the file is only read.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from livepost.audit.entry import decoded
from livepost.audit.outside import kept_heads
from livepost.audit.sqlite import SqliteAudit
from livepost.audit.verify import Stored, Verdict, verify


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is shown: people are ids of subjects in hex, `at` UTC ms of the host's clock."""

    number: int
    at: int
    by: str
    did: str
    about: str
    people: list[str]


def newest_entries(path: Path, workspace: str, person: bytes | None, limit: int) -> list[EntryLine]:
    """Return the newest entries, of one person's data if a subject's id is given; none where nothing was noted yet.

    Raises StoreError if the audit cannot be read.
    """
    if not path.exists():
        return []
    with closing(SqliteAudit(path, workspace, readonly=True)) as audit:
        if person is None:
            return [_line(one) for one in audit.newest(limit)]
        about = [one for one in audit.stored() if person in decoded(one.body).subjects]
        return [_line(one) for one in reversed(about[-limit:])]


def whole(path: Path, workspace: str, heads: Path, public: bytes) -> Verdict:
    """Return whether the audit is whole and every head in a file says the same; raises StoreError."""
    given = kept_heads(heads) if heads.exists() else []
    if not path.exists():
        return verify(workspace, [], given, public)
    with closing(SqliteAudit(path, workspace, readonly=True)) as audit:
        return verify(workspace, audit.stored(), given, public)


def _line(one: Stored) -> EntryLine:
    entry = decoded(one.body)
    people = [subject.hex() for subject in entry.subjects]
    return EntryLine(number=one.number, at=entry.at, by=entry.by, did=entry.did, about=entry.about, people=people)
