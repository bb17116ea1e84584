"""External ids in the form in which they are compared. In: what a client wrote. Out: one spelling for one id."""

from __future__ import annotations

from livepost.vault.base import EMAIL, ExternalId


def normalised(id: ExternalId) -> ExternalId:
    """Return the id as it is compared and kept: emails trimmed and case-folded, others as they are.

    >>> normalised(ExternalId("email", " Ada@Example.com"))
    ExternalId(kind='email', value='ada@example.com')
    """
    if id.kind != EMAIL:
        return id
    return ExternalId(EMAIL, id.value.strip().casefold())
