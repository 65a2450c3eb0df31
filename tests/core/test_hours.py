"""Quiet hours: nothing leaves in them, in whatever zone, and open time adds up."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.holidays import FIXED, KNOWN_UNTIL, KURBAN, RAMAZAN, is_eve, is_holiday
from guvercin.core.hours import Hours, night_hours, quiet_hours

ISTANBUL = ZoneInfo("Europe/Istanbul")
ZONES = [
    ISTANBUL,
    *map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Apia", "Asia/Kathmandu")),
]

zones = st.sampled_from(ZONES)
times = st.integers(0, 23).map(time)
spans = st.tuples(times, times).map(sorted).filter(lambda pair: pair[0] < pair[1]).map(tuple)
weeks = st.lists(st.none() | spans, min_size=7, max_size=7).filter(any).map(tuple)
hours = st.builds(Hours, zone=zones, week=weeks, keeps_holidays=st.booleans())
moments = st.integers(0, 5 * 365 * 24 * 3600).map(
    lambda number: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
)


def here(day: int, hour: int, minute: int = 0, *, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ISTANBUL).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        (here(23, 10), here(23, 10)),  # a Monday
        (here(23, 8, 59), here(23, 9)),
        (here(23, 20), here(24, 9)),
        (here(28, 9), here(28, 10)),  # a Saturday
        (here(28, 18), here(2, 9, month=3)),  # over the Sunday
        (here(23, 9, month=4), here(24, 9, month=4)),  # 23 Nisan
        (here(19, 13, month=3), here(23, 9, month=3)),  # the eve of Ramazan Bayramı, three days of it, and a Sunday
        (here(19, 12, 59, month=3), here(19, 12, 59, month=3)),
        (here(26, 14, month=5), here(1, 9, month=6)),  # Kurban Bayramı, and the Sunday after it
        (here(28, 13, month=10), here(30, 9, month=10)),
    ],
)
def test_the_business_hours_of_a_turkish_week(asked: datetime, opens: datetime) -> None:
    assert quiet_hours(ISTANBUL).opens_at(asked) == opens


def test_nights_are_kept_on_every_day() -> None:
    assert night_hours(ISTANBUL).opens_at(here(22, 21)) == here(23, 9)
    assert night_hours(ISTANBUL).opens_at(here(22, 15)) == here(22, 15)  # a Sunday


@given(hours, moments)
def test_what_opens_is_open_and_never_before(kept: Hours, at: datetime) -> None:
    opens = kept.opens_at(at)
    assert opens >= at
    assert kept.is_open(opens)
    local = opens.astimezone(kept.zone)
    span = kept.week[local.weekday()]
    assert span is not None
    assert not (kept.keeps_holidays and is_holiday(local.date()))
    assert span[0] <= local.time() < span[1] or local.utcoffset() != (local - timedelta(hours=3)).utcoffset()


@given(hours, moments, st.timedeltas(timedelta(0), timedelta(hours=20)))
def test_open_time_adds_up(kept: Hours, at: datetime, span: timedelta) -> None:
    end = kept.after(at, span)
    assert end >= at + span
    assert kept.between(at, end) == span


@given(hours, moments, moments, moments)
def test_open_time_of_two_stretches_is_that_of_both(kept: Hours, one: datetime, two: datetime, three: datetime) -> None:
    first, middle, last = sorted((one, two, three))
    if last - first < timedelta(days=90):
        assert kept.between(first, middle) + kept.between(middle, last) == kept.between(first, last)


@pytest.mark.parametrize(
    "week", [(None,) * 7, ((time(9), time(9)),) * 7, ((time(20), time(9)),) * 7, ((time(9), time(20)),) * 6]
)
def test_hours_that_never_open_are_refused(week: tuple[tuple[time, time] | None, ...]) -> None:
    with pytest.raises(ValueError, match="one of them open"):
        Hours(zone=UTC, week=week)


def test_the_feasts_are_as_the_library_says() -> None:
    """Every day of every known year, whole and half: a date that changes by decree is found when it is updated."""
    turkey = pytest.importorskip("holidays.countries.turkey")
    for year in range(2026, KNOWN_UNTIL + 1):
        whole = turkey.Turkey(years=[year], categories=("public",))
        half = turkey.Turkey(years=[year], categories=("half_day",))
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
        assert [day for day in days if is_holiday(day)] == [day for day in days if day in whole]
        assert [day for day in days if is_eve(day) and not is_holiday(day)] == [
            day for day in days if day in half and day not in whole
        ]
    assert len(FIXED) == 7
    assert (RAMAZAN[-1].year, KURBAN[-1].year) == (KNOWN_UNTIL, KNOWN_UNTIL)
