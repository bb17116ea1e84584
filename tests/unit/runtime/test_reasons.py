from contextlib import closing
from pathlib import Path

import pytest

from livepost.errors import ProjectError, StoreError
from livepost.ops.why import CampaignReason, PersonReason, SegmentReason
from livepost.runtime.reasons import reasons_for, subject_of
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
