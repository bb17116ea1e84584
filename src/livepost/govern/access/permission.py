"""What a route asks of whoever uses it: to be allowed to do something to data of a kind.

Every operation, action, page, form and paper names one; the words here are those of `policies.cedar` and of the scopes
that a key can be held to.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import msgspec

from livepost.model.principal import SEND_EVENTS

Verb: TypeAlias = Literal["read", "open", "change", "send", "stop", "approve", "export", "erase"]
"""What is done. `open` shows what is sealed, where a mask cannot stand for it; `stop` is the kill switch."""

Kind: TypeAlias = Literal[
    "house",
    "settings",
    "people",
    "segments",
    "campaigns",
    "broadcasts",
    "mails",
    "mailbox",
    "letters",
    "suppressions",
    "webhooks",
    "stream",
    "sql",
    "keys",
    "vault_keys",
    "users",
    "approvals",
    "consents",
    "requests",
    "retention",
    "policies",
    "audit",
    "glass",
]
"""To what. `house` is how it runs, `glass` to see all for a while,
`mails` the ledger of them, `mailbox` what they say, `letters` dead ones."""

VERBS: tuple[Verb, ...] = get_args(Verb)
KINDS: tuple[Kind, ...] = get_args(Kind)


class Permission(msgspec.Struct, frozen=True):
    """To be allowed to do something to data of a kind."""

    verb: Verb
    kind: Kind

    @property
    def scope(self) -> str:
        """How a key's scopes name it.

        >>> Permission("send", "mails").scope
        'send:mails'
        """
        return f"{self.verb}:{self.kind}"


SCOPES: frozenset[str] = frozenset(Permission(verb, kind).scope for verb in VERBS for kind in KINDS)
"""All that routes need."""

KEY_SCOPES: frozenset[str] = SCOPES | {SEND_EVENTS}
"""All that a key can be held to."""
