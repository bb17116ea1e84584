"""What people read when something is wrong."""

from __future__ import annotations

import pytest

from livepost.console.trouble import missing, trouble_of
from livepost.errors import LivepostError, RejectedError, SealError, StoreError

ERRORS: tuple[tuple[LivepostError, int], ...] = (
    (StoreError("the engine does not answer"), 503),
    (RejectedError("this browser has no session", code="no_session", status=401), 401),
    (RejectedError("nobody is known by this id", code="nobody", status=404), 404),
    (RejectedError("the address does not fit", code="parameter"), 400),
    (RejectedError("a form from elsewhere", code="origin", status=403), 403),
    (RejectedError("somebody was faster", code="conflict", status=409), 409),
    (SealError("the person was forgotten"), 500),
)


@pytest.mark.parametrize(("error", "status"), ERRORS)
def test_every_trouble_says_what_happened_what_it_means_and_what_to_do(error: LivepostError, status: int) -> None:
    told = trouble_of(error)
    assert told.status == status
    assert str(error)[1:] in told.happened
    assert all((told.title, told.means, told.todo))


def test_only_what_may_be_over_in_a_moment_is_tried_again() -> None:
    assert [trouble_of(error).passes for error, _ in ERRORS] == [True] + [False] * 6


def test_a_page_that_is_not_there_is_named_in_part_only() -> None:
    assert len(missing("/" + "x" * 10_000).happened) < 300
