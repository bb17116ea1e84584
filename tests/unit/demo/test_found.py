"""The look for personal values gives no false alarm on the demo's real baskets, and finds one that is put in."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.clock import DAY_MS
from livepost.demo.happenings import happenings
from livepost.demo.tables import open_tables
from livepost.log.memory import MemoryLog
from livepost.model.record import Record
from livepost.runtime.rights.finding import find_personal
from livepost.vault.memory import MemoryVault
from tests.unit.demo.shop_compiled import SHOP
from tests.unit.demo.test_shop_plan import RECORDS
