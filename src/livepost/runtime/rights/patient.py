"""The engine as an erasure asks it: each question on a connection of its own, from whatever thread.

In: questions. Out: answers. Promised: an engine that is away raises StoreError, and is asked anew the next time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from livepost.model.person import PersonView
from livepost.model.told import Status
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient


class PatientEngine:
    """See `erasing.Engine`."""

    def __init__(self, folder: DataFolder) -> None:
        """Take where its socket is."""
        self._folder = folder

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        """Return persons by any of their subjects."""
        with contextlib.closing(EngineClient(self._folder)) as engine:
            return engine.people(ids, at_least)

    def status(self) -> Status:
        """Return where it stands."""
        with contextlib.closing(EngineClient(self._folder)) as engine:
            return engine.status()
