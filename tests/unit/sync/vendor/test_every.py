"""Each vendor's requests, as they leave over a real connection; kept beside this file, one file a vendor.

`RECORD_REQUESTS=1` writes them anew, for somebody to read what changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from livepost.fetch.address import read_allowed
from livepost.fetch.fetcher import Answer, Fetcher
from livepost.settings.audience import IDENTS
from livepost.sync.card import Change, Ident
from livepost.sync.drift import drift
from livepost.sync.vendor.base import Account, Pushed, Request, Talk
from livepost.sync.vendor.every import VENDORS
from tests.unit.fetch.receiver import Receiver, receiving
from tests.unit.sync.bench import reply_of
from tests.unit.sync.vendors import KEY, LOGIN, MODELS, Model

RECORDINGS = Path(__file__).parent / "requests"
UUIDS = ("b7bc2f4a-e38e-4336-af7d-e6c392c2f817", "0c7fd939-02cf-4fed-88c2-0a58a9feac02")
LISTS = {vendor: UUIDS if vendor == "sendgrid" else ("list-1", "list-2") for vendor in VENDORS}
KINDS = [(vendor, kind) for vendor, kinds in IDENTS.items() for kind in kinds]
VALUES = {"first_name": "Ada", "spend_90d": 49.9, "favourites": ["a", "b"], "vip": True, "last_seen": None}


def ident(number: int, kind: str) -> Ident:
    """Return somebody's."""
    return Ident("email", f"person-{number}@example.com") if kind == "email" else Ident("user_id", f"u{number}")


def batch(vendor: str, kind: str) -> list[Change]:
    """Return one of each: new in both lists, new in one, another value, out of one, to be forgotten."""
    told: list[dict[str, Any]] = [
        {"add": LISTS[vendor], "values": VALUES},
        {"add": LISTS[vendor][:1], "values": {"first_name": "Bob"}},
        {"values": {"spend_90d": 12}},
        {"remove": LISTS[vendor][1:]},
        {"delete": True},
    ]
    return [Change(handle=bytes([n]), person=bytes([n]), ident=ident(n, kind), **one) for n, one in enumerate(told)]


def peopled(vendor: str, kind: str) -> Model:
    """Return a vendor that knows those whom the batch does not bring."""
    model = MODELS[vendor]()
    for number in (2, 3, 4):
        model.put(ident(number, kind).value, {}, [*LISTS[vendor]])
    return model


@contextmanager
def talking(model: Model) -> Iterator[tuple[Fetcher, Receiver]]:
    """Yield a fetcher that may ask a model on this machine, and where it listens."""
    with receiving(lambda request: reply_of(model, request)) as receiver:
        fetch = Fetcher(read_allowed([f"127.0.0.1:{receiver.port}"]))
        with closing(fetch):
            yield fetch, receiver


def held(talk: Talk[Any], vendor: str, fetch: Fetcher, url: str) -> Any:
    """Hold a talk over a real connection."""
    account = Account(url=url, key=KEY, account="main")
    answer: Answer | None = None
    try:
        while True:
            request: Request = next(talk) if answer is None else talk.send(answer)
            headers = VENDORS[vendor].headers(account)
            answer = fetch.ask(request.method, url + request.path, request.body, headers)
            assert 200 <= answer.status < 300 or answer.status in request.fine, (request, answer)
    except StopIteration as end:
        return end.value


def recorded(vendor: str, kind: str) -> tuple[list[dict[str, Any]], Model, Pushed]:
    """Return the requests that the batch makes, what the vendor has then, and what it said."""
    model = peopled(vendor, kind)
    with talking(model) as (fetch, receiver):
        account = Account(url="", key=KEY, account="main")
        talk = VENDORS[vendor].push(account, batch(vendor, kind))
        pushed = held(talk, vendor, fetch, f"http://127.0.0.1:{receiver.port}")
        requests = [
            {
                "method": one.method,
                "path": one.path,
                "headers": {
                    name: value for name, value in one.headers.items() if name not in ("Host", "Content-Length")
                },
                "body": json.loads(one.body) if one.body else None,
            }
            for one in receiver.requests
        ]
    return requests, model, pushed


@pytest.mark.parametrize(("vendor", "kind"), KINDS)
def test_requests_are_as_they_were_recorded(vendor: str, kind: str) -> None:
    requests, _, _ = recorded(vendor, kind)
    file = RECORDINGS / f"{vendor}-{kind}.json"
    if os.environ.get("RECORD_REQUESTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(requests, indent=2, sort_keys=True) + "\n")
    assert requests == json.loads(file.read_text())
    name, login = LOGIN[vendor]
    assert {one["headers"][name] for one in requests} == {login}


@pytest.mark.parametrize(("vendor", "kind"), KINDS)
def test_a_batch_does_what_it_says(vendor: str, kind: str) -> None:
    _, model, pushed = recorded(vendor, kind)
    assert pushed.refused == {}
    names = [ident(n, kind).value for n in range(5)]
    assert {name: one.lists for name, one in model.profiles.items()} == {
        names[0]: {*LISTS[vendor]},
        names[1]: {LISTS[vendor][0]},
        names[2]: {*LISTS[vendor]},
        names[3]: {LISTS[vendor][0]},
    }
    assert model.deleted == [names[4]]
    told = {**model.profiles[names[2]].values}
    assert {name: str(value) for name, value in told.items()} == {"spend_90d": "12"}


@pytest.mark.parametrize(("vendor", "kind"), KINDS)
def test_a_batch_may_be_told_twice(vendor: str, kind: str) -> None:
    model = peopled(vendor, kind)
    has = []
    for _ in range(2):
        with talking(model) as (fetch, receiver):
            account = Account(url="", key=KEY, account="main")
            held(VENDORS[vendor].push(account, batch(vendor, kind)), vendor, fetch, f"http://127.0.0.1:{receiver.port}")
        has.append({name: (set(one.lists), dict(one.values)) for name, one in model.profiles.items()})
    assert has[0] == has[1]


@pytest.mark.parametrize("vendor", sorted({*VENDORS} - {"klaviyo", "sendgrid"}))
def test_who_is_refused_in_a_2xx_is_told_by_place_and_without_their_address(vendor: str) -> None:
    """Klaviyo tells it of a job, SendGrid refuses a whole body: see `test_destination`."""
    model = MODELS[vendor]()
    model.poison = {ident(1, "email").value}
    talk = VENDORS[vendor].push(Account(url="", key=KEY, account="main"), batch(vendor, "email"))
    answer: Answer | None = None
    try:
        while True:
            request = next(talk) if answer is None else talk.send(answer)
            answer = model.ask(request.method, request.path, request.body, {})
    except StopIteration as end:
        pushed: Pushed = end.value
    assert {*pushed.refused} == {1}
    assert "@" not in pushed.refused[1] and "person" not in pushed.refused[1]


SIZED = sorted({*VENDORS} - {"braze", "customerio"})


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_drift_is_told_where_a_vendor_counts(vendor: str, tmp_path: Path) -> None:
    model = peopled(vendor, "email")

    class Counted:
        def in_list(self, name: str, list_: str) -> int:
            return 2

    account = Account(url="https://vendor.example", key=KEY, account="main")
    [found] = drift(
        VENDORS[vendor],
        account,
        name="them",
        segments={"browsing": LISTS[vendor][0]},
        book=Counted(),  # type: ignore[arg-type]
        fetch=model,
    )
    assert (found.theirs, found.by) == ((3, 1) if vendor in SIZED else (None, 0))
    assert found.why == ("" if vendor in SIZED else f"{vendor} does not tell it")
