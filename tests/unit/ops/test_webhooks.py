"""How webhooks stand."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from livepost.announce.book import Book, DeadLetter
from livepost.ops.webhooks import LETTERS_SHOWN, webhook_standings
from livepost.settings.webhook import Webhook

SHOP = Webhook(name="shop", url="https://shop.example/hook?key=s3cret", secret="env:SHOP", events=("receipt",))
OTHER = Webhook(name="other", url="https://other.example/", secret="env:OTHER")


def letter(number: int) -> DeadLetter:
    told = {"id": f"m{number}", "kind": "receipt", "body": b"{}", "at": number, "sent": 10, "error": "500"}
    return DeadLetter(number=0, target="shop", **told)  # type: ignore[arg-type]


def test_before_anything_was_told_they_are_as_declared_and_no_book_is_made(tmp_path: Path) -> None:
    path = tmp_path / "webhooks.db"
    shop, other = webhook_standings([SHOP, OTHER], path)
    assert (shop.name, shop.target, shop.events, shop.standing, shop.dead) == (
        "shop",
        "https://shop.example",
        ("receipt",),
        None,
        0,
    )
    assert other.name == "other" and not path.exists()


def test_what_was_taken_and_what_was_not_is_told_of_each_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "webhooks.db"
    with closing(Book(path)) as book:
        book.begin("shop", "c")
        book.delivered("shop", "d", 5)
        for number in range(LETTERS_SHOWN + 2):
            book.die(letter(number), "e")
    shop, other = webhook_standings([SHOP, OTHER], path)
    assert shop.standing is not None and (shop.standing.delivered, shop.dead) == (1, LETTERS_SHOWN + 2)
    assert [one.number for one in shop.letters] == list(range(1, LETTERS_SHOWN + 1))
    assert (shop.letters[0].error, shop.letters[0].sent) == ("500", 10)
    assert (other.standing, other.dead, other.letters) == (None, 0, ())
