"""What people are called once links made one of several."""

from __future__ import annotations

from itertools import permutations

from livepost.identity.directory import Directory, Linked
from livepost.model.record import Mention


def of(letter: str) -> Mention:
    """Return a subject; capital letters are known."""
    return Mention(letter.encode() * 16, letter.isupper())


def link(
    directory: Directory, letter: str, mentioned: str, *, alias: bool = False, secret: bool = False
) -> Linked | None:
    return directory.link(of(letter), map(of, mentioned), by_secret_key=secret, alias=alias)


def said(linked: Linked | None) -> tuple[str, str, str, str]:
    """Return winner, losers, who merged and who is renamed, as letters."""
    assert linked is not None
    mentioned = [mention.subject for mention in linked.mentions]
    return tuple(letters(some) for some in ([linked.winner], linked.losers, mentioned, linked.renamed))  # type: ignore[return-value]


def letters(subjects: object) -> str:
    return "".join(chr(subject[0]) for subject in subjects)  # type: ignore[attr-defined]


def test_the_smallest_known_subject_names_all_and_the_others_are_renamed() -> None:
    directory = Directory()
    assert said(link(directory, "b", "a")) == ("a", "b", "a", "b")
    assert said(link(directory, "b", "C")) == ("C", "a", "C", "ba")
    assert {letters([directory.name(of(one).subject)]) for one in "abC"} == {"C"}


def test_one_record_can_make_one_of_many_and_tells_only_those_who_merge() -> None:
    directory = Directory()
    link(directory, "d", "c")
    assert said(link(directory, "d", "cXbY")) == ("X", "cb", "Xb", "dcb")


def test_two_known_people_stay_two_but_for_an_alias_by_a_secret_key() -> None:
    directory = Directory()
    assert link(directory, "B", "A") is None
    assert len(directory) == 0
    assert link(directory, "B", "A", alias=True) is None
    assert said(link(directory, "B", "A", alias=True, secret=True)) == ("A", "B", "A", "B")


def test_a_known_subject_that_a_secret_key_mentions_is_a_declared_key_and_links_known_people() -> None:
    directory = Directory()
    assert said(link(directory, "B", "A", secret=True)) == ("A", "B", "A", "B")


def test_whoever_is_linked_already_or_mentions_themselves_meets_nobody() -> None:
    directory = Directory()
    assert link(directory, "a", "a") is None
    link(directory, "a", "b")
    assert link(directory, "b", "a") is None


def test_in_whatever_order_links_come_people_are_called_the_same() -> None:
    links = [("d", "c"), ("b", "a"), ("c", "b"), ("e", "D")]
    names = set()
    for order in permutations(links):
        directory = Directory()
        for letter, mentioned in order:
            link(directory, letter, mentioned)
        names.add(letters(directory.name(of(one).subject) for one in "abcdeD"))
    assert names == {"aaaaDD"}
