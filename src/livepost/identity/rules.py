"""The rules of FORMATS, "Subject, person, shard"."""

from __future__ import annotations

from collections.abc import Iterable


def may_merge(known_a: bool, known_b: bool, *, said_by_secret_key: bool) -> bool:
    """Say whether a mention makes one person of two.

    Two known persons stay two (a shared device), unless a secret key says otherwise: by an alias, or by naming one of
    them by a declared key in a record of the other.
    """
    return not (known_a and known_b) or said_by_secret_key


def name_of(subjects: Iterable[tuple[bytes, bool]]) -> bytes:
    """Return the subject that names a person: the smallest known one, else the smallest.

    >>> name_of([(b"a", False), (b"c", True), (b"b", True)])
    b'b'
    """
    return min(subjects, key=lambda pair: (not pair[1], pair[0]))[0]
