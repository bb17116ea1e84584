"""A recorder's process: reads the batches that the front hands to it, so that a second core can help.

Reads: the vault. Writes: nothing; new subjects are made by the front, which alone writes vault and log. Promises: the
same records as the front would make, as a piece of a block; its end at any moment loses nothing, since nothing of a
batch is acknowledged before the front has written it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Protocol, cast

from livepost.collect.request import read_batch
from livepost.errors import RejectedError, StoreError
from livepost.intake.erased import Blind, Erased
from livepost.intake.plan import TrackingPlan, Undeclared
from livepost.intake.record import Recorder
from livepost.log.body import packed_piece
from livepost.model.compiled import Compiled
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.house.conduct import collect_seldom
from livepost.runtime.recorder.job import ADMIT, JOB, PLAN, Asked, Done, Job, Planned, Refusal
from livepost.runtime.sockets.wire import POLL_S, WireClient, WireError
from livepost.vault.base import ExternalId
from livepost.vault.sqlite import SqliteVault
from livepost.vault.subject import KeyedSubject


def run_recorder(folder: DataFolder) -> None:
    """Work until the process is ended, which may be at any moment."""
    collect_seldom()
    with contextlib.ExitStack() as open_:
        vault = open_.enter_context(contextlib.closing(folder.vault(readonly=True)))
        front = open_.enter_context(contextlib.closing(WireClient(folder.front_socket)))
        plan = Plan(front, folder.settings.undeclared, vault.blind)
        subjects = FoundSubjects(vault, lambda new: _make(front, new))
        recorder = Recorder(folder.settings.workspace, subjects, TrackingPlan(Compiled()))
        done: list[Done] = []
        while True:
            jobs = _more(front, done)
            if jobs and not plan.is_known(jobs[0].plan, recorder):
                done = [Done(job.number) for job in jobs]
                continue
            done = [do(job, recorder) for job in jobs]


def do(job: Job, recorder: Recorder) -> Done:
    """Return the records of a job's batch, or why it is refused; neither if the vault or the front is not there."""
    try:
        request = read_batch(job.body)
        return Done(job.number, packed_piece(recorder.columns(request.calls, job.arrival.sent(request.sent_at))))
    except RejectedError as error:
        return Done(job.number, refusal=Refusal(str(error), error.code, error.status))
    except StoreError:
        return Done(job.number)


class Asks(Protocol):
    """The front's socket, as far as plans are asked for there."""

    def call(self, name: str, argument: None, type: type[Planned]) -> Planned:
        """Return the answer; raise StoreError if there is none."""
        ...


class Plan:
    """The tracking plan of the front, asked for when jobs come that are judged by another one."""

    def __init__(self, front: Asks, undeclared: Undeclared, blind: Blind) -> None:
        self._front = front
        self._blind = blind
        self._undeclared = undeclared
        self._hash: str | None = None

    def is_known(self, hash: str, recorder: Recorder) -> bool:
        """Have a recorder judge by the plan of a hash; say whether it does."""
        if self._hash != hash:
            try:
                planned = self._front.call(PLAN, None, Planned)
            except StoreError:
                return False
            recorder.plan = TrackingPlan(planned.project, self._undeclared, planned.signals)
            recorder.erased = Erased(self._blind, planned.erased)
            self._hash = planned.hash
        return self._hash == hash


class FoundSubjects:
    """The vault's subjects for one who only reads it; `make` has those that are new made, so that they are found."""

    def __init__(self, vault: SqliteVault, make: Callable[[list[ExternalId]], None]) -> None:
        self._vault = vault
        self._make = make

    def admit(self, ids: Sequence[ExternalId]) -> list[KeyedSubject]:
        """Return each id's subject; raise StoreError if one could not be made."""
        found = self._vault.find_all(ids)
        if not all(found):
            self._make([id for id, one in zip(ids, found, strict=True) if one is None])
            found = self._vault.find_all(ids)
        if not all(found):
            raise StoreError("expected the front to have made all subjects, some are missing; ask again")
        return cast(list[KeyedSubject], found)

    def find(self, id: ExternalId) -> KeyedSubject | None:
        """Return the id's subject or None."""
        return self._vault.find(id)


def _make(front: WireClient, new: list[ExternalId]) -> None:
    front.call(ADMIT, new, NoneType)


def _more(front: WireClient, done: list[Done]) -> list[Job]:
    """Tell the front what is done; return what is to do. Without a front, nothing, after a moment."""
    try:
        return front.call(JOB, Asked(os.getpid(), done), list[Job])
    except WireError:
        time.sleep(POLL_S)
        return []
