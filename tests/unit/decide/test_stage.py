"""Campaigns by hand: when a journey starts, ends, is decided, and what is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from livepost.decide.stage import Campaigns
from livepost.ids import decision_id
from livepost.model import journal as journals
from livepost.model.compiled import CampaignSpec, CapSpec, Compiled, StepSpec
from livepost.model.decision import Cancellation, ConsentChange, Decision, OutboxItem, Transition
from livepost.model.hours import QuietHours
from livepost.model.moment import NO_DUE, Decided, Moment

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_767_225_600_000
PERSON = b"p" * 16
EVENT = b"e" * 16
WHERE = {
    "type": "compare",
    "op": ">=",
    "left": {"type": "field", "name": "units"},
    "right": {"type": "const", "value": 2},
}


def at_audience(**rest: Any) -> CampaignSpec:
    return CampaignSpec(**{"name": "remind", "audience": "keen", "class_": "transactional"} | rest)


def at_event(**rest: Any) -> CampaignSpec:
    return CampaignSpec(**{"name": "thank", "on": "Ordered", "class_": "transactional"} | rest)


def record(after: int, name: str = "Ordered", **rest: Any) -> Moment:
    """Return a record of the person, so many ms after NOW."""
    return Moment(NOW + after, position=after, name=name, event=rest.pop("event", EVENT), **rest)


def transition(after: int, *, entered: bool, segment: str = "keen") -> Transition:
    return Transition(
        id=after.to_bytes(16, "big"),
        person=PERSON,
        segment=segment,
        version="1",
        number=1,
        entered=entered,
        at=NOW + after,
        position=after,
        origin=0,
    )


def entering(after: int, **rest: Any) -> Moment:
    return record(after, "Viewed", transitions=[transition(after, entered=True)], **rest)


def leaving(after: int, **rest: Any) -> Moment:
    return record(after, "Viewed", transitions=[transition(after, entered=False)], **rest)


def decide(
    campaigns: Sequence[CampaignSpec] | CampaignSpec,
    moments: Sequence[Moment],
    until: int = 0,
    journal: bytes = b"",
    lateness: int = 0,
) -> Decided:
    """Decide moments, and what is due until so many ms after NOW; due times are served `lateness` ms late."""
    specs = (campaigns,) if isinstance(campaigns, CampaignSpec) else tuple(campaigns)
    stage = Campaigns(Compiled(profile="Shopper", campaigns=specs), "w")
    return stage.decide(PERSON, journal, moments, NOW + until, lambda due: (due - NOW, due + lateness))


def told(outbox: Sequence[OutboxItem]) -> list[tuple[str, int]]:
    """Return what came out in short: decisions by campaign and skip, cancellations by reason, ms after NOW."""
    short: list[tuple[str, int]] = []
    for item in outbox:
        match item:
            case Decision():
                short.append((f"{item.campaign} {item.skip}".strip(), item.at - NOW))
            case Cancellation():
                short.append((f"cancel {item.reason}", item.at - NOW))
            case ConsentChange():
                short.append((f"{item.purpose} {item.allowed}", item.at - NOW))
    return short


# --- starts ---------------------------------------------------------------------------------------


def test_an_event_with_no_wait_is_decided_at_once_with_the_event_as_cause() -> None:
    decided = decide(at_event(version="7", lane="bulk"), [record(5)], until=5)
    (decision,) = decided.outbox
    assert isinstance(decision, Decision)
    assert decision.id == decision_id("w", "thank", 0, PERSON, EVENT)
    assert (decision.cause, decision.cause_text, decision.at, decision.position) == (
        EVENT,
        "Ordered happened",
        NOW + 5,
        5,
    )
    assert (decision.version, decision.lane, decision.skip, decided.due) == ("7", "bulk", "", NO_DUE)


def test_entering_the_audience_starts_a_journey_that_is_decided_when_its_wait_is_over() -> None:
    waiting = decide(at_audience(wait_ms=HOUR), [entering(5)], until=HOUR + 4)
    assert (waiting.outbox, waiting.due) == ([], NOW + 5 + HOUR)
    done = decide(at_audience(wait_ms=HOUR), [], until=HOUR + 5, journal=waiting.journal)
    (decision,) = done.outbox
    assert isinstance(decision, Decision)
    assert (decision.at, decision.position, decision.cause) == (NOW + HOUR + 5, HOUR + 5, (5).to_bytes(16, "big"))
    assert decision.cause_text == "entered Shopper.keen"
    assert done.due == NO_DUE


def test_entering_another_segment_starts_nothing() -> None:
    moment = record(5, "Viewed", transitions=[transition(5, entered=True, segment="other")])
    assert decide(at_audience(), [moment], until=5).outbox == []


def test_where_says_which_records_start_a_journey() -> None:
    moments = [record(1, properties={"units": 1}), record(2, properties={"units": 2}), record(3)]
    assert told(decide(at_event(where=WHERE), moments, until=3).outbox) == [("thank", 2)]


def test_only_live_records_start_a_journey() -> None:
    assert decide(at_event(), [record(5, live=False)], until=5).outbox == []


@pytest.mark.parametrize(("age", "mails"), [(HOUR, 1), (HOUR + 1, 0)])
def test_a_record_starts_a_journey_up_to_its_freshness(age: int, mails: int) -> None:
    assert len(decide(at_event(fresh_ms=HOUR), [record(5, age_ms=age)], until=5).outbox) == mails


def test_a_due_time_starts_a_journey_however_late_it_is_served() -> None:
    moment = Moment(NOW + 5, 9, lateness_ms=DAY, transitions=[transition(5, entered=True)])
    waiting = decide(at_audience(wait_ms=HOUR, fresh_ms=MINUTE), [moment], until=5)
    assert waiting.due == NOW + 5 + HOUR


def test_a_mail_decided_too_late_is_stale() -> None:
    spec = at_audience(wait_ms=HOUR, fresh_ms=MINUTE)
    assert told(decide(spec, [entering(0)], until=HOUR, lateness=MINUTE).outbox) == [("remind", HOUR)]
    assert told(decide(spec, [entering(0)], until=HOUR, lateness=MINUTE + 1).outbox) == [("remind stale", HOUR)]


# --- re-entry -------------------------------------------------------------------------------------


def test_a_person_under_way_does_not_enter_again() -> None:
    moments = [record(0, event=b"1" * 16), record(5, event=b"2" * 16)]
    assert told(decide(at_event(wait_ms=HOUR), moments, until=DAY).outbox) == [("thank", HOUR)]


@pytest.mark.parametrize(
    ("reentry", "second", "mails"),
    [(0, 1, 2), (HOUR, HOUR - 1, 1), (HOUR, HOUR, 2), (None, 400 * DAY, 1)],
)
def test_reentry_says_how_long_after_the_last_entry_the_next_may_be(
    reentry: int | None, second: int, mails: int
) -> None:
    moments = [record(0, event=b"1" * 16), record(second, event=b"2" * 16)]
    decided = decide(at_event(reentry_ms=reentry), moments, until=second)
    assert len(decided.outbox) == mails


def test_the_last_entry_counts_and_not_the_decision() -> None:
    spec = at_event(reentry_ms=2 * HOUR, wait_ms=HOUR)
    moments = [record(0, event=b"1" * 16), record(2 * HOUR, event=b"2" * 16)]
    assert told(decide(spec, moments, until=3 * HOUR).outbox) == [("thank", HOUR), ("thank", 3 * HOUR)]


# --- ends -----------------------------------------------------------------------------------------


def test_until_ends_a_waiting_journey_with_a_decision_to_skip() -> None:
    spec = at_audience(wait_ms=HOUR, until=("Ordered",))
    decided = decide(spec, [entering(0), record(MINUTE)], until=DAY)
    assert told(decided.outbox) == [("remind until", MINUTE)]
    assert decided.outbox[0].detail == "Ordered came first"  # type: ignore[union-attr]
    assert decided.due == NO_DUE


def test_until_ends_a_journey_whatever_the_records_origin() -> None:
    spec = at_audience(wait_ms=HOUR, until=("Ordered",))
    assert told(decide(spec, [entering(0), record(1, live=False)], until=DAY).outbox) == [("remind until", 1)]


def test_leaving_the_audience_ends_a_waiting_journey_if_exit_is_set() -> None:
    moments = [entering(0), leaving(MINUTE)]
    assert told(decide(at_audience(wait_ms=HOUR), moments, until=DAY).outbox) == [("remind exit", MINUTE)]
    assert told(decide(at_audience(wait_ms=HOUR, exit=False), moments, until=DAY).outbox) == [("remind", HOUR)]


def test_until_comes_before_exit() -> None:
    spec = at_audience(wait_ms=HOUR, until=("Viewed",))
    journal = decide(spec, [entering(0)], until=0).journal
    assert told(decide(spec, [leaving(1)], until=1, journal=journal).outbox) == [("remind until", 1)]


def test_what_is_due_at_the_stamp_of_a_record_comes_before_it() -> None:
    spec = at_audience(wait_ms=HOUR, until=("Ordered",))
    decided = decide(spec, [entering(0), record(HOUR)], until=DAY)
    assert told(decided.outbox) == [("remind", HOUR), ("cancel until", HOUR)]


def test_who_leaves_at_the_very_due_time_is_not_mailed() -> None:
    gone = Moment(NOW + HOUR, HOUR, transitions=[transition(HOUR, entered=False)])
    assert told(decide(at_audience(wait_ms=HOUR), [entering(0), gone], until=DAY).outbox) == [("remind exit", HOUR)]


def test_an_end_lets_the_same_record_start_the_next_journey() -> None:
    spec = at_event(wait_ms=HOUR, until=("Ordered",))
    moments = [record(0, event=b"1" * 16), record(5, event=b"2" * 16)]
    decided = decide(spec, moments, until=5)
    assert (told(decided.outbox), decided.due) == ([("thank until", 5)], NOW + 5 + HOUR)


# --- cancellations --------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "cancelled"), [(DAY - 1, True), (DAY, False)])
def test_a_decision_is_taken_back_within_a_day_and_no_later(after: int, cancelled: bool) -> None:
    spec = at_audience(until=("Ordered",))
    decided = decide(spec, [entering(0), record(after)], until=after)
    assert told(decided.outbox) == [("remind", 0)] + [("cancel until", after)] * cancelled


def test_a_decision_is_taken_back_once_and_by_its_id() -> None:
    spec = at_audience(until=("Ordered",))
    decided = decide(spec, [entering(0), leaving(1), record(2)], until=2)
    assert told(decided.outbox) == [("remind", 0), ("cancel exit", 1)]
    decision, cancellation = decided.outbox
    assert isinstance(decision, Decision) and isinstance(cancellation, Cancellation)
    assert (cancellation.decision, cancellation.position) == (decision.id, 1)
    assert cancellation.detail == "left keen before the mail was due"


def test_a_skipped_decision_is_not_taken_back() -> None:
    spec = at_audience(class_="marketing", until=("Ordered",))
    assert told(decide(spec, [entering(0), record(1)], until=1).outbox) == [("remind consent", 0)]


def test_a_cap_counts_what_was_decided_to_send_even_if_taken_back() -> None:
    spec = at_audience(cap=CapSpec(1, DAY))
    decided = decide(spec, [entering(0), leaving(1), entering(2), leaving(3), entering(DAY)], until=DAY)
    assert told(decided.outbox) == [("remind", 0), ("cancel exit", 1), ("remind cap", 2), ("remind", DAY)]


# --- consents and order ---------------------------------------------------------------------------


def said(after: int, allowed: bool, effective: int | None = None, message_id: str = "m") -> Moment:
    effective = after if effective is None else effective
    return record(
        after, "Said", consent={"marketing": allowed}, effective_ts=NOW + effective, message_id=message_id, source="web"
    )


def test_a_consent_at_the_record_that_starts_a_journey_is_heard_before_it_is_decided() -> None:
    moment = record(5, consent={"service": True, "marketing": True}, source="web", message_id="m", effective_ts=NOW + 5)
    decided = decide(at_event(class_="marketing"), [moment], until=5)
    assert told(decided.outbox) == [("marketing True", 5), ("service True", 5), ("thank", 5)]


def test_a_consent_is_told_when_it_changes_only_and_a_no_is_told_too() -> None:
    moments = [said(1, False), said(2, False), said(3, True), said(4, True)]
    assert told(decide((), moments, until=4).outbox) == [("marketing False", 1), ("marketing True", 3)]


def test_of_consents_the_later_one_counts_and_of_one_time_the_larger_message_id() -> None:
    moments = [said(5, True, message_id="m"), said(6, False, 4), said(7, False, 5, "a"), said(8, False, 5, "z")]
    assert told(decide((), moments, until=8).outbox) == [("marketing True", 5), ("marketing False", 5)]


def test_a_consent_is_told_as_of_when_it_was_said_however_late_it_comes() -> None:
    (change,) = decide((), [said(9, True, 4)], until=9).outbox
    assert isinstance(change, ConsentChange)
    assert (change.at, change.position) == (NOW + 4, 9)


def test_a_decision_tells_when_its_journey_began_and_the_campaigns_reentry() -> None:
    spec = at_audience(wait_ms=HOUR, reentry_ms=None)
    (decision,) = decide(spec, [entering(1)], until=HOUR + 1).outbox
    assert isinstance(decision, Decision)
    assert (decision.entered_at, decision.at, decision.reentry_ms) == (NOW + 1, NOW + 1 + HOUR, None)


def test_all_ends_come_before_all_steps_before_all_starts_each_in_the_projects_order() -> None:
    one = at_event(name="one", wait_ms=HOUR)
    two = at_audience(name="two", wait_ms=HOUR)
    three = at_audience(name="three", audience="other")
    begun = decide((one, two), [record(0, transitions=[transition(0, entered=True)])]).journal
    moment = Moment(
        NOW + HOUR,
        HOUR,
        transitions=[transition(HOUR, entered=False), transition(HOUR, entered=True, segment="other")],
    )
    decided = decide((one, two, three), [moment], until=HOUR, journal=begun)
    assert told(decided.outbox) == [("two exit", HOUR), ("one", HOUR), ("three", HOUR)]


def test_the_earliest_journey_under_way_is_due_first() -> None:
    specs = (at_event(name="slow", wait_ms=2 * HOUR), at_event(name="fast", wait_ms=HOUR))
    decided = decide(specs, [record(0)])
    assert decided.due == NOW + HOUR
    assert told(decide(specs, [], until=DAY, journal=decided.journal).outbox) == [("fast", HOUR), ("slow", 2 * HOUR)]
    assert Campaigns(Compiled(campaigns=specs), "w").due(decided.journal) == NOW + HOUR
    assert Campaigns(Compiled(campaigns=specs), "w").due(b"") == NO_DUE


@pytest.mark.parametrize("cut", [0, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR - 1, 2 * HOUR])
def test_a_cut_anywhere_even_at_a_due_time_changes_nothing(cut: int) -> None:
    spec = at_audience(wait_ms=HOUR, until=("Ordered",), class_="marketing", reentry_ms=HOUR)
    moments = [said(0, True), entering(0), leaving(HOUR), entering(HOUR), record(2 * HOUR)]
    whole = decide(spec, moments, until=3 * HOUR)
    first = decide(spec, [m for m in moments if m.at <= NOW + cut], until=cut)
    rest = decide(spec, [m for m in moments if m.at > NOW + cut], until=3 * HOUR, journal=first.journal)
    assert [*first.outbox, *rest.outbox] == whole.outbox
    assert journals.read(rest.journal) == journals.read(whole.journal)
    assert told(whole.outbox) == [
        ("marketing True", 0),
        ("remind", HOUR),
        ("cancel exit", HOUR),
        ("remind", 2 * HOUR),
        ("cancel until", 2 * HOUR),
    ]


def test_joined_journals_keep_the_journey_entered_first() -> None:
    spec = at_event(wait_ms=HOUR)
    mine, theirs = (decide(spec, [record(after, event=bytes([after]) * 16)]).journal for after in (9, 3))
    stage = Campaigns(Compiled(campaigns=(spec,)), "w")
    assert stage.due(stage.join(mine, theirs)) == stage.due(stage.join(theirs, mine)) == NOW + 3 + HOUR


def test_of_interest_are_names_that_start_or_end_and_audiences() -> None:
    stage = Campaigns(Compiled(campaigns=(at_audience(until=("Left",)), at_event())), "w")
    assert (stage.names, stage.audiences) == ({"Left", "Ordered"}, {"keen"})


def test_fields_are_asked_for_where_a_condition_on_them_starts_a_journey() -> None:
    specs = (at_event(), at_event(name="large", on="Paid", where=WHERE), at_audience())
    assert Campaigns(Compiled(campaigns=specs), "w").conditions == {"Paid"}


# --- freshness ------------------------------------------------------------------------------------

AFTER_AN_HOUR = at_event(name="hourly", fresh_ms=HOUR)
AFTER_A_DAY = at_event(name="daily", fresh_ms=DAY)


@pytest.mark.parametrize(
    ("age", "started", "not_fresh"),
    [
        (HOUR, ["hourly", "daily"], []),
        (HOUR + 1, ["daily"], ["hourly"]),
        (DAY, ["daily"], ["hourly"]),
        (DAY + 1, [], ["hourly", "daily"]),
    ],
)
def test_each_campaign_has_its_own_freshness_to_the_millisecond_and_what_it_forbids_is_named(
    age: int, started: list[str], not_fresh: list[str]
) -> None:
    decided = decide([AFTER_AN_HOUR, AFTER_A_DAY], [record(0, age_ms=age)])
    assert [item.campaign for item in decided.outbox if isinstance(item, Decision)] == started
    assert decided.not_fresh == not_fresh


def test_entering_an_audience_at_a_late_record_is_as_old_as_the_record() -> None:
    assert told(decide(at_audience(fresh_ms=HOUR), [entering(0, age_ms=HOUR)]).outbox) == [("remind", 0)]
    late = decide(at_audience(fresh_ms=HOUR), [entering(0, age_ms=HOUR + 1)])
    assert (late.outbox, late.not_fresh) == ([], ["remind"])


def test_only_what_freshness_alone_forbids_is_named() -> None:
    loaded = decide(AFTER_AN_HOUR, [record(0, age_ms=DAY, live=False)])
    assert (loaded.outbox, loaded.not_fresh) == ([], [])
    once = at_event(fresh_ms=HOUR, reentry_ms=None)
    again = decide(once, [record(0), record(1, age_ms=DAY)])
    assert (told(again.outbox), again.not_fresh) == ([("thank", 0)], [])


def test_a_late_record_that_starts_nothing_ends_what_waits_all_the_same() -> None:
    waiting = at_audience(wait_ms=HOUR, until=("Ordered",), fresh_ms=MINUTE)
    decided = decide(waiting, [entering(0), record(1, age_ms=29 * DAY)])
    assert told(decided.outbox) == [("remind until", 1)]


@pytest.mark.parametrize(("lateness", "skip"), [(HOUR, "remind"), (HOUR + 1, "remind stale")])
def test_a_due_time_served_later_than_fresh_is_stale_and_not_a_millisecond_before(lateness: int, skip: str) -> None:
    waiting = at_audience(wait_ms=MINUTE, fresh_ms=HOUR)
    assert told(decide(waiting, [entering(0)], until=MINUTE, lateness=lateness).outbox) == [(skip, MINUTE)]


# --- hours ----------------------------------------------------------------------------------------

BERLIN = "Europe/Berlin"
NIGHT = QuietHours(21 * 60, 8 * 60)
"""NOW is midnight in UTC, one o'clock in Berlin."""


