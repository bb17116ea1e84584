"""The book keeps places and dead letters, for several who have it open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from livepost.announce.book import KEEP_REPLAYED_MS, Book, DeadLetter, Standing
from livepost.errors import StoreError


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with closing(Book(tmp_path / "webhooks.db")) as one:
        yield one


def letter(id: str = "receipt_1", at: int = 7) -> DeadLetter:
    return DeadLetter(0, "crm", id, "receipt", b"{}", at, 10, "it answered 500")


def test_a_target_begins_once(book: Book) -> None:
    assert book.standing("crm") is None
    assert book.begin("crm", "e.1.1") == Standing("crm", "e.1.1")
    assert book.begin("crm", "e.9.9").cursor == "e.1.1"


def test_a_delivered_message_moves_the_place_and_ends_the_wait(book: Book, tmp_path: Path) -> None:
    book.begin("crm", "e.1.1")
    book.again("crm", 2, 5_000, "it answered 500")
    assert book.standing("crm") == Standing("crm", "e.1.1", 2, 5_000, "", "it answered 500")
    book.delivered("crm", "e.1.2", 6_000)
    with closing(Book(tmp_path / "webhooks.db")) as other:
        assert other.standing("crm") == Standing("crm", "e.1.2", 0, 0, "", "", 1, 6_000)
    book.move("crm", "e.2.2")
    assert book.standing("crm") == Standing("crm", "e.2.2", 0, 0, "", "", 1, 6_000)


def test_a_disabled_target_stays_where_it_is_until_somebody_resumes_it(book: Book) -> None:
    book.begin("crm", "e.1.1")
    book.disable("crm", "it answered 410")
    assert book.standing("crm") == Standing("crm", "e.1.1", disabled="it answered 410")
    assert book.resume("crm")
    assert book.standing("crm") == Standing("crm", "e.1.1")
    assert not book.resume("nobody")


def test_a_dead_letter_waits_until_it_is_replayed(book: Book) -> None:
    book.begin("crm", "e.1.1")
    book.die(letter(), "e.1.2")
    book.die(letter("receipt_2"), "e.1.3")
    assert [one.id for one in book.letters()] == ["receipt_1", "receipt_2"]
    assert (book.waiting("crm"), book.waiting("other")) == (2, 0)
    assert book.standing("crm") == Standing("crm", "e.1.3", error="it answered 500")
    book.replayed(1, 9)
    assert [one.number for one in book.letters(waiting=True)] == [2]
    assert [one.number for one in book.letters(after=1, limit=5)] == [2]
    found = book.letter(1)
    assert found is not None and (found.replayed_at, found.body) == (9, b"{}")
    assert book.letter(3) is None


def test_replayed_letters_go_after_a_month(book: Book) -> None:
    book.begin("crm", "e.1.1")
    book.die(letter(), "e.1.2")
    book.replayed(1, 9)
    book.die(letter("receipt_2", at=KEEP_REPLAYED_MS + 10), "e.1.3")
    assert [one.number for one in book.letters()] == [2]


def test_putting_aside_and_going_on_are_one(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.begin("crm", "e.1.1")
    run = Book._run

    def fail(self: Book, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        if sql.startswith("UPDATE targets"):
            raise StoreError("the disk is full")
        return run(self, sql, values)

    monkeypatch.setattr(Book, "_run", fail)
    with pytest.raises(StoreError):
        book.die(letter(), "e.1.2")
    monkeypatch.undo()
    assert book.letters() == []
    assert book.standing("crm") == Standing("crm", "e.1.1")


def test_a_book_of_another_format_or_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        Book(tmp_path / "none.db")
    with closing(apsw.Connection(str(tmp_path / "newer.db"))) as newer:
        newer.execute("PRAGMA user_version = 9").fetchall()
    with pytest.raises(StoreError, match=r"expected webhooks\.db of format 1, got 9"):
        Book(tmp_path / "newer.db")
    with pytest.raises(StoreError, match="cannot be opened"):
        Book(tmp_path / "nowhere" / "webhooks.db")


def test_letters_about_somebody_are_dropped_and_others_stay(book: Book) -> None:
    for id, body in (("receipt_1", b'{"person":"aa"}'), ("receipt_2", b'{"person":"bb"}')):
        book.die(DeadLetter(0, "crm", id, "receipt", body, 7, 10, "it answered 500"), "e.1.1")
    assert book.forget([b"\xaa", b"\xcc"]) == 1
    assert [letter.id for letter in book.letters()] == ["receipt_2"]
