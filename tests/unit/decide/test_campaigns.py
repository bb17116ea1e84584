from livepost.decide.campaigns import Roster, campaigns_of, names_of
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.decision import Transition
from livepost.model.moment import Moment

WHERE = {
    "type": "compare",
    "op": ">=",
    "left": {"type": "field", "name": "units"},
    "right": {"type": "const", "value": 2},
}
COMPILED = Compiled(
    campaigns=(
        CampaignSpec(name="thank", on="Ordered", where=WHERE, until=("Returned",)),
        CampaignSpec(name="remind", audience="keen", until=("Ordered", "Left")),
    )
)


def test_campaigns_stand_in_the_projects_order() -> None:
    assert [campaign.name for campaign in campaigns_of(COMPILED)] == ["thank", "remind"]


def test_those_of_a_higher_priority_come_first() -> None:
    specs = [
        CampaignSpec(name=name, on="Ordered", priority=priority) for name, priority in (("a", 0), ("b", 1), ("c", 0))
    ]
    roster = Roster(Compiled(campaigns=tuple(specs)))
    assert [campaign.name for campaign in roster.all] == ["b", "a", "c"]
    ordered = Moment(1, 1, name="Ordered")
    assert [campaign.name for campaign in roster.started_by(ordered)] == ["b", "a", "c"]
    assert [campaign.name for campaign in roster.ordered(["c", "b"])] == ["b", "c"]


def test_the_names_of_interest_are_those_that_start_or_end_a_journey() -> None:
    assert names_of(campaigns_of(COMPILED)) == {"Ordered", "Returned", "Left"}


def test_where_is_a_test_of_the_starting_records_properties() -> None:
    thank, remind = campaigns_of(COMPILED)
    assert thank.where is not None
    assert [thank.where({"units": 2}), thank.where({"units": 1})] == [True, False]
    assert remind.where is None


def test_a_project_of_no_campaigns_is_interested_in_nothing() -> None:
    assert names_of(campaigns_of(Compiled())) == frozenset()


def test_a_moment_concerns_the_campaigns_its_record_or_its_transitions_start_or_end() -> None:
    specs = (
        CampaignSpec(name="miss", audience="keen", exit=True),
        CampaignSpec(name="thank", on="Ordered", until=("Returned",)),
        CampaignSpec(name="remind", audience="keen", exit=False, until=("Ordered",)),
    )
    roster = Roster(Compiled(campaigns=specs))

    def found(moment: Moment) -> tuple[list[str], list[str]]:
        return [c.name for c in roster.started_by(moment)], [c.name for c in roster.ended_by(moment)]

    assert found(Moment(1, 1, name="Ordered")) == (["thank"], ["remind"])
    assert found(Moment(1, 1, name="Seen")) == ([], [])
    assert found(Moment(1, 1, name="Ordered", transitions=[crossed("keen", True)])) == (
        ["miss", "thank", "remind"],
        ["remind"],
    )
    assert found(Moment(1, 1, name="Returned", transitions=[crossed("keen", False)])) == ([], ["miss", "thank"])
    assert found(Moment(1, 1, transitions=[crossed("other", True)])) == ([], [])


def test_campaigns_that_are_asked_for_come_in_the_projects_order_and_others_not_at_all() -> None:
    assert [c.name for c in Roster(COMPILED).ordered(["remind", "long gone", "thank"])] == ["thank", "remind"]


def crossed(segment: str, entered: bool) -> Transition:
    return Transition(
        id=b"t", person=b"p", segment=segment, version="1", number=1, entered=entered, at=1, position=1, origin=0
    )
