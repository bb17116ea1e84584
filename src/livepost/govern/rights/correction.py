"""What is to be set right of what a person is known by."""

from __future__ import annotations

from typing import Any

import msgspec


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """The right `values` by the names of traits, for a request (its id); `by` is how the audit names who sets them."""

    request: str
    values: dict[str, Any]
    by: str
