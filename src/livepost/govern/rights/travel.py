"""Where a person's data went: to which sender, webhook, audience, listener, which fields, how often, first and last.

In: things held (mails with their moves, what targets and vendors were told, who listened), the project's names for
fields. Out: a line a destination and field. Promised: a mail that nobody knows of counts as gone; of who listens it is
said that they may have heard, since nobody writes down each message that was heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from livepost.govern.rights.store import Held
from livepost.project.purposes import CAMPAIGN
from livepost.settings.policy import STREAM

HERE = "keep"
"""The sender that keeps mails instead of sending them."""

LEFT = "in_flight"
"""A mail that came to this state may have gone."""


class Travel(msgspec.Struct, frozen=True, kw_only=True):
    """What went to one destination: `kind` of destination, a `field` by the policy's name, for what (`purposes`), how
    often, first and last (ms). `sure` is False for what somebody may have heard who listened so often, from `first` on.
    """

    to: str
    kind: str
    field: str
    purposes: tuple[str, ...] = ()
    times: int = 0
    first: int = 0
    last: int = 0
    sure: bool = True


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """How what goes out is called: `mails` are the fields in each campaign's mails, `feature` names a feature or a
    segment, `audiences` are a destination's own words (`list:x`, `value:y`) by the project's, `purposes` are those of
    a destination; `listened` is what the stream may tell.
    """

    mails: Mapping[str, Sequence[str]]
    address: str
    feature: Callable[[str], str]
    audiences: Mapping[tuple[str, str], str]
    purposes: Callable[[str], Sequence[str]]
    listened: Sequence[str]


class Travels:
    """Collects where a person's data went, of all that is held of them."""

    def __init__(self, names: Names) -> None:
        """Take how things are called."""
        self._names = names
        self._found: dict[tuple[str, str, str], Travel] = {}
        self._mails: dict[str, dict[str, Any]] = {}

    def add(self, one: Held) -> None:
        """Look at one thing that is held."""
        if one.what == "deliveries":
            self._mails[one.values["id"]] = one.values
        elif one.what == "moves" and one.values["after"] == LEFT:
            self._mailed(one)
        elif one.what == "told":
            self._told(one)
        elif one.what == "listened":
            for field in self._names.listened:
                self._note(one.values["by"], "stream", field, STREAM, 1, (one.at, one.at), sure=False)

    def lines(self) -> list[Travel]:
        """Return a line a destination and field, in alphabetical order."""
        return [self._found[key] for key in sorted(self._found)]

    def held(self) -> Iterator[Held]:
        """Go through the lines as an export has them."""
        for one in self.lines():
            yield Held(store="went", what=one.kind, at=one.last, values=msgspec.to_builtins(one))

    def _mailed(self, move: Held) -> None:
        mail = self._mails.get(move.values["decision"], {})
        told = mail.get("decision", {})
        to, campaign = mail.get("sender") or mail.get("provider") or "mail", told.get("campaign", "")
        kind = "kept here" if HERE in (to, mail.get("provider")) else "sender"
        for field in dict.fromkeys((self._names.address, *self._names.mails.get(campaign, ()))):
            self._note(to, kind, field, "", 1, (move.at, move.at), purpose=told.get("purpose", ""))

    def _told(self, one: Held) -> None:
        to, about = one.values["to"], one.values["about"]
        times = (one.values["first"], one.values["last"])
        self._note(to, one.values["kind"], self._field(to, about), to, one.values["times"], times)

    def _field(self, to: str, about: str) -> str:
        known = self._names.audiences.get((to, about))
        if known is not None:
            return known
        return about if about.startswith(CAMPAIGN) or ":" in about else self._names.feature(about)

    def _note(
        self,
        to: str,
        kind: str,
        field: str,
        declared: str,
        times: int,
        when: tuple[int, int],
        *,
        sure: bool = True,
        purpose: str = "",
    ) -> None:
        first, last = when
        purposes = (purpose,) if purpose else tuple(self._names.purposes(declared)) if declared else ()
        before = self._found.get((kind, to, field))
        if before is not None:
            purposes = tuple(dict.fromkeys((*before.purposes, *purposes)))
            first, last, times = min(first, before.first), max(last, before.last), times + before.times
        self._found[kind, to, field] = Travel(
            to=to, kind=kind, field=field, purposes=purposes, times=times, first=first, last=last, sure=sure
        )
