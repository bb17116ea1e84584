import os

from livepost.bench.mails import quantile, resident


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([4, 1, 3, 2], share) for share in (0.0, 0.5, 0.99)] == [1, 3, 4]
    assert quantile([7], 0.99) == 7


def test_the_memory_of_a_process_grows_with_what_it_holds() -> None:
    before = resident(os.getpid())
    held = bytearray(os.urandom(1024)) * 64 * 1024
    assert resident(os.getpid()) - before > len(held) // 2
