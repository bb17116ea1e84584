from livepost.process.batch import batch_of
from livepost.process.enrich import enrich
from tests.unit.process.records import NOW, block, event


def test_what_a_living_record_says_of_consent_is_joined_to_it() -> None:
    said = {"consent": {"marketing": True, "service": False}}
    batch = batch_of([block(0, NOW, event("a", "1"), event("a", "2", context=said), event("a", "3", context=said))])
    batch.alive[2] = False
    enrich(batch)
    assert batch.consents == {1: {"marketing": True, "service": False}}


def test_other_context_and_an_empty_consent_say_nothing() -> None:
    batch = batch_of(
        [block(0, NOW, event("a", "1", context={"locale": "de"}), event("a", "2", context={"consent": {}}))]
    )
    enrich(batch)
    assert batch.consents == {}
