"""Nonces for AES-GCM. In: the system's randomness, by the pool. Out: 12 bytes, none of them twice.

A pool saves a system call a seal. Taking one is a single `list.pop`, so two threads never get the same; a
forked child starts with an empty pool, so it never gets what its parent has.
"""

from __future__ import annotations

import os

NONCE_BYTES = 12
POOL_BYTES = 4_096 // NONCE_BYTES * NONCE_BYTES
"""Randomness drawn at a time."""

_pool: list[bytes] = []


def new_nonce() -> bytes:
    """Return 12 random bytes that nobody else gets."""
    try:
        return _pool.pop()
    except IndexError:
        drawn = os.urandom(POOL_BYTES)
        _pool.extend([drawn[at : at + NONCE_BYTES] for at in range(NONCE_BYTES, POOL_BYTES, NONCE_BYTES)])
        return drawn[:NONCE_BYTES]


os.register_at_fork(after_in_child=_pool.clear)
