"""What people and programs may see of a running house, over its stores and its engine.

In: questions of the API and the console, from any thread. Out: structs that cross rooms. Promised: nothing is changed;
as many look at a time as there are looks, the others wait.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus

import msgspec

from livepost.errors import RejectedError, StoreError
from livepost.ledger.base import Delivery, Ledger, Tally
from livepost.ledger.moves import State
from livepost.model.person import PersonView
from livepost.model.told import CourierStatus, Member, SegmentCount, Standing
from livepost.observe.rates import Rates
from livepost.ops.evidence import gather
from livepost.ops.standing import standing
from livepost.ops.why import PersonReason, why_person
from livepost.runtime.engine_client import EngineClient
from livepost.runtime.folder import DataFolder
from livepost.runtime.project import Project
from livepost.runtime.reasons import named_person

LOOKS = 8
"""Questions answered at a time; each has stores of its own open."""

WAIT_S = 5.0
"""How long a question waits for its turn."""

RATES_OVER_S = (1, 10, 60)


class Look:
    """The stores of a house opened for reading, and its engine; for one thread at a time."""

    def __init__(self, folder: DataFolder) -> None:
        """Open them; raises StoreError if one cannot be."""
        with contextlib.ExitStack() as opened:
            self.vault = opened.enter_context(closing(folder.vault(readonly=True)))
            self.log = opened.enter_context(closing(folder.log_reader()))
            self.engine = opened.enter_context(closing(EngineClient(folder)))
            self._open = opened.pop_all()

    def close(self) -> None:
        """Release them."""
        self._open.close()


class Looking:
    """Answers questions about one house; see `livepost.api.house.House`."""

    def __init__(
        self, folder: DataFolder, project: Project, ledger: Ledger, rates: Rates, trouble: Callable[[], str | None]
    ) -> None:
        """Take the ledger that the process has open; `rates` count what it commits, `trouble` says what keeps it."""
        self._folder = folder
        self._compiled = project.compiled
        self._ledger = ledger
        self._rates = rates
        self._trouble = trouble
        self._looks: queue.LifoQueue[Look | None] = queue.LifoQueue(LOOKS)
        for _ in range(LOOKS):
            self._looks.put(None)  # opened by whoever needs it first

    def person(self, name: str, at_least: int) -> PersonView | None:
        """Return a person as of position `at_least` or later; None if nobody is known by that name.

        Raises RejectedError if the log does not reach that far: waiting for it would be in vain.
        """
        with self._look() as look:
            if at_least >= 0 and at_least > (last := look.log.last().seq):
                raise RejectedError(
                    f"expected a position of the log, which ends at {last}, got {at_least}; "
                    "take it from `X-Livepost-Position`",
                    code="position",
                    status=HTTPStatus.CONFLICT,
                )
            return named_person(look.vault, look.engine, name, at_least)

    def reasons(self, view: PersonView) -> PersonReason:
        """Return why a person is in each segment or not, and got each campaign's mail or did not."""
        with self._look() as look:
            return why_person(self._compiled, gather(view, self._ledger, look.engine))

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment."""
        with self._look() as look:
            return look.engine.segments()

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return people of a segment by number."""
        with self._look() as look:
            return look.engine.members(segment, after, limit)

    def deliveries(self, person: bytes | None, campaign: str | None, state: State | None, limit: int) -> list[Delivery]:
        """Return deliveries, newest first."""
        return self._ledger.deliveries(person=person, campaign=campaign, state=state, limit=limit)

    def tallies(self) -> list[Tally]:
        """Return how many deliveries there are by campaign, state and reason."""
        return self._ledger.counts()

    def standing(self) -> Standing:
        """Return where the house stands."""
        with self._look() as look:
            return standing(
                look.engine.status(),
                look.log,
                ledger=self._ledger.cursor(),
                records_per_s={over: round(self._rates.per_s(over), 1) for over in RATES_OVER_S},
                event_to_mail=self._event_to_mail(),
                trouble=self._trouble(),
            )

    def close(self) -> None:
        """Release the looks that nobody uses."""
        with contextlib.suppress(queue.Empty):
            while True:
                look = self._looks.get_nowait()
                if look is not None:
                    look.close()

    def _event_to_mail(self) -> dict[int, int]:
        """Return the courier's histogram; an empty one before its first mail."""
        told = self._folder.courier_file
        return msgspec.json.decode(told.read_bytes(), type=CourierStatus).event_to_mail if told.exists() else {}

    @contextlib.contextmanager
    def _look(self) -> Iterator[Look]:
        try:
            look = self._looks.get(timeout=WAIT_S)
        except queue.Empty:
            raise StoreError(
                f"expected a turn within {WAIT_S:g} s, got none: {LOOKS} questions are being answered; ask again"
            ) from None
        try:
            look = look or Look(self._folder)
            yield look
        finally:
            self._looks.put(look)
