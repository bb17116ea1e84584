"""snowplow-tracker: COUNT events of three kinds to HOST with KEY as the app id; prints the event id of each.

Usage: python snowplow_python.py HOST KEY COUNT [post|get]
"""

import sys
import time
from itertools import cycle, islice

from snowplow_tracker import Emitter, PageView, SelfDescribing, SelfDescribingJson, StructuredEvent, Subject, Tracker

AT_ONCE = 6
"""Events before a pause: the emitter puts all that waits into its next request."""

VIEWED = "iglu:com.example/product_viewed/jsonschema/1-0-0"


def main(host: str, key: str, count: int, method: str = "post") -> None:
    """Send, and end when nothing waits any more."""
    emitter = Emitter(host, method=method, max_retry_delay_seconds=1)
    subject = Subject().set_user_id("snowplow-python").set_lang("en-GB").set_timezone("Europe/London")
    tracker = Tracker("shop", emitter, subject=subject, app_id=key)
    kinds = (
        lambda: PageView("https://shop.example/teas", "Teas", "https://mail.example/"),
        lambda: StructuredEvent("shop", "add-to-basket", "green-tea", "pcs", 2),
        lambda: SelfDescribing(SelfDescribingJson(VIEWED, {"product_id": "tea", "price": 9.5})),
    )
    for number, event in enumerate(islice(cycle(kinds), count), 1):
        print(tracker.track(event()))
        if number % AT_ONCE == 0 or number == count:
            empty(emitter)


def empty(emitter: Emitter) -> None:
    """Wait until the emitter's buffer is sent, whatever it takes."""
    while emitter.event_store.size() or emitter.retry_timer.is_active():
        emitter.flush()
        time.sleep(0.05)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
