"""A courier's seat on its data folder: a number that no other courier there has, and a name for the ledger.

In: the folder. Out: a seat, held by a lock. Promised: the system frees the seat of a dead process and of no other, so
whoever takes a seat knows that who had its name before is gone. A process that is only stopped keeps its own.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import msgspec

from livepost.errors import StoreError

SEATS = 16
"""Couriers on one folder at most."""


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A number from 1 on, the name that goes with it on this folder alone, and the lock."""

    number: int
    worker: str
    lock: BinaryIO

    @property
    def first(self) -> bool:
        """Whether it is the seat of what a folder has one of: the courier that tells webhooks, and keeps mails."""
        return self.number == 1

    def close(self) -> None:
        """Free the seat."""
        self.lock.close()


def take_seat(folder: Path) -> Seat:
    """Return the first free seat; raise StoreError if there is none."""
    for number in range(1, SEATS + 1):
        lock = (folder / f"courier-{number}.lock").open("a+b")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return Seat(number=number, worker=f"courier-{number}-{_name(lock)}", lock=lock)
    raise StoreError(f"expected at most {SEATS} couriers on {folder}, there are as many already; stop one")


def _name(lock: BinaryIO) -> str:
    """Return what this folder's seat is called, made up when it is taken first: two machines may name folders alike."""
    lock.seek(0)
    if not (name := lock.read().decode()):
        name = uuid4().hex[:12]
        lock.write(name.encode())
        lock.flush()
        os.fsync(lock.fileno())
    return name
