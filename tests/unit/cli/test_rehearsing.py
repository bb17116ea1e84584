from pathlib import Path

from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse, look


def test_what_would_have_been_sent_is_told_of_the_page_as_it_stands(
    livepost: Command, house: StillHouse, project: Path
) -> None:
    """Ada was mailed for three looks; for two, Bob would have been, who allows nothing."""
    house.take(look("a", "bob"), look("b", "bob"))
    told = livepost("rehearse", "browse_reminder")
    assert told.out.splitlines()[0] == "browse_reminder would have sent 1 mail to 1 person"
    assert "  sent; entered Shopper.browsing" in told.out
    page = project / "shop.py"
    page.write_text(page.read_text().replace("views_7d >= 3", "views_7d >= 2"))
    found = livepost("rehearse", "browse_reminder", "--json").json()
    assert (found["mails"], found["people"], found["skipped"]) == (1, 1, {"consent": 1})
    assert [one["skip"] for one in found["decisions"]] == ["", "consent"]
    assert "1 skipped: no consent for this purpose" in livepost("rehearse", "browse_reminder", "--limit", "0").out


def test_a_time_says_from_when_on_and_up_to_when(livepost: Command, house: StillHouse) -> None:
    assert livepost("rehearse", "browse_reminder", "--to", "2020-01-01", "--json").json()["mails"] == 0
    assert livepost("rehearse", "browse_reminder", "--from", "2020-01-01", "--json").json()["mails"] == 1


def test_a_campaign_that_there_is_not_is_a_sentence(livepost: Command, house: StillHouse) -> None:
    told = livepost("rehearse", "renamed")
    assert told.code == 1
    assert "expected a campaign of the project in this folder (browse_reminder" in told.err
