"""Key-encryption keys that may move from one place to another: a file, a variable, a key service.

In: what the setting `kek` names, and the note of where they were moved to. Out: the keys at hand, the newest first.
Promised: whatever step a move stops behind, what wraps is read; a place left behind is not asked again, but to destroy
its keys; a setting that does not agree with what wraps is answered with what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from livepost.errors import SettingsError
from livepost.vault.kek.base import Kek, KekStore, fingerprint
from livepost.vault.kek.places import MAX_OLDER, Places, PlacesFile


class Keeper(KekStore, Protocol):
    """A place where key-encryption keys are kept: one that can be moved to and from."""

    @property
    def by_hand(self) -> bool:
        """Whether an operator puts keys there and takes them out, and nobody else can."""
        ...

    def there(self) -> bool:
        """Say whether a key is there by now; nobody is asked for it."""
        ...

    def make(self) -> None:
        """Make a first key, durably; raise SettingsError if there is one, or it cannot be made."""
        ...

    def clear(self) -> None:
        """Destroy all its keys for good; raise SettingsError where only an operator can."""
        ...


class PlacedKeks:
    """The keys of one vault, wherever they are; a body of `KekStore`. The note is read whenever keys are."""

    def __init__(
        self, setting: str, note: PlacesFile, keeper: Callable[[str], Keeper], shown: Callable[[str], str] = str
    ) -> None:
        """Take the place that the setting names, where moves are noted, what opens a place by its name, and what
        says how the setting would name it.
        """
        self._setting = setting
        self._note = note
        self._open = keeper
        self._shown = shown
        self._opened: dict[str, Keeper] = {}

    @property
    def place(self) -> str:
        """The place whose newest key wraps what is new."""
        told = self._told()
        return told.next if told.made else told.now

    @property
    def older(self) -> tuple[str, ...]:
        """Places left behind, whose keys were not destroyed; the newest first."""
        told = self._told()
        return tuple(one for one in told.older if one != told.next)

    def read(self) -> list[Kek]:
        """Return the keys, at least one, but not those of places left behind.

        Raises SettingsError where a place cannot be read, or the setting names one that has nothing of this vault.
        """
        told = self._told()
        return [one for place in self._wrapping(told) for one in self._read(place, told)]

    def retired(self) -> list[Kek]:
        """Return the retired keys, wherever they are; raise SettingsError where a place cannot be read."""
        left = [one for place in self.older if self._keeper(place).there() for one in self._keeper(place).read()]
        return [one for one in self.read() if one.retired] + [Kek(one.key, retired=True) for one in left]

    def make_first(self, *, is_new: bool) -> None:
        """Make a first key where there is none; raise SettingsError if it cannot be made.

        A vault that is not new was wrapped by some key: then there must be one.
        """
        keeper = self._keeper(self.place)
        if keeper.there():
            return
        if not is_new:
            raise SettingsError(
                f"expected the key of the vault in {self._shown(self.place)}, got none; name the place in `kek` where "
                "it is (`livepost keys move` moves it from there), or bring it back from a backup"
            )
        keeper.make()

    def require_agreed(self) -> None:
        """Raise SettingsError where the setting names a place left behind: whoever reads it would be misled."""
        told = self._told()
        if self._setting in self.older:
            raise SettingsError(
                f"kek names {self._shown(self._setting)}, but the keys of the vault were moved; write "
                f'kek = "{self._shown(told.now)}" (LIVEPOST_KEK, if it is set there), or move them back with '
                f"`livepost keys move {self._shown(self._setting)}`"
            )

    def move(self, place: str) -> None:
        """Have a new key made in a place, which from then on wraps what is new; go on where that began already.

        What is wrapped already is the vault's to wrap anew, and `retire` ends the move. Raises SettingsError where the
        place has other keys, gives none, or another move is under way.
        """
        told = self._told()
        if told.made:
            if place != told.next:
                raise SettingsError(
                    f"the keys move to {self._shown(told.next)} already; wait until they are there, then move them"
                )
            return
        self._require_free(place, told)
        self._read(told.now, told)
        stray = (told.next,) if told.next not in ("", place, *told.older) else ()
        told = msgspec.structs.replace(told, next=place, older=(*stray, *told.older))
        self._note.write(told)
        self._make_in(place, told)
        self._note.write(msgspec.structs.replace(told, made=True))

    def add(self) -> None:
        """Put a new random key in front of the others, in the place they are."""
        self._keeper(self.place).add()

    def retire(self) -> bool:
        """Note, durably, that nothing is wrapped by any but the newest: a move that was under way is done."""
        told = self._told()
        done = self._keeper(self.place).retire()
        if self._note.read() is None or (told.made and not done):
            return done
        seal = fingerprint(self._keeper(self.place).read()[0])
        self._note.write(told.moved(seal) if told.made else msgspec.structs.replace(told, seal=seal))
        return done

    def destroy(self) -> int:
        """Destroy the retired keys for good, those of places left behind too; return how many."""
        gone = sum(self._keeper(place).destroy() for place in self._wrapping(self._told()))
        for place in sorted(self.older, key=lambda one: not self._keeper(one).by_hand):
            keeper = self._keeper(place)
            gone += len(keeper.read()) if keeper.there() else 0
            keeper.clear()
            told = self._told()
            self._note.write(msgspec.structs.replace(told, older=tuple(one for one in told.older if one != place)))
        return gone

    def changed_ms(self) -> int | None:
        """Return when the keys that wrap were last written (host ms); None where they are in no file."""
        return self._keeper(self.place).changed_ms()

    def _told(self) -> Places:
        """Return where keys are: as noted, unless the setting names a place that the note does not know."""
        noted = self._note.read()
        if noted is None:
            return Places(self._setting)
        if self._setting in (noted.now, noted.next, *noted.older):
            return noted
        if noted.made:
            raise SettingsError(
                f"kek names {self._shown(self._setting)}, but the keys of the vault move from "
                f"{self._shown(noted.now)} to {self._shown(noted.next)}; name one of these"
            )
        return msgspec.structs.replace(noted, now=self._setting)

    def _wrapping(self, told: Places) -> Iterator[str]:
        """Yield the places that may have wrapped what is in the vault, the newest first."""
        if told.made:
            yield told.next
        yield told.now

    def _read(self, place: str, told: Places) -> list[Kek]:
        """Return a place's keys; one that the note does not know must have the key that wrapped everything."""
        keys = list(self._keeper(place).read())
        noted = self._note.read()
        known = noted is None or place in (noted.now, noted.next) or not noted.seal
        if noted is not None and not known and noted.seal not in [fingerprint(one) for one in keys]:
            raise SettingsError(
                f"kek names {self._shown(place)}, whose keys open nothing of this vault: its keys were moved; write "
                f'kek = "{self._shown(noted.now)}" (LIVEPOST_KEK, if it is set there)'
            )
        return keys

    def _require_free(self, place: str, told: Places) -> None:
        if place == told.now:
            raise SettingsError(
                f"the keys are in {self._shown(place)} already; `livepost keys rotate` makes a new one there"
            )
        if len(told.older) >= MAX_OLDER and place not in told.older:
            raise SettingsError(
                f"keys were left in {MAX_OLDER} places already; destroy them first (`livepost keys destroy`)"
            )
        keeper, ours = self._keeper(place), (told.next, *told.older)
        if place not in ours and not keeper.by_hand and keeper.there():
            raise SettingsError(
                f"there are keys in {self._shown(place)} already, which are not of this vault; name another place"
            )

    def _make_in(self, place: str, told: Places) -> None:
        """Have the place's newest key be one that wrapped nothing yet; one that a crash left unused is left behind."""
        keeper, used = self._keeper(place), {one.key for one in self._read(told.now, told)}
        if not keeper.there():
            keeper.make()
        elif not keeper.by_hand:
            keeper.add()
        elif len(keeper.read()) > 1 or keeper.read()[0].key in used:
            raise SettingsError(f"expected in {place} one key, which is new, got others; put a new one there alone")

    def _keeper(self, place: str) -> Keeper:
        """Return a place opened; kept open, for a key service is asked once for a key."""
        if place not in self._opened:
            self._opened[place] = self._open(place)
        return self._opened[place]
