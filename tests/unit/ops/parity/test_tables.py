"""The log as tables: nothing is lost at the bound of a chunk, nothing unneeded is kept, no disk is reached."""

from __future__ import annotations

import duckdb
import msgspec
import pytest

from livepost.ids import digest
from livepost.model.block import Block, block_of
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec, FieldSpec
from livepost.model.record import Record
from livepost.ops.parity.tables import CHUNK, Loader, Used, database, used_fields

NOON = 1_767_225_600_000
ADA, BEN = digest("ada"), digest("ben")
FEATURES = (
    FeatureSpec(
        name="cheap",
        kind="count",
        event="Viewed",
        where={
            "type": "compare",
            "op": "<",
            "left": {"type": "field", "name": "price"},
            "right": {"type": "const", "value": 500},
        },
    ),
    FeatureSpec(name="items", kind="recent", event="Viewed", field="item", n=2, type="list"),
    FeatureSpec(name="called", kind="latest", event="Viewed", field="first_name", personal=True),
)
SHOP = Compiled(
    events=(EventSpec(name="Viewed", cls="Viewed", fields=(FieldSpec(name="item", keys=("item",), type="str"),)),),
    features=FEATURES,
)


def viewed(subject: bytes, number: int) -> Record:
    return Record(
        source="web",
        subject=subject,
        message_id=f"m{number}",
        name="Viewed",
        effective_ts=NOON,
        properties={"item": "a", "color": "red", "price": None},
        sealed={"first_name": b"seal", "$undeclared": b"other"},
        context={"consent": {"marketing": True}},
    )


def test_a_feature_reads_its_field_and_those_of_its_condition() -> None:
    assert used_fields(SHOP) == {"Viewed": Used(open={"price", "item"}, sealed={"first_name"})}


def test_bodies_and_consents_are_kept_of_wanted_subjects_alone_and_only_fields_in_use() -> None:
    with database(200) as db:
        Loader(db, SHOP, {ADA}).load([block_of([viewed(ADA, 0), viewed(BEN, 1)], 0, NOON)], 1)
        assert db.execute("SELECT count(*) FROM record").fetchall() == [(2,)]
        assert db.execute("SELECT seq, open, position('undeclared' IN sealed) FROM body").fetchall() == [
            (0, '{"item":"a"}', 0)
        ]
        assert db.execute("SELECT seq, purpose, allowed FROM consent").fetchall() == [(0, "marketing", True)]


def test_facets_in_use_are_kept_among_the_open_fields() -> None:
    country = FeatureSpec(name="country", kind="latest", event="Viewed", field="ip.country", type="str")
    facets = {"ip.country": "DE", "email.domain": "example.com"}
    records = [msgspec.structs.replace(viewed(ADA, 0), facets=facets), viewed(ADA, 1)]
    with database(200) as db:
        Loader(db, Compiled(features=(country,)), {ADA}).load([block_of(records, 0, NOON)], 1)
        assert db.execute("SELECT open FROM body ORDER BY seq").fetchall() == [('{"ip.country":"DE"}',), ("{}",)]


@pytest.mark.parametrize("blocks", [[CHUNK - 1, 1, 1], [CHUNK + 1, 1], [1, CHUNK]])
def test_every_record_goes_in_however_blocks_meet_the_bound_of_a_chunk(blocks: list[int]) -> None:
    log: list[Block] = []
    for count in blocks:
        first = log[-1].first + log[-1].count if log else 0
        log.append(block_of([Record(subject=ADA, message_id=str(first))] * count, first, NOON))
    with database(500) as db:
        Loader(db, Compiled(), ()).load(log, sum(blocks) - 1)
        told = db.execute("SELECT count(DISTINCT seq), min(seq), max(seq) FROM record").fetchall()
    assert told == [(sum(blocks), 0, sum(blocks) - 1)]


def test_the_database_reaches_no_file() -> None:
    with database(200) as db, pytest.raises(duckdb.PermissionException):
        db.execute("COPY (SELECT 1) TO 'leak.csv'")
