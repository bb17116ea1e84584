"""Which sender a workspace's settings name, and whether it could send.

In: settings and what they refer to. Out: a sender, or one sentence saying what is wrong with them. Promised: a password
is read where it is needed, and told to nobody.
"""

from __future__ import annotations

import os
from typing import Protocol

from livepost.deliver.keep import Keep
from livepost.deliver.sender import Sender
from livepost.deliver.smtp import Route, SmtpSender, route_to
from livepost.runtime.data.folder import DataFolder
from livepost.settings.secret import read_secret
from livepost.settings.settings import Settings
from livepost.settings.smtp import SCHEMES, read_smtp
from livepost.vault.base import Vault


class OpenSender(Sender, Protocol):
    """A sender that holds files or connections."""

    def close(self) -> None:
        """Give them back."""
        ...


def check_sender(settings: Settings) -> None:
    """Raise SettingsError if mails could not be sent as `mail` says: a password or certificate that is not there.

    No server is asked.
    """
    _route(settings)


def sender_of(folder: DataFolder, vault: Vault) -> OpenSender:
    """Return the sender that `mail` names; raise SettingsError or StoreError if it cannot be had."""
    route = _route(folder.settings)
    return Keep(folder.mailbox, vault, folder.settings.workspace) if route is None else SmtpSender(route)


def _route(settings: Settings) -> Route | None:
    """Return the way to the server, or None where mails are kept."""
    if not settings.mail.startswith(SCHEMES):
        return None
    told = settings.mail_password
    password = read_secret("mail_password", told, os.environ) if told else ""
    return route_to(read_smtp(settings.mail, "settings"), settings.sender.rpartition("@")[2], password)
