"""What the stores of a data folder are reached with. In: a folder, its project, its vault. Out: the same, as one; the
book of audiences with the people of each destination.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec

from livepost.runtime.author.project import Project
from livepost.runtime.courier.keeping import People
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.settings.audience import Audience
from livepost.sync.book import Book
from livepost.vault.sqlite import SqliteVault


class Reach(msgspec.Struct, frozen=True):
    """A data folder with its project, and its vault, open to be read: whoever has this reads everything."""

    folder: DataFolder
    project: Project
    vault: SqliteVault


@contextlib.contextmanager
def audiences_of(reach: Reach) -> Iterator[tuple[Book, list[tuple[Audience, People]]]]:
    """Yield the book of audiences, which is there, and each destination with what opens its idents."""
    folder = reach.folder
    with (
        contextlib.closing(Book(folder.audiences_file)) as book,
        contextlib.closing(folder.ledger()) as ledger,
        contextlib.closing(EngineClient(folder)) as engine,
    ):
        stores: dict[str, Any] = {"engine": engine, "ledger": ledger, "vault": reach.vault, "clock": folder.clock}
        workspace = folder.settings.workspace
        yield book, [(one, People(one, workspace, **stores)) for one in folder.settings.audiences]


@contextlib.contextmanager
def reaching(folder: DataFolder, project: Project) -> Iterator[Reach]:
    """Yield the reach of a folder, whether its house runs or not; raise StoreError if the vault cannot be read."""
    with contextlib.closing(folder.vault(readonly=True)) as vault:
        yield Reach(folder, project, vault)
