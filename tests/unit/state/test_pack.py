from __future__ import annotations

import numpy as np

from livepost.state.pack import NO_ROWS, Pack, full_packs, merged, pack_of, unpacked

ROWS: dict[int, bytes | None] = {7: b"seven", 2: None, 2**40: b"", 9: b"nine"}


def everybody(pack: Pack) -> np.ndarray:
    return np.ones(len(pack.numbers), np.bool_)


def test_a_pack_is_told_apart_again() -> None:
    pack = pack_of(ROWS.items())
    again = unpacked(pack.head, pack.body)
    assert again.nbytes == len(pack.head) + len(pack.body) == 4 * 12 + 9
    assert again.lengths.tolist() == [5, -1, 0, 4]
    assert again.rows(again.lengths >= 0) == [(7, b"seven"), (2**40, b""), (9, b"nine")]
    assert dict(again.everybody()) == ROWS


def test_of_a_number_given_twice_the_last_row_counts() -> None:
    assert [*pack_of([(1, b"a"), (2, b"b"), (1, None)]).everybody()] == [(1, None), (2, b"b")]


def test_nobody_is_no_pack() -> None:
    assert list(full_packs(NO_ROWS, 1)) == list(merged([], 1)) == []


def test_only_the_chosen_are_left_and_a_deleted_one_stays_deleted() -> None:
    (pack,) = full_packs(pack_of(ROWS.items()), 1_000)
    left = pack.only(np.array([False, True, False, True]))
    assert (left.numbers.tolist(), left.lengths.tolist(), left.body) == ([2, 9], [-1, 4], b"nine")


def test_a_pack_ends_where_it_is_full_and_a_longer_row_is_one_of_its_own() -> None:
    rows: dict[int, bytes | None] = {number: bytes(88) for number in range(10)} | {10: bytes(5_000), 11: b""}
    packs = list(full_packs(pack_of(rows.items()), 300))
    assert max(pack.nbytes for pack in packs if 10 not in pack.numbers) <= 300 + 100
    assert [number for pack in packs for number, _ in pack.rows(everybody(pack))] == list(range(12))


def test_packs_are_put_together_up_to_a_full_one_in_their_order() -> None:
    packs = [pack_of([(number, bytes(88))]) for number in range(10)]
    together = list(merged(packs, 300))
    assert [pack.nbytes for pack in together] == [300, 300, 300, 100]
    assert [row for pack in together for row in pack.rows(everybody(pack))] == [(n, bytes(88)) for n in range(10)]
