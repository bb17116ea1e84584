"""Retention: what is older than is promised is in no store any more, what is younger is; a step left out is found."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livepost.announce.book import Book, DeadLetter
from livepost.audit.deed import Deed
from livepost.clock import DAY_MS, SimulatedClock, WallClock
from livepost.control import retention
from livepost.control.retention import Run, Went
from livepost.control.sqlite import ControlStore
from livepost.deliver.keep import Keep
from livepost.govern.rights.retention import terms_of
from livepost.ids import digest
from livepost.intake.call import read_call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.ledger.stored import StoredLedger
from livepost.log import thinning
from livepost.model.message import Message
from livepost.model.record import KeyKind
from livepost.project.purposes import Purposes
from livepost.runtime.rights import decoding, retaining
from livepost.runtime.rights.reach import Reach
from livepost.runtime.rights.retaining import STEPS, House, Retaining, next_run, planned
from livepost.vault.base import USER, ExternalId
from tests.crash.scanning import found_in
from tests.unit.runtime.rights.dying import DiedError, dies_behind
from tests.unit.runtime.still import STARTER, THREE_LOOKS, StillHouse, ada, make_project

OLD, YOUNG, CONTROL, LETTER = "ada@example.com", "bob@example.com", "green-tea", "letter-of-old"
AHEAD = 400
"""Days from the events of today to the run: the starter's policy keeps personal fields for 365."""

NAMES = [name for name, _ in STEPS]


class Notes:
    """An audit that remembers."""

    def __init__(self) -> None:
        self.deeds: list[Deed] = []

    async def note(self, by: str, deed: Deed) -> None:
        self.deeds.append(deed)


@dataclass
class Aged:
    """A house in which Ada's values are 400 days old and Bob's ten."""

    still: StillHouse
    now_ms: int
    control: ControlStore
    ledger: StoredLedger
    notes: Notes

    def retaining(self, passed: Callable[[str], None] = lambda step: None) -> Retaining:
        clock = SimulatedClock(self.now_ms)
        return Retaining(
            House(
                folder=self.still.folder,
                control=self.control,
                ledger=self.ledger,
                notary=self.notes,
                policy=lambda: self.still.project.policy,
                compiled=lambda: self.still.project.compiled,
                tick=lambda: None,
                clock=clock,
                host=clock,
            ),
            passed,
        )

    def run(self, passed: Callable[[str], None] = lambda step: None) -> Run:
        async def once() -> Run:
            job = self.retaining(passed)
            await job.begin("command:test")
            run = await job.go_on()
            assert run is not None
            return run

        return asyncio.run(once())

    def planned(self) -> list[Went]:
        policy = self.still.project.policy
        assert policy is not None
        terms = terms_of(policy, Purposes(self.still.project.compiled, policy))
        return list(planned(self.still.folder, self.control, self.ledger, terms, 365, (self.now_ms, self.now_ms)))

    def telling(self, word: str) -> set[str]:
        """Return the stores that tell a word to whoever has the vault; the ledger knows Ada's address as a hash."""
        folder = self.still.folder
        with closing(folder.vault(readonly=True)) as vault:
            reach = Reach(folder, self.still.project, vault)
            places = [("log", raw) for raw in decoding.log(reach)]
            places += [("mailbox", raw) for raw in decoding.mailbox(reach)]
            places += [("webhooks", raw) for raw in decoding.webhooks(reach)]
            found = {line.partition(":")[0] for line in found_in([word], places)}
            hashed = vault.blind("suppression", word)
        return found | ({"ledger"} if hashed in [*self.ledger.values()] else set())


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Return a project with its data folder, to be copied, and the time of its run."""
    project = make_project(tmp_path_factory.mktemp("aged") / "shop")
    (project / "policy.toml").write_text((STARTER / "policy.toml").read_text())
    still, today = StillHouse(project), WallClock().now_ms()
    take_at(still, today - DAY_MS, ada())
    still.take(*THREE_LOOKS)
    still.work()
    young = {**ada("bob-1"), "userId": "bob", "traits": {"email": YOUNG}}
    take_at(still, today + (AHEAD - 10) * DAY_MS, young)
    with closing(still.folder.vault(readonly=True)) as vault:
        found = vault.find(ExternalId(USER, "bob"))
        assert found is not None
        with closing(Keep(still.folder.mailbox, vault, workspace(still), SimulatedClock(today + 390 * DAY_MS))) as keep:
            keep.send([mail(found.subject)])
    with closing(Book(still.folder.webhooks_file)) as book:
        book.begin("shop", "0")
        for number, at, word in ((1, today, OLD), (2, today + 390 * DAY_MS, YOUNG)):
            body = json.dumps({"person": word}).encode()
            book.die(DeadLetter(0, "shop", str(number), "transition", body, at=at, sent=9, error="gone"), "1")
    return project, today + AHEAD * DAY_MS


@pytest.fixture
def house(tmp_path: Path, before: tuple[Path, int]) -> Iterator[Aged]:
    shutil.copytree(before[0], tmp_path / "shop")
    still = StillHouse(tmp_path / "shop")
    with ExitStack() as opened:
        control = opened.enter_context(closing(still.folder.control()))
        ledger = opened.enter_context(closing(still.folder.ledger()))
        yield Aged(still, before[1], control, ledger, Notes())


def take_at(still: StillHouse, at: int, *calls: dict[str, Any]) -> None:
    """Append calls as a collector did at a time (ms)."""
    with closing(still.folder.log(SimulatedClock(at))) as log, closing(still.folder.vault(readonly=False)) as vault:
        intake = Intake(Stores(log, vault), TrackingPlan(still.project.compiled), workspace=workspace(still))
        arrival = Arrival(source="server", key=KeyKind.SECRET, received_at=at)
        intake.take([read_call(json.dumps(call).encode()) for call in calls], arrival)


def workspace(still: StillHouse) -> str:
    return still.folder.settings.workspace


def mail(person: bytes) -> Message:
    return Message(
        decision=digest("mail of bob"),
        person=person,
        sender="hello@shop.example",
        recipient=YOUNG,
        message_id="<bob@shop.example>",
        raw=f"To: {YOUNG}\r\n\r\nHi {YOUNG}\r\n".encode(),
    )


def test_what_is_too_old_is_in_no_store_and_what_is_younger_stays(house: Aged) -> None:
    assert house.telling(OLD) == {"log", "mailbox", "webhooks", "ledger"}
    told = house.planned()
    run = house.run()
    assert house.telling(OLD) == set()
    assert house.telling(YOUNG) == {"log", "mailbox", "webhooks"}
    assert house.telling(CONTROL) == {"log"}
    went = {(one.store, one.field): one.count for one in run.went if one.count}
    assert went[("log", "Identified.email")] == went[("ledger.db", "addresses")] == went[("mailbox", "mails")] == 1
    assert {key: count for key, count in went.items() if key[0] != "control.db"} == {
        (one.store, one.field): one.count for one in told if one.count
    }
    assert house.notes.deeds == [Deed("retention.run", about=run.id)]
    assert [one.count for one in house.planned() if one.count] == []


FOUND_WITHOUT = {"log": {"log"}, "ledger": {"ledger"}, "mailbox": {"mailbox"}, "webhooks": {"webhooks"}}


@pytest.mark.parametrize("step", FOUND_WITHOUT)
def test_a_run_that_leaves_a_store_out_is_found(house: Aged, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control, per store."""

    async def nothing(house: House, run: Run) -> Run:
        return run

    steps = tuple((name, nothing if name == step else how) for name, how in STEPS)
    monkeypatch.setattr(retaining, "STEPS", steps)
    house.run()
    assert house.telling(OLD) == FOUND_WITHOUT[step]


