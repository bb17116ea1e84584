"""Find a dead letter, in a house that runs or in its stores."""

from __future__ import annotations

from livepost.errors import StoreError
from livepost.intake.letter import Letters, Opener
from livepost.log.base import LogReader
from livepost.model.compiled import Compiled
from livepost.model.letter import Letter
from livepost.model.record import Record
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.asking import Engine


def kept(engine: Engine, log: LogReader, position: int, at_least: int = -1) -> tuple[Letter, Record]:
    """Return a dead letter as of position `at_least` or later, and its record.

    Raises StoreError if there is none at the position, the log has it no more, or the engine is not that far yet.
    """
    letter = engine.letter(position, at_least)
    if letter is None:
        raise StoreError(f"there is no dead letter at position {position}; `livepost dead list` shows them")
    return letter, log.read(position - 1, 1)[0].record(0)


def letters_of(folder: DataFolder, compiled: Compiled, vault: Opener) -> Letters:
    """Return what opens a folder's letters."""
    return Letters(vault, folder.settings.workspace, compiled)
