from __future__ import annotations

import pytest

from livepost.audit.entry import Entry, decoded, encoded

ENTRY = Entry(at=1, by="key:server", did="person.read", subjects=(bytes(16),), about="browse_reminder")


def test_an_entry_reads_back_and_has_one_form() -> None:
    assert decoded(encoded(ENTRY)) == ENTRY
    assert encoded(decoded(encoded(ENTRY))) == encoded(ENTRY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"did": "Read a person"},
        {"did": "person.read.twice"},
        {"by": ""},
        {"about": "x" * 201},
        {"at": "now"},
    ],
)
def test_words_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    fields = {name: getattr(ENTRY, name) for name in Entry.__struct_fields__} | wrong
    with pytest.raises(ValueError, match="expected words of the audit"):
        encoded(Entry(**fields))
