"""One target and what it is told: the next message, its answer, and what becomes of it.

In: a source, a target. Out: requests; the book. Promised: a message is sent before the book goes on behind it, never
after that; nothing is sent to a target that waits or is disabled; what waits in memory is one batch of the source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from livepost.announce.book import LETTERS_MAX, Book, DeadLetter, Standing
from livepost.announce.book import Notice as Own
from livepost.announce.naming import renamed
from livepost.announce.notice import GAP, Notice, Source
from livepost.announce.signature import signed
from livepost.announce.verdict import Verdict, verdict
from livepost.clock import SECOND_MS, Clock
from livepost.errors import StoreError
from livepost.fetch.address import OutgoingError
from livepost.fetch.fetcher import Answer, Fetch
from livepost.settings.webhook import Naming
from livepost.vault.pseudonym import Pseudonyms

IDLE_S = 0.25
"""How soon it is looked again where there is nothing to do."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told, and what: `keys` sign, `tries` is how often a message is sent.

    purpose   what for: of people who do not allow that it is told nothing; "" if they need not
    ids       how people are named to it: by Livepost's `own` ids or by a `pseudonym`, which `pseudonyms` makes
    """

    name: str
    url: str
    kinds: frozenset[str]
    keys: tuple[bytes, ...]
    tries: int
    purpose: str = ""
    ids: Naming = "own"
    pseudonyms: Pseudonyms | None = None

    def told(self, id: str, body: bytes) -> tuple[str, bytes]:
        """Return a message's id and body as they leave; raise StoreError if they may not as they are."""
        if self.pseudonyms is not None:
            return renamed(id, body, self.pseudonyms)
        if self.ids == "pseudonym":
            raise StoreError(f"the webhook {self.name} knows people by pseudonyms, which are not at hand")
        return id, body


