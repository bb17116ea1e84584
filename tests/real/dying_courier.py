"""A courier to be killed at a point: the house's own loop, ledger and senders, in a process that ends by SIGKILL.

In: a plan. Out: mails over real sockets. It has no engine: decisions are in the ledger already, and each mail is made
of its decision alone. While nothing is due its host's clock goes ahead, so that nobody waits for leases and back-offs.

Points are calls of the ledger, as every courier makes them. A `weakness` is the fault of a negative control.

`main` forks a courier for each plan it reads, one after the other, so that imports are done once: a line with its id,
and one with how it ended. `Couriers` is the other end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, TypeAlias

import msgspec

from livepost.clock import MINUTE_MS, WallClock
from livepost.deliver.courier import Courier, recover, send_due, take_care
from livepost.deliver.esp.sender import EspSender
from livepost.deliver.esp.sender import Patience as EspPatience
from livepost.deliver.express import Attentive, Beside
from livepost.deliver.smtp import Patience, SmtpSender, route_to
from livepost.ids import digest
from livepost.ledger.base import Confirmed, Ready, Settlement
from livepost.ledger.sqlite import SqliteLedger
from livepost.settings.provider import read_provider
from livepost.settings.smtp import read_smtp
from tests.real.killed_courier import Desk

KillPoint: TypeAlias = Literal[
    "never", "before claim", "after claim", "before both", "after both", "amid socket", "before settle", "after settle"
]
CALLS: dict[str, tuple[str, bool, int]] = {
    "before claim": ("advance", False, 4),
    "after claim": ("advance", True, 1),
    "before both": ("advance", False, 3),
    "after both": ("advance", True, 3),
    "before settle": ("settle", False, 1),
    "after settle": ("settle", True, 1),
}
"""Where a point is: a call of the ledger, whether behind it, and which one. The server strikes amid the socket. `both`
is the transaction that writes down one group's answers and puts the next in flight; a batch begins with a claim alone.
"""

BATCH = 40
"""Mails claimed at a time: two groups in flight, one after the other."""

Weakness: TypeAlias = Literal["", "told late", "hopes", "fears"]
ANSWER_S = 1.5
LIFE_S = 60
"""How long a courier may take: whoever hangs is ended by SIGALRM."""

ROOT = Path(__file__).parents[2]
AHEAD_MS = 6 * MINUTE_MS
PATIENCE = Patience(connect_s=5.0, command_s=5.0, answer_s=ANSWER_S, quit_s=0.2)
ESP_PATIENCE = EspPatience(connect_s=5.0, answer_s=ANSWER_S, total_s=10.0)


class Plan(msgspec.Struct, frozen=True):
    """What to work on, where to die, and with which fault put in."""

    ledger: str
    address: str
    point: KillPoint = "never"
    weakness: Weakness = ""
    ahead_ms: int = 0


class Ahead:
    """The host's clock, put ahead."""

    def __init__(self, by_ms: int) -> None:
        self._clock, self._by_ms = WallClock(), by_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._by_ms

    def advance(self) -> None:
        self._by_ms += AHEAD_MS


class Dying:
    """A ledger whose user dies at a point."""

    def __init__(self, ledger: SqliteLedger, point: KillPoint) -> None:
        self._ledger = ledger
        self._point = CALLS.get(point)
        self._calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def advance(self, settlements: Sequence[Settlement], *told: Any, **also: Any) -> Any:
        return self._called("advance", settlements, *told, **also)

    def settle(self, settlements: Sequence[Settlement], *told: Any, **also: Any) -> Any:
        return self._called("settle", settlements, *told, **also)

    def _called(self, name: str, *told: Any, **also: Any) -> Any:
        self._calls[name] += 1
        self._die((name, False, self._calls[name]))
        answer = getattr(self._ledger, name)(*told, **also)
        self._die((name, True, self._calls[name]))
        return answer

    def _die(self, here: tuple[str, bool, int]) -> None:
        if here == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


