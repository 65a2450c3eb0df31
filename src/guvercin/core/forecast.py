"""When what waits will have left: an account's course, run ahead of time with the mean of every chance.

The code that judges a claim judges here too, so that a forecast knows every gap, pause, limit, quiet hour, holiday and
step of the warm-up. Two things it takes for granted: the line stays up, and each day on which something leaves has
traffic both ways.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from guvercin.core.course import Ask, Course
from guvercin.core.pacing import WARM_AFTER

_MEAN = 0.5
_DAY = 86_400_000
_FARTHEST = 400 * _DAY
"""As far as anybody looks: what isn't sent within a year never is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Rows that a course sees alike: one sender's, of one kind. `starts_at`: none of them is due before."""

    ask: Ask
    count: int
    priority: int = 0
    starts_at: int = 0


def look_ahead(course: Course, crowds: Sequence[Crowd], now: int) -> Mapping[int, Sequence[int]]:
    """Answer by turn when its rows leave, in order. What doesn't leave within a year is left out.

    `course` is spent: hand in one of your own.
    """
    sent_on: int | None = None
    course.forget_plans()
    left = [crowd.count for crowd in crowds]
    served = [0] * len(crowds)
    kinds = [replace(crowd.ask, turn=0) for crowd in crowds]
    found: dict[int, list[int]] = {crowd.ask.turn: [] for crowd in crowds}
    at = now
    while any(left):
        moments: dict[Ask, int] = {}
        ranks: list[tuple[int, int, int, int]] = []
        for place, kind in enumerate(kinds):
            if not left[place]:
                continue
            if kind not in moments:
                moments[kind] = course.first_moment(kind, max(at, course.slot(kind)[0])).until
            moment = max(moments[kind], crowds[place].starts_at)
            ranks.append((moment, -crowds[place].priority, served[place], place))
        at, _, _, place = min(ranks)
        if at > now + _FARTHEST:
            break
        course.spend(kinds[place], at, _MEAN)
        if sent_on is not None and at // _DAY > sent_on:
            course.warm_days = min(WARM_AFTER, course.warm_days + 1)  # a day on which something left is over
        sent_on = at // _DAY
        left[place] -= 1
        served[place] += 1
        found[crowds[place].ask.turn].append(at)
    return found
