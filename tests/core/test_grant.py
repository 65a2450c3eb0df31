"""What a network grants holds over any stretch of time, and waits have places of their own."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.grant import DAY, Allowance, Grant, Held, People

GRANT = Grant(per_second=80, people=5, pool="1")
REFILL = GRANT.refill // timedelta(milliseconds=1)
AYSE = "+905321230001"


def allowance(grant: Grant = GRANT, people: People | None = None) -> Allowance:
    return Allowance(grant, people or People())


def test_the_gap_follows_from_what_a_second_takes() -> None:
    assert Grant(per_second=80).least_gap == timedelta(milliseconds=12.5)
    assert Grant(per_second=1_000).least_gap == timedelta(milliseconds=1)


def test_one_person_gets_a_few_at_once_and_then_one_each_six_seconds() -> None:
    mine = allowance()
    for _ in range(3):
        assert mine.opens_at(AYSE, 1_000, is_first=False) == (1_000, None)
        mine.spend(AYSE, 1_000, is_first=False)
    assert mine.opens_at(AYSE, 1_000, is_first=False) == (1_000 + REFILL, Held.BY_PAIR)
    assert mine.opens_at("+905321230002", 1_000, is_first=False) == (1_000, None)
    assert mine.opens_at(AYSE, 1_000 + REFILL, is_first=False) == (1_000 + REFILL, None)


@given(st.lists(st.tuples(st.integers(0, 60_000), st.sampled_from("ab")), max_size=80).map(sorted))
def test_no_window_holds_more_to_one_person_than_was_granted(asks: list[tuple[int, str]]) -> None:
    mine, sent = allowance(), [(0, "")][:0]
    for at, person in asks:
        until, held = mine.opens_at(person, at, is_first=False)
        if held is None:
            mine.spend(person, at, is_first=False)
            sent.append((at, person))
        else:
            assert until > at
            assert mine.opens_at(person, until, is_first=False) == (until, None), "the moment that was told is good"
    for start, person in sent:
        for length in (1, REFILL, 3 * REFILL, 10 * REFILL):
            within = sum(person == other and start <= at < start + length for at, other in sent)
            assert within <= GRANT.burst + length / REFILL


def test_so_many_people_a_day_may_be_written_to_first() -> None:
    mine = allowance()
    for number in range(5):
        mine.spend(str(number), number * 1_000, is_first=True)
    assert mine.opens_at("new", 5_000, is_first=True) == (DAY, Held.BY_PEOPLE)
    assert mine.opens_at("new", 5_000, is_first=False) == (5_000, None), "who writes first is free"
    assert mine.opens_at("3", 60_000, is_first=True) == (60_000, None), "who is counted already is counted once"
    mine.give_back("4")
    assert mine.opens_at("new", 5_000, is_first=True) == (5_000, None), "nothing left: the place is free"


def test_each_that_waits_has_a_place_of_its_own() -> None:
    mine = allowance()
    for number in range(5):
        mine.spend(str(number), number * 1_000, is_first=True)
    places = []
    for _ in range(6):
        until, held = mine.opens_at("new", 5_000, is_first=True)
        assert held is Held.BY_PEOPLE
        mine.wait(until)
        places.append(until)
    assert places == [DAY, DAY + 1_000, DAY + 2_000, DAY + 3_000, DAY + 4_000, DAY + 5_000]


def test_numbers_of_one_pool_share_their_people() -> None:
    people = People()
    mine, other = allowance(people=people), allowance(people=people)
    for number in range(5):
        (mine, other)[number % 2].spend(str(number), 0, is_first=True)
    for each in (mine, other):
        assert each.opens_at("new", 1, is_first=True)[1] is Held.BY_PEOPLE


def test_a_number_without_a_limit_of_people_has_none() -> None:
    mine = allowance(Grant(per_second=80))
    for number in range(1_000):
        mine.spend(str(number), 0, is_first=True)
    assert mine.opens_at("new", 0, is_first=True) == (0, None)
    assert mine.matters_for == 3 * REFILL
    assert allowance().matters_for == DAY


@given(st.lists(st.tuples(st.integers(0, 3 * DAY), st.integers(0, 11), st.booleans()), max_size=120).map(sorted))
def test_no_day_has_more_people_than_were_granted(asks: list[tuple[int, int, bool]]) -> None:
    mine = allowance(Grant(per_second=80, people=4, burst=1_000))
    sent: list[tuple[int, str]] = []
    for at, number, is_first in asks:
        if mine.opens_at(str(number), at, is_first=is_first)[1] is None:
            mine.spend(str(number), at, is_first=is_first)
            if is_first:
                sent.append((at, str(number)))
    for start, _ in sent:
        assert len({person for at, person in sent if start <= at < start + DAY}) <= 4


def test_what_is_whole_again_is_forgotten() -> None:
    mine = allowance(Grant(per_second=1_000))
    for number in range(40_000):
        mine.spend(str(number), number, is_first=False)
    assert len(mine._full_at) < 20_000
    assert Counter(full_at > 30_000 for full_at in mine._full_at.values())[True] > 0
