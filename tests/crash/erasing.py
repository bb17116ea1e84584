"""Erasures of a house of processes, and what is left in every store, as the registry of stores says where to look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing

from livepost.govern.rights.receipt import Receipt
from livepost.runtime.rights.erasing import ERASE, Wish
from livepost.runtime.rights.reach import reaching
from livepost.runtime.rights.stores import STORES
from livepost.runtime.sockets.wire import WireClient
from tests.crash.house import House
from tests.crash.scanning import files_of, found_in, unpacked


def erase(house: House, person: str) -> Receipt:
    """Erase a person as the command does."""
    with closing(WireClient(house.folder.front_socket)) as front:
        return front.call(ERASE, Wish(person=person, by="command:test"), Receipt)


def left(house: House, words: Iterable[str]) -> list[str]:
    """Return where one of the words is left: as bytes of a file, packed or not, or as a store's own reader gives it to
    whoever has the vault.
    """
    return found_in(words, unpacked([*files_of(house.folder.path), *decoded(house)]))


def stores_that_tell(house: House, words: Iterable[str]) -> set[str]:
    """Return the stores whose own reader gives one of the words to whoever has the vault."""
    return {line.partition(":")[0] for line in found_in(words, decoded(house))}


def decoded(house: House) -> Iterator[tuple[str, bytes]]:
    """Go through what each store of the folder holds, opened."""
    with reaching(house.folder, house.project) as reach:
        for store in STORES:
            if (house.folder.path / store.name).exists():
                yield from ((store.name, raw) for raw in store.decodes(reach))
