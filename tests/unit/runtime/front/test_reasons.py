from contextlib import closing
from pathlib import Path

import pytest

from livepost.errors import ProjectError, StoreError
from livepost.ops.why import CampaignReason, PersonReason, SegmentReason
from livepost.runtime.front.reasons import reasons_for, subject_of
from livepost.vault.base import ExternalId
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, look, make_project


@pytest.fixture
def house(tmp_path: Path) -> StillHouse:
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(ada(), *THREE_LOOKS)
    still.work()
    return still


@pytest.mark.parametrize("name", ["ada", "ada@example.com", " Ada@Example.com "])
def test_a_person_is_found_by_user_id_and_by_address(house: StillHouse, name: str) -> None:
    found = reasons_for(house.folder, house.project, name, "browse_reminder")
    assert isinstance(found, CampaignReason)
    assert found.state == "sent"


def test_a_user_id_goes_before_an_anonymous_id_that_is_spelled_alike(house: StillHouse) -> None:
    house.take({"type": "track", "anonymousId": "ada", "event": "Product Viewed", "properties": {"productId": "x"}})
    with closing(house.folder.vault(readonly=True)) as vault:
        found = subject_of(vault, "ada", ())
    assert found is not None and found.known


def test_a_declared_key_is_found_behind_a_user_id_and_before_an_address(house: StillHouse) -> None:
    with closing(house.folder.vault(readonly=False)) as vault:
        made = vault.admit([ExternalId(kind, "4711") for kind in ("email", "anonymous", "loyalty_card", "user")])
        vault.commit()
        of_kind = dict(
            zip(("email", "anonymous", "loyalty_card", "user"), (keys.subject for keys in made), strict=True)
        )
        for gone, keys, expected in [
            ("", ["loyalty_card"], "user"),
            ("user", ["loyalty_card"], "loyalty_card"),
            ("loyalty_card", ["loyalty_card"], "email"),
        ]:
            if gone:
                vault.forget([of_kind[gone]])
            found = subject_of(vault, "4711", keys)
            assert found is not None and found.subject == of_kind[expected]


def test_a_key_that_the_project_does_not_declare_names_nobody(house: StillHouse) -> None:
    with closing(house.folder.vault(readonly=False)) as vault:
        vault.admit([ExternalId("loyalty_card", "4711")])
        assert subject_of(vault, "4711", ()) is None


def test_an_anonymous_visitor_is_found_too(house: StillHouse) -> None:
    told = {"event": "Product Viewed", "properties": {"productId": "x"}}
    house.take({"type": "track", "anonymousId": "visitor-1", "messageId": "v1", **told})
    house.work()
    assert isinstance(reasons_for(house.folder, house.project, "visitor-1", "browsing"), SegmentReason)


def test_all_of_a_person_is_told_where_nothing_is_named(house: StillHouse) -> None:
    found = reasons_for(house.folder, house.project, "ada", None)
    assert isinstance(found, PersonReason)
    assert "campaign browse_reminder: sent: entered Shopper.browsing" in str(found)


def test_nobody_of_that_name_is_said_with_what_a_name_may_be(house: StillHouse) -> None:
    with pytest.raises(StoreError, match="nobody is known as 'bob': expected a userId, an email address"):
        reasons_for(house.folder, house.project, "bob", None)


def test_somebody_whom_the_engine_has_not_seen_yet_is_nobody_yet(house: StillHouse) -> None:
    house.take(look("green-tea", "bob"))
    with pytest.raises(StoreError, match="nobody is known as 'bob'"):
        reasons_for(house.folder, house.project, "bob", None)


def test_a_campaign_that_is_not_there_is_said_with_those_that_are(house: StillHouse) -> None:
    with pytest.raises(ProjectError, match="browse_reminder, browsing, left_cart, vip"):
        reasons_for(house.folder, house.project, "ada", "win_back")


def test_a_segment_is_told_with_the_records_behind_its_terms_the_newest_first(house: StillHouse) -> None:
    again = {**THREE_LOOKS[0]}  # the same message id once more
    house.take(again, look("white-tea", "bob"))
    house.work()
    found = reasons_for(house.folder, house.project, "ada", "browsing")
    assert isinstance(found, SegmentReason)
    views, orders = found.terms[0].behind[0], found.terms[1].behind[0]
    assert [one.values["product_id"] for one in views.records] == ["oolong", "black-tea", "green-tea"]
    assert (views.feature, views.more, views.others, orders.records) == ("views_7d", 0, 0, ())
    assert "Product Viewed (record " in str(found) and "product_id 'oolong'" in str(found)
    assert str(found).splitlines()[-2].strip() == "the whole log was searched"


def test_a_mail_is_told_with_the_records_that_had_brought_it_about(house: StillHouse) -> None:
    house.take(look("white-tea"))
    house.work()
    found = reasons_for(house.folder, house.project, "ada", "browse_reminder")
    assert isinstance(found, CampaignReason)
    views = found.mails[0].behind[0]
    assert [one.values["product_id"] for one in views.records] == ["oolong", "black-tea", "green-tea"]
    now = reasons_for(house.folder, house.project, "ada", "browsing")
    assert isinstance(now, SegmentReason)
    assert now.terms[0].behind[0].records[0].values["product_id"] == "white-tea"


def test_a_merged_persons_records_are_told_whosever_id_they_came_under(house: StillHouse) -> None:
    before = {"type": "track", "anonymousId": "device", "messageId": "before", "event": "Product Viewed"}
    house.take({**before, "properties": {"productId": "white-tea"}})
    link = {"type": "identify", "userId": "ada", "anonymousId": "device", "messageId": "link", "traits": {}}
    house.take(link)
    house.work()
    found = reasons_for(house.folder, house.project, "ada", "browsing")
    assert isinstance(found, SegmentReason)
    assert {one.values["product_id"] for one in found.terms[0].behind[0].records} >= {"white-tea", "oolong"}


def test_what_was_set_aside_is_not_among_the_records(house: StillHouse) -> None:
    conflict = {**THREE_LOOKS[0], "properties": {"productId": "another"}}  # a taken id, another content
    broken = {"type": "track", "userId": "ada", "messageId": "broken", "event": "Product Viewed"}
    house.take(conflict, broken)
    house.work()
    found = reasons_for(house.folder, house.project, "ada", "browsing")
    assert isinstance(found, SegmentReason)
    assert len(found.terms[0].behind[0].records) == 3
    assert "another" not in str(found)
