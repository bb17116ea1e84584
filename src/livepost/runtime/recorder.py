"""A recorder's process: makes records of the batches that the front hands to it, so that a second core can help.

Reads: the vault. Writes: nothing; new subjects are made by the front, which alone writes vault and log. Promises: the
same records as the front would make; its end at any moment loses nothing, since nothing of a batch is acknowledged
before the front has written it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Sequence
from types import NoneType

from livepost.collect.request import read_batch
from livepost.errors import RejectedError, StoreError
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Recorder
from livepost.runtime.folder import DataFolder
from livepost.runtime.job import ADMIT, JOB, Asked, Done, Job, Refusal
from livepost.runtime.project import Project
from livepost.runtime.wire import POLL_S, WireClient, WireError
from livepost.vault.base import ExternalId
from livepost.vault.sqlite import SqliteVault
from livepost.vault.subject import KeyedSubject

GC_THRESHOLD = 50_000
"""Objects between two looks of the garbage collector: batches make many, and hardly ever circles."""


def run_recorder(folder: DataFolder, project: Project) -> None:
    """Work until the process is ended, which may be at any moment."""
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    with contextlib.ExitStack() as open_:
        vault = open_.enter_context(contextlib.closing(folder.vault(readonly=True)))
        front = open_.enter_context(contextlib.closing(WireClient(folder.front_socket)))
        plan = TrackingPlan(project.compiled, folder.settings.undeclared)
        recorder = Recorder(folder.settings.workspace, FoundSubjects(vault, front), plan)
        done: list[Done] = []
        while True:
            done = [do(job, recorder) for job in _more(front, done)]


def do(job: Job, recorder: Recorder) -> Done:
    """Return the records of a job's batch, or why it is refused; neither if the vault or the front is not there."""
    try:
        request = read_batch(job.body)
        return Done(job.number, recorder.records(request.calls, job.arrival.sent(request.sent_at)))
    except RejectedError as error:
        return Done(job.number, refusal=Refusal(str(error), error.code, error.status))
    except StoreError:
        return Done(job.number)


class FoundSubjects:
    """The vault's subjects for one who only reads it; those that are new the front makes."""

    def __init__(self, vault: SqliteVault, front: WireClient) -> None:
        self._vault = vault
        self._front = front

    def admit(self, ids: Sequence[ExternalId]) -> list[KeyedSubject]:
        """Return each id's subject; raise StoreError if the front could not make one."""
        new = [id for id, found in zip(ids, self._vault.find_all(ids), strict=True) if found is None]
        if new:
            self._front.call(ADMIT, new, NoneType)
        found = [one for one in self._vault.find_all(ids) if one is not None]
        if len(found) < len(ids):
            raise StoreError("expected the front to have made all subjects, some are missing; ask again")
        return found

    def find(self, id: ExternalId) -> KeyedSubject | None:
        """Return the id's subject or None."""
        return self._vault.find(id)


def _more(front: WireClient, done: list[Done]) -> list[Job]:
    """Tell the front what is done; return what is to do. Without a front, nothing, after a moment."""
    try:
        return front.call(JOB, Asked(os.getpid(), done), list[Job])
    except WireError:
        time.sleep(POLL_S)
        return []
