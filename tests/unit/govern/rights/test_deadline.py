from __future__ import annotations

from datetime import UTC, datetime

import pytest

from livepost.control.requests import Regulation, RequestKind
from livepost.govern.rights.deadline import due_at, is_extendable


@pytest.mark.parametrize(
    ("law", "received", "extended", "due"),
    [
        ("gdpr", "2024-01-31", False, "2024-02-29"),
        ("gdpr", "2023-01-31", False, "2023-02-28"),
        ("gdpr", "2024-12-05", False, "2025-01-05"),
        ("gdpr", "2024-11-30", True, "2025-02-28"),
        ("ccpa", "2024-01-01", False, "2024-02-15"),
        ("ccpa", "2024-01-01", True, "2024-03-31"),
    ],
)
def test_it_is_due_as_the_law_says(law: Regulation, received: str, extended: bool, due: str) -> None:
    at = int(datetime.fromisoformat(received).replace(tzinfo=UTC).timestamp() * 1000)
    assert datetime.fromtimestamp(due_at(law, at, extended=extended) / 1000, UTC).date().isoformat() == due


@pytest.mark.parametrize(
    ("law", "kind", "received", "due"),
    [
        ("ccpa", "opt_out_of_sale", "2024-01-01", "2024-01-22"),  # a Monday
        ("ccpa", "opt_out_of_sale", "2024-01-05", "2024-01-26"),  # a Friday
        ("ccpa", "opt_out_of_sale", "2024-01-06", "2024-01-26"),  # a Saturday
        ("ccpa", "erasure", "2024-01-01", "2024-02-15"),
        ("gdpr", "opt_out_of_sale", "2024-01-01", "2024-02-01"),
    ],
)
def test_an_opt_out_of_sale_is_due_after_15_business_days_by_the_ccpa_alone(
    law: Regulation, kind: RequestKind, received: str, due: str
) -> None:
    at = int(datetime.fromisoformat(received).replace(tzinfo=UTC).timestamp() * 1000)
    assert datetime.fromtimestamp(due_at(law, at, kind=kind) / 1000, UTC).date().isoformat() == due
    assert is_extendable(law, kind) is ((law, kind) != ("ccpa", "opt_out_of_sale"))