def test_what_is_due_in_quiet_hours_is_decided_when_they_end_where_the_person_is() -> None:
    campaign = at_event(quiet=NIGHT)
    assert told(decide(campaign, [record(5)], until=8 * HOUR).outbox) == [("thank", 8 * HOUR)]
    in_berlin = decide(campaign, [record(5, zone=BERLIN)], until=8 * HOUR)
    assert told(in_berlin.outbox) == [("thank", 7 * HOUR)]
    (decision,) = in_berlin.outbox
    assert isinstance(decision, Decision)
    assert decision.quiet == (21 * 60, 8 * 60, BERLIN)


def test_until_ends_a_journey_that_waits_for_quiet_hours_to_end() -> None:
    done = decide(at_event(quiet=NIGHT, until=("Returned",)), [record(5), record(HOUR, "Returned")], until=DAY)
    assert told(done.outbox) == [("thank until", HOUR)]


def test_a_mail_waits_for_its_time_of_day_behind_its_wait() -> None:
    campaign = at_event(wait_ms=HOUR, at=9 * 60, zone="Asia/Tokyo")
    assert told(decide(campaign, [record(5)], until=2 * DAY).outbox) == [("thank", DAY)]
    before_it = record(5, zone="Europe/London")
    assert told(decide(campaign, [before_it], until=2 * DAY).outbox) == [("thank", 9 * HOUR)]


