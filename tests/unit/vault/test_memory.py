from __future__ import annotations

from itertools import count

from livepost.vault.base import ExternalId
from livepost.vault.memory import MemoryVault


def test_given_its_root_and_ids_a_vault_tells_the_same_twice() -> None:
    told = []
    for _ in range(2):
        numbers = count()
        vault = MemoryVault(root=bytes(32), new_id=lambda numbers=numbers: next(numbers).to_bytes(16))
        subjects = [keys.subject for keys in vault.admit([ExternalId("user", name) for name in "aba"])]
        told.append((subjects, vault.secret("tokens")))
    assert told[0] == told[1]
    assert told[0][0] == [bytes(16), (1).to_bytes(16), bytes(16)]
