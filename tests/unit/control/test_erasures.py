"""Erasures in the control store: there until the last step, then a receipt and nobody."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from livepost.control import erasures
from livepost.control.erasures import Done, Erasure
from livepost.control.sqlite import ControlStore

WHO = b"a subject's id.."
ASKED = Erasure(id=b"i" * 16, by="command:me", asked_at=1, erased_at=2, subjects=(WHO,), hashes=(b"h" * 16,))


def test_it_is_under_way_until_its_end_and_then_nothing_of_whom_it_was_is_in_the_file(tmp_path: Path) -> None:
    with closing(ControlStore(tmp_path / "control.db")) as store:
        erasures.begin(store, ASKED)
        further = msgspec.structs.replace(ASKED, position=7, done={"log": Done(at=3)})
        erasures.go_on(store, further)
        assert (erasures.under_way(store), erasures.receipts(store)) == ([further], [])
        erasures.end(store, ASKED.id, b"receipt")
        assert (erasures.under_way(store), erasures.receipts(store)) == ([], [b"receipt"])
        assert not any(WHO in path.read_bytes() for path in tmp_path.iterdir())
