"""No page of a test stays behind under the name that all pages have."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def page_forgotten() -> Iterator[None]:
    """Set aside whatever `shop` was imported before, and bring it back afterwards."""
    before = sys.modules.pop("shop", None)
    yield
    sys.modules.pop("shop", None)
    if before is not None:
        sys.modules["shop"] = before
