"""Which body keeps the ledger: named in the settings, loaded only if it is the one.

In: the setting `ledger`. Out: the ledger, open. Promised: a body whose library is not installed is answered with the
line to type.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from livepost.clock import Clock
from livepost.errors import SettingsError, StoreError
from livepost.ledger.sqlite import SqliteLedger
from livepost.ledger.stored import StoredLedger
from livepost.settings.postgres import SCHEME, read_postgres
from livepost.settings.secret import read_secret
from livepost.settings.settings import Settings


def ledger_password(settings: Settings) -> str:
    """Return the password of the user in `ledger`, "" for none; raise SettingsError if it is not where it should be."""
    told = settings.ledger_password
    return read_secret("ledger_password", told, os.environ) if told else ""


def check_ledger(settings: Settings) -> None:
    """Raise SettingsError if the ledger cannot be had as `ledger` says: a password or package not there.

    No server is asked.
    """
    if settings.ledger.startswith(SCHEME) and find_spec("psycopg") is None:
        raise SettingsError("ledger names PostgreSQL, which needs an extra; say pip install 'livepost[postgres]'")
    ledger_password(settings)


def open_ledger(setting: str, path: Path, host: Clock, password: str = "") -> StoredLedger:
    """Open the ledger: a file at `path` whose leases run on `host`, or a database, which has a clock of its own.

    Raises StoreError if it cannot be, or its library is not installed.
    """
    if not setting.startswith(SCHEME):
        return SqliteLedger(path, host)
    try:
        module = import_module("livepost.ledger.postgres")
    except ImportError as error:
        raise StoreError(
            f"the ledger is to be in PostgreSQL, which needs psycopg, and that is not installed ({error}); "
            "type: python -m pip install 'livepost[postgres]'"
        ) from error
    opened: StoredLedger = module.PostgresLedger(read_postgres(setting, "settings"), password)
    return opened
