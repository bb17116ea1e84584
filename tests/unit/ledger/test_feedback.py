"""What is told of a mail is found by an index, however many mails there are."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from livepost.ledger.feedback import BY_ADDRESS, BY_PROVIDER
from livepost.ledger.sqlite import SqliteLedger


@pytest.mark.parametrize(
    ("question", "values", "index"),
    [(BY_PROVIDER, ("id", "ses"), "deliveries_provider"), (BY_ADDRESS, (b"hash",), "deliveries_address")],
)
def test_a_mail_is_found_by_an_index(tmp_path: Path, question: str, values: tuple[object, ...], index: str) -> None:
    SqliteLedger(tmp_path / "ledger.db").close()
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    told = str(list(connection.execute(f"EXPLAIN QUERY PLAN {question}", values)))  # type: ignore[arg-type]
    without = str(list(connection.execute(f"EXPLAIN QUERY PLAN {question.replace('provider_id', 'detail')}", values)))  # type: ignore[arg-type]
    connection.close()
    assert index in told and "SCAN" not in told
    assert index != "deliveries_provider" or "SCAN" in without, "the negative control: another column has no index"