class ToldLate(Dying):
    """The fault: the ledger hears of the socket when all is over, not before the first byte."""

    _unsaid: tuple[Ready, int] = Ready(), 0

    def advance(self, settlements: Sequence[Settlement], ready: Ready, now_ms: int, *told: Any, **also: Any) -> Any:
        self._tell("advance")
        done = super().advance(settlements, Ready(), now_ms, *told, **also)
        self._unsaid = ready, now_ms
        return msgspec.structs.replace(done, confirmed=[Confirmed(claim=one, reason="") for one in ready.claims])

    def settle(self, settlements: Sequence[Settlement], *told: Any, **also: Any) -> Any:
        self._tell("settle")
        return super().settle(settlements, *told, **also)

    def _tell(self, name: str) -> None:
        self._die((name, False, self._calls[name] + 1))
        (late, now_ms), self._unsaid = self._unsaid, (Ready(), 0)
        self._ledger.confirm(late.claims, late.addresses, now_ms)


class Saying(Dying):
    """A fault: one state that a sender tells is called another."""

    said: tuple[str, str]

    def advance(self, settlements: Sequence[Settlement], *told: Any, **also: Any) -> Any:
        return super().advance([_called(one, *self.said) for one in settlements], *told, **also)

    def settle(self, settlements: Sequence[Settlement], *told: Any, **also: Any) -> Any:
        return super().settle([_called(one, *self.said) for one in settlements], *told, **also)


class Hoping(Saying):
    """The fault: what nobody can know is called sent."""

    said = "unknown", "sent"


class Fearing(Saying):
    """The fault: what was surely not sent is called unknown."""

    said = "temporary", "unknown"


LEDGERS: dict[str, type[Dying]] = {"": Dying, "told late": ToldLate, "hopes": Hoping, "fears": Fearing}


class Couriers:
    """Couriers as processes, one at a time."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "tests.real.dying_courier"]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)

    def start(self, plan: Plan) -> int:
        """Let a courier work; return its process's id."""
        self._told.write(msgspec.json.encode(plan) + b"\n")
        self._told.flush()
        return int(self._heard.readline())

    def ended(self) -> int:
        """Wait for the courier; return its exit code, below 0 for a signal."""
        return int(self._heard.readline())

    def close(self) -> None:
        """End the process that forks them."""
        self._told.close()
        self._heard.close()
        self._process.wait()

    @property
    def _told(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _heard(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout


def main() -> None:
    """Fork a courier for each plan."""
    for line in sys.stdin.buffer:
        if (pid := os.fork()) == 0:
            _end(msgspec.json.decode(line, type=Plan))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _end(plan: Plan) -> NoReturn:
    signal.alarm(LIFE_S)
    try:
        work(plan)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def work(plan: Plan) -> None:
    """Send until nothing is due any more, or die."""
    host = Ahead(plan.ahead_ms)
    desk, beside = Desk(), Beside()
    with ExitStack() as open_:
        ledger = open_.enter_context(closing(SqliteLedger(plan.ledger, host)))
        sender = open_.enter_context(closing(_sender(plan.address)))
        courier = Courier(
            engine=desk,
            ledger=LEDGERS[plan.weakness](ledger, plan.point),  # type: ignore[arg-type]
            maker=desk,  # type: ignore[arg-type]
            sender=open_.enter_context(closing(Attentive(sender, beside))),
            ahead=beside.ahead,
            blind=digest,
            outcomes=desk,
            clock=WallClock(),
        )
        recover(courier)
        while _open(ledger):
            if not send_due(courier, BATCH).claimed:
                host.advance()
            take_care(courier)


def _open(ledger: SqliteLedger) -> bool:
    return any(one.state in ("pending", "claimed", "in_flight") for one in ledger.counts())


def _sender(address: str) -> SmtpSender | EspSender:
    if address.startswith("smtp:"):
        return SmtpSender(route_to(read_smtp(address, "test"), "shop.example"), patience=PATIENCE)
    return EspSender(read_provider(address, "test"), "a-secret-key", patience=ESP_PATIENCE)


def _called(one: Settlement, state: str, instead: Any) -> Settlement:
    if one.receipt.state != state:
        return one
    return msgspec.structs.replace(one, receipt=msgspec.structs.replace(one.receipt, state=instead))


if __name__ == "__main__":
    main()
