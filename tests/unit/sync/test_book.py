"""What the book keeps, across processes and kills of its file's other users."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from livepost.errors import StoreError
from livepost.sync.book import Book, DeadLetter, OpenJob, Standing
from livepost.sync.card import Row

STANDING = Standing(name="them", config="1", epoch="e", transition=3, permit=4, stage=1, after=b"x", round_at=5)


def row(handle: bytes, person: bytes, ident: bytes = b"sealed") -> Row:
    return Row(
        handle=handle,
        person=person,
        ident=ident,
        sure=frozenset("a"),
        maybe=frozenset("ab"),
        digests={"x": "1"},
    )


def letter(handle: bytes, person: bytes, card: str = "c") -> DeadLetter:
    return DeadLetter(destination="them", handle=handle, person=person, at=1, why="no", card=card)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audiences.db"


def test_all_is_there_when_it_is_opened_again(path: Path) -> None:
    job = OpenJob(id="j", handles=(b"1", b"2"), cards=("c", "d"), at=1, next_at=2, tries=0)
    with closing(Book(path)) as book:
        book.stand(STANDING, {b"p": 1})
        book.write("them", [row(b"1", b"p")])
        book.settle(STANDING, jobs=[job], letters=[letter(b"2", b"q")])
    with closing(Book(path)) as book:
        assert book.standing("them") == STANDING and book.standing("others") is None
        assert book.rows_of("them", [b"p"]) == {b"1": row(b"1", b"p")} == book.rows_of("them", [], [b"1"])
        assert book.jobs("them") == [job]
        assert (book.tally("them").people, book.tally("them").due, book.tally("them").dead) == (1, 1, 1)
        assert book.in_list("them", "a") == 1 and book.in_list("them", "b") == 0
        assert book.letters_of("them", [b"2", b"1"]) == {b"2": "c"}


def test_the_urgent_are_first_and_nobody_loses_their_place(path: Path) -> None:
    with closing(Book(path)) as book:
        book.stand(STANDING, {b"a": 0, b"b": 0, b"c": 1})
        book.stand(STANDING, {b"a": 0, b"d": 2, b"c": 0})
        assert book.due("them", 9, 10) == [(b"d", 2), (b"c", 1), (b"a", 0), (b"b", 0)]
        book.defer("them", [b"d"], 50)
        assert book.due("them", 49, 1) == [(b"c", 1)] and book.due("them", 50, 1) == [(b"d", 2)]
        book.done("them", [b"c"])
        assert book.waiting("them") == 3
        assert book.due("others", 99, 10) == []


def test_hearing_and_sending_do_not_write_over_each_other(path: Path) -> None:
    with closing(Book(path)) as book, closing(Book(path)) as command:
        book.stand(STANDING)
        book.settle(Standing(**{**kept(STANDING), "held": "why", "tries": 3}))
        command.retry("them")
        book.stand(Standing(**{**kept(STANDING), "held": "why", "transition": 9}))
        found = book.standing("them")
        assert found is not None and (found.held, found.tries, found.transition) == ("", 0, 9)


def kept(standing: Standing) -> dict[str, object]:
    return {name: getattr(standing, name) for name in Standing.__struct_fields__}


def test_a_letter_ends_when_its_row_is_taken_and_retry_looks_at_its_person(path: Path) -> None:
    with closing(Book(path)) as book:
        book.stand(STANDING)
        book.settle(STANDING, letters=[letter(b"1", b"p"), letter(b"2", b"q")])
        book.settle(STANDING, letters=[letter(b"1", b"p", "d")])
        assert [(one.handle, one.card) for one in book.letters()] == [(b"2", "c"), (b"1", "d")]
        book.settle(STANDING, rows=[row(b"1", b"p")])
        assert [one.handle for one in book.letters(name="them")] == [b"2"]
        assert book.retry("them") == 1
        assert book.due("them", 0, 10) == [(b"q", 0)] and book.letters() == []


def test_a_row_that_is_gone_leaves_no_bytes(path: Path) -> None:
    ident = b"a sealed ident that is looked for"
    with closing(Book(path)) as book:
        book.stand(STANDING)
        book.write("them", [row(b"1", b"p", ident)])
        assert ident in written(path)
        book.settle(STANDING, gone=[b"1"])
    assert ident not in written(path)


def written(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob("audiences.db*"))


def test_a_file_that_is_none_of_ours_is_refused(path: Path) -> None:
    path.write_bytes(b"no database at all, and long enough to be looked at" * 20)
    with pytest.raises(StoreError, match="cannot be opened"):
        Book(path)
    path.unlink()
    with closing(apsw.Connection(str(path))) as other:
        other.execute("PRAGMA user_version = 9")
    with pytest.raises(StoreError, match="of format 1, got 9"):
        Book(path)
