"""What can be asked for: each a kind, its canonical bytes' hash, and the sentences that who approves reads.

In: what is to be done. Out: `Wanted`. Promised: pure; two wishes have one hash only if they are the same wish; no
sentence has a personal value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from livepost.control.approvals import ApprovalKind
from livepost.govern.access.permission import Permission

TOLD_MAX, TOLD_CHARS = 50, 300
"""Of a relaxed policy so many sentences are told, each of so many characters: somebody has to read them."""

NEEDS: dict[ApprovalKind, Permission] = {
    "export": Permission("approve", "people"),
    "destroy-key": Permission("approve", "vault_keys"),
    "policy": Permission("approve", "policies"),
}
"""What one must be allowed to approve it."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be approved: its kind, the hash of exactly what it is, in sentences what, and about whom."""

    kind: ApprovalKind
    hash: bytes
    told: tuple[str, ...]
    people: tuple[bytes, ...] = ()


def export_of(subjects: Iterable[bytes]) -> Wanted:
    """Return the wish for all that is held on a person; one who became another person by a merge is another wish."""
    people = tuple(sorted(subjects))
    names = [one.hex() for one in people]
    told = (f"Write everything that is held on the person {names[0]} to a file that is signed, not sealed.",)
    return Wanted(kind="export", hash=_hash("export", [names, "everything"]), told=told, people=people)


def destroying_of(keys: Iterable[str]) -> Wanted:
    """Return the wish to destroy retired key-encryption keys, by their fingerprints."""
    names = sorted(keys)
    told = tuple(f"Destroy the retired key-encryption key {name}." for name in names)
    return Wanted(
        kind="destroy-key",
        hash=_hash("destroy-key", names),
        told=(*told, "No backup of the vault of before the last rotation opens any more."),
    )


def relaxing_of(before: bytes, now: bytes | None, wider: Sequence[str]) -> Wanted:
    """Return the wish to go by another `policy.toml`, None for none any more, which allows what is `wider`."""
    pages = [sha256(before).hexdigest(), "" if now is None else sha256(now).hexdigest()]
    told = [f"policy.toml is relaxed. {line[:TOLD_CHARS]}." for line in wider[:TOLD_MAX]]
    more = [f"It allows {len(wider) - TOLD_MAX:,} things more; look at the page itself."] if wider[TOLD_MAX:] else []
    return Wanted(kind="policy", hash=_hash("policy", pages), told=(*told, *more))


def _hash(kind: ApprovalKind, what: Any) -> bytes:
    return sha256(json.dumps([kind, what], separators=(",", ":")).encode()).digest()