def test_the_newest_record_says_the_zone_whatever_comes_first() -> None:
    said = [("b", 2, BERLIN), ("a", 2, "Asia/Tokyo"), ("c", 1, "Europe/London")]
    moments = [
        Moment(NOW + place, place, name="Viewed", zone=zone, effective_ts=ts, message_id=message)
        for place, (message, ts, zone) in enumerate(said)
    ]
    zoned = decide(at_event(at=9 * 60), moments, until=3)
    book = journals.read(zoned.journal)
    assert book.zone is not None
    assert book.zone.name == BERLIN


def test_only_a_project_that_asks_for_hours_is_shown_zones() -> None:
    step = StepSpec(name="then", wait_ms=1, at=60)
    asking = [at_event(at=60), at_event(quiet=NIGHT), at_event(steps=(step,)), at_event()]
    assert [Campaigns(Compiled(campaigns=(spec,)), "w").zoned for spec in asking] == [True, True, True, False]


# --- later mails ----------------------------------------------------------------------------------

DRIP = (StepSpec(name="second", wait_ms=HOUR), StepSpec(name="third", wait_ms=HOUR, at=9 * 60))


def steps(outbox: Sequence[OutboxItem]) -> list[tuple[int, int, str]]:
    """Return step, ms after NOW and skip of decisions."""
    return [(item.step, item.at - NOW, item.skip) for item in outbox if isinstance(item, Decision)]


