from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from livepost.vault.nonce import NONCE_BYTES, POOL_BYTES, new_nonce

A_FEW_POOLS = 4 * POOL_BYTES // NONCE_BYTES


def test_nonces_are_12_bytes_and_none_comes_twice_over_several_pools() -> None:
    nonces = [new_nonce() for _ in range(A_FEW_POOLS)]
    assert {len(nonce) for nonce in nonces} == {12}
    assert len(set(nonces)) == A_FEW_POOLS


def test_threads_never_get_the_same() -> None:
    with ThreadPoolExecutor(8) as threads:
        nonces = list(threads.map(lambda _: new_nonce(), range(20_000)))
    assert len(set(nonces)) == 20_000


def test_a_forked_child_gets_others_than_its_parent() -> None:
    new_nonce()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(new_nonce() for _ in range(300)))
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reading, 300 * NONCE_BYTES)
    os.close(reading)
    os.close(writing)
    theirs = {told[at : at + NONCE_BYTES] for at in range(0, len(told), NONCE_BYTES)}
    assert len(theirs) == 300
    assert theirs.isdisjoint({new_nonce() for _ in range(A_FEW_POOLS)})
