from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from livepost.audit.entry import Entry
from livepost.audit.head import is_signed
from livepost.audit.outside import kept_heads
from livepost.audit.sqlite import SqliteAudit
from livepost.audit.verify import verify
from livepost.errors import StoreError
from livepost.runtime.data.audits import Audits

ENTRY = Entry(at=1, by="key:server", did="person.read")


def test_heads_are_kept_for_what_is_there_once(tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    with closing(Audits(tmp_path / "audit.db", "shop", bytes(32), heads)) as audits:
        assert audits.keep_head(1) is None
        audits.append([ENTRY, ENTRY])
        head = audits.keep_head(2)
        assert head is not None
        assert (head.number, is_signed(head, audits.public)) == (2, True)
        assert audits.keep_head(3) is None
        audits.append([ENTRY])
        audits.keep_head(4)
        public = audits.public
    assert [one.number for one in kept_heads(heads)] == [2, 3]
    with closing(SqliteAudit(tmp_path / "audit.db", "shop", readonly=True)) as audit:
        assert verify("shop", audit.stored(), kept_heads(heads), public).vouched == 3


def test_a_head_that_cannot_be_kept_is_said_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with closing(Audits(tmp_path / "audit.db", "shop", bytes(32), tmp_path / "file" / "heads")) as audits:
        audits.append([ENTRY])
        for _ in range(2):
            with pytest.raises(StoreError, match="cannot be kept"):
                audits.keep_head(1)