def test_later_mails_come_after_the_one_before_each_by_an_id_of_its_own() -> None:
    done = decide(at_event(steps=DRIP), [record(5)], until=DAY)
    assert steps(done.outbox) == [(0, 5, ""), (1, HOUR + 5, ""), (2, 9 * HOUR, "")]
    ids = [decision_id("w", "thank", step, PERSON, EVENT) for step in range(3)]
    assert [item.id for item in done.outbox if isinstance(item, Decision)] == ids
    assert done.due == NO_DUE


def test_a_mail_that_is_skipped_lets_the_next_one_come() -> None:
    marketing = at_event(class_="marketing", steps=DRIP)
    agrees = record(HOUR, "Agreed", consent={"marketing": True}, effective_ts=NOW)
    done = decide(marketing, [record(5), agrees], until=DAY)
    assert steps(done.outbox) == [(0, 5, "consent"), (1, HOUR + 5, ""), (2, 9 * HOUR, "")]


def test_who_is_held_out_gets_none_and_until_ends_them_all() -> None:
    assert steps(decide(at_event(steps=DRIP, holdout=1.0), [record(5)], until=DAY).outbox) == [(0, 5, "holdout")]
    bought = decide(at_event(steps=DRIP, until=("Returned",)), [record(5), record(9, "Returned")], until=DAY)
    assert steps(bought.outbox) == [(0, 5, ""), (1, 9, "until")]
    assert told(bought.outbox)[2] == ("cancel until", 9)


