from __future__ import annotations

from contextlib import closing

from livepost.cli.providers import said
from livepost.clock import SECOND_MS
from livepost.ledger.base import SenderStanding
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def test_each_sender_is_told_in_a_line_and_as_json(livepost: Command, house: StillHouse) -> None:
    assert livepost("providers").out == "mail: closed, 0 answered, 0 failed, 0 in flight, 0 unknown\n"
    [told] = livepost("providers", "--json").json()["providers"]
    assert (told["name"], told["breaker"], told["slots"], told["quota"]) == ("mail", "closed", None, None)
    with closing(house.folder.ledger()) as ledger:
        assert ledger.last_move() >= 0


def test_what_is_open_says_for_how_long_and_why() -> None:
    one = SenderStanding(
        name="own",
        breaker="open",
        open_until=31 * SECOND_MS,
        answered=1_000,
        troubled=3,
        trouble="no answer in time",
        trouble_at=1,
        slots=7,
        quota=50,
        today=12,
        in_flight=0,
        unknown=2,
    )
    assert said(one, SECOND_MS) == (
        "own: open for 30 s, 1,000 answered, 3 failed, 0 in flight, 2 unknown, 7 may go now by its pace,"
        " 12 of 50 today by its warm-up\n  last: no answer in time"
    )
