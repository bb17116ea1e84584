"""The receipt of an erasure: per store what was done, when, what is left and until when; signed.

In: what the steps did. Out: a receipt, as a line of JSON that anybody can check who has the workspace's public key.
Promised: no external id stands in one.
"""

from __future__ import annotations

import msgspec

from livepost.audit.head import Signer, is_signed_text

BACKUP_DAYS = 7
"""How long a backup of the vault is kept: until then who has it, and the key-encryption key, has the keys."""


class StoreReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in one store, at a time (UTC ms of the host), with how many rows of what.

    remains   what is left, under whose key; "" where nothing is
    until     until when (UTC ms) it is left; None where that is not a matter of time
    """

    store: str
    done: str
    at: int
    rows: dict[str, int] = {}
    remains: str = ""
    until: int | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure of one person of so many `subjects`. `by` is how the audit names who asked for it.

    position   of the record by which everybody forgets the person
    """

    id: str
    workspace: str
    by: str
    asked_at: int
    live_at: int
    done_at: int
    position: int
    subjects: int
    stores: tuple[StoreReceipt, ...]
    signature: str = ""


class CheckedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, whether this workspace signed it, and the public key (hex) by which anybody can tell."""

    receipt: Receipt
    ours: bool
    public_key: str


def checked(raw: bytes, public: bytes) -> CheckedReceipt:
    """Return a kept receipt and whether the owner of a public key signed it; raise ValueError if it is none."""
    receipt = msgspec.json.decode(raw, type=Receipt)
    return CheckedReceipt(receipt=receipt, ours=is_signed(receipt, public), public_key=public.hex())


def signed(receipt: Receipt, signer: Signer) -> Receipt:
    """Return the receipt with its signature (hex)."""
    return msgspec.structs.replace(receipt, signature=signer.sign(_told(receipt)))


def is_signed(receipt: Receipt, public: bytes) -> bool:
    """Say whether the owner of a public key signed it."""
    return is_signed_text(_told(receipt), receipt.signature, public)


def _told(receipt: Receipt) -> bytes:
    return b"erasure " + msgspec.json.encode(msgspec.structs.replace(receipt, signature=""))
