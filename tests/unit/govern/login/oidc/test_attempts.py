from livepost.govern.login.oidc.attempts import ATTEMPT_MS, ATTEMPTS_MAX, OF_ADDRESS_MAX, Attempts

NOW_MS = 1_795_296_700_000


def test_an_attempt_is_taken_up_once_by_the_browser_that_began_it() -> None:
    attempts = Attempts()
    mine, other = attempts.begin("a", NOW_MS), attempts.begin("b", NOW_MS)
    assert attempts.take(mine.state, other.word, NOW_MS) is None
    assert attempts.take(mine.state, "", NOW_MS) is None
    assert attempts.take(mine.state, mine.word, NOW_MS) == mine
    assert attempts.take(mine.state, mine.word, NOW_MS) is None
    assert attempts.take("", "", NOW_MS) is None


def test_an_attempt_that_takes_too_long_is_over() -> None:
    attempts = Attempts()
    late, just = attempts.begin("a", NOW_MS), attempts.begin("a", NOW_MS)
    assert attempts.take(just.state, just.word, NOW_MS + ATTEMPT_MS - 1) == just
    assert attempts.take(late.state, late.word, NOW_MS + ATTEMPT_MS) is None


def test_what_is_told_is_never_the_same_twice() -> None:
    attempts = Attempts()
    one, two = attempts.begin("a", NOW_MS), attempts.begin("a", NOW_MS)
    words = [getattr(each, name) for each in (one, two) for name in ("word", "state", "nonce", "verifier", "challenge")]
    assert len(set(words)) == len(words)
    assert 43 <= len(one.verifier) <= 128


def test_many_attempts_of_one_address_push_out_its_own_only() -> None:
    attempts = Attempts()
    other = attempts.begin("b", NOW_MS)
    mine = [attempts.begin("a", NOW_MS) for _ in range(OF_ADDRESS_MAX + 1)]
    assert attempts.take(mine[0].state, mine[0].word, NOW_MS) is None
    assert attempts.take(mine[1].state, mine[1].word, NOW_MS) == mine[1]
    assert attempts.take(other.state, other.word, NOW_MS) == other


def test_all_attempts_together_are_bounded() -> None:
    attempts = Attempts()
    first, *_, last = [attempts.begin(str(number), NOW_MS) for number in range(ATTEMPTS_MAX + 1)]
    assert attempts.take(first.state, first.word, NOW_MS) is None
    assert attempts.take(last.state, last.word, NOW_MS) == last
