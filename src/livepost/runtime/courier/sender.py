"""Which senders a workspace's settings name, and whether they could send.

In: settings and what they refer to. Out: senders, or one sentence saying what is wrong with them.
Promised: a password is read where it is needed, and told to nobody.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
from collections.abc import Iterator, Mapping
from typing import Protocol

from livepost.deliver.keep import Keep
from livepost.deliver.message_id import MessageIds
from livepost.deliver.sender import Sender
from livepost.deliver.smtp import Route, SmtpSender, route_to
from livepost.errors import LivepostError, SettingsError
from livepost.runtime.courier.routing import tables_of
from livepost.runtime.data.folder import DataFolder
from livepost.settings.provider import PROVIDER_SCHEMES, ProviderAddress, read_provider
from livepost.settings.secret import read_secret
from livepost.settings.sender import SenderTable
from livepost.settings.settings import Settings
from livepost.settings.smtp import SCHEMES, read_smtp
from livepost.vault.base import Vault

EXTRA = ("anymail", "boto3", "requests", "urllib3")
"""What senders to providers import."""


class OpenSender(Sender, Protocol):
    """A sender that holds files or connections."""

    def close(self) -> None:
        """Give them back."""
        ...


class OpenSenders(Mapping[str, OpenSender]):
    """All senders by name, opened; the preferred one first."""

    def __init__(self, named: dict[str, OpenSender]) -> None:
        """Take them over: they are closed with this."""
        self._named = named

    @property
    def first(self) -> OpenSender:
        """The preferred one."""
        return next(iter(self._named.values()))

    def __getitem__(self, name: str) -> OpenSender:
        """Return the sender of a name."""
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate the names, the preferred first."""
        return iter(self._named)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._named)

    def close(self) -> None:
        """Close all, each whatever happens to the others."""
        with contextlib.ExitStack() as stack:
            for sender in self._named.values():
                stack.callback(sender.close)


def check_sender(settings: Settings) -> None:
    """Raise SettingsError if mails could not be sent as the settings say: a password, certificate or package not there.

    No server is asked.
    """
    for table in tables_of(settings):
        if table.mail.startswith(SCHEMES):
            _route(table, settings)
        if table.mail.startswith(PROVIDER_SCHEMES):
            _provider(table)


def senders_of(folder: DataFolder, vault: Vault) -> OpenSenders:
    """Return the senders that the settings name; raise SettingsError or StoreError if one cannot be had."""
    named: dict[str, OpenSender] = {}
    try:
        for table in tables_of(folder.settings):
            named[table.name] = _open(table, folder, vault)
    except LivepostError:
        OpenSenders(named).close()
        raise
    return OpenSenders(named)


def _open(table: SenderTable, folder: DataFolder, vault: Vault) -> OpenSender:
    if table.mail.startswith(SCHEMES):
        return SmtpSender(_route(table, folder.settings))
    if table.mail.startswith(PROVIDER_SCHEMES):
        return _esp_sender(*_provider(table), MessageIds(vault.secret, folder.settings.sender))
    return Keep(folder.mailbox, vault, folder.settings.workspace)


def _route(table: SenderTable, settings: Settings) -> Route:
    """Return the way to the server."""
    return route_to(read_smtp(table.mail, "settings"), settings.sender.rpartition("@")[2], _password(table))


def _provider(table: SenderTable) -> tuple[ProviderAddress, str]:
    """Return the provider's address and key."""
    address = read_provider(table.mail, "settings")
    if any(importlib.util.find_spec(package) is None for package in EXTRA):
        raise SettingsError(f"mail names {address.name}, which needs an extra; say pip install 'livepost[esp]'")
    return address, _password(table)


def _esp_sender(address: ProviderAddress, secret: str, ids: MessageIds) -> OpenSender:
    """Return the sender, imported only now: it is an extra, and takes a second."""
    kind = importlib.import_module("livepost.deliver.esp.sender").EspSender
    sender: OpenSender = kind(address, secret, message_id=ids.of)
    return sender


def _password(table: SenderTable) -> str:
    told = table.mail_password
    return read_secret("mail_password", told, os.environ) if told else ""
