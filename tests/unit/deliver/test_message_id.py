"""Message-IDs: the same at each try, another for each decision, workspace and domain."""

from __future__ import annotations

from livepost.deliver.message_id import MessageIds
from livepost.ids import digest


def ids(workspace: int = 1, sender: str = "hello@shop.example") -> MessageIds:
    return MessageIds(lambda purpose: digest("secret", workspace, purpose), sender)


def test_a_decision_has_one_message_id_at_the_senders_domain() -> None:
    one = digest("decision", 1)
    told = ids().of(one)
    assert told == ids().of(one)
    assert (told[0], told[-14:]) == ("<", "@shop.example>")
    assert one.hex() not in told


def test_another_decision_workspace_or_domain_has_another() -> None:
    one, other = digest("decision", 1), digest("decision", 2)
    told = {ids().of(one), ids().of(other), ids(2).of(one), ids(sender="hello@tea.example").of(one)}
    assert len(told) == 4
