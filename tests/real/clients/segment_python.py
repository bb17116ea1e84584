"""segment-analytics-python: COUNT calls of all kinds to HOST with KEY; prints the message id of each.

Usage: python segment_python.py HOST KEY COUNT
"""

import sys
from itertools import cycle, islice

from segment.analytics.client import Client


def main(host: str, key: str, count: int) -> None:
    """Send, and end when nothing waits any more; what the SDK gives up on ends it with 1."""
    given_up: list[Exception] = []
    client = Client(
        key, host=host, gzip=True, upload_size=10, upload_interval=0.1, on_error=lambda error, _: given_up.append(error)
    )
    calls = (
        lambda: client.identify("segment-python", {"email": "ada@example.com"}),
        lambda: client.track("segment-python", "Product Viewed", {"product_id": "tea"}),
        lambda: client.page("segment-python", "Shop", "Teas", {"url": "https://shop.example/teas"}),
        lambda: client.screen("segment-python", "Shop", "Teas"),
        lambda: client.group("segment-python", "club", {"name": "Tea club"}),
        lambda: client.alias("segment-python-device", "segment-python"),
    )
    for call in islice(cycle(calls), count):
        _, message = call()
        print(message["messageId"])
    client.shutdown()
    sys.exit(str(given_up) if given_up else 0)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
