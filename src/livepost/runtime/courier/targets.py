"""Which targets a workspace's settings name, and whether they could be told.

In: settings and what they refer to. Out: targets, or one sentence saying what is wrong with one. Promised: a secret is
read where it is needed, and told to nobody.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from livepost.announce.announcer import Target
from livepost.announce.signature import read_keys
from livepost.errors import SettingsError
from livepost.fetch.address import Allowed, OutgoingError, UnsafeAddressError, read_allowed, read_url
from livepost.fetch.fetcher import Fetcher
from livepost.settings.secret import read_secret
from livepost.settings.settings import Settings
from livepost.settings.webhook import Webhook
from livepost.vault.pseudonym import Pseudonyms


def allowed_of(settings: Settings) -> Allowed:
    """Return what `allow_outgoing` names; raise SettingsError for what is no host and port."""
    try:
        return read_allowed(settings.allow_outgoing)
    except UnsafeAddressError as error:
        raise SettingsError(f"allow_outgoing: {error}") from error


def targets_of(settings: Settings, secret: Callable[[], bytes] | None = None) -> list[Target]:
    """Return the targets, with their keys; raise SettingsError for one that could not be told. No name is looked up.

    `secret` gives the vault's secret for pseudonyms; without it a target that is told these can be told nothing.
    """
    allowed = allowed_of(settings)
    return [_target(one, allowed, secret) for one in settings.webhooks]


def pseudonyms_of(secret: bytes, target: str) -> Pseudonyms:
    """Return the pseudonyms by which a target knows people."""
    return Pseudonyms(secret, f"webhook:{target}")


def check_targets(settings: Settings) -> None:
    """Raise SettingsError for a target that could not be told, or whose name stands for what may not be asked now.

    A name that stands for nothing just now is let pass: that is seen when it is told.
    """
    targets = targets_of(settings)
    with contextlib.closing(Fetcher(allowed_of(settings))) as fetcher:
        for target in targets:
            try:
                fetcher.check(target.url)
            except UnsafeAddressError as error:
                raise SettingsError(f"the webhook {target.name}: {error}") from error
            except OutgoingError:
                continue


def _target(webhook: Webhook, allowed: Allowed, secret: Callable[[], bytes] | None) -> Target:
    try:
        read_url(webhook.url, allowed)
    except UnsafeAddressError as error:
        raise SettingsError(f"the webhook {webhook.name}: {error}") from error
    text = read_secret(f"the secret of the webhook {webhook.name}", webhook.secret, os.environ)
    return Target(
        name=webhook.name,
        url=webhook.url,
        purpose=webhook.purpose,
        kinds=frozenset(webhook.events),
        keys=read_keys(webhook.name, text),
        tries=webhook.tries,
        ids=webhook.ids,
        pseudonyms=pseudonyms_of(secret(), webhook.name) if secret and webhook.ids == "pseudonym" else None,
    )