@pytest.mark.parametrize("step", [*NAMES, "end"])
def test_a_crash_behind_a_step_is_gone_on_with(house: Aged, step: str) -> None:
    with pytest.raises(DiedError):
        house.run(dies_behind(step))
    asyncio.run(house.retaining().go_on())
    assert house.telling(OLD) == set()
    [run] = retention.runs(house.control)
    assert run.ended_at
    assert run.done == tuple(NAMES)
    assert next(one.count for one in run.went if one.field == "Identified.email") == 1


def test_a_crash_within_the_log_is_gone_on_with_from_where_it_was(house: Aged, monkeypatch: pytest.MonkeyPatch) -> None:
    class DiedError(Exception):
        pass

    places: list[int] = []

    def thin(folder: Path, first: int, before: int, goes: Any) -> Any:
        places.append(first)
        if len(places) == 2:
            raise DiedError
        return real(folder, first, before, goes)

    real = thinning.thin
    monkeypatch.setattr(retaining, "thin", thin)
    with pytest.raises(DiedError):
        house.run()
    asyncio.run(house.retaining().go_on())
    assert house.telling(OLD) == set()
    assert places[2] == places[1] > 0


def test_an_engine_makes_the_same_of_the_log_that_is_left(house: Aged) -> None:
    whole = anew(house)
    house.run()
    left = anew(house)
    assert whole == left
    assert any(one[3] for one in left)


def anew(house: Aged) -> list[Any]:
    """Return everybody as an engine makes them of the whole log: all but the seals' bytes."""
    folder = house.still.folder
    folder.state_path.unlink(missing_ok=True)
    house.still.engine_works()
    with closing(folder.log_reader()) as log, closing(folder.state()) as state:
        worker = house.still._worker(state, log)
        views = [(one.subjects, one.features, one.memberships, sorted(one.sealed)) for one in worker.everybody(10)]
        return [*views, *(("", one, "", "") for one in worker.transitions(None, None, 100))]


def test_without_a_policy_only_what_settings_keep_is_looked_at(house: Aged) -> None:
    (house.still.folder.path.parent / "policy.toml").unlink(missing_ok=True)
    house.still = StillHouse(house.still.folder.path.parent)
    house.run()
    assert house.telling(OLD) == {"log"} if house.still.project.policy is None else set()


def test_it_runs_once_a_day_at_its_hour() -> None:
    hour = 3_600_000
    assert next_run(2 * hour, 3) == 3 * hour
    assert next_run(3 * hour, 3) == DAY_MS + 3 * hour
