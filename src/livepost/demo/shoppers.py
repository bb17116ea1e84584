"""Who the shoppers are: what the demo makes up about a household, since its data has no names and no addresses.

In: a household's number. Out: its ids, address, first name and consent, the same each time.
`example.com` is reserved (RFC 2606): no mail of the demo can reach anybody.
"""

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Ben", "Chiara", "Dmitri", "Elif", "Femi", "Grace", "Hugo",
    "Ines", "Jun", "Kofi", "Lena", "Mateo", "Nadia", "Omar", "Priya",
)  # fmt: skip
CONSENTING_IN_1000 = 800
ANONYMOUS_FIRST_IN_1000 = 300


def user_id(household: int) -> str:
    """Return the household's userId.

    >>> user_id(7)
    'h0007'
    """
    return f"h{household:04d}"


def anonymous_id(household: int) -> str:
    """Return the id of the household's browser before it is known."""
    return f"browser-of-{user_id(household)}"


def address(household: int) -> str:
    """Return the household's address."""
    return f"{user_id(household)}@example.com"


def household_of(address_or_user_id: str) -> int:
    """Return the household's number from its address or its userId.

    >>> household_of("h0007@example.com")
    7
    """
    return int(address_or_user_id.partition("@")[0].removeprefix("h"))


def is_household(address: str) -> bool:
    """Say whether this is the address of a household, and not of a visitor of the storefront.

    >>> is_household("h0007@example.com"), is_household("visitor-0a1b@visitors.example")
    (True, False)
    """
    return address.endswith("@example.com")


def first_name(household: int) -> str:
    """Return the household's first name, one of sixteen."""
    return FIRST_NAMES[household * 31 % 1000 % len(FIRST_NAMES)]


def allows_marketing(household: int) -> bool:
    """Return whether the household allows marketing: four of five do."""
    return household * 7919 % 1000 < CONSENTING_IN_1000


def browses_anonymously_first(household: int) -> bool:
    """Return whether the household's first session comes before anybody knows who it is."""
    return household * 6151 % 1000 < ANONYMOUS_FIRST_IN_1000
