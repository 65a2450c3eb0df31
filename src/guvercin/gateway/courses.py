"""How an account's course begins, from what is durable of it: the dispatcher runs it, forecasts run ahead of it."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from guvercin.core.course import Course, most_kept
from guvercin.core.hours import Hours, night_hours, quiet_hours
from guvercin.core.message import Courtesy
from guvercin.core.pacing import GROUPS, Pace, Rules
from guvercin.store.verbs.pacing import Ledger

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_steady_ms(at: datetime) -> int:
    """Answer a moment as a course counts: whole milliseconds."""
    return (at - _EPOCH) // _MS


def from_steady_ms(ms: int) -> datetime:
    """Answer a course's milliseconds as a moment."""
    return _EPOCH + _MS * ms


def hours_in(zone: ZoneInfo) -> Mapping[Courtesy, Hours]:
    """Answer the quiet hours that messages keep, in the business's own zone."""
    return {Courtesy.QUIET: quiet_hours(zone), Courtesy.NIGHT: night_hours(zone)}


def begin(
    ledger: Ledger, pace: Pace, rules: Rules, hours: Mapping[Courtesy, Hours], *, steady: int, offset: int
) -> Course:
    """Answer the course of an account at `steady`, with everything that it has used and planned.

    A minute's sends count as if they had all come at its end: a restart may make a limit longer by a minute, never
    shorter.
    """
    course = Course(
        pace=pace,
        rules=rules,
        hours=hours,
        offset=offset,
        last_at=ledger.last_ms,
        draw=ledger.draw,
        bulk_run=ledger.bulk_run,
        rests_until=ledger.rests_until,
        new_until=ledger.new_until,
        head_starts=ledger.head_starts,
        warm_days=ledger.warm_days,
        closed=ledger.closed,
    )
    for track, at, sends in ledger.uses:
        for group in GROUPS[track]:
            course.sent[group].extend([min(at, steady)] * sends)
    for group, moments in course.sent.items():
        moments.sort()
        del moments[: -most_kept(rules, group)]
    turns = set()
    for track, courtesy, word, wall, turn in ledger.plans:
        until = wall - offset
        for group in GROUPS[track]:
            course.ahead.moments[group].append(until)
        course.ahead.cursors[track, courtesy] = (until, word)
        turns.add(turn)
    course.turns = frozenset(turns)
    for moments in course.ahead.moments.values():
        del moments[: bisect_right(moments, steady)]
    return course
