from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest

from livepost.clock import SimulatedClock
from livepost.errors import SettingsError, StoreError
from livepost.ledger.opening import check_ledger, ledger_password, open_ledger
from livepost.ledger.sqlite import SqliteLedger
from livepost.settings.settings import Settings
from livepost.testing.contracts.ledger import START_MS


def test_without_an_address_the_ledger_is_a_file(tmp_path: Path) -> None:
    with closing(open_ledger("sqlite:", tmp_path / "ledger.db", SimulatedClock(START_MS))) as ledger:
        assert isinstance(ledger, SqliteLedger)
    assert (tmp_path / "ledger.db").exists()


def test_without_psycopg_the_line_to_type_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "livepost.ledger.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"python -m pip install 'livepost\[postgres\]'"):
        open_ledger("postgresql://a@127.0.0.1/mails", tmp_path / "ledger.db", SimulatedClock(START_MS))


def test_a_password_that_is_not_there_is_told_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_PASSWORD", raising=False)
    named = Settings(ledger="postgresql://a@127.0.0.1/mails", ledger_password="env:LEDGER_PASSWORD")
    with pytest.raises(SettingsError, match="ledger_password refers to the variable LEDGER_PASSWORD"):
        check_ledger(named)
    monkeypatch.setenv("LEDGER_PASSWORD", "hunter2")
    check_ledger(named)
    assert ledger_password(named) == "hunter2"
    check_ledger(Settings())
