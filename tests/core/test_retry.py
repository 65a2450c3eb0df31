"""When to try again, and when to give up."""

from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 -- the chance that a test hands in

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.retry import JITTER, SCHEDULE, retry_at

NOW = datetime(2026, 2, 23, 12, tzinfo=UTC)
LAST = len(SCHEDULE)


def wait(attempt: int, seed: int) -> timedelta:
    at = retry_at(attempt, NOW, Random(seed))
    assert at is not None
    return at - NOW


@given(st.integers(1, LAST), st.integers())
def test_a_wait_stays_within_a_fifth_of_its_schedule(attempt: int, seed: int) -> None:
    planned = SCHEDULE[attempt - 1]
    assert planned * (1 - JITTER) <= wait(attempt, seed) <= planned * (1 + JITTER)


@given(st.integers(1, LAST - 1), st.integers(), st.integers())
def test_each_wait_is_longer_than_the_one_before_whatever_the_chance(attempt: int, seed: int, other: int) -> None:
    assert wait(attempt, seed) < wait(attempt + 1, other)


@given(st.integers(1, LAST), st.integers())
def test_the_same_chance_gives_the_same_moment(attempt: int, seed: int) -> None:
    assert wait(attempt, seed) == wait(attempt, seed)


@given(st.integers(min_value=LAST + 1))
def test_it_gives_up_after_the_schedule(attempt: int) -> None:
    assert retry_at(attempt, NOW, Random(0)) is None


@given(st.integers(max_value=0))
def test_what_was_never_tried_is_not_given_up(attempt: int) -> None:
    with pytest.raises(ValueError, match="from 1"):
        retry_at(attempt, NOW, Random(0))


def test_chance_keeps_crowds_from_marching_in_step() -> None:
    rng = Random(7)
    assert len({retry_at(1, NOW, rng) for _ in range(100)}) > 90
