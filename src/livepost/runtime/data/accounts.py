"""The accounts of a data folder: its control store under a secret of its vault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from livepost.clock import Clock
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.password import Passwords
from livepost.runtime.data.folder import DataFolder

PURPOSE = "users"
"""For what the vault gives a secret."""


@contextmanager
def accounts_of(folder: DataFolder, clock: Clock, passwords: Passwords) -> Iterator[Accounts]:
    """Open the accounts; any process may."""
    with closing(folder.vault(readonly=True)) as vault:
        secret = vault.secret(PURPOSE)
    with closing(folder.control()) as store:
        yield Accounts(store, secret, clock, passwords, folder.settings.shop_name)
