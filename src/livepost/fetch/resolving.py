"""From a host's name to its addresses, in bounded time.

In: names. Out: addresses as text. Promised: who asks waits so long and no longer; the system's resolver cannot be
called off, so what it takes longer for runs on, at most MAX_UNDER_WAY of them.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

from livepost.fetch.address import OutgoingError

Resolve: TypeAlias = Callable[[str, int, float], Sequence[str]]
"""Takes a name, a port, and how long (s) it may take; returns addresses, or raises OutgoingError."""

MAX_UNDER_WAY = 32
"""Questions to the resolver that have no answer yet."""

_under_way = threading.BoundedSemaphore(MAX_UNDER_WAY)


def resolve(host: str, port: int, within_s: float) -> Sequence[str]:
    """Return the addresses that a name stands for, as the system knows them."""
    answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()
    if not _under_way.acquire(blocking=False):
        raise OutgoingError(f"the name {host} was not looked up: the resolver answers nobody; try later")
    threading.Thread(target=_look_up, args=(host, port, answers), name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=max(within_s, 0.0))
    except queue.Empty:
        raise OutgoingError(f"the name {host} was not resolved in time") from None
    if isinstance(answer, OSError):
        raise OutgoingError(f"the name {host} stands for no address ({answer.strerror})") from answer
    return answer


def _look_up(host: str, port: int, answers: queue.SimpleQueue[Sequence[str] | OSError]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
    except OSError as error:
        answers.put(error)
    except UnicodeError:
        answers.put(OSError(0, "no name of the domain system"))
    finally:
        _under_way.release()
