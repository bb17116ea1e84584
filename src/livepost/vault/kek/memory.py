"""Key-encryption keys in memory: for tests, benchmarks and simulations."""

from __future__ import annotations

from livepost.vault.kek.base import Kek, new_kek


class MemoryKeks:
    """Keys that were given, the newest first; a body of `KekStore`."""

    def __init__(self, *keys: bytes) -> None:
        """Take the keys, or make one."""
        self._keks = [Kek(key) for key in keys or (new_kek(),)]

    def read(self) -> list[Kek]:
        """Return the keys."""
        return list(self._keks)

    def add(self) -> None:
        """Put a new random key in front of the others."""
        self._keks.insert(0, Kek(new_kek()))

    def retire(self) -> bool:
        """Note that nothing is wrapped by any but the newest."""
        self._keks[1:] = [Kek(one.key, retired=True) for one in self._keks[1:]]
        return True

    def destroy(self) -> int:
        """Forget the retired keys."""
        before = len(self._keks)
        self._keks = [one for one in self._keks if not one.retired]
        return before - len(self._keks)

    def changed_ms(self) -> int | None:
        """Return None: they are in no file."""
        return None
