"""Dead letters of a running house, by its command line: looked at, corrected, replayed; once, quietly, and sealed.

One story, told in order on one data folder. Its front kills itself between the first replay's append and its answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from livepost.ops.standing import conservation
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.reasons import named_person
from livepost.runtime.sockets.wire import WireClient
from tests.crash.dying_front import DIED
from tests.crash.house import House, wait_until
from tests.crash.scanning import files_of, found_in, read_out

CANARY = "qx-note-7731"
DECLARED = "qx-product-7731"
"""Told as a field that nobody declares, which is sealed; told as one that is declared, which stands open."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house that knows ada, who may be mailed."""
    made = House(tmp_path_factory.mktemp("letters") / "data", front="tests.crash.dying_front")
    made.start()
    consent = {"consent": {"categoryPreferences": {"marketing": True, "orders": True}}}
    traits = {"email": "ada@example.com", "firstName": "Ada"}
    tell(made, {"type": "identify", "userId": "ada", "traits": traits, "context": consent})
    yield made
    made.stop()


def tell(house: House, *calls: dict[str, Any]) -> int:
    """Send calls with the secret key; return the last one's position once the engine has folded it."""
    url = f"http://localhost:{house.folder.port}/v1/batch"
    reply = httpx.post(url, json={"batch": list(calls)}, auth=(house.secret_key, ""))
    assert reply.status_code == 200, reply.text
    position = int(reply.headers["x-livepost-position"])
    with closing(EngineClient(house.folder)) as engine:
        wait_until("the engine to fold it", lambda: engine.status().position >= position)
    return position


def look(product: Any, message_id: str, **properties: Any) -> dict[str, Any]:
    told = {"event": "Product Viewed", "properties": {"productId": product, **properties}}
    return {"type": "track", "userId": "ada", "messageId": message_id, **told}


def order(number: int, total: Any) -> dict[str, Any]:
    told = {"event": "Order Completed", "properties": {"orderId": f"o{number}", "total": total}}
    return {"type": "track", "userId": "ada", "messageId": f"order-{number}", **told}


def livepost(house: House, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `livepost dead` to its end."""
    command = [sys.executable, "-m", "livepost.cli", "dead", *words]
    done = subprocess.run(
        command, cwd=house.project_folder, env=house._environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def told(house: House, *words: str, code: int = 0) -> Any:
    """Run `livepost dead`; return what it printed as JSON."""
    return json.loads(livepost(house, *words, code=code).stdout)


def features(house: House) -> dict[str, Any]:
    """Return what counts for ada once all is at rest, but for what time alone changes."""
    house.drain()
    with closing(house.folder.vault(readonly=True)) as vault, closing(EngineClient(house.folder)) as engine:
        person = named_person(vault, engine, "ada", ())
    assert person is not None
    return {name: value for name, value in person.features.items() if not name.startswith("since")}


def receipts(house: House) -> int:
    """Return how many receipts were decided on, whatever became of them; other campaigns begin as time passes."""
    house.drain()
    with closing(house.folder.ledger()) as ledger:
        return sum(tally.count for tally in ledger.counts() if tally.campaign == "receipt")


def require_conserved(house: House) -> None:
    """Assert that every accepted event is accounted for."""
    house.drain()
    with closing(EngineClient(house.folder)) as engine, closing(house.folder.log_reader()) as log:
        assert conservation(engine.status(), log).holds


def test_a_front_killed_between_append_and_answer_has_replayed_once(house: House) -> None:
    position = tell(house, look([DECLARED], "m1"))
    words = ("fix", str(position), "--set", f"properties.productId={DECLARED}", "--set", f"properties.note={CANARY}")
    refused = livepost(house, *words, code=1)
    assert refused.stderr.startswith("livepost: no answer from front")
    assert (house.folder.path / DIED).exists()
    with closing(WireClient(house.folder.front_socket)) as front:
        wait_until("another front", lambda: front.call("tick", None, Any) is not None)
    (answer,) = told(house, *words, "--json")
    assert (answer["before"], answer["at"], answer["reason"]) == (True, position + 1, "")
    assert features(house)["views"] == 1
    (letter,) = told(house, "list", "--json")
    assert (letter["position"], letter["replayed_at"]) == (position, position + 1)
    require_conserved(house)


def test_what_is_still_wrong_is_said_and_the_others_go_on(house: House) -> None:
    wrong, good = tell(house, order(1, "much")), tell(house, look(["pot"], "m2"))
    assert told(house, "fix", str(good), "--set", "properties.productId=pot", "--dry-run", "--json")[0]["at"] is None
    answers = told(house, "replay", str(wrong), str(good), "99999", "--json", code=1)
    assert [one["at"] for one in answers] == [None] * 3
    assert answers[0]["reason"].startswith("expected field `total` in `Order Completed`")
    assert answers[2]["reason"].startswith("there is no dead letter at position 99999")
    (fixed,) = told(house, "fix", str(good), "--set", "properties.productId=pot", "--json")
    assert (fixed["reason"], features(house)["views"]) == ("", 2)
    everything = told(house, "replay", "--all", "--reason", "field `total`", "--json", code=1)
    assert [one["position"] for one in everything] == [wrong]


def test_a_replay_mails_nobody_and_the_same_event_live_does(house: House) -> None:
    before = receipts(house)
    wrong = tell(house, order(2, "much"))
    (fixed,) = told(house, "fix", str(wrong), "--set", "properties.total=12.5", "--json")
    assert fixed["reason"] == ""
    assert (features(house)["orders"], receipts(house)) == (1, before)
    tell(house, order(3, 12.5))  # the control
    wait_until("a mail", lambda: receipts(house) > before)
    require_conserved(house)


def test_an_event_in_conflict_is_replayed_as_it_is_and_all_have_their_marks(house: House) -> None:
    position = tell(house, look("jug", "m2"))
    assert told(house, "show", str(position))["reason"].startswith("id conflict")
    (answer,) = told(house, "replay", str(position), "--json")
    assert (answer["reason"], features(house)["views"]) == ("", 3)
    unmarked = [one["reason"] for one in told(house, "list", "--json") if one["replayed_at"] is None]
    assert [reason.split(" in ")[0] for reason in unmarked] == ["expected field `total`"]
    require_conserved(house)


def test_marks_and_people_are_there_again_after_a_start_and_no_value_stands_open(house: House) -> None:
    before = (features(house), told(house, "list", "--json"))
    house.stop()
    places = [*files_of(house.folder.path), *read_out(house.folder, house.project.compiled)]
    assert found_in([CANARY], places) == []
    assert found_in([DECLARED], places)  # the control: what is declared and not personal is found
    (house.folder.path / "state.db").unlink()
    house.start()
    house.drain()
    parity = subprocess.run(
        [sys.executable, "-m", "livepost.cli", "parity"], cwd=house.project_folder, env=house._environment, check=False
    )
    assert parity.returncode == 0
    assert (features(house), told(house, "list", "--json")) == before