def test_nobody_begins_again_between_mails() -> None:
    done = decide(at_event(steps=DRIP), [record(5), record(6, event=b"f" * 16)], until=7)
    assert steps(done.outbox) == [(0, 5, "")]


def test_a_mail_that_a_changed_project_has_no_more_is_said_and_ends_the_journey() -> None:
    waiting = decide(at_event(steps=DRIP), [record(5)], until=HOUR + 5)
    done = decide(at_event(steps=DRIP[:1]), [], until=DAY, journal=waiting.journal)
    assert (steps(done.outbox), done.due) == ([(2, 9 * HOUR, "kill")], NO_DUE)


def test_a_journey_in_a_campaign_that_there_is_not_is_left_alone() -> None:
    waiting = decide(at_event(wait_ms=HOUR), [record(5)], until=6)
    done = decide(at_event(name="other"), [record(9)], until=DAY, journal=waiting.journal)
    assert (told(done.outbox), done.due) == ([("other", 9)], NO_DUE)


# --- caps on all campaigns, priorities ------------------------------------------------------------


def test_a_cap_on_all_campaigns_counts_those_that_have_it_and_goes_by_priority() -> None:
    caps = (CapSpec(1, HOUR),)
    first = at_event(name="first", overall=caps)
    second = at_event(name="second", overall=caps, priority=1)
    receipt = at_event(name="receipt")
    done = decide([first, second, receipt], [record(5), record(HOUR + 5, event=b"f" * 16)], until=2 * HOUR)
    goes = ["second", "first cap", "receipt"]
    assert told(done.outbox) == [(name, at) for at in (5, HOUR + 5) for name in goes]
    (capped,) = [item for item in done.outbox[:3] if isinstance(item, Decision) and item.skip == "cap"]
    assert (capped.detail, capped.overall) == ("1 of 1 of all campaigns in 1 hour", ((1, HOUR),))
