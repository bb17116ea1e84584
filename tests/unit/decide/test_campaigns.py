from livepost.decide.campaigns import campaigns_of, names_of
from livepost.model.compiled import CampaignSpec, Compiled

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


def test_the_names_of_interest_are_those_that_start_or_end_a_journey() -> None:
    assert names_of(campaigns_of(COMPILED)) == {"Ordered", "Returned", "Left"}


def test_where_is_a_test_of_the_starting_records_properties() -> None:
    thank, remind = campaigns_of(COMPILED)
    assert thank.where is not None
    assert [thank.where({"units": 2}), thank.where({"units": 1})] == [True, False]
    assert remind.where is None


def test_a_project_of_no_campaigns_is_interested_in_nothing() -> None:
    assert names_of(campaigns_of(Compiled())) == frozenset()
