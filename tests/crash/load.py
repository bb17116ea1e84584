"""Shoppers over HTTP: keep-alive connections, singles and batches, the same request again until it is acknowledged.

Each shopper lives a short story (looks around unnamed, says who it is, maybe orders); many run beside each other, cut
into requests at random. Everything is drawn from a seed. A call says its own message id once more in a field nobody
declared, so that what is read back can be told from what was sent.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from tests.crash.house import DRAIN_S, House, wait_until

LINES = 4
AT_ONCE = 120
"""Stories a line tells at a time: one then takes a few seconds, so that orders come before and after reminders."""

BATCH_MAX = 8
PACE_S = 0.008
"""Between two requests of a line: about 400 requests a second in all, so that the house is busy and keeps up."""

LONG_TEXT = "what nobody declared " * 30
"""Makes the largest batches ones that the front hands to a recorder."""

AGAIN = 0.03
"""Share of acknowledged requests that are sent once more, as an SDK does that missed the reply."""

RETRY_S = 0.05
GIVE_UP_S = 60.0


class Load:
    """A load on a house. `acked` grows by the message ids of each request that was answered with 200."""

    def __init__(self, house: House, seed: int, again: float = AGAIN) -> None:
        self.acked: set[str] = set()
        self.acks = 0
        self.retries = 0
        self._house = house
        self._again = again
        self._lock = Lock()
        self._stop = Event()
        self._failed: list[BaseException] = []
        self._lines = [Thread(target=self._line, args=(number, seed), name=f"line-{number}") for number in range(LINES)]

    def start(self) -> None:
        """Begin."""
        for line in self._lines:
            line.start()

    def wait_for_acks(self, more: int) -> None:
        """Wait until so many more requests were acknowledged."""
        wanted = self.acks + more
        wait_until(f"{more} acks", lambda: self._heard(wanted), DRAIN_S)

    def wait_for_refusals(self, more: int) -> None:
        """Wait until so many more requests were sent in vain."""
        wanted = self.retries + more
        wait_until(f"{more} refusals", lambda: self._in_vain(wanted), DRAIN_S)

    def stop(self) -> None:
        """End after the requests under way were acknowledged; raise what went wrong."""
        self._stop.set()
        for line in self._lines:
            line.join()
        if self._failed:
            raise self._failed[0]

    def _heard(self, wanted: int) -> bool:
        if self._failed:
            raise self._failed[0]
        return self.acks >= wanted

    def _in_vain(self, wanted: int) -> bool:
        self._heard(0)
        return self.retries >= wanted

    def _line(self, number: int, seed: int) -> None:
        try:
            self._send_stories(f"{seed}-{number}")
        except BaseException as error:  # whoever waits for acks must hear
            self._failed.append(error)

    def _send_stories(self, name: str) -> None:
        dice = random.Random(name)
        sender = _Sender(self._house)
        for request in _requests(name, dice):
            if self._stop.is_set():
                break
            began = time.monotonic()
            self._deliver(sender, request)
            if dice.random() < self._again:
                self._deliver(sender, request)
            self._stop.wait(max(0.0, began + PACE_S - time.monotonic()))
        sender.close()

    def _deliver(self, sender: _Sender, calls: list[dict[str, Any]]) -> None:
        sender.deliver(calls, self._retry)
        with self._lock:
            self.acked.update(call["messageId"] for call in calls)
            self.acks += 1

    def _retry(self) -> None:
        with self._lock:
            self.retries += 1


def send(house: House, calls: Iterable[dict[str, Any]]) -> None:
    """Send calls as one request and wait until they are acknowledged."""
    sender = _Sender(house)
    sender.deliver(list(calls))
    sender.close()


def shopper_who_looks_thrice(name: str, product: str = "p") -> Iterator[dict[str, Any]]:
    """Go through the calls of a known shopper who allows mails and looks at three products."""
    user = {"userId": f"user-{name}", "anonymousId": f"device-{name}"}
    yield _identify(name, user, {"marketing": True, "orders": True})
    for number in range(3):
        yield _track(f"{name}-v{number}", user, "Product Viewed", product_id=f"{product}{number}")


def calls_of(name: str, dice: random.Random) -> Iterator[dict[str, Any]]:
    """Go through calls without end: those of stories that run beside each other, each story's in order."""
    number = 0
    under_way: list[Iterator[dict[str, Any]]] = []
    while True:
        while len(under_way) < AT_ONCE:
            under_way.append(_story(f"{name}-{number}", dice))
            number += 1
        story = dice.choice(under_way)
        call = next(story, None)
        if call is None:
            under_way.remove(story)
        else:
            yield call


