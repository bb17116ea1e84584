"""A merge undone in a house that runs: a shared tablet, the looks of which were taken for Ada's.

One story, told in order on one data folder; each test stands on what the ones before it left.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from livepost.model.person import PersonView
from livepost.model.record import Kind, Origin
from livepost.runtime.author.project import load_project
from livepost.runtime.engine.client import EngineClient
from livepost.settings.load import load
from livepost.vault.base import ANONYMOUS, ExternalId
from tests.crash.replaying import replayed
from tests.real.test_apply import Load, command
from tests.real.test_house import House, known_as, wait_until, wait_until_whole

TABLET = "tablet"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    one = House(tmp_path_factory.mktemp("unlink"))
    one.run()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def key(house: House) -> str:
    return house.livepost("keys", "new", "secret").splitlines()[0].rpartition(" ")[2]


def look(number: int, **who: str) -> dict[str, Any]:
    told = {"event": "Product Viewed", "properties": {"productId": f"tea-{number}"}}
    return {"messageId": f"{'-'.join(who.values())}-looks-{number}", **who, **told}


def tablet(house: House) -> bytes:
    """Return the tablet's subject."""
    with closing(house.data.vault(readonly=True)) as vault:
        keys = vault.find(ExternalId(ANONYMOUS, TABLET))
    assert keys is not None
    return keys.subject


def person(house: House, subject: bytes, at_least: int = -1) -> PersonView:
    with closing(EngineClient(house.data)) as engine:
        return engine.people([subject], at_least)[subject]


def people(house: House, *words: str) -> Any:
    """Return what `livepost people unlink` prints as JSON."""
    return json.loads(house.livepost("people", "unlink", *words, "--json"))


def link_to_tablet(house: House) -> dict[str, Any]:
    """Return the link of Ada's that is to be undone."""
    [split] = [one for one in people(house, "ada")["splits"] if one["mentioned"] == tablet(house).hex()]
    return split


def inside(view: PersonView) -> set[str]:
    return {one.segment for one in view.memberships if one.inside}


def test_a_look_at_the_links_names_positions_and_subjects_and_nobody(house: House, key: str) -> None:
    identify = known_as("ada") | {"anonymousId": TABLET}
    looks = [look(1, anonymousId=TABLET), look(2, anonymousId=TABLET), look(3, userId="ada", anonymousId=TABLET)]
    for path, call in (("track", looks[0]), ("track", looks[1]), ("identify", identify), ("track", looks[2])):
        assert house.post(f"/v1/{path}", call, key).status == 200
    wait_until("the reminder of the tablet's looks", lambda: len(house.mails()) == 1)
    assert house.post("/v1/track", look(4, anonymousId=TABLET), key).status == 200
    told = command(house, "people", "unlink", "ada")
    split = link_to_tablet(house)
    assert (told.returncode, told.stderr) == (0, "")
    assert f"{split['position']:12,}  " in told.stdout
    assert f"$identify: {split['subject']} mentions {tablet(house).hex()}" in told.stdout
    assert "ada" not in told.stdout and TABLET not in told.stdout
    assert split["other"] == [tablet(house).hex()]


def test_a_position_without_a_link_is_refused_and_nothing_is_undone_without_a_yes(house: House) -> None:
    wrong = command(house, "people", "unlink", "ada", "--at", "9999", "--yes")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "expected one link at position 9999, got 0; the person's links: " in wrong.stderr
    split = link_to_tablet(house)
    words = ("--at", str(split["position"]), "--mentioned", split["mentioned"])
    unsaid = command(house, "people", "unlink", "ada", *words)
    assert unsaid.returncode == 1
    assert "say --yes" in unsaid.stderr
    assert len(person(house, tablet(house)).subjects) == 3


def test_the_two_are_two_through_kills_under_load_and_nobody_is_mailed(house: House, key: str) -> None:
    split = link_to_tablet(house)
    words = ("--at", str(split["position"]), "--mentioned", split["mentioned"], "--yes")
    with Load(house, key):
        undoing = [sys.executable, "-m", "livepost.cli", "people", "unlink", "ada", *words]
        with subprocess.Popen(
            undoing, cwd=house.folder, env=house.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            wait_until("the undo to be in the log", lambda: unlinks(house) == 1)
            for name in ("engine", "front"):
                os.kill(house.processes()[name], signal.SIGKILL)
            out, error = running.communicate(timeout=60)
        assert (running.returncode, error) == (0, "")
        assert "they are two" in out
    wait_until_whole(house)
    device, ada = person(house, tablet(house)), person(house, bytes.fromhex(split["subject"]))
    assert device.subjects == (tablet(house),)
    assert len(ada.subjects) == 2
    assert (device.features["views_7d"], ada.features["views_7d"]) == (3, 1)
    assert ("browsing" in inside(device), "browsing" in inside(ada)) == (True, False)
    assert (ada.consents, device.consents) == ({"marketing": True}, {})
    with closing(EngineClient(house.data)) as engine:
        newest = engine.transitions(device.person, "browsing", 10)[0]
    assert (newest.origin, newest.number) == (Origin.BACKFILL, 2)
    assert len(house.mails()) == 1


def unlinks(house: House) -> int:
    with closing(house.data.log_reader()) as log:
        return sum(block.kind[0] == Kind.UNLINK for block in log.read(-1, 10_000_000))


def test_another_mention_links_them_no_more_and_who_takes_the_tablet_next_gets_no_mail(house: House, key: str) -> None:
    assert house.post("/v1/track", look(7, userId="ada", anonymousId=TABLET), key).status == 200
    bob = known_as("bob") | {"anonymousId": TABLET}
    position = int(house.post("/v1/identify", bob, key).headers["x-livepost-position"])
    device = person(house, tablet(house), position)
    assert len(device.subjects) == 3
    assert device.features["views_7d"] == 3
    assert house.why("bob").count("browsing") > 0
    assert len(house.mails()) == 1


def test_the_state_is_what_the_log_says_and_a_replay_gives_the_same_ids(house: House) -> None:
    parity = command(house, "parity")
    assert (parity.returncode, parity.stderr) == (0, "")
    assert parity.stdout.endswith("no mismatch\n")
    project = load_project(house.folder, load(house.folder, house.environment).settings, house.data.speed)
    with closing(EngineClient(house.data)) as engine:
        until = engine.status().position
        ids = {one.id for one in engine.transitions(None, None, 10_000)}
    told = replayed(house.data, project.compiled, at_most=7, until=until)
    assert len(told.transition_ids) == len(set(told.transition_ids))
    assert set(told.transition_ids) == ids


def test_links_can_be_looked_at_without_a_house_but_not_undone(house: House) -> None:
    house.stop()
    [split] = people(house, "ada")["splits"]
    undone = command(house, "people", "unlink", "ada", "--at", str(split["position"]), "--yes")
    assert undone.returncode == 1
    assert "expected a house that runs, to undo a merge" in undone.stderr
    house.run()
