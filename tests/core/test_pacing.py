"""When an account may send: gaps that nothing breaks."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 -- the chance that a test hands in

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.message import Lane
from guvercin.core.pacing import SANDBOX_PACE, Gap, Pace, Use, next_slot, time_to_send

NOW = datetime(2026, 2, 23, 12, tzinfo=UTC)

draws = st.floats(0, 1, exclude_max=True)
spans = st.timedeltas(timedelta(0), timedelta(days=1))
gaps = st.tuples(spans, spans).map(lambda pair: Gap(least=min(pair), most=max(pair)))
paces = st.fixed_dictionaries(dict.fromkeys(Lane, gaps)).map(lambda lanes: Pace(gaps=lanes))
lanes = st.sampled_from(Lane)
moments = st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def test_a_line_that_sent_nothing_may_send_at_once() -> None:
    for lane in Lane:
        assert next_slot(SANDBOX_PACE, Use(), lane) is None


def test_the_sandbox_keeps_a_fifth_of_a_second() -> None:
    for lane in Lane:
        for draw in (0.0, 0.5, 0.999):
            assert next_slot(SANDBOX_PACE, Use(NOW, draw), lane) == NOW + timedelta(milliseconds=200)


def test_the_gap_belongs_to_the_message_that_follows() -> None:
    short, long = timedelta(seconds=3), timedelta(seconds=12)
    pace = Pace(gaps={Lane.SINGLE: Gap(least=short, most=short), Lane.BULK: Gap(least=long, most=long)})
    assert next_slot(pace, Use(NOW), Lane.SINGLE) == NOW + short
    assert next_slot(pace, Use(NOW), Lane.BULK) == NOW + long


@pytest.mark.parametrize(("least", "most"), [(2, 1), (-1, 1), (-2, -1)])
def test_a_gap_that_makes_no_sense_is_refused(least: int, most: int) -> None:
    with pytest.raises(ValueError, match="least <= most"):
        Gap(least=timedelta(seconds=least), most=timedelta(seconds=most))


@given(paces, moments, draws, lanes)
def test_a_slot_keeps_its_gap_and_is_the_same_when_asked_twice(
    pace: Pace,
    last_at: datetime,
    draw: float,
    lane: Lane,
) -> None:
    use = Use(last_at, draw)
    slot = next_slot(pace, use, lane)
    assert slot is not None
    assert pace.gaps[lane].least <= slot - last_at <= pace.gaps[lane].most <= pace.longest_gap()
    assert next_slot(pace, use, lane) == slot
    # a restart brings back equal values, not the same objects
    assert next_slot(Pace(gaps=dict(pace.gaps)), Use(last_at, draw), lane) == slot


@given(paces, moments, lanes, st.tuples(draws, draws).map(sorted))
def test_a_higher_draw_never_makes_a_shorter_gap(
    pace: Pace,
    last_at: datetime,
    lane: Lane,
    pair: list[float],
) -> None:
    sooner, later = (next_slot(pace, Use(last_at, draw), lane) for draw in pair)
    assert sooner is not None
    assert later is not None
    assert sooner <= later


@given(paces, st.lists(st.tuples(lanes, spans), max_size=30), st.integers())
def test_no_order_of_lanes_breaks_a_gap(pace: Pace, queue: list[tuple[Lane, timedelta]], seed: int) -> None:
    rng, use, now = Random(seed), Use(), NOW
    for lane, idle in queue:
        now += idle
        slot = next_slot(pace, use, lane)
        sent_at = now if slot is None else max(now, slot)
        if use.last_at is not None:
            assert sent_at - use.last_at >= pace.gaps[lane].least
        use, now = Use(sent_at, rng.random()), sent_at


@given(paces, st.dictionaries(lanes, st.integers(0, 10_000)))
def test_a_forecast_lies_between_the_least_and_the_most(pace: Pace, waiting: Mapping[Lane, int]) -> None:
    forecast = time_to_send(pace, waiting)
    # a mean is rounded to a microsecond
    slack = timedelta(microseconds=sum(waiting.values()))
    least = sum((pace.gaps[lane].least * count for lane, count in waiting.items()), timedelta(0))
    most = sum((pace.gaps[lane].most * count for lane, count in waiting.items()), timedelta(0))
    assert least - slack <= forecast <= most + slack


def test_a_forecast_counts_the_mean_gap_of_each_lane() -> None:
    pace = Pace(
        gaps={
            Lane.SINGLE: Gap(least=timedelta(seconds=3), most=timedelta(seconds=5)),
            Lane.BULK: Gap(least=timedelta(seconds=6), most=timedelta(seconds=14)),
        },
    )
    assert time_to_send(pace, {Lane.SINGLE: 2, Lane.BULK: 10}) == timedelta(seconds=2 * 4 + 10 * 10)
    assert time_to_send(pace, {}) == timedelta(0)
