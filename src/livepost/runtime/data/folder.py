"""A data folder: where each store of the embedded default lies, and how it is opened."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import msgspec

from livepost.clock import Clock, ScaledClock, WallClock, steady, workspace_clock
from livepost.control.sqlite import ControlStore
from livepost.errors import StoreError
from livepost.ledger.opening import ledger_password, open_ledger
from livepost.ledger.stored import StoredLedger
from livepost.log.sqlite import SqliteLog, SqliteLogReader
from livepost.runtime.data.audits import PURPOSE, Audits
from livepost.runtime.data.keks import keks_of, place_in
from livepost.runtime.data.keyring import KeyRing
from livepost.settings.part import LOOPBACK
from livepost.settings.settings import Settings
from livepost.state.base import DurableStateStore
from livepost.state.image import Images
from livepost.state.opening import open_state, state_name
from livepost.state.placing import settle
from livepost.vault.base import Vault
from livepost.vault.kek.placed import PlacedKeks
from livepost.vault.pseudonym import PURPOSE as PSEUDONYMS
from livepost.vault.sqlite import SqliteVault

LEDGER = "ledger.db"
"""The ledger's file, where it is SQLite's."""


class DataFolder(msgspec.Struct, frozen=True):
    """One workspace's data. Everything is opened by whoever needs it; writers refuse a second one."""

    settings: Settings
    origins: Mapping[str, str] = {}
    """Where each setting came from, by key; empty where no file and no variable was asked."""

    @property
    def path(self) -> Path:
        """The folder."""
        return self.settings.data_folder

    @property
    def front_socket(self) -> Path:
        """Where the front listens for the other processes."""
        return self.path / "front.sock"

    @property
    def engine_socket(self) -> Path:
        """Where the engine answers."""
        return self.path / "engine.sock"

    @property
    def mailbox(self) -> Path:
        """Where `keep:` writes."""
        return self.path / "mailbox"

    @property
    def port(self) -> int:
        """The port the front listens on: the setting, or what it was given where the setting is 0."""
        told = self.port_file
        return int(told.read_text()) if self.settings.port == 0 and told.exists() else self.settings.port

    @property
    def port_file(self) -> Path:
        """Where the front writes the port it got."""
        return self.path / "port"

    @property
    def attempts_file(self) -> Path:
        """Where the engine notes which step it tries, for the engine after it."""
        return self.path / "engine.attempt"

    def courier_file(self, seat: int = 1) -> Path:
        """Where the courier in a seat writes its status."""
        return self.path / ("courier.json" if seat == 1 else f"courier-{seat}.json")

    @property
    def courier_files(self) -> list[Path]:
        """Where couriers wrote theirs."""
        return sorted(self.path.glob("courier*.json"))

    @property
    def webhooks_file(self) -> Path:
        """Where the courier keeps how far each webhook's target was told, and its dead letters."""
        return self.path / "webhooks.db"

    @property
    def audiences_file(self) -> Path:
        """Where the courier keeps what each destination of audiences has."""
        return self.path / "audiences.db"

    @property
    def definitions_file(self) -> Path:
        """Where the front writes what the log names."""
        return self.path / "definitions.json"

    @property
    def pages_folder(self) -> Path:
        """Where the front keeps the author's pages that go with what serves."""
        return self.path / "applied"

    @property
    def home_file(self) -> Path:
        """Where it is written in which folder the project lies that the house ran with last."""
        return self.path / "home"

    @property
    def replay_folder(self) -> Path:
        """Where a replay builds a state until it takes the place of the one there is."""
        return self.path / "replay"

    @property
    def snapshots_folder(self) -> Path:
        """Where snapshots of the state are kept, each in a folder named by its position."""
        return self.path / "snapshots"

    @property
    def processes_file(self) -> Path:
        """Where the supervisor writes what it started."""
        return self.path / "processes.json"

    @property
    def base_url(self) -> str:
        """What links in mails begin with."""
        return (
            self.settings.public_url.rstrip("/")
            or f"{'https' if self.settings.tls_cert else 'http'}://localhost:{self.port}"
        )

    @property
    def console_url(self) -> str:
        """What links to the console begin with: on this machine, unless others may reach it."""
        if self.settings.host not in LOOPBACK and self.settings.public_url:
            return self.base_url
        told = self.port_file
        port = told.read_text() if told.exists() else str(self.settings.port)
        return f"{'https' if self.settings.tls_cert else 'http'}://localhost:{port}"

    @property
    def clock(self) -> Clock:
        """The workspace's clock."""
        return workspace_clock(self.path)

    @property
    def speed(self) -> float:
        """How much faster than the host's clock it goes."""
        clock = self.clock
        return clock.speed if isinstance(clock, ScaledClock) else 1.0

    @property
    def keys(self) -> KeyRing:
        """The write and secret keys."""
        return KeyRing(self.path / "keys" / "keys.json")

    def prepare(self) -> None:
        """Make what is not there yet: the folder, the key-encryption key where it can be made, the vault to be read."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        is_new = not (self.path / "vault.db").exists()
        self.keks.make_first(is_new=is_new)
        if is_new:
            self.vault(readonly=False).close()

    def hold(self) -> BinaryIO:
        """Return the lock of the one house that runs on this folder, to be closed at its end.

        Raises StoreError if another house runs here: its port would be forgotten, its mails sent by two couriers.
        """
        lock = (self.path / "run.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise StoreError(
                f"a house runs on {self.path} already; stop it, or name another folder in `data`"
            ) from error
        return lock

    def require_used(self) -> None:
        """Raise StoreError if no house ever ran on this folder: there is nothing to look at."""
        if not self.state_path.exists():
            raise StoreError(f"there is nothing in {self.path} yet; `livepost run` in the project's folder begins")

    def log(self, clock: Clock | None = None) -> SqliteLog:
        """Open the log for writing: the front only. `clock` is the workspace's as the process knows it already: a log
        that is opened again must not take a clock that stepped meanwhile for right.
        """
        return SqliteLog(self.path / "log", clock or self.clock)

    def log_reader(self) -> SqliteLogReader:
        """Open the log for reading."""
        return SqliteLogReader(self.path / "log")

    def vault(self, *, readonly: bool) -> SqliteVault:
        """Open the vault; only the front writes it."""
        return SqliteVault(self.path / "vault.db", self.keks, readonly=readonly)

    def pseudonym_secret(self) -> bytes:
        """Return the vault's secret for destinations' pseudonyms; raise StoreError if there is no vault yet."""
        with closing(self.vault(readonly=True)) as vault:
            return vault.secret(PSEUDONYMS)

    @property
    def keks(self) -> PlacedKeks:
        """Where the key-encryption keys are."""
        return keks_of(self.settings, self.path / "keys", os.environ)

    def move_keks(self, reference: str) -> PlacedKeks:
        """Have the key-encryption keys begin to move to another place, as `kek` would name it; return where they are.

        Raises SettingsError where they cannot move there; then nothing moved.
        """
        store = self.keks
        store.move(place_in(reference, self.path / "keys"))
        return store

    @property
    def audit_file(self) -> Path:
        """Where the audit lies."""
        return self.path / "audit.db"

    @property
    def audit_heads(self) -> Path:
        """Where heads of the audit are kept."""
        return Path(self.settings.audit_heads) if self.settings.audit_heads else self.path / "audit.heads"

    def users(self) -> int:
        """Return how many users may come in; 0 where all is done by who owns the machine."""
        with closing(self.control()) as store:
            return int(store.read("SELECT count(*) FROM users WHERE disabled = 0")[0][0])

    def control(self) -> ControlStore:
        """Open the tables by which the workspace is governed; any process may."""
        return ControlStore(self.path / "control.db")

    def audits(self, vault: Vault) -> Audits:
        """Return the audit, for writing: any process may."""
        return Audits(self.audit_file, self.settings.workspace, vault.secret(PURPOSE), self.audit_heads)

    @property
    def has_ledger(self) -> bool:
        """Whether there is a ledger by now; whether a server has one is known only by opening it."""
        return self.settings.ledger != "sqlite:" or (self.path / LEDGER).exists()

    def ledger(self) -> StoredLedger:
        """Open the ledger; raise SettingsError if its password is not there, StoreError if it cannot be opened."""
        password = ledger_password(self.settings)
        return open_ledger(self.settings.ledger, self.path / LEDGER, steady(WallClock()), password)

    @property
    def state_path(self) -> Path:
        """Where the engine's state lies: a file, or a folder, as its body wants it."""
        return self.path / state_name(self.settings.state)

    @property
    def images(self) -> Images:
        """The images of people that a sweep writes, beside the state that names them."""
        return Images(self.state_path.with_name(self.state_path.name + ".images"))

    def state(self) -> DurableStateStore:
        """Open the engine's state: the engine only. A replay that died while its state took this place is ended."""
        settle(self.replay_folder, self.state_path)
        return open_state(self.settings.state, self.state_path)