class _Sender:
    """A connection to the front that is made anew when it breaks."""

    def __init__(self, house: House) -> None:
        self._address = urlsplit(f"http://127.0.0.1:{house.folder.port}").netloc
        token = base64.b64encode(f"{house.secret_key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(self._address, timeout=10)

    def deliver(self, calls: list[dict[str, Any]], retry: Callable[[], None] = lambda: None) -> None:
        """Send until there is a 200, telling `retry` of each time in vain."""
        deadline = time.monotonic() + GIVE_UP_S
        path, body = _packed(calls)
        while not self._sent(path, body):
            assert time.monotonic() < deadline, f"expected the front to answer within {GIVE_UP_S:g} s"
            retry()
            time.sleep(RETRY_S)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _sent(self, path: str, body: bytes) -> bool:
        try:
            self._connection.request("POST", path, body, self._headers)
            reply = self._connection.getresponse()
            told = reply.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False
        assert reply.status in (200, 429, 503), (reply.status, told)
        return reply.status == 200


def _packed(calls: list[dict[str, Any]]) -> tuple[str, bytes]:
    if len(calls) == 1:
        (call,) = calls
        return f"/v1/{call['type']}", json.dumps(call).encode()
    return "/v1/batch", json.dumps({"batch": calls}).encode()


def _requests(name: str, dice: random.Random) -> Iterator[list[dict[str, Any]]]:
    """Go through requests without end: the next calls of stories that run beside each other."""
    calls = calls_of(name, dice)
    while True:
        yield [next(calls) for _ in range(dice.choice((1, 1, 2, 4, BATCH_MAX)))]


def _story(shopper: str, dice: random.Random) -> Iterator[dict[str, Any]]:
    """Look around unnamed, say who it is, look again, maybe order: before the reminder, after it, or never."""
    for number in range(dice.randrange(3)):
        yield _track(f"{shopper}-a{number}", {"anonymousId": f"device-{shopper}"}, "Product Viewed", product_id="a")
    user = {"userId": f"user-{shopper}", "anonymousId": f"device-{shopper}"}
    consent = {"marketing": dice.random() < 0.9, "orders": True}
    yield _identify(shopper, user, consent)
    for number in range(3):
        yield _track(f"{shopper}-v{number}", user, "Product Viewed", product_id=f"p{number}")
    if dice.random() < 0.4:
        yield _track(f"{shopper}-o", user, "Order Completed", order_id=f"o-{shopper}", total=12.5)


def _identify(shopper: str, user: dict[str, str], consent: dict[str, bool]) -> dict[str, Any]:
    return {
        "type": "identify",
        "messageId": f"{shopper}-i",
        **user,
        "traits": {"email": f"{shopper}@example.com", "firstName": f"Name {shopper}", "note": f"{shopper}-i"},
        "context": {"consent": {"categoryPreferences": consent}},
    }


def _track(message_id: str, who: dict[str, str], event: str, **properties: Any) -> dict[str, Any]:
    properties |= {"note": message_id, "about": LONG_TEXT}
    return {"type": "track", "messageId": message_id, **who, "event": event, "properties": properties}
