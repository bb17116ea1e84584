"""The keys of programs and of the vault: which there are, how they stand; they are revoked and rotated here."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from livepost.audit.deed import Deed
from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import Form, NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.ops.keyed import Keys


class KeysTold(msgspec.Struct, frozen=True):
    """What the forms tell: which key is revoked, or that the vault's is rotated."""

    act: Literal["revoke", "rotate"]
    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{0,16}\Z")] = ""


class KeysView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `now_ms` is the host's time, as the keys' times are."""

    keys: Keys
    now_ms: int


def _keys(house: House, asked: NothingAsked) -> KeysView:
    return KeysView(keys=house.keys(), now_ms=WallClock().now_ms())


def _take(house: House, asked: NothingAsked, told: KeysTold) -> KeysView:
    if told.act == "revoke":
        house.revoke_key(told.id)
    else:
        house.rotate_vault_key()
    return _keys(house, asked)


def _does(asked: NothingAsked, told: KeysTold) -> Deed:
    return Deed("vault_key.rotated") if told.act == "rotate" else Deed("key.revoked", about=f"key.{told.id}")


KEYS = Page(
    path="/keys",
    needs=Permission("read", "keys"),
    name="keys",
    title="Keys",
    asked=NothingAsked,
    show=_keys,
    sees=None,
    rail="system",
    every_s=SELDOM_S,
    form=Form(
        told=KeysTold,
        needs={"revoke": Permission("change", "keys"), "rotate": Permission("change", "vault_keys")},
        does=_does,
        take=_take,
    ),
)
