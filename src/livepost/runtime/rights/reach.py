"""What the stores of a data folder are reached with. In: a folder, its project, its vault. Out: the same, as one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import msgspec

from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.vault.sqlite import SqliteVault


class Reach(msgspec.Struct, frozen=True):
    """A data folder with its project, and its vault, open to be read: whoever has this reads everything."""

    folder: DataFolder
    project: Project
    vault: SqliteVault


@contextlib.contextmanager
def reaching(folder: DataFolder, project: Project) -> Iterator[Reach]:
    """Yield the reach of a folder, whether its house runs or not; raise StoreError if the vault cannot be read."""
    with contextlib.closing(folder.vault(readonly=True)) as vault:
        yield Reach(folder, project, vault)
