"""A broadcast over real processes and postfix's smtp-sink, killed again and again: each person once, or unknown.

`LIVEPOST_BROADCAST_PEOPLE` and `LIVEPOST_BROADCAST_KILLS` say how many; 100000 and 20 is the count that an issue is
closed with.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livepost.deliver.token import Tokens, Unsubscribe
from livepost.ledger.base import MAX_IN_FLIGHT, AskedBroadcast
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.broadcasting import BROADCAST, Asked
from livepost.runtime.sockets.wire import WireClient
from livepost.vault.base import USER, ExternalId
from tests.crash.house import House, wait_until
from tests.crash.load import send
from tests.real.post import Office, Sink

PEOPLE = int(os.environ.get("LIVEPOST_BROADCAST_PEOPLE", "1500"))
KILLS = int(os.environ.get("LIVEPOST_BROADCAST_KILLS", "8"))
SEED = int(os.environ.get("LIVEPOST_BROADCAST_SEED", "1"))
LEAVING = 40
BATCH = 800
CONTROL = 200

SHOP = '''"""A shop with a letter to everybody who joined."""

from livepost import Email, Event, Identified, Profile, broadcast, exists, latest, segment


class Joined(Event):
    pass


class Member(Profile):
    first_name = latest(Identified.first_name)
    members = segment(exists(Joined))


@broadcast(audience=Member.members)
def letter(member: Member) -> Email:
    return Email("note", subject="A letter, {{ first_name }}")
'''

NOTE = """<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ first_name }}
<a href="https://shop.example/new">What is new</a>
<a href="{{ unsubscribe_url }}">Unsubscribe</a> 
<a href="{{ preferences_url }}">What you get</a> {{ shop_address }}
</mj-text></mj-column></mj-section></mj-body></mjml>"""


class Shop:
    """A house with members, whose mails go to a sink, or to a server that keeps them."""

    def __init__(self, folder: Path, sink: Sink | Office, people: int, courier: str = "", front: str = "") -> None:
        project = folder / "shop"
        (project / "templates").mkdir(parents=True)
        (project / "shop.py").write_text(SHOP)
        (project / "templates" / "note.mjml").write_text(NOTE)
        (project / "livepost.toml").write_text(
            f'workspace = "crash"\nmail = "smtp://127.0.0.1:{sink.port}?tls=none"\nfrom = "hello@shop.example"\n'
            'shop_name = "The shop"\nshop_address = "1 Market Square"\npublic_url = "https://m.shop.example"\n'
            "approve_above = 0\n"
        )
        self.house = House(folder / "data", project, courier=courier, front=front)
        self.house.start()
        self.people = people
        self._fill()

    def broadcast(self, message_id: str) -> AskedBroadcast:
        """Broadcast the letter, as soon as front and engine are there."""
        answers: list[AskedBroadcast] = []
        wish = Asked(campaign="letter", message_id=message_id, by="test")

        def asked() -> bool:
            with closing(WireClient(self.house.folder.front_socket)) as front:
                answers.append(front.call(BROADCAST, wish, AskedBroadcast))
            return True

        wait_until("the front to broadcast", asked)
        return answers[0]

    def states(self) -> Counter[tuple[str, str]]:
        """Return the letters by state and reason."""
        with closing(self.house.folder.ledger()) as ledger:
            return Counter({(one.state, one.reason): one.count for one in ledger.counts()})

    def is_over(self) -> bool:
        """Say whether every member's letter came to an end."""
        final = ("sent", "skipped", "unknown", "failed")
        return sum(count for (state, _), count in self.states().items() if state in final) == self.people

    def leaves(self, number: int) -> tuple[bytes, int]:
        """Let a member unsubscribe by a link; return the person, and the newest move when the reply was there."""
        subject = self._subject(number)
        with closing(self.house.folder.vault(readonly=True)) as vault:
            token = Tokens(vault.secret("tokens")).unsubscribe(Unsubscribe(bytes(16), subject, "marketing"))
        wait_until("the front to take it", lambda: _posted(self.house.folder.port, f"/u/{token}"))
        with closing(self.house.folder.ledger()) as ledger:
            return subject, ledger.last_move()

    def claims_after(self, person: bytes, move: int) -> list[int]:
        """Return the numbers of the moves, newer than one, that claimed a letter of a person or put it in flight."""
        with closing(self.house.folder.ledger()) as ledger:
            [delivery] = ledger.deliveries(person=person)
            history = ledger.history(delivery.decision.id)
        return [one.number for one in history if one.number > move and one.after in ("claimed", "in_flight")]

    def close(self) -> None:
        """Stop the house."""
        self.house.stop()

    def _fill(self) -> None:
        for begin in range(0, self.people, BATCH):
            members = range(begin, min(begin + BATCH, self.people))
            send(self.house, [call for number in members for call in _calls(number)])
        with closing(EngineClient(self.house.folder)) as engine:
            wait_until("the engine to answer", lambda: engine.status().position >= -1)

            def members() -> int:
                return next(one.people for one in engine.segments() if one.segment == "members")

            wait_until("all to be members", lambda: members() == self.people, moving=members)

    def _subject(self, number: int) -> bytes:
        with closing(self.house.folder.vault(readonly=True)) as vault:
            keys = vault.find(ExternalId(USER, f"m{number}"))
        assert keys is not None
        return keys.subject


