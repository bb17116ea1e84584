"""Bytes that look like JSON or msgpack but are no UTF-8 are bad input like any other (msgspec raises UnicodeDecodeError
for them, which is no msgspec.DecodeError).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest
import zstandard

from livepost.audit.outside import kept_heads
from livepost.deliver.esp.answer import meaning
from livepost.errors import LivepostError, StoreError
from livepost.fetch.fetcher import Answer
from livepost.govern.rights.opendsr import read_request
from livepost.log.body import BODY_FORMAT, new_block, pack, plain_of, unpack
from livepost.model.record import Record, SealedValue
from livepost.runtime.rights import decoding
from livepost.runtime.rights.reach import reaching
from livepost.sources.esp.proof import json_object
from livepost.sync.vendor.base import told
from tests.unit.runtime.still import StillHouse, ada, make_project

BAD = b'{"a": "\x86"}'
HEAD = b'{"number": 1, "link": "\x86"}\n'


def test_msgspec_raises_what_is_no_decode_error_of_its_own() -> None:
    """Why this file is: the day this fails, `except ValueError` may be narrowed again."""
    with pytest.raises(UnicodeDecodeError):
        msgspec.json.decode(BAD)
    with pytest.raises(UnicodeDecodeError):
        msgspec.msgpack.decode(b"\x95\xa1\x86\xc4\x00\xa0\xa0\xc4\x00", type=SealedValue)


@pytest.mark.parametrize("read", [json_object, lambda body: read_request(body, ("erasure",))])
def test_what_a_server_is_sent_is_refused(read: Callable[[bytes], object]) -> None:
    with pytest.raises(LivepostError):
        read(BAD)


def test_an_answer_of_a_provider_says_nothing() -> None:
    answer = Answer(status=500, body=BAD)
    assert meaning(answer, "", {}) == "unknown"
    assert told(answer) == {}


def test_a_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "heads").write_bytes(HEAD)
    with pytest.raises(LivepostError, match="expected a head of the audit a line"):
        kept_heads(tmp_path / "heads")


def test_a_block_of_the_log_is_said_to_be_damaged() -> None:
    whole = plain_of(pack(new_block([Record(name="Product Viewed")], 0, 1)))
    broken = whole.replace(b"Product", b"\x86roduct")
    assert broken != whole
    with pytest.raises(StoreError, match="damaged"):
        unpack(BODY_FORMAT + zstandard.ZstdCompressor(write_checksum=True).compress(broken))


def test_a_ledgers_row_that_is_no_sealed_value_is_passed_over(tmp_path: Path) -> None:
    """Random ids can look like one: a run of CI met such an id."""
    house = StillHouse(make_project(tmp_path / "shop"))
    house.take(ada())
    house.work()
    looks_sealed = b"\x95\xa1\x86\xc4\x00\xa0\xa0\xc4\x00"
    with closing(apsw.Connection(str(house.folder.path / "ledger.db"))) as ledger:
        ledger.execute("INSERT INTO forgotten (subject, at) VALUES (?, 1)", (looks_sealed,))
    with reaching(house.folder, house.project) as reach:
        assert looks_sealed in list(decoding.ledger(reach))
