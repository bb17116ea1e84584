"""What records bring to picks: by column, also where some records lack a field or a condition keeps them out."""

from __future__ import annotations

from typing import Any

from livepost.engine import picks
from livepost.engine.program import Program
from livepost.log.body import new_block
from livepost.model.compiled import Compiled, FeatureSpec
from livepost.model.record import Record
from livepost.process.batch import batch_of
from livepost.process.decode import decode
from livepost.process.feeds import Feeds

NOW = 1_767_225_600_000

PROGRAM = Program(
    Compiled(
        features=(
            FeatureSpec(name="last", kind="latest", event="E", field="a", type="str"),
            FeatureSpec(name="lately", kind="recent", event="E", field="a", n=2, type="str"),
            FeatureSpec(name="most", kind="top", event="E", field="b", n=1, type="str"),
        )
    )
)


def feeds_of(*properties: dict[str, Any], name: str = "E") -> Feeds:
    records = [
        Record(subject=bytes(16), message_id=f"m{n}", name=name, effective_ts=NOW + n, properties=fields)
        for n, fields in enumerate(properties)
    ]
    batch = batch_of([new_block(records, 0, NOW + 1_000)])
    decode(batch)
    return Feeds(batch, PROGRAM)


def held(feeds: Feeds, place: int) -> list[Any]:
    """Return what a person's picks are worth who has only what the record at a place brings."""
    read = picks.decode(picks.appended(b"", feeds.brought[place], 1), PROGRAM)
    return [pick.value(state, NOW + 1_000) for pick, state in zip(PROGRAM.picks, read, strict=True) if pick]


def test_each_record_brings_the_fields_that_it_has_to_all_picks_that_take_them() -> None:
    feeds = feeds_of({"a": "x", "b": "y"}, {"a": "z"}, {}, {"b": "w"}, {"a": "u", "b": "v"})
    assert feeds.brings.tolist() == [True, True, False, True, True, False]
    found = {place: held(feeds, place) for place in feeds.brought}
    assert found == {0: ["x", ["x"], ["y"]], 1: ["z", ["z"], []], 3: [None, [], ["w"]], 4: ["u", ["u"], ["v"]]}


def test_what_a_record_brings_does_not_depend_on_the_others() -> None:
    whole, some = {"a": "x", "b": "y"}, {"b": "y"}
    assert feeds_of(some, whole, {}).brought[0] == feeds_of(some).brought[0]
    assert feeds_of(whole, some, {}).brought[0] == feeds_of(whole).brought[0]


def test_records_that_nobody_takes_fields_of_bring_nothing() -> None:
    feeds = feeds_of({"a": "x"}, name="Other")
    assert (feeds.brought, feeds.brings.any()) == ({}, False)
