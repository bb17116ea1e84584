"""What somebody sees of personal values: one decision for each kind of field, by their role.

In: how a role sees each kind of field, what `policy.toml` says of a field. Out: values as they are shown. Promised: who
does not see all of a field sees no more of it than `policy.toml` lets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

from livepost.govern.access.mask import HIDDEN, How, masked, stricter
from livepost.settings.policy import Policy

Field: TypeAlias = Literal["id", "address", "name", "number", "text"]
"""What a personal value is; `text` is a whole mail, a letter, and all that has no other."""

FIELDS: tuple[Field, ...] = get_args(Field)

SEES: tuple[tuple[str, How], ...] = (
    ("see", "plain"),
    ("see_partly", "partial"),
    ("see_range", "bucket"),
    ("see_pseudonym", "pseudonym"),
)
"""The actions of the policies, and how they let a value be seen; the first that is permitted holds."""

_KNOWN: dict[str, Field] = {
    **dict.fromkeys(("id", "user_id", "anonymous_id", "customer_id", "external_id", "username"), "id"),
    **dict.fromkeys(("address", "email", "mail", "phone", "mobile", "ip", "$address"), "address"),
    **dict.fromkeys(("name", "first_name", "last_name", "given_name", "family_name"), "name"),
    **dict.fromkeys(("age", "birthday", "date_of_birth", "income"), "number"),
}


class Sight:
    """How one who asks sees personal values."""

    def __init__(self, hows: Mapping[Field, How], key: bytes = b"", policy: Policy | None = None) -> None:
        """Take how each kind of field is seen (hidden where nothing is said), the workspace's key of pseudonyms, and
        what is promised of fields.
        """
        self._hows = hows
        self._key = key
        self._policy = policy

    @property
    def reads_texts(self) -> bool:
        """Whether whole mails and letters are seen as they are."""
        return self._hows.get("text") == "plain"

    def how(self, name: str) -> How:
        """Return how a field is seen, by its name (`Identified.email`, `email`)."""
        how = self._hows.get(field_of(name), "hide")
        return how if how == "plain" or self._policy is None else self._promised(name, self._policy, how)

    def shown(self, name: str, value: Any) -> Any:
        """Return a field's value as it is seen."""
        return masked(value, self.how(name), self._key)

    def text(self, value: str) -> str:
        """Return a text that may say anything: itself, or that it is hidden."""
        return value if self.reads_texts else HIDDEN

    @staticmethod
    def _promised(name: str, policy: Policy, how: How) -> How:
        said = policy.fields.get(name)
        mask = (said.mask if said else "") or policy.defaults.mask
        return stricter(how, mask) if mask else how


EVERYTHING = Sight(dict.fromkeys(FIELDS, "plain"))
"""The sight of the local owner."""


def field_of(name: str) -> Field:
    """Return what a field is, by its name.

    >>> field_of("Identified.first_name"), field_of("email"), field_of("Order.note")
    ('name', 'address', 'text')
    """
    return _KNOWN.get(name.rpartition(".")[2], "text")
