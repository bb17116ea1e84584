"""`livepost people unlink` where no house runs: one can look. With one that does it is in tests/real/test_unlink.py."""

from __future__ import annotations

import asyncio
import re

import pytest

from livepost.errors import StoreError
from livepost.runtime.data.definitions import Named
from livepost.runtime.front.changing import NAMED
from livepost.runtime.front.undoing import UNLINK
from livepost.runtime.outside.unlinking import TRIES, Unlinking
from livepost.runtime.sockets.wire import Handler, WireServer
from livepost.vault.base import ANONYMOUS, USER, ExternalId
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse, ada, look


def subject(house: StillHouse, kind: str, value: str) -> str:
    vault = house.folder.vault(readonly=True)
    keys = vault.find(ExternalId(kind, value))
    vault.close()
    assert keys is not None
    return keys.subject.hex()


@pytest.fixture
def linked(house: StillHouse) -> StillHouse:
    """The house, after Ada was seen with a tablet."""
    tablet = {**look("white-tea"), "messageId": "tablet-1", "anonymousId": "tablet"}
    alone = {key: value for key, value in tablet.items() if key != "userId"} | {"messageId": "tablet-0"}
    house.take(alone)
    house.take(tablet)
    house.engine_works()
    return house


def test_each_link_is_shown_with_where_it_is_and_the_two_people_without_it(
    livepost: Command, linked: StillHouse
) -> None:
    told = livepost("people", "unlink", "ada")
    user, tablet = subject(linked, USER, "ada"), subject(linked, ANONYMOUS, "tablet")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert len(lines) == 6  # the link to the address, and to the tablet
    assert lines[3].endswith(f"  Product Viewed: {user} mentions {tablet}")
    assert user in lines[4] and lines[5].split() == ["and", tablet]
    assert not re.search(r"\bada\b", told.out)  # ids are drawn: one may spell it


def test_as_json_there_is_all_that_undoing_it_takes_to_be_said(livepost: Command, linked: StillHouse) -> None:
    told = livepost("people", "unlink", "ada", "--json").json()
    tablet = subject(linked, ANONYMOUS, "tablet")
    assert (told["person"], told["log_begins_at"], told["lost_consents"]) == (subject(linked, USER, "ada"), 0, [])
    assert told["splits"][1]["mentioned"] == tablet
    assert told["splits"][1]["other"] == [tablet]
    assert livepost("people", "unlink", "tablet", "--json").json() == told


def test_somebody_of_one_subject_has_nothing_to_undo_and_nobody_is_said(livepost: Command, house: StillHouse) -> None:
    house.take(look("white-tea", "carl"))
    house.engine_works()
    assert livepost("people", "unlink", "carl").out == "The log has no record that made this person of several.\n"
    assert "nobody is known as 'zoe'" in livepost("people", "unlink", "zoe").err


def test_a_position_without_just_one_link_is_refused_with_those_that_there_are(
    livepost: Command, linked: StillHouse
) -> None:
    told = livepost("people", "unlink", "ada", "--at", "1", "--yes")
    positions = [one["position"] for one in livepost("people", "unlink", "ada", "--json").json()["splits"]]
    assert told.code == 1
    assert "expected one link at position 1, got 0; the person's links: " in told.err
    assert all(f"{position} (to " in told.err for position in positions)


def test_nothing_is_undone_without_a_yes_or_without_a_house(livepost: Command, linked: StillHouse) -> None:
    at = str(livepost("people", "unlink", "ada", "--json").json()["splits"][1]["position"])
    assert "got nobody to ask; say --yes" in livepost("people", "unlink", "ada", "--at", at).err
    told = livepost("people", "unlink", "ada", "--at", at, "--yes")
    assert told.code == 1
    assert "expected a house that runs, to undo a merge, got no answer" in told.err


def test_what_is_lost_is_said_before(livepost: Command, linked: StillHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = property(lambda unlinking: ["marketing"])
    monkeypatch.setattr(Unlinking, "lost_consents", lost)
    told = livepost("people", "unlink", "ada").out.splitlines()
    assert told[-1] == "Who allowed marketing the log does not say any more: neither keeps it."


def test_a_person_who_is_never_quiet_is_given_up_after_so_many_tries(linked: StillHouse) -> None:
    """A front that finds a record of the person behind what was read, each time."""
    asked: list[str] = []
    named = Named(serving=linked.project.compiled, project_at=0)
    handlers: dict[str, Handler] = {NAMED: lambda raw: named, UNLINK: lambda raw: asked.append(UNLINK)}

    def undo() -> None:
        with Unlinking(linked.folder, linked.project, "ada") as one:
            one.undo(one.splits[1])

    async def served() -> None:
        server = WireServer(linked.folder.front_socket, handlers)
        await server.start()
        try:
            await asyncio.to_thread(undo)
        finally:
            await server.close()

    with pytest.raises(StoreError, match="got something in each of 10 tries"):
        asyncio.run(served())
    assert asked == [UNLINK] * TRIES


def test_a_consent_that_the_log_does_not_tell_of_is_named_as_lost(linked: StillHouse) -> None:
    linked.take(ada("ada-9"))
    linked.engine_works()
    with Unlinking(linked.folder, linked.project, "ada") as one:
        assert one.lost_consents == []
        one._unlinks._counted.clear()
        assert one.lost_consents == ["marketing"]
