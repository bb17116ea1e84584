from __future__ import annotations

from livepost.api.approvals import APPROVALS, ApprovalsAsked, answer_of
from tests.unit.control.test_approvals import wish


class House:
    def approvals(self, limit: int) -> list[object]:
        return [wish()][:limit]


def test_what_was_asked_for_is_told_with_where_it_stands() -> None:
    [told] = APPROVALS.run(House(), ApprovalsAsked()).approvals  # type: ignore[arg-type]
    assert (told.id, told.state, told.hash, told.told) == ("a" * 16, "expired", wish().hash.hex(), list(wish().told))
    assert answer_of(wish(), 20).state == "waiting"
