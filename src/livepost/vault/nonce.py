"""Nonces for AES-GCM. In: the system's randomness, by the pool. Out: 12 bytes, none of them twice.

A pool saves a system call a seal. Taking one is a single `list.pop`, so two threads never get the same; a
forked child starts with an empty pool, so it never gets what its parent has.
"""

from __future__ import annotations

import os
import struct
from typing import cast

NONCE_BYTES = 12
POOL_BYTES = 4_096 // NONCE_BYTES * NONCE_BYTES
"""Randomness drawn at a time."""

_CUT = struct.Struct(f"{NONCE_BYTES}s" * (POOL_BYTES // NONCE_BYTES))

_pool: list[bytes] = []


def new_nonce() -> bytes:
    """Return 12 random bytes that nobody else gets."""
    try:
        return _pool.pop()
    except IndexError:
        first, *others = _CUT.unpack(os.urandom(_CUT.size))
        _pool.extend(others)
        return cast(bytes, first)


os.register_at_fork(after_in_child=_pool.clear)
