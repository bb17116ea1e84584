"""Which destinations of audiences a workspace's settings name, and whether they could be kept in step.

In: settings, what they refer to, a project. Out: vendors' accounts, or one sentence saying what is wrong with one.
Promised: a key is read where it is needed, and told to nobody.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence

import msgspec

from livepost.errors import SettingsError
from livepost.fetch.address import Allowed, UnsafeAddressError, read_url
from livepost.ids import digest
from livepost.model.compiled import Compiled
from livepost.project.gate import Gate
from livepost.runtime.courier.targets import allowed_of
from livepost.settings.audience import Audience
from livepost.settings.secret import read_secret
from livepost.settings.settings import Settings
from livepost.sync.destination import Wanted
from livepost.sync.vendor.base import Account

PASSING = "since"
"""The kind of feature that changes with every millisecond: no vendor could be kept in step with it."""


def accounts_of(settings: Settings) -> dict[str, Account]:
    """Return the accounts by the names of their destinations; raise SettingsError for one that could not be asked.

    No name is looked up.
    """
    allowed = allowed_of(settings)
    return {one.name: _account(one, allowed) for one in settings.audiences}


def check_audiences(settings: Settings, compiled: Compiled) -> None:
    """Raise SettingsError for a destination whose segments or features the project does not have."""
    segments = [one.name for one in compiled.segments]
    features = [one.name for one in compiled.features if not one.anonymous and not one.name.startswith("$")]
    passing = {one.name for one in compiled.features if one.kind == PASSING}
    for one in settings.audiences:
        _require(one, "segment", one.segments, segments)
        _require(one, "feature", one.fields, features)
        for name in passing & {*one.fields}:
            raise SettingsError(
                f"the audience {one.name} names the feature {name}, which changes as time goes by; make a segment of it"
            )


def wanted_of(audience: Audience, gate: Gate | None = None) -> Wanted:
    """Return what should be at a vendor; another hash of it, or of what may go there, lets everybody be looked at."""
    told: tuple[object, ...] = (
        *(audience.vendor, audience.base_url, audience.account, audience.ident, audience.purpose),
        *(sorted(audience.segments.items()), sorted(audience.fields.items())),
    )
    if gate is not None:
        names = gate.purposes.names
        told = (*told, [name for name in names if gate.may(audience.name, name)], gate.consents(audience.name))
    return Wanted(
        name=audience.name,
        segments=tuple(audience.segments),
        refresh_ms=audience.refresh_ms,
        config=digest(msgspec.json.encode(told)).hex(),
    )


def _require(audience: Audience, what: str, named: Iterable[str], known: Sequence[str]) -> None:
    for name in named:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
            raise SettingsError(f"the audience {audience.name} names the {what} {name}, which is not there; {hint}")


def _account(audience: Audience, allowed: Allowed) -> Account:
    try:
        read_url(audience.base_url, allowed)
    except UnsafeAddressError as error:
        raise SettingsError(f"the audience {audience.name}: {error}") from error
    key = read_secret(f"the key of the audience {audience.name}", audience.key, os.environ)
    return Account(url=audience.base_url, key=key, account=audience.account)
