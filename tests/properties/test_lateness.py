"""How late events came and what that cost, as the engine counts it: what the naive oracle finds record by record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.ids import digest
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.lateness import EDGES_MS, Lateness, lateness_of
from livepost.model.record import Origin, Record
from livepost.process import stage
from livepost.process.batch import Batch
from tests.oracle.naive import Naive, Occasion, Person, may_enter, starting_cause
from tests.properties.driver import WORKSPACE, fold
from tests.properties.generators import START, Case, cases
from tests.properties.test_engine import SIZES, SLOW


class Counting(Naive):
    """The naive engine, which notes each start that only freshness forbids."""

    def start(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> None:
        """Start a journey, or note why not."""
        record, standing = occasion.record, person.standing(campaign.name)
        if record is not None and record.stamp - record.effective_ts > campaign.fresh_ms and standing.journey is None:
            any_age = msgspec.structs.replace(campaign, fresh_ms=record.stamp - record.effective_ts)
            if starting_cause(any_age, occasion) is not None and may_enter(campaign, standing, occasion.at):
                self.not_fresh[campaign.name] += 1
        super().start(person, campaign, occasion)

    not_fresh: Counter[str]


@dataclass
class Found:
    """Processed events by (band, live), live events that were too late, triggers that were not fresh."""

    bands: Counter[tuple[int | None, bool]] = field(default_factory=Counter)
    too_late: int = 0
    not_fresh: dict[str, int] = field(default_factory=dict)


def naively(case: Case) -> Found:
    """Return what a look at each record finds."""
    naive, found = Counting(case.compiled, case.records, WORKSPACE), Found()
    naive.not_fresh = Counter()
    endings = [naive.take(record) for record in case.records]
    naive.finish(endings)
    for record, ending in zip(case.records, endings, strict=True):
        if ending == ("processed", ""):
            age = record.stamp - record.effective_ts
            edge = next((edge for edge in EDGES_MS if age <= edge), None)
            found.bands[edge, record.origin == Origin.LIVE] += 1
        found.too_late += ending == ("dead", "late")
    found.not_fresh = dict(naive.not_fresh)
    return found


def told(lateness: Lateness) -> Found:
    """Return what the engine tells, in the same words."""
    bands = Counter[tuple[int | None, bool]]()
    for band in lateness.bands:
        bands.update({(band.up_to_ms, True): band.live, (band.up_to_ms, False): band.imported})
    return Found(+bands, lateness.too_late, lateness.not_fresh)


@SLOW
@given(case=cases(), sizes=SIZES, wave=st.sampled_from([1, 1000]))
def test_any_batching_counts_lateness_as_the_oracle_does_and_every_processed_event_once(
    case: Case, sizes: list[int], wave: int
) -> None:
    people = fold(case.compiled, case.records, sizes, wave).people
    found = told(lateness_of(people.lateness))
    assert found == naively(case)
    assert sum(found.bands.values()) == people.counts["processed"]


def test_a_count_that_misses_duplicates_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: lateness counted before dedupe."""
    counted = stage.count_lateness

    def of_all(batch: Batch) -> dict[str, int]:
        batch.alive[:] = True
        return counted(batch)

    monkeypatch.setattr(stage, "count_lateness", of_all)

    record = Record(
        source="web", subject=b"s" * 16, message_id="m", name="Viewed", effective_ts=START, content_hash=digest("m")
    )
    again = [msgspec.structs.replace(record, seq=seq, stamp=START) for seq in range(2)]
    case = Case(Compiled(), [again])
    people = fold(case.compiled, again, [100]).people
    assert naively(case).bands == {(EDGES_MS[0], True): 1}
    assert told(lateness_of(people.lateness)).bands == {(EDGES_MS[0], True): 2}
