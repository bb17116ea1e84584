"""The front's part in a change: what comes is named in the log, its history is taken in, then it is made to serve.

In: wishes over the front's socket. Out: CUT, SEED and READY records, each alone in its block. Promised: one change at a
time; records from a cut on are judged by a tracking plan of both projects, from READY on by the coming one's; whoever
asks for the same twice, because an answer was lost, brings about no more than once.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from livepost.errors import StoreError
from livepost.intake.joined import joined
from livepost.intake.writer import Intake
from livepost.log.base import LogReader
from livepost.model.change import Cut, Ready, Seed
from livepost.model.compiled import Compiled
from livepost.model.record import Kind, Record
from livepost.runtime.data.definitions import Named, read_named, settled, write_named

NAMED, CUT, SEED, READY = "named", "cut", "seed", "ready"
"""What others ask the front for: what is named; to begin a change; to take a seed in; to make it serve."""

SEED_WAIT_S = 0.25
"""How long a seed lets everything else that waits for a commit go first."""

LOOK_S = 0.001


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The wish for a change: what is to come, what it carries over (`Cut.carried`), and the hash of what served when it
    was planned.
    """

    coming: Compiled
    serving: str
    carried: dict[str, dict[str, str]] = {}


class Changing:
    """Changes of one log; for the event loop of its writer."""

    def __init__(
        self,
        path: Path,
        intake: Intake,
        log: Callable[[], LogReader],
        use_plan: Callable[[Compiled], None],
        *,
        new_run: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        """`path` is the file of what is named; `log` is asked each time, for it may have been opened anew; `use_plan`
        hears whose tracking plan calls are judged by from now on.
        """
        self._path = path
        self._intake = intake
        self._log = log
        self._use_plan = use_plan
        self._new_run = new_run
        self._named: Named | None = None
        self.ready = asyncio.Event()
        """Set whenever another project is about to serve."""

    @property
    def named(self) -> Named:
        """What the log names; `start` was called before."""
        assert self._named is not None
        return self._named

    @property
    def under_way(self) -> bool:
        """Whether a change is under way: the log must not lose its beginning meanwhile."""
        return self._named is not None and self._named.cut is not None

    def start(self, wished: Compiled) -> None:
        """Name the folder's project in a log that names none; in one without an event, it serves at once.

        Raises StoreError if it cannot be written.
        """
        log = self._log()
        self._named = read_named(self._path, log)
        if self._named is None or self._named.project_at < 0:  # or a crash came before the first record
            self._named = Named(serving=wished, project_at=-1)
            self._name(wished)
        elif self.under_way:
            self._use()
            return
        elif log.events() == 0 and self.named.serving.hash() != wished.hash():
            self._cut(Cut(run=self._new_run(), hash=wished.hash(), coming=wished))
            self._make_ready()
        self._use()
        self.name_again()

    def name_again(self) -> None:
        """Name what serves anew if retention has dropped the record that did; a replay begins with it."""
        if not self.under_way and self.named.project_at < self._log().first():
            self._name(self.named.serving)

    def handle_named(self, raw: msgspec.Raw) -> Named:
        """Answer what is named."""
        return self.known()

    def known(self) -> Named:
        """Return what is named, with what was written last; raise StoreError while nobody can know."""
        self._settle()
        return self.named

    def handle_cut(self, raw: msgspec.Raw) -> Named:
        """Begin a change, unless it is under way already; one to something else ends.

        Raises StoreError if the project that served when it was planned does not any more.
        """
        self._settle()
        wish = msgspec.msgpack.decode(raw, type=Wish)
        if self.named.cut is not None and self.named.cut.hash == wish.coming.hash():
            return self.named
        if self.named.serving.hash() != wish.serving:
            raise StoreError(
                "expected the project that served when this change was planned to serve still, got another; "
                "`livepost plan` again"
            )
        self._cut(Cut(run=self._new_run(), hash=wish.coming.hash(), coming=wish.coming, carried=wish.carried))
        return self.named

    async def handle_seed(self, raw: msgspec.Raw) -> int:
        """Take a seed in behind whatever waits; return its position. StoreError if it is of no change under way."""
        self._settle()
        seed = msgspec.msgpack.decode(raw, type=Seed)
        deadline = time.monotonic() + SEED_WAIT_S
        while self._intake.waiting and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_S)
        self._require(seed.run)
        return self._intake.append([_control(Kind.SEED, seed)]).last

    def handle_ready(self, raw: msgspec.Raw) -> Named:
        """Make a run's project serve, unless it does already; StoreError if it is not under way."""
        self._settle()
        run = msgspec.msgpack.decode(raw, type=str)
        if self.named.run != run:
            self._require(run)
            self._make_ready()
        return self.named

    def _require(self, run: str) -> None:
        if self.named.cut is None or self.named.cut.run != run:
            raise StoreError(
                f"expected the change {run} to be under way, got another or none: somebody else began one; "
                "`livepost plan` says what is under way"
            )

    def _name(self, serving: Compiled) -> None:
        control = {"hash": serving.hash(), "project": msgspec.to_builtins(serving)}
        self._append(Record(kind=Kind.PROJECT, control=control))

    def _cut(self, cut: Cut) -> None:
        self._use_plan(joined(self.named.serving, cut.coming))
        try:
            self._append(_control(Kind.CUT, cut))
        except StoreError:
            self._use()
            raise

    def _make_ready(self) -> None:
        assert self.named.cut is not None
        self._use_plan(self.named.cut.coming)
        try:
            self._append(_control(Kind.READY, Ready(run=self.named.cut.run)))
        except StoreError:
            self._use()
            raise
        self.ready.set()

    def _append(self, record: Record) -> None:
        """Write a control record, having noted that it comes; what is named is what the log says then."""
        self._keep(msgspec.structs.replace(self.named, intent=self._log().last().seq))
        self._intake.append([record])
        self._keep(settled(self.named, self._log()))

    def _settle(self) -> None:
        """Find out whether a control record was written of which nobody knew; StoreError while nobody can."""
        if self.named.intent is None:
            return
        if self._intake.trouble is not None:
            raise StoreError(self._intake.trouble)
        self._keep(settled(self.named, self._log()))
        self._use()

    def _keep(self, named: Named) -> None:
        write_named(self._path, named)
        self._named = named

    def _use(self) -> None:
        """Judge calls by the plan of what is named."""
        named = self.named
        self._use_plan(named.serving if named.cut is None else joined(named.serving, named.cut.coming))


def _control(kind: Kind, payload: Cut | Seed | Ready) -> Record:
    return Record(kind=kind, control=msgspec.to_builtins(payload, builtin_types=(bytes,)))
