"""The front's part in rotations of the key-encryption key: the vault's writer wraps its keys anew while it serves.

In: `ROTATE` and `MOVE`, over the front's socket; a rotation that a crash left. Out: how far it is. Promised: calls are
served in between; a rotation that began ends, in this process or the next. A move is a rotation whose new key is made
in another place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from livepost.errors import LivepostError, SettingsError
from livepost.vault.kek import rotation
from livepost.vault.kek.base import KekStore
from livepost.vault.kek.rotation import START, STEP_KEYS, Wrapping

ROTATE = "rotate"
"""Begin a rotation, or go on with the one under way; the answer is how far it is."""

MOVE = "move_keys"
"""Begin to move the keys to another place, or go on with that; the answer is how far it is."""

ROTATION = "rotation"
"""Ask how far it is."""

RETRY_S = 1.0
"""How long after a step failed it is tried again."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rotation is: `keys` were gone through so far; `trouble` says why it does not go on."""

    running: bool = False
    keys: int = 0
    trouble: str = ""


class Move(msgspec.Struct, frozen=True):
    """Where the keys shall move, as the setting `kek` names it; paths are absolute."""

    place: str


class Rotating:
    """Rotations of one vault; for the event loop of its writer."""

    def __init__(
        self, store: Callable[[], KekStore], vault: Callable[[], Wrapping], move: Callable[[str], KekStore]
    ) -> None:
        """Take where keys are kept, the vault as it is open by then, and what makes the key of another place."""
        self._store = store
        self._vault = vault
        self._move = move
        self._task: asyncio.Task[None] | None = None
        self._told = Rotation()

    async def begin(self, _: msgspec.Raw | None = None) -> Rotation:
        """Begin, or go on; raise SettingsError where there can be no new key."""
        if self._task is None or self._task.done():
            store = await asyncio.to_thread(self._store)
            await asyncio.to_thread(rotation.begin, store)
            self._go_on(store)
        return self._told

    async def move(self, told: msgspec.Raw) -> Rotation:
        """Begin to move the keys, or go on; raise SettingsError where they cannot move there."""
        asked = msgspec.msgpack.decode(told, type=Move)
        if self._told.running:
            raise SettingsError(
                "a rotation of the key-encryption key is under way; wait for its end, then say it again"
            )
        self._go_on(await asyncio.to_thread(self._move, asked.place))
        return self._told

    async def resume(self) -> None:
        """Go on with a rotation that a crash left."""
        store = await asyncio.to_thread(self._store)
        if rotation.is_under_way(store):
            self._go_on(store)

    def told(self, _: msgspec.Raw | None = None) -> Rotation:
        """Return how far it is."""
        return self._told

    def close(self) -> None:
        """Stop between two steps; the next process goes on."""
        if self._task is not None:
            self._task.cancel()

    def _go_on(self, store: KekStore) -> None:
        self._told = Rotation(running=True)
        self._task = asyncio.create_task(self._rotate(store))

    async def _rotate(self, store: KekStore) -> None:
        """Take the steps until they are taken; whatever fails, a disk that is full say, is tried again."""
        while True:
            try:
                await self._take_steps(store)
                return
            except LivepostError as error:
                self._told = msgspec.structs.replace(self._told, trouble=str(error))
                await asyncio.sleep(RETRY_S)

    async def _take_steps(self, store: KekStore) -> None:
        """Take the steps, and let calls have as much time as each took."""
        keys, began = 0, time.perf_counter()
        for keys in rotation.steps(store, _Current(self._vault)):
            self._told = Rotation(running=True, keys=keys)
            await asyncio.sleep(time.perf_counter() - began)
            began = time.perf_counter()
        self._told = Rotation(keys=keys)


class _Current:
    """The vault as it is open at each step: a writer that failed is opened anew."""

    def __init__(self, vault: Callable[[], Wrapping]) -> None:
        self._vault = vault

    def wrap_anew(self, after: int = START, limit: int = STEP_KEYS) -> int | None:
        """Wrap the next keys."""
        return self._vault().wrap_anew(after, limit)
