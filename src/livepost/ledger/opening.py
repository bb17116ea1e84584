"""Which body keeps the ledger: named in the settings, loaded only if it is the one.

In: the setting `ledger`. Out: the ledger, open. Promised: a body whose library is not installed is answered with the
line to type.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from livepost.clock import Clock
from livepost.errors import StoreError
from livepost.ledger.sqlite import SqliteLedger
from livepost.ledger.stored import StoredLedger
from livepost.settings.postgres import SCHEME, read_postgres


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
