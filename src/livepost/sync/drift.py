"""How far a vendor's lists are from what the book says: sizes, since these are what vendors tell of a list.

In: a vendor, an account, the book. Out: a line a list. Promised: it only asks; a list that other programs write to
too is another size, and that is for people to judge.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from livepost.fetch.address import OutgoingError
from livepost.fetch.fetcher import FetchAny
from livepost.sync.book import Book
from livepost.sync.vendor.base import Account, Vendor


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's list: how many the vendor took by its answers, how many it says; None and why, where it does not."""

    segment: str
    list: str
    ours: int
    theirs: int | None
    why: str = ""

    @property
    def by(self) -> int:
        """How many more the vendor has; 0 where it does not say."""
        return 0 if self.theirs is None else self.theirs - self.ours


def drift(
    vendor: Vendor, account: Account, *, name: str, segments: Mapping[str, str], book: Book, fetch: FetchAny
) -> list[Drift]:
    """Ask for the size of each segment's list, and compare."""
    found = []
    for segment, list_ in segments.items():
        theirs, why = _size(vendor, account, list_, fetch)
        found.append(Drift(segment=segment, list=list_, ours=book.in_list(name, list_), theirs=theirs, why=why))
    return found


def _size(vendor: Vendor, account: Account, list_: str, fetch: FetchAny) -> tuple[int | None, str]:
    talk = vendor.size(account, list_)
    headers = {**vendor.headers(account), "User-Agent": "Livepost"}
    try:
        request = next(talk)
        while True:
            answer = fetch.ask(request.method, account.url + request.path, request.body, headers)
            if not 200 <= answer.status < 300:
                return None, f"{vendor.name} answered {answer.status}"
            request = talk.send(answer)
    except OutgoingError as error:
        return None, str(error)
    except StopIteration as end:
        return end.value, "" if end.value is not None else f"{vendor.name} does not tell it"
    except (AttributeError, TypeError, ValueError):
        return None, f"{vendor.name} answered with what cannot be read"
