"""Ids and hashes (FORMATS, "Ids"): blake2b over length-prefixed fields, so that no two field lists collide.

`digest` is the general form; the ids made by the thousand a second have short forms of the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

SHARDS = 1024
SUBJECT_BYTES = 16
CACHED_WORDS = 4_096
"""Short texts remembered with their length: workspace, sources, segments, campaigns, versions and small numbers."""


def new_subject_id() -> bytes:
    """Return 16 random bytes: the id under which a subject is known everywhere but in the vault."""
    return os.urandom(SUBJECT_BYTES)


def digest(*fields: str | bytes | int, size: int = 16, key: bytes = b"") -> bytes:
    """Return blake2b over the fields, each prefixed with its length (4 bytes, big-endian).

    `size` is in bytes (16 = the 128 bits of FORMATS); `key` makes it a keyed hash (RFC 7693), up to 64 bytes.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    parts: list[bytes] = []
    for field in fields:
        raw = field if isinstance(field, bytes) else str(field).encode()
        parts += (_length(raw), raw)
    return blake2b(b"".join(parts), digest_size=size, key=key).digest()


def shard_of(subject: bytes) -> int:
    """Return a subject's shard: the first 8 bytes, big-endian, of blake2b-512 of its id, mod 1,024."""
    return int.from_bytes(blake2b(subject, digest_size=64).digest()[:8], "big") % SHARDS


def transition_id(workspace: str, person: bytes, segment: str, version: str, number: int) -> bytes:
    """Return the 16-byte id of a person's `number`-th transition of a segment version: `digest` of the five.

    >>> transition_id("shop", b"p", "keen", "v1", 2) == digest("shop", b"p", "keen", "v1", 2)
    True
    """
    before, behind = _joined(len(person), workspace), _joined(None, segment, version, number)
    return blake2b(before + person + behind, digest_size=16).digest()


def decision_id(workspace: str, campaign: str, step: int, person: bytes, cause: bytes) -> bytes:
    """Return the 16-byte id of the one mail that `cause` can bring this person from a campaign's step: `digest` of all.

    >>> decision_id("shop", "welcome", 0, b"p", b"c") == digest("shop", "welcome", 0, b"p", b"c")
    True
    """
    before, between = _joined(len(person), workspace, campaign, step), _joined(len(cause))
    return blake2b(before + person + between + cause, digest_size=16).digest()


def event_id(source: str, message_id: str) -> bytes:
    """Return the 16-byte id of an event: `digest` of the dedupe key (source, message_id).

    >>> event_id("web", "m-1") == digest("web", "m-1")
    True
    """
    told = message_id.encode()
    hasher = _begun(source).copy()
    hasher.update(_length(told) + told)
    return hasher.digest()


def event_ids(sources: Sequence[str], message_ids: Sequence[str]) -> list[bytes]:
    """Return `event_id` of each pair; faster where all are of one source, as those of a batch are."""
    if len(set(sources)) != 1:
        return list(map(event_id, sources, message_ids))
    begin = _begun(sources[0]).copy
    ids = []
    for message_id in message_ids:
        told = message_id.encode()
        hasher = begin()
        hasher.update(len(told).to_bytes(4, "big") + told)
        ids.append(hasher.digest())
    return ids


@lru_cache(CACHED_WORDS)
def _begun(word: str) -> blake2b:
    """Return a 16-byte hash that has taken the word, to be copied: taking a copy on costs less than beginning."""
    return blake2b(_prefixed(word), digest_size=16)


@lru_cache(CACHED_WORDS)
def _prefixed(word: str) -> bytes:
    raw = word.encode()
    return _length(raw) + raw


@lru_cache(CACHED_WORDS)
def _joined(length: int | None, *words: str | int) -> bytes:
    """Return the words, each with its length before it; behind them the length of a field that follows, if one does."""
    parts = [_prefixed(str(word)) for word in words]
    return b"".join(parts) if length is None else b"".join([*parts, length.to_bytes(4, "big")])


def _length(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big")
