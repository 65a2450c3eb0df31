"""Quiet hours: when a message that keeps them may leave.

Laws
1. Hours are wall-clock time of a zone, so that a change of summer time moves them as it moves people.
2. `opens_at` never answers a quiet moment, and never a moment before the one that was asked about.
3. A lifetime that counts open time alone ends where `after` says: `between` takes back what `after` adds.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from guvercin.core.holidays import is_eve, is_holiday

Span = tuple[time, time]
"""From and until, of one day; both wall-clock."""

Moments = tuple[datetime, datetime]
"""From and until, as moments."""

_DAY = timedelta(days=1)
_FARTHEST = 400
"""Days that are looked ahead for an open one: hours that never open are refused where they are made."""

HALF_DAY = time(13)
"""When the eve of a feast becomes quiet (Law 2429)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The open hours of a week, Monday first; null: quiet all day."""

    zone: tzinfo
    week: tuple[Span | None, ...]
    keeps_holidays: bool = True

    def __post_init__(self) -> None:
        if len(self.week) != 7 or not any(self.week) or any(span and span[0] >= span[1] for span in self.week):
            raise ValueError("hours need seven days, one of them open, each from an earlier time to a later one")

    def is_open(self, at: datetime) -> bool:
        """Say whether a moment is outside the quiet hours."""
        return self.opens_at(at) == at

    def opens_at(self, at: datetime) -> datetime:
        """Answer the first open moment from `at` on."""
        span = self.open_span(at)
        return at if span is None else max(at, span[0])

    def open_span(self, at: datetime) -> Moments | None:
        """Answer when it is open, now or next: from when and until when. Null: a year of holidays."""
        day = at.astimezone(self.zone).date()
        for number in range(_FARTHEST):
            span = _span(self, day + _DAY * number)
            if span is not None and at < span[1]:
                return span
        return None  # no rule holds a message for ever

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Answer how much open time lies between two moments."""
        found = timedelta(0)
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            span = _span(self, day)
            if span is not None:
                found += max(timedelta(0), min(end, span[1]) - max(start, span[0]))
            day += _DAY
        return found

    def after(self, start: datetime, open_time: timedelta) -> datetime:
        """Answer the moment at which so much open time has passed since `start`."""
        day, left = start.astimezone(self.zone).date(), open_time
        for number in range(_FARTHEST):
            span = _span(self, day + _DAY * number)
            if span is None or span[1] <= start:
                continue
            begins = max(start, span[0])
            if begins + left <= span[1]:
                return begins + left
            left -= span[1] - begins
        return start + open_time


@lru_cache(maxsize=2_048)
def _span(hours: Hours, day: date) -> Moments | None:
    """Answer when a day opens and closes, in UTC; null: it doesn't."""
    span = hours.week[day.weekday()]
    if span is None or (hours.keeps_holidays and is_holiday(day)):
        return None
    opens, closes = span
    if hours.keeps_holidays and is_eve(day):
        closes = min(closes, HALF_DAY)
    begin, end = (datetime.combine(day, at, hours.zone).astimezone(UTC) for at in (opens, closes))
    return (begin, end) if begin < end else None


def quiet_hours(zone: tzinfo) -> Hours:
    """Answer the hours of categories that keep quiet: 9 to 20 on weekdays, 10 to 18 on Saturdays, no holidays."""
    weekday, saturday = (time(9), time(20)), (time(10), time(18))
    return Hours(zone=zone, week=(*(weekday,) * 5, saturday, None))


def night_hours(zone: tzinfo) -> Hours:
    """Answer the hours of planned reminders: whatever the day, nobody is woken."""
    return Hours(zone=zone, week=((time(9), time(20)),) * 7, keeps_holidays=False)
