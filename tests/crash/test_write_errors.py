"""A disk that fails under the collector: every error reply is safe to answer with the same messages again.

An error at a write is no promise that nothing was written. The log may then hold an event twice; state folds it once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import apsw
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from livepost.clock import SimulatedClock, WallClock
from livepost.collect.app import Collect
from livepost.intake.plan import TrackingPlan
from livepost.intake.writer import Intake, Stores
from livepost.log.sqlite import SqliteLog, SqliteLogReader
from livepost.model.record import KeyKind
from livepost.runtime.folder import DataFolder
from livepost.runtime.project import Project, load_project
from livepost.runtime.worker import Worker
from livepost.settings.load import load
from livepost.state.memory import MemoryState
from livepost.vault.kek import read_kek
from livepost.vault.sqlite import SqliteVault
from tests.crash import proofs
from tests.crash.house import SHOP, SOURCE
from tests.crash.load import calls_of
from tests.crash.replaying import worked_off
from tests.crash.rooms import START_MS
from tests.unit.log.faults import FaultyVFS

REQUESTS = 30
CALLS = 6
FAULT_EVERY = 5
"""Every fifth request meets a fault, which goes away with the reply."""
