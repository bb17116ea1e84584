import pytest

from livepost.ids import decision_id, digest, event_id, event_ids, transition_id


def test_the_id_of_an_event_is_the_digest_of_its_dedupe_key() -> None:
    for source, message_id in (("web", "m-1"), ("", ""), ("wéb", "m" * 1000), ("we", "bm-1")):
        assert event_id(source, message_id) == digest(source, message_id)


@pytest.mark.parametrize("sources", [[], ["web"], ["web"] * 3, ["web", "app", "web"], ["", "", "wéb"]])
def test_ids_of_many_events_are_those_of_each(sources: list[str]) -> None:
    message_ids = [f"m-{'é' * 300 * number}" for number in range(len(sources))]
    assert event_ids(sources, message_ids) == list(map(event_id, sources, message_ids))


def test_the_id_of_a_transition_is_the_digest_of_what_makes_it() -> None:
    for workspace, person, segment, version, number in (
        ("shop", bytes(16), "keen", "v1", 1),
        ("", b"", "", "", 0),
        ("shöp", b"p", "ke", "env1", 12_345),
    ):
        made = transition_id(workspace, person, segment, version, number)
        assert made == digest(workspace, person, segment, version, number)


def test_the_id_of_a_decision_is_the_digest_of_what_makes_it() -> None:
    for workspace, campaign, step, person, cause in (
        ("shop", "welcome", 0, bytes(16), b"c" * 16),
        ("", "", 7, b"", b""),
        ("sh", "opwelcome", 0, b"p" * 17, b"c"),
    ):
        made = decision_id(workspace, campaign, step, person, cause)
        assert made == digest(workspace, campaign, step, person, cause)
