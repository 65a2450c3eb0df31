"""When what waits will have left: an account's course, run ahead of time with the mean of every chance.

The code that judges a claim judges here too, so that a forecast knows every gap, pause, limit, quiet hour, holiday and
step of the warm-up. Two things it takes for granted: the line stays up, and each day on which something leaves has
traffic both ways.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from guvercin.core.course import Ask, Course
from guvercin.core.message import WaitsFor
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


@dataclass(slots=True)
class Ahead:
    """What is ahead of one sender's rows. `moments`: when each leaves, in order.

    `waits`: for how many milliseconds their next one waited for what, beyond the gap between two messages.
    """

    moments: list[int] = field(default_factory=list)
    waits: dict[WaitsFor, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Kind:
    """Rows that differ in their sender alone. `moment`: when the next of them may leave, or a moment before that."""

    ask: Ask
    crowds: list[int]
    moment: int = 0
    starts: int = 0
    word: WaitsFor = WaitsFor.DISTANCE

    def look(self, course: Course, now: int) -> None:
        self.starts = max(now, course.slot(self.ask)[0])
        parked = course.first_moment(self.ask, self.starts)
        self.moment, self.word = parked.until, parked.word


def look_ahead(course: Course, crowds: Sequence[Crowd], now: int) -> Mapping[int, Ahead]:
    """Answer by turn what is ahead of its rows. What doesn't leave within a year is left out.

    `course` is spent: hand in one of your own.
    """
    course.forget_plans()
    found = {crowd.ask.turn: Ahead() for crowd in crowds}
    kinds = _kinds(crowds)
    left = [crowd.count for crowd in crowds]
    served = [0] * len(crowds)
    at, sent_on = now, None
    for _ in range(sum(left)):
        moment, _, _, place, kind = _next(course, kinds, crowds, served, at)
        if moment > now + _FARTHEST:
            break
        crowd, at = crowds[place], moment
        ahead = found[crowd.ask.turn]
        if kind.moment > kind.starts:
            ahead.waits[kind.word] = ahead.waits.get(kind.word, 0) + kind.moment - kind.starts
        course.spend(kind.ask, at, _MEAN)
        if sent_on is not None and at // _DAY > sent_on and course.warm_days < WARM_AFTER:
            course.warm_days += 1  # a day on which something left is over
            for each in kinds:
                each.moment = 0
        sent_on = at // _DAY
        ahead.moments.append(at)
        left[place] -= 1
        served[place] += 1
        if not left[place]:
            kind.crowds.remove(place)
            kinds = [each for each in kinds if each.crowds]
    return found


def _kinds(crowds: Sequence[Crowd]) -> list[_Kind]:
    found: dict[Ask, _Kind] = {}
    for place, crowd in enumerate(crowds):
        ask = replace(crowd.ask, turn=0)
        if crowd.count:
            found.setdefault(ask, _Kind(ask, [])).crowds.append(place)
    return list(found.values())


def _next(
    course: Course, kinds: Sequence[_Kind], crowds: Sequence[Crowd], served: Sequence[int], at: int
) -> tuple[int, int, int, int, _Kind]:
    """Answer which row leaves next: when, whose, and of which kind.

    A send brings no other row forward. So a kind is looked at again only when its last known moment may be the first.
    """
    best: tuple[int, int, int, int, _Kind] | None = None
    for kind in sorted(kinds, key=_moment) if len(kinds) > 1 else kinds:
        if best is not None and kind.moment > best[0]:
            break
        kind.look(course, at)
        for place in kind.crowds:
            crowd = crowds[place]
            moment = max(kind.moment, crowd.starts_at)
            rank = (moment, -crowd.priority, served[place], place, kind)
            if best is None or rank[:4] < best[:4]:
                best = rank
    if best is None:
        raise ValueError("nothing waits")
    return best


def _moment(kind: _Kind) -> int:
    return kind.moment
