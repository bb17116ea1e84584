"""Every store says how a person is erased from it, and no store, table or file is forgotten."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

from livepost.govern.rights.store import KEPT_OTHERWISE
from livepost.ledger import erasures
from livepost.ledger.schema import TABLES
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.rights.erasing import STEPS
from livepost.runtime.rights.retaining import STEPS as RETENTION
from livepost.runtime.rights.stores import NOBODY, STORES, Store
from tests.house.source import SOURCE

NO_PERSON = frozenset(
    (
        *("tallies", "outcome_tallies", "broadcast_tallies", "broadcast_outcomes", "feedback_tallies", "mail_hours"),
        *(
            "sender_tallies",
            "kills",
            "broadcasts",
            "breakers",
            "paces",
            "warm_days",
            "leases",
            "bookmarks",
            "shown_words",
        ),
        *("consent_tallies", "consent_terms"),
    )
)
"""Tables of the ledger that hold nothing of anybody."""

BY_NUMBER = frozenset(
    (
        "persons",
        "proofs",
        "consent_events",
        "orders",
        "outcomes",
        "clicks",
        "notes",
        "divergences",
        "heard",
        "permit_changes",
    )
)
"""Tables that name people by subjects or decisions alone: numbers that belong to nobody after an erasure."""

BY_HASH = frozenset(("suppressions", "lifts", "erasures"))
"""Tables with keyed hashes that stay: so that nobody is mailed, and nothing comes in, of before."""

BY_THE_FORGOTTEN = frozenset(("forgotten",))


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_each_store_says_what_it_holds_how_it_is_erased_and_how_long_it_is_kept(store: Store) -> None:
    assert all((store.name, store.purpose, store.holds, store.erased, store.kept))
    steps = {name for name, _ in STEPS} | {"control"}
    assert (store.erased_by in steps) == (store.holds != NOBODY)
    assert callable(store.decodes)
    assert _is_kept_by_somebody(store)


def _is_kept_by_somebody(store: Store) -> bool:
    known = {name for name, _ in RETENTION} | {*KEPT_OTHERWISE}
    return store.kept_by in known if store.holds != NOBODY else store.kept_by == ""


def test_a_store_that_nobody_sees_to_is_found() -> None:
    """The negative control."""
    mailbox = next(store for store in STORES if store.name == "mailbox")
    assert _is_kept_by_somebody(mailbox)
    assert not any(_is_kept_by_somebody(dataclasses.replace(mailbox, kept_by=word)) for word in ("", "somebody"))


def _is_told_to_its_person(store: Store) -> bool:
    """Say whether the page of what is held, and an export, have it, or why they do not."""
    return store.gives is not None or bool(store.instead)


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_each_store_tells_a_person_what_it_holds_or_why_not(store: Store) -> None:
    assert _is_told_to_its_person(store)


def test_a_store_that_says_nothing_to_its_person_is_found() -> None:
    """The negative control."""
    images = next(store for store in STORES if store.name == "state.db.images")
    assert not _is_told_to_its_person(dataclasses.replace(images, instead=""))


def test_every_step_of_retention_is_a_stores() -> None:
    assert {name for name, _ in RETENTION} - {"found"} <= {store.kept_by for store in STORES}


def test_names_are_given_once() -> None:
    names = [store.name for store in STORES]
    assert len(names) == len({*names})


def test_every_path_of_the_data_folder_is_a_stores() -> None:
    """A file that the code names is claimed, whether a run of the tests makes it or not."""
    source = inspect.getsource(DataFolder) + (SOURCE / "state" / "opening.py").read_text()
    named = {*re.findall(r'self\.path / "([\w.]+)"', source), *re.findall(r'Body\("([\w.]+)"', source)}
    assert {"vault.db", "mailbox", "state.db", "control.db"} <= named
    assert [name for name in sorted(named) if not any(store.claims(name) for store in STORES)] == []


def test_every_table_of_the_ledger_is_erased_from_or_said_to_hold_nothing() -> None:
    """A table that somebody adds fails here until the erasure knows it."""
    erased = set(re.findall(r"(?:UPDATE|DELETE FROM|INSERT INTO) (\w+)", inspect.getsource(erasures)))
    assert {"deliveries", "moves", "sends", "confirmations", "consents"} <= erased
    assert {*TABLES} - erased == NO_PERSON | BY_NUMBER | (BY_HASH - erased) | (BY_THE_FORGOTTEN - erased)
