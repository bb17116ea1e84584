from __future__ import annotations

import pytest

from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId
from livepost.vault.external import normalised


@pytest.mark.parametrize("written", ["ada@example.com", " ADA@Example.com\n", "\tada@EXAMPLE.COM"])
def test_an_email_is_trimmed_and_case_folded(written: str) -> None:
    assert normalised(ExternalId(EMAIL, written)) == ExternalId(EMAIL, "ada@example.com")


@pytest.mark.parametrize("kind", [USER, ANONYMOUS, "loyalty"])
def test_other_ids_stay_as_they_are(kind: str) -> None:
    assert normalised(ExternalId(kind, " Ada ")) == ExternalId(kind, " Ada ")
