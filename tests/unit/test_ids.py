from livepost.ids import digest, event_id


def test_the_id_of_an_event_is_the_digest_of_its_dedupe_key() -> None:
    for source, message_id in (("web", "m-1"), ("", ""), ("wéb", "m" * 1000), ("we", "bm-1")):
        assert event_id(source, message_id) == digest(source, message_id)
