"""Every body of the vault passes the contract of vaults."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from livepost.testing.contracts.vault import DurableVaultContract, VaultContract, spelled_in
from livepost.vault.base import Vault
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.memory import MemoryVault
from livepost.vault.sqlite import SqliteVault


class MemoryBench:
    def new(self) -> Vault:
        return MemoryVault()


class SqliteBench:
    def __init__(self, root: Path, opened: contextlib.ExitStack) -> None:
        self._root = root
        self._opened = opened
        self._numbers = count()
        self._made: dict[int, tuple[Path, MemoryKeks]] = {}

    def new(self) -> Vault:
        return self._vault(self._root / f"vault-{next(self._numbers)}.db", MemoryKeks())

    def reopen(self, vault: Vault) -> Vault:
        vault.close()
        return self._vault(*self._made[id(vault)])

    def reader(self, vault: Vault) -> Vault:
        path, keks = self._made[id(vault)]
        reader = SqliteVault(path, keks, readonly=True)
        self._opened.callback(reader.close)
        return reader

    def on_disk(self, vault: Vault) -> bytes:
        path, _ = self._made[id(vault)]
        # Read by another process: closing a file here would drop this process's locks on it (POSIX).
        return subprocess.run(["cat", *path.parent.glob(path.name + "*")], check=True, capture_output=True).stdout

    def _vault(self, path: Path, keks: MemoryKeks) -> Vault:
        vault = SqliteVault(path, keks)
        self._opened.callback(vault.close)
        self._made[id(vault)] = (path, keks)
        return vault


class TestMemoryVault(VaultContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestSqliteVault(DurableVaultContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[SqliteBench]:
        with contextlib.ExitStack() as opened:
            yield SqliteBench(tmp_path, opened)

    @pytest.fixture
    def durable(self, bench: SqliteBench) -> SqliteBench:
        return bench


@pytest.mark.parametrize(
    "spelt", [b"canary", b"canary".hex().encode(), b"AGNhbmFyeQ==", b"eGNhbmFyeXg=", b"eHhjYW5hcnl4"]
)
def test_the_search_for_tokens_sees_every_spelling(spelt: bytes) -> None:
    assert spelled_in(b"before " + spelt + b" after", ["canary"]) == ["canary"]
    assert spelled_in(b"before " + spelt[1:] + b" after", ["another"]) == []
