"""Tell a vendor a plan: note what it may have, hold the talk, note what it took, refused, or does later.

In: a plan. Out: requests by `fetch`, at the vendor's pace. Promised: a talk that breaks off leaves people waiting, and
is begun anew after the vendor's Retry-After or a back-off; a body that is refused is cut in halves until it is one
person's, who becomes a dead letter, so that nobody stops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from livepost.clock import DAY_MS, MINUTE_MS, SECOND_MS, Clock
from livepost.fetch.address import OutgoingError
from livepost.fetch.fetcher import Answer, FetchAny
from livepost.sync.answer import Verdict, verdict
from livepost.sync.book import DEAD_MAX, Book, DeadLetter, OpenJob, Standing
from livepost.sync.card import Change, Row, abouts, accepted, doubted, intended
from livepost.sync.pace import Pace
from livepost.sync.plan import Plan
from livepost.sync.source import Shop
from livepost.sync.vendor.base import Account, Pushed, Request, Talk, Vendor

T = TypeVar("T")

JOB_FIRST_MS = 5 * SECOND_MS
"""When a job is asked for first; each time later it is twice as long, up to JOB_MOST_MS."""

JOB_MOST_MS = 10 * MINUTE_MS
JOB_ENDS_MS = DAY_MS
"""A job that did not end by then is taken for failed."""


class OverError(Exception):
    """The house stops: the talk is left where it is."""


class Pusher:
    """Tells one vendor; for one thread."""

    def __init__(
        self,
        vendor: Vendor,
        account: Account,
        *,
        book: Book,
        shop: Shop,
        fetch: FetchAny,
        clock: Clock,
        rest: Callable[[float], bool],
        chance: Callable[[], float],
    ) -> None:
        """Take what it reads and writes. `rest` waits seconds and says whether to go on; `chance` gives 0..1."""
        self._vendor = vendor
        self._account = account
        self._book = book
        self._shop = shop
        self._fetch = fetch
        self._clock = clock
        self._rest = rest
        self._chance = chance
        self._pace = Pace(vendor.limits.per_s, vendor.limits.burst, clock)
        self._requests = 0
        self.size = vendor.limits.people
        """How many people a batch has: fewer after a failure, so that a talk of many requests comes to its end."""

    def push(self, standing: Standing, plan: Plan, persons: Sequence[bytes]) -> None:
        """Tell the vendor a plan's changes; whoever of `persons` is done waits no more."""
        changes, waiting = self._sendable(standing, plan)
        later = {id for id in persons if plan.seen[id].person in waiting or id in waiting}
        if changes:
            self._book.write(standing.name, [intended(plan.rows[one.handle], one) for one in changes])
        standing, whole = self._all(standing, plan, changes)
        done = [id for id in persons if id not in later] if whole else []
        self._book.settle(standing, done=done)

    def ask_jobs(self, standing: Standing) -> bool:
        """Ask for the next job if it is its time; return whether one was."""
        job = next(iter(self._book.jobs(standing.name)), None)
        if job is None or job.next_at > self._clock.now_ms():
            return False
        rows = self._book.rows_of(standing.name, [], job.handles)
        there = [(row, card) for handle, card in zip(job.handles, job.cards, strict=True) if (row := rows.get(handle))]
        idents = [self._shop.open(row.ident) for row, _ in there]
        found = self._talk(self._vendor.look(self._account, job.id, idents), standing)
        if isinstance(found, Verdict):
            self._book.settle(self._failed(standing, found), jobs=[self._later(job)])
            return True
        if found is None and self._clock.now_ms() - job.at < JOB_ENDS_MS:
            self._book.settle(standing, jobs=[self._later(job)])
            return True
        if found is None:
            found = dict.fromkeys(range(len(there)), "the job did not end in a day")
        letters = [self._letter(standing, there[place][0], there[place][1], why) for place, why in found.items()]
        self._book.write(standing.name, [doubted(there[place][0]) for place in found])
        self._book.settle(self._with_letters(standing, letters), letters=letters, ended=[job.id])
        return True

    def _sendable(self, standing: Standing, plan: Plan) -> tuple[list[Change], set[bytes]]:
        """Return the changes that can be sent now, and the names of people whose have to wait for a job's end.

        What the vendor refused is not sent as it was.
        """
        jobs = self._book.jobs(standing.name)
        busy = {handle: job.next_at for job in jobs for handle in job.handles}
        refused = self._book.letters_of(standing.name, [one.handle for one in plan.changes])
        waiting: dict[bytes, int] = {}
        changes = []
        for change in plan.changes:
            if change.handle in busy:
                names = (change.person, plan.rows[change.handle].person)
                waiting |= dict.fromkeys(names, busy[change.handle])
            elif refused.get(change.handle) != change.card:
                changes.append(change)
        for person, at in waiting.items():
            ids = [id for id, seen in plan.seen.items() if seen.person == person]
            self._book.defer(standing.name, [person, *ids], at + SECOND_MS)
        return changes, {*waiting}

    def _all(self, standing: Standing, plan: Plan, changes: list[Change]) -> tuple[Standing, bool]:
        """Tell all changes; return whether each was taken or refused."""
        parts = [changes] if changes else []
        while parts and not standing.held:
            part = parts.pop()
            found = self._talk(self._vendor.push(self._account, part), standing)
            if isinstance(found, Pushed):
                standing = self._taken(standing, plan, part, found)
            elif found.way == "cut" and len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
            elif found.way == "cut":
                standing = self._taken(standing, plan, part, Pushed(refused={0: found.why}))
            else:
                return self._failed(standing, found), False
        return standing, not standing.held

    def _talk(self, talk: Talk[T], standing: Standing) -> T | Verdict:
        """Hold a talk; return what came of it, or how it broke off."""
        try:
            request = next(talk)
            while True:
                answer = self._ask(request)
                found = self._verdict(answer, request, standing)
                if found.way != "on" or isinstance(answer, str):
                    return found
                request = talk.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        except (AttributeError, KeyError, LookupError, TypeError, ValueError):
            return self._verdict(f"{self._vendor.name} answered with what cannot be read", _NOTHING, standing)

    def _ask(self, request: Request) -> Answer | str:
        if len(request.body) > self._vendor.limits.bytes:
            return Answer(status=413)
        while wait_s := self._pace.wait_s():
            if not self._rest(wait_s):
                raise OverError
        self._pace.take()
        self._requests += 1
        headers = {**self._vendor.headers(self._account), "User-Agent": "Livepost"}
        try:
            return self._fetch.ask(request.method, self._account.url + request.path, request.body, headers)
        except OutgoingError as error:
            return str(error)

    def _verdict(self, answer: Answer | str, request: Request, standing: Standing) -> Verdict:
        return verdict(
            answer,
            request.fine,
            standing.tries,
            vendor=self._vendor.name,
            now_s=self._clock.now_ms() / SECOND_MS,
            chance=self._chance(),
        )

    def _taken(self, standing: Standing, plan: Plan, part: Sequence[Change], pushed: Pushed) -> Standing:
        """Write down what came of a part."""
        taken = [change for place, change in enumerate(part) if place not in pushed.refused]
        rows = [self._accepted(plan.rows, change) for change in taken if not change.delete]
        letters = [
            self._letter(standing, intended(plan.rows[part[place].handle], part[place]), part[place].card, why)
            for place, why in pushed.refused.items()
        ]
        now_ms = self._clock.now_ms()
        jobs = [self._job(job.id, [part[place] for place in job.places], now_ms) for job in pushed.jobs]
        standing = msgspec.structs.replace(
            standing,
            tries=0,
            next_at=0,
            error="",
            changes=standing.changes + len(taken),
            requests=standing.requests + self._requests,
            accepted_at=now_ms,
        )
        self._requests = 0
        self.size = min(self._vendor.limits.people, self.size * 2)
        standing = self._with_letters(standing, letters)
        gone = [one.handle for one in taken if one.delete]
        told = [(one.person, about) for one in taken for about in abouts(one)]
        self._book.settle(standing, rows=rows, gone=gone, letters=letters, jobs=jobs, told=told)
        return standing

    def _accepted(self, rows: Mapping[bytes, Row], change: Change) -> Row:
        return accepted(intended(rows[change.handle], change), change, self._shop.digest)

    def _letter(self, standing: Standing, row: Row, card: str, why: str) -> DeadLetter:
        return DeadLetter(
            destination=standing.name,
            handle=row.handle,
            person=row.person,
            at=self._clock.now_ms(),
            why=why,
            card=card,
        )

    def _with_letters(self, standing: Standing, letters: Sequence[DeadLetter]) -> Standing:
        """Hold a destination that refuses so many that it must be something else."""
        if not letters or self._book.tally(standing.name).dead + len(letters) < DEAD_MAX:
            return standing
        why = f"{DEAD_MAX} dead letters wait for somebody; the last: {letters[-1].why}"
        return msgspec.structs.replace(standing, held=why)

    def _failed(self, standing: Standing, found: Verdict) -> Standing:
        """Wait, as long as the vendor asks, and then send fewer at once."""
        self.size = max(1, self.size // 2)
        next_at = self._clock.now_ms() + int(found.wait_s * SECOND_MS)
        requests = standing.requests + self._requests
        self._requests = 0
        return msgspec.structs.replace(
            standing, tries=standing.tries + 1, next_at=next_at, error=found.why, requests=requests
        )

    def _job(self, id: str, part: Sequence[Change], now_ms: int) -> OpenJob:
        return OpenJob(
            id=id,
            handles=tuple(one.handle for one in part),
            cards=tuple(one.card for one in part),
            at=now_ms,
            next_at=now_ms + JOB_FIRST_MS,
            tries=0,
        )

    def _later(self, job: OpenJob) -> OpenJob:
        wait_ms = min(JOB_FIRST_MS * 2 ** min(job.tries + 1, 10), JOB_MOST_MS)
        return msgspec.structs.replace(job, tries=job.tries + 1, next_at=self._clock.now_ms() + wait_ms)


_NOTHING = Request(method="GET", path="")