def _posted(port: int, path: str) -> bool:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        try:
            connection.request("POST", path, "List-Unsubscribe=One-Click", form)
            return connection.getresponse().status == 200
        except OSError:  # it is just being started again
            return False


def _calls(number: int) -> Iterator[dict[str, Any]]:
    user = {"userId": f"m{number}", "context": {"consent": {"categoryPreferences": {"marketing": True}}}}
    traits = {"email": f"m{number}@example.com", "firstName": f"M{number}"}
    yield {"type": "identify", "messageId": f"i{number}", **user, "traits": traits}
    yield {"type": "track", "messageId": f"t{number}", "event": "Joined", "userId": f"m{number}"}


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    one = Sink(tmp_path)
    yield one
    one.close()


def test_a_broadcast_killed_again_and_again_reaches_each_person_once_or_is_unknown(sink: Sink, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with closing(Shop(tmp_path, sink, PEOPLE)) as shop:
        begun = shop.broadcast("b1")
        assert begun.people == PEOPLE
        killed: Counter[str] = Counter()
        left: list[tuple[bytes, int]] = []
        leaving = dice.sample(range(PEOPLE), LEAVING)
        for number in range(KILLS):
            name = ("engine", "courier", "front", "courier")[number % 4]
            shop.house.kill(name)
            killed[name] += 1
            again = shop.broadcast("b1") if name == "front" else begun
            assert (again.id, again.position) == (begun.id, begun.position)
            part = LEAVING * number // KILLS, LEAVING * (number + 1) // KILLS
            left += [shop.leaves(one) for one in leaving[slice(*part)]]
            time.sleep(dice.random() * PEOPLE / 20_000)
        wait_until("the broadcast to be over", shop.is_over, moving=shop.states)
        states = shop.states()
        late = {person.hex(): late for person, move in left if (late := shop.claims_after(person, move))}
    arrived = Counter(sink.message_ids())
    sent, unknown = (sum(count for (state, _), count in states.items() if state == one) for one in ("sent", "unknown"))
    skipped = states["skipped", "consent"]
    print(json.dumps({"people": PEOPLE, "kills": killed, "sent": sent, "unknown": unknown, "skipped": skipped}))
    assert late == {}
    assert set(arrived.values()) == {1}
    assert sent <= len(arrived) <= sent + unknown
    assert unknown <= MAX_IN_FLIGHT * killed["courier"]
    assert sent + unknown + skipped == PEOPLE and skipped <= LEAVING


def test_a_ledger_that_is_told_after_the_socket_mails_somebody_twice(sink: Sink, tmp_path: Path) -> None:
    with closing(Shop(tmp_path, sink, CONTROL, courier="tests.real.late_courier")) as shop:
        shop.broadcast("b1")
        wait_until("the broadcast to be over", shop.is_over, patience_s=150, moving=shop.states)
    assert 2 in Counter(sink.message_ids()).values()
