"""rudder-sdk-python: COUNT calls of all kinds to HOST with KEY; prints the message id of each.

Usage: python rudder_python.py HOST KEY COUNT
"""

import sys
from itertools import cycle, islice

from rudderstack.analytics.client import Client


def main(host: str, key: str, count: int) -> None:
    """Send, and end when nothing waits any more; what the SDK gives up on ends it with 1."""
    given_up: list[Exception] = []
    client = Client(
        key, host=host, upload_size=10, upload_interval=0.1, on_error=lambda error, _: given_up.append(error)
    )
    calls = (
        lambda: client.identify("rudder-python", {"email": "ada@example.com"}),
        lambda: client.track("rudder-python", "Product Viewed", {"product_id": "tea"}),
        lambda: client.page("rudder-python", "Shop", "Teas", {"url": "https://shop.example/teas"}),
        lambda: client.screen("rudder-python", "Shop", "Teas"),
        lambda: client.group("rudder-python", "club", {"name": "Tea club"}),
        lambda: client.alias("rudder-python-device", "rudder-python"),
    )
    for call in islice(cycle(calls), count):
        _, message = call()
        print(message["messageId"])
    client.shutdown()
    sys.exit(str(given_up) if given_up else 0)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
