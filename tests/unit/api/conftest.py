from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.house import Asked


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    """A house that knows ada, who looked at two products, and bob, who did nothing."""
    made = Asked(tmp_path)
    made.knows("ada")
    made.knows("bob")
    made.views("ada", "tea", "pot")
    yield made
    made.house.close()
