"""One person's export from a data folder, whether its house runs or not.

In: a folder, its project, one of the person's ids. Out: a zip. Promised: the engine has folded all that the log had
when the export began, or it is refused: who is one person with whom is known only then. Every store that gives is
asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import IO

from livepost.audit.deed import EVERYBODY
from livepost.clock import WallClock
from livepost.errors import StoreError
from livepost.govern.rights.export import Whose, write_export
from livepost.govern.rights.holdings import Holdings
from livepost.govern.rights.manifest import PURPOSE, ExportSigner, Manifest
from livepost.govern.rights.store import Gives, Held
from livepost.model.person import PersonView
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import Engine, engine_of
from livepost.runtime.rights.holding import collectors, elsewhere
from livepost.runtime.rights.reach import Reach, reaching
from livepost.runtime.rights.stores import NOBODY, STORES
from livepost.runtime.sockets.wire import POLL_S

FOLDED_S = 10.0
"""How long it is waited for the engine to fold what the log has."""

ORDER = ("vault.db", "log", "state.db", "ledger.db", "mailbox", "audiences.db", "webhooks.db", "control.db", "audit.db")
"""Stores in the order in which a person is told; others stand behind."""

GIVES: dict[str, Gives[Reach]] = {
    store.name: store.gives
    for store in sorted(STORES, key=lambda store: ORDER.index(store.name) if store.name in ORDER else len(ORDER))
    if store.gives is not None
}
"""What gives, by the store's name."""

LEFT_OUT: dict[str, str] = {
    store.name: store.instead for store in STORES if store.gives is None and store.instead != NOBODY
}
"""What gives nothing though it holds something, and why."""


def export_person(
    folder: DataFolder,
    project: Project,
    find: Callable[[Reach, Engine], PersonView],
    file: IO[bytes],
    seen: Callable[[PersonView], object] = lambda view: None,
    *,
    gives: Mapping[str, Gives[Reach]] = GIVES,
) -> Manifest:
    """Write a person's export into a file; `find` says who it is, `seen` is told before anything is read.

    Raises StoreError if nobody is known by it, a store cannot be read, or the engine is behind the log.
    """
    with reaching(folder, project) as reach:
        view, first, last = _found(reach, find)
        seen(view)
        subjects = tuple(view.subjects)
        whose = Whose(
            workspace=folder.settings.workspace,
            shop=folder.settings.shop_name,
            person=view.person,
            subjects=subjects,
            at=WallClock().now_ms(),
            log_first=first,
            log_last=last,
        )
        asked = {name: partial(give, reach, subjects) for name, give in gives.items()}
        summary, travels = collectors(folder, project)
        signer = ExportSigner(reach.vault.secret(PURPOSE))
        return write_export(file, whose, asked, LEFT_OUT, signer, {"kept": summary, "went": travels})


def held_of(
    folder: DataFolder, project: Project, subjects: tuple[bytes, ...], *, gives: Mapping[str, Gives[Reach]] = GIVES
) -> Iterator[Held]:
    """Go through all that is held of a person, as an export has it."""
    with reaching(folder, project) as reach:
        for give in gives.values():
            yield from give(reach, subjects)


def holdings_of(folder: DataFolder, project: Project, subjects: tuple[bytes, ...]) -> Holdings:
    """Return what is held on a person, by all of their subjects; raise StoreError if a store cannot be read."""
    summary, travels = collectors(folder, project)
    accesses = []
    for one in held_of(folder, project, subjects):
        summary.add(one)
        travels.add(one)
        if one.store == "audit.db" and one.what in ("access", EVERYBODY):
            accesses.append(one)
    return Holdings(lines=summary.lines(), travels=travels.lines(), elsewhere=elsewhere(folder.path), accesses=accesses)


def _found(reach: Reach, find: Callable[[Reach, Engine], PersonView]) -> tuple[PersonView, int, int]:
    """Return the person as of what the log has now, and the seqs that it has."""
    with closing(reach.folder.log_reader()) as log:
        first, last = log.first(), log.last().seq
    deadline = time.monotonic() + FOLDED_S
    with engine_of(reach.folder, reach.project) as engine:
        while (folded := engine.status().position) < last:
            if time.monotonic() > deadline:
                raise StoreError(
                    f"the engine has folded the log up to record {folded:,} of {last:,}, so nobody knows yet all that "
                    "belongs to a person; let the house run until `livepost doctor` shows no lag, then try again"
                )
            time.sleep(POLL_S)
        return find(reach, engine), first, last
