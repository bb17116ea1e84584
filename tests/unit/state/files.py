"""A state file for tests of what stands in it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from livepost.state.file import CHECKPOINT_BYTES, WAL_BYTES, StateFile


@contextmanager
def file_in(folder: Path) -> Iterator[StateFile]:
    """Hold a new state file below a folder, with the bounds it usually has."""
    path = folder / "state.db"
    with closing(StateFile(path, checkpoint_bytes=CHECKPOINT_BYTES, wal_bytes=WAL_BYTES, vfs=None)) as file:
        yield file
