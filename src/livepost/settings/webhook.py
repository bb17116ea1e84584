"""A target of webhooks, as a table `[[webhooks]]` of `livepost.toml` says it.

In: values as they were written. Out: a struct. Promised: no path, query or secret of it is shown; whether the URL may
be asked is for `fetch` to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from livepost.errors import SettingsError
from livepost.settings.secret import check_reference

EventKind: TypeAlias = Literal["transition", "decision", "receipt"]

Naming: TypeAlias = Literal["own", "pseudonym"]

TARGETS_MAX = 16
TRIES_MAX = 10


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is told what happens; `tries` is how often a message is sent before it is a dead letter.

    purpose   what it is told for: of people who do not allow that it is told nothing; "" if they need not
    ids       how people and mails are named to it: by Livepost's `own` ids, or by a `pseudonym` no other target is told
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}\Z")]
    url: Annotated[str, Meta(min_length=1)]
    secret: str
    events: Annotated[tuple[EventKind, ...], Meta(min_length=1)] = ("transition", "decision", "receipt")
    tries: Annotated[int, Meta(ge=1, le=TRIES_MAX)] = TRIES_MAX
    purpose: Annotated[str, Meta(pattern=r"^[a-z0-9 ._:/+-]{0,64}\Z")] = ""
    ids: Naming = "own"

    def __str__(self) -> str:
        """Return what people may see: what stands behind the host in a URL can be a secret."""
        origin = re.match(r"[a-zA-Z]+://[^/?#@\\]*(?![^/?#]*@)", self.url)
        return f"{self.name} -> {origin[0] if origin else '***'}"


def check_webhooks(webhooks: Sequence[Webhook], where: str) -> None:
    """Raise SettingsError for a name that is there twice, or a secret that is written out."""
    names = [one.name for one in webhooks]
    for one in webhooks:
        if names.count(one.name) > 1:
            raise SettingsError(
                f"webhooks ({where}) has {one.name} twice; a target's place is kept by its name: choose another"
            )
        check_reference(f"secret of the webhook {one.name}", one.secret, where)