class Announcer:
    """Tells one target; for one thread."""

    def __init__(
        self,
        target: Target,
        *,
        source: Source,
        book: Book,
        fetch: Fetch,
        clock: Clock,
        chance: Callable[[], float],
        may: Callable[[Notice], bool] = lambda notice: True,
        allows: Callable[[bytes, str], bool] = lambda person, purpose: False,
    ) -> None:
        """Take what it reads and writes; `clock` is the host's, `chance` gives 0..1 for the jitter; `may` says, right
        before a message is sent, whether the target may be told it, `allows` whether a person allows a purpose now:
        where nobody says so, none does.
        """
        self._may = may
        self._target = target
        self._source = source
        self._book = book
        self._fetch = fetch
        self._clock = clock
        self._chance = chance
        self._allows = allows
        self._waiting: deque[Notice] = deque()
        self._read_to = ""
        self._unnoted: _Sent | None = None

    def turn(self) -> float:
        """Send the next message if there is one and it is its time; return how long to wait for the next turn (s).

        Raises StoreError where a store is away.
        """
        if self._unnoted is not None:
            self._note(self._unnoted)
        standing = self._book.standing(self._target.name) or self._begin()
        wait_s = (standing.next_at - self._clock.now_ms()) / SECOND_MS
        if standing.disabled or wait_s > 0:
            return IDLE_S if standing.disabled else min(wait_s, IDLE_S)
        own = self._book.notice(self._target.name)
        if own is not None:
            self._tell_own(own, standing)
            return 0.0
        if not self._waiting and not self._look(standing):
            return IDLE_S
        if self._waiting and self._may_be_told(self._waiting[0]):
            self._tell(self._waiting[0], standing)
        elif self._waiting:
            self._pass_over(self._waiting.popleft(), standing)
        return 0.0

    def _begin(self) -> Standing:
        return self._book.begin(self._target.name, self._source.end())

    def _look(self, standing: Standing) -> bool:
        """Take the next batch; return whether there is something in it, or more behind it."""
        batch = self._source.after(self._read_to or standing.cursor)
        self._waiting.extend(one for one in batch.notices if one.kind == GAP or one.kind in self._target.kinds)
        self._read_to = batch.end
        if not self._waiting and batch.end != standing.cursor:
            self._book.move(self._target.name, batch.end)
        return bool(self._waiting) or batch.more

    def _tell_own(self, own: Own, standing: Standing) -> None:
        """Send what the house itself has to tell; it is tried again and put aside as anything else is."""
        name, sent = self._target.name, standing.sent + 1
        found = deliver(self._fetch, self._target, own.id, own.body, sent, self._clock, self._chance())
        now_ms = self._clock.now_ms()
        if found.state == "again":
            self._book.again(name, sent, now_ms + int(found.wait_s * SECOND_MS), found.why)
        elif found.state == "disabled":
            self._book.disable(name, found.why)
        else:
            if found.state == "dead":
                letter = DeadLetter(0, name, own.id, own.kind, own.body, at=now_ms, sent=sent, error=found.why)
                self._book.die(letter, standing.cursor)
            self._book.noticed(name, own.number)

    def _pass_over(self, notice: Notice, standing: Standing) -> None:
        """Go on behind what the target may not be told; the book goes along with the next that it may, unless this one
        was tried before.
        """
        if standing.sent:
            self._book.passed_over(self._target.name, notice.cursor)

    def _may_be_told(self, notice: Notice) -> bool:
        """Say whether a message may be sent now: by its person, and by the project's policy."""
        if self._target.purpose and notice.kind != GAP:
            allowed = notice.person is not None and self._allows(notice.person, self._target.purpose)
        else:
            allowed = True
        return allowed and self._may(notice)

    def _tell(self, notice: Notice, standing: Standing) -> None:
        body, sent = notice.body(), standing.sent + 1
        found = deliver(self._fetch, self._target, notice.id, body, sent, self._clock, self._chance())
        # A book that cannot be written is no reason to send the message again.
        self._unnoted = _Sent(notice, body, sent, found)
        self._note(self._unnoted)

    def _note(self, sent: _Sent) -> None:
        """Write down what became of the next message, and go on behind it if the book did."""
        if self._write(sent):
            self._waiting.popleft()
        self._unnoted = None

    def _write(self, sent: _Sent) -> bool:
        """Write down what became of a message; return whether the book went on behind it."""
        name, now_ms, found = self._target.name, self._clock.now_ms(), sent.found
        if found.state == "delivered":
            self._book.delivered(name, sent.notice.cursor, now_ms, sent.notice.person, sent.notice.about)
            return True
        if found.state == "dead" and self._book.waiting(name) < LETTERS_MAX:
            self._book.die(sent.letter(name, now_ms), sent.notice.cursor)
            return True
        if found.state == "again":
            self._book.again(name, sent.times, now_ms + int(found.wait_s * SECOND_MS), found.why)
        elif found.state == "dead":
            self._book.disable(name, f"{LETTERS_MAX} dead letters wait for somebody; the last: {found.why}")
        else:
            self._book.disable(name, found.why)
        return False


class _Sent(msgspec.Struct, frozen=True):
    notice: Notice
    body: bytes
    times: int
    found: Verdict

    def letter(self, target: str, now_ms: int) -> DeadLetter:
        """Return the message as a dead letter of now."""
        return DeadLetter(
            0, target, self.notice.id, self.notice.kind, self.body, at=now_ms, sent=self.times, error=self.found.why
        )


def deliver(
    fetch: Fetch, target: Target, id: str, body: bytes, sent: int, clock: Clock, chance: float = 0.0
) -> Verdict:
    """Send a message for the `sent`-th time, in the ids that the target may know; return what becomes of it."""
    id, body = target.told(id, body)
    now_ms = clock.now_ms()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Livepost",
        **signed(id, now_ms // SECOND_MS, body, target.keys),
    }
    try:
        answer: Answer | str = fetch.post(target.url, body, headers)
    except OutgoingError as error:
        answer = str(error)
    return verdict(answer, sent, target.tries, now_s=clock.now_ms() / SECOND_MS, chance=chance)
