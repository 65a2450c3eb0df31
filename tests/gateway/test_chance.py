"""Chance that is fetched a page at a time is as good as what it is fetched from."""

from collections import Counter

import pytest

from guvercin.gateway.chance import SystemChance


def test_nothing_is_given_out_twice() -> None:
    chance = SystemChance()
    drawn = [chance.randbytes(32) for _ in range(1_000)]
    assert len(set(drawn)) == 1_000
    assert {len(each) for each in drawn} == {32}
    assert len(chance.randbytes(10_000)) == 10_000
    assert chance.randbytes(0) == b""


def test_numbers_fill_their_ranges() -> None:
    chance = SystemChance()
    fractions = [chance.random() for _ in range(4_000)]
    assert all(0 <= fraction < 1 for fraction in fractions)
    assert len(Counter(int(fraction * 8) for fraction in fractions)) == 8
    for bits in (0, 1, 7, 8, 9, 64, 65):
        assert all(chance.getrandbits(bits) < 2**bits for _ in range(100))
    assert Counter(chance.randrange(4) for _ in range(400)).keys() == {0, 1, 2, 3}
    with pytest.raises(ValueError, match="non-negative"):
        chance.getrandbits(-1)
