"""The names of facets, the open values that intake computes before it seals, as definitions ask for them.

Every name has a dot, which no declared field has: so a field with a dot is a facet wherever definitions are data.
"""

from __future__ import annotations

EMAIL_DOMAIN = "email.domain"
BIRTHDAY = "birthday.month_day"
ZONE = "context.zone"
LOCALE = "context.locale"

OF_IDENTIFY = (EMAIL_DOMAIN, BIRTHDAY)
"""Computed from an identify's traits: no other event has them."""
OF_ANY_EVENT = (ZONE, LOCALE)
"""Computed from the open part of any event's context."""


def is_facet(field: str) -> bool:
    """Say whether a field's name in a definition is a facet's."""
    return "." in field
