"""The course of an account under its rules: what it has used, what it has planned, and whether a row may leave.

Claims and forecasts run this same code: a forecast is a course that is run ahead of time.

Times are whole milliseconds of the account's own time line, which the wall clock's jumps don't move; `offset` is what
must be added to come to the wall. Only quiet hours ask the wall.

Laws
1. A limit holds over every window that slides across the sends: the send that is `most` back is older than the window.
2. A row that may not go is told the first moment at which it may, by everything that is known now. Bulk rows are told
   in their order, each behind the one before, so that each is parked once; one that comes back stands behind nobody.
3. Singles never look at plans: what bulk has planned stands in nobody's way.
4. A course is never changed by asking. `spend` and `plan` change a fork, which its owner keeps once it is durable.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, Lane, Track, WaitsFor
from guvercin.core.pacing import (
    ALL,
    DAY,
    EXISTING,
    GROUPS,
    HOUR,
    MONTH,
    NEW,
    SLOWED,
    WARNED,
    Gap,
    Limit,
    Pace,
    Rules,
    limits_of,
)

_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROUNDS = 1_000
"""Limits that may push one row on, one after another: more than any real course has."""

_MANY = 2_048
"""Moments of a group after which those that can't matter any more are dropped."""

NEVER = 1 << 60
"""A moment that nothing but a decision brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A row as its course sees it. `turn`: whose turn it takes; `unanswered`: when its recipient was written to.

    `is_back`: it was parked, and the moment that was planned for it has come.
    """

    lane: Lane
    track: Track
    turn: int = 0
    courtesy: Courtesy | None = None
    is_head: bool = False
    is_back: bool = False
    unanswered: Sequence[int] = ()
    last_at: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """What closes tracks for a while: wall-clock milliseconds, NEVER for one that only a decision opens."""

    new_until: int = 0
    slowed_until: int = 0
    warned_until: int = 0
    backs_off_until: int = 0


@dataclass(frozen=True, slots=True)
class Go:
    """It may leave now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Its gap or a pause is not over: everything of its lane waits with it, in line. `word` null: a plain gap."""

    until: int
    is_breather: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """It may not go before `until`; others may."""

    word: WaitsFor
    until: int

    @property
    def is_personal(self) -> bool:
        """Say whether it waits for the sake of its recipient: nobody else's moment follows from that."""
        return self.word is WaitsFor.RECIPIENT


Verdict: TypeAlias = Go | Wait | Park


def _no_moments() -> dict[str, list[int]]:
    return {ALL: [], EXISTING: [], NEW: []}


@dataclass(slots=True)
class Plans:
    """When parked rows of bulk will have their turn: moments by group, in order; and the last of them.

    There is a last one by track and by the hours that a row keeps: what may go at night waits for nothing that may not.
    A cursor also tells what its row waits for.
    """

    moments: dict[str, list[int]] = field(default_factory=_no_moments)
    cursors: dict[tuple[Track, Courtesy | None], tuple[int, WaitsFor]] = field(default_factory=dict)
    _owned: set[str] = field(default_factory=set)
    _merged: dict[str, list[int]] = field(default_factory=dict)
    _merged_at: int = 0

    def fork(self) -> "Plans":
        """Answer plans that may be added to without touching these."""
        return Plans(moments=dict(self.moments), cursors=dict(self.cursors))

    def over(self, sent: list[int], group: str, now: int) -> list[int]:
        """Answer the moments of a group, sent and planned: plans whose moment has come are nobody's any more."""
        if self._merged_at != now:
            self._merged.clear()
            self._merged_at = now
        merged = self._merged.get(group)
        if merged is None:
            planned = self.moments[group]
            merged = self._merged[group] = [*sent, *planned[bisect_right(planned, now) :]]
        return merged

    def add(self, ask: Ask, parked: "Park") -> None:
        """Note one more."""
        behind = (ask.track, ask.courtesy)
        self.cursors[behind] = max((parked.until, parked.word), self.cursors.get(behind, (0, parked.word)))
        for group in GROUPS[ask.track]:
            if group not in self._owned:
                self.moments[group] = [*self.moments[group]]
                self._owned.add(group)
            insort(self.moments[group], parked.until)
            if group in self._merged:
                insort(self._merged[group], parked.until)

    def sent_one(self) -> None:
        """Hear that something was sent."""
        self._merged.clear()

    def is_over(self, now: int) -> bool:
        """Say whether every moment has come."""
        return all(until <= now for until, _ in self.cursors.values())


@dataclass(slots=True)
class Course:
    """What one account has used of its rules. `sent`: moments by group, in order.

    `ahead`: the plans of rows that stand behind each other; `again`: of those whose moment had come and that had to
    wait once more, because singles took their place.
    """

    pace: Pace
    rules: Rules
    hours: Mapping[Courtesy, Hours]
    offset: int = 0
    sent: dict[str, list[int]] = field(default_factory=_no_moments)
    ahead: Plans = field(default_factory=Plans)
    again: Plans = field(default_factory=Plans)
    turns: frozenset[int] = frozenset()
    """Whose rows are parked behind the plans."""
    head_starts: tuple[int, ...] = ()
    last_at: int | None = None
    draw: float = 0.0
    bulk_run: int = 0
    rests_until: int = 0
    new_until: int = 0
    """Until when the gap after the last message to *yeni* lasts."""
    warm_days: int = 0
    closed: Closed = Closed()
    _limits: dict[tuple[int, bool, bool], Mapping[Track, tuple[Limit, ...]]] = field(default_factory=dict)
    _spans: dict[Courtesy, tuple[int, int, int]] = field(default_factory=dict)
    """Of the last question about quiet hours: its moment, and when it is open then or next. Wall-clock milliseconds."""

    def fork(self) -> "Course":
        """Answer a course that may be changed without touching this one."""
        return Course(
            pace=self.pace,
            rules=self.rules,
            hours=self.hours,
            offset=self.offset,
            sent={group: list(moments) for group, moments in self.sent.items()},
            ahead=self.ahead.fork(),
            again=self.again.fork(),
            turns=self.turns,
            head_starts=self.head_starts,
            last_at=self.last_at,
            draw=self.draw,
            bulk_run=self.bulk_run,
            rests_until=self.rests_until,
            new_until=self.new_until,
            warm_days=self.warm_days,
            closed=self.closed,
            _limits=self._limits,
            _spans=dict(self._spans),
        )

    # -- judging

    def judge(self, ask: Ask, now: int) -> Verdict:
        """Say whether a row may leave now; if not, why and from when on."""
        parked = self.first_moment(ask, now)
        if parked.until > now:
            return parked
        until, is_breather = self.slot(ask)
        return Wait(until, is_breather) if until > now else Go()

    def first_moment(self, ask: Ask, now: int) -> Park:
        """Answer from when on limits, closed lanes, its recipient and quiet hours let a row leave, and what asks last.

        `until` is `now` if nothing stands in its way.
        """
        plans = self._plans(ask)
        nobody = (0, WaitsFor.DISTANCE)
        behind, word = nobody if plans is None else plans.cursors.get((ask.track, ask.courtesy), nobody)
        if behind > now and not (ask.is_back and self._may_go(ask, now)):
            gap = self.rules.new.most if ask.track is Track.NEW else self.gap_of(ask).mean
            return self._pushed_on(ask, behind + gap // _MS, now, word)
        return self._pushed_on(ask, now, now, WaitsFor.DISTANCE)

    def _may_go(self, ask: Ask, now: int) -> bool:
        return all(then <= now for then, _ in self._obstacles(ask, now, now))

    def _pushed_on(self, ask: Ask, at: int, now: int, word: WaitsFor) -> Park:
        """Answer the first moment from `at` on at which nothing stands in the way, and what stood there last."""
        for _ in range(_ROUNDS):
            before = at
            for then, asks in self._obstacles(ask, before, now):
                if then > at:
                    at, word = then, asks
            if at == before:
                break
        return Park(word, at)

    def _obstacles(self, ask: Ask, at: int, now: int) -> Iterator[tuple[int, WaitsFor]]:
        if ask.courtesy is not None:
            yield self._opens(ask.courtesy, at), WaitsFor.QUIET_HOURS
        if ask.track is Track.NEW:
            yield _since(self.closed.new_until, self.offset), WaitsFor.NEW_CLOSED
            yield self.new_until, WaitsFor.DISTANCE
        is_bulk, plans = ask.lane is Lane.BULK, self._plans(ask)
        for limit in self.limits_at(at)[ask.track]:
            moments = self.sent[limit.group]
            if plans is not None and plans.cursors:
                moments = plans.over(moments, limit.group, now)
            yield room_at(moments, limit, at, is_bulk=is_bulk), limit.word
        if ask.last_at is not None or ask.unanswered:
            for then in self._recipient(ask):
                yield then, WaitsFor.RECIPIENT

    def limits_at(self, at: int) -> Mapping[Track, tuple[Limit, ...]]:
        """Answer the limits that each track keeps at a moment."""
        key = (self.warm_days, self._is_slowed(at), self._is_warned(at))
        if key not in self._limits:
            self._limits[key] = limits_of(self.rules, self.warm_days, is_slowed=key[1], is_warned=key[2])
        return self._limits[key]

    def _recipient(self, ask: Ask) -> list[int]:
        rules, found = self.rules, []
        if rules.recipient_gap is not None and ask.last_at is not None:
            found.append(ask.last_at + rules.recipient_gap // _MS)
        for most, window in ((rules.unanswered_daily, DAY), (rules.unanswered_monthly, MONTH)):
            if most is not None and len(ask.unanswered) >= most:
                found.append(ask.unanswered[-most] + window // _MS)
        return found

    def _opens(self, courtesy: Courtesy, at: int) -> int:
        if not self.rules.keeps_quiet:
            return at
        wall = at + self.offset
        asked, opens, closes = self._spans.get(courtesy, (1, 0, 0))
        if not asked <= wall < closes:
            span = self.hours[courtesy].open_span(_EPOCH + _MS * wall)
            if span is None:
                return at
            # A moment between two milliseconds opens with the later one.
            opens, closes = (-((_EPOCH - moment) // _MS) for moment in span)
            self._spans[courtesy] = wall, opens, closes
        return max(at, opens - self.offset)

    def slot(self, ask: Ask) -> tuple[int, bool]:
        """Answer when the gap before a row is over, and whether it is a pause that it waits for."""
        if self.last_at is None:
            return 0, False
        gap = self.gap_of(ask).at(self.draw) // _MS
        over = self.last_at + (gap * SLOWED if self._is_slowed(self.last_at) else gap)
        over = max(over, _since(self.closed.backs_off_until, self.offset))
        if ask.lane is Lane.BULK and self.rests_until > over:
            return self.rests_until, True
        return over, False

    def gap_of(self, ask: Ask) -> Gap:
        """Answer the gap that a row keeps from the send before it."""
        if ask.lane is Lane.SINGLE or self._starts_ahead(ask):
            return self.pace.gaps[Lane.SINGLE]
        return self.rules.known if ask.track is Track.KNOWN else self.pace.gaps[Lane.BULK]

    def _starts_ahead(self, ask: Ask) -> bool:
        """Say whether a row is one of the first of its batch, and there weren't too many such within the hour."""
        if not ask.is_head or self.last_at is None:
            return ask.is_head
        most, hour = self.rules.head_starts_hourly, HOUR // _MS
        return len(self.head_starts) < most or self.head_starts[-most] + hour <= self.last_at

    def _is_slowed(self, at: int) -> bool:
        return at + self.offset < self.closed.slowed_until

    def _is_warned(self, at: int) -> bool:
        return at + self.offset < self.closed.warned_until

    def _plans(self, ask: Ask) -> Plans | None:
        """Answer the plans that a row stands behind; null for a single."""
        if ask.lane is Lane.SINGLE:
            return None
        return self.again if ask.is_back else self.ahead

    # -- changing a fork

    def spend(self, ask: Ask, now: int, draw: float) -> None:
        """Count a send."""
        if ask.lane is Lane.BULK:
            if self._starts_ahead(ask):
                self.head_starts = (*self.head_starts[-self.rules.head_starts_hourly :], now)
            self.bulk_run += 1
            every = self.rules.breather_after
            if every is not None and self.bulk_run >= every:
                self.bulk_run, self.rests_until = 0, now + self.rules.breather.at(draw) // _MS
        if ask.track is Track.NEW:
            stretch = (SLOWED if self._is_slowed(now) else 1) * (WARNED if self._is_warned(now) else 1)
            self.new_until = now + self.rules.new.at(draw) // _MS * stretch
        for group in GROUPS[ask.track]:
            moments = self.sent[group]
            insort(moments, now)
            if len(moments) > _MANY:
                del moments[: -most_kept(self.rules, group)]
        self.ahead.sent_one()
        self.again.sent_one()
        self.last_at, self.draw = now, draw

    def left_late(self, now: int) -> None:
        """Let the gap count from now: the last send left as late as this, though it was claimed before."""
        self.last_at = now

    def plan(self, ask: Ask, parked: Park) -> None:
        """Note when a row that was parked will have its turn. A single's plan is nobody else's business.

        Neither is that of a row that waits for the sake of its recipient: a list would stand still behind one person.
        """
        plans = self._plans(ask)
        if plans is not None and not parked.is_personal:
            self.turns |= {ask.turn}
            plans.add(ask, parked)

    def forget_plans(self) -> None:
        """Plan everything anew, for the same turns."""
        self.ahead, self.again = Plans(), Plans()


def room_at(moments: Sequence[int], limit: Limit, at: int, *, is_bulk: bool) -> int:
    """Answer the first moment from `at` on at which a window has room for one more."""
    most = limit.shared if is_bulk else limit.most
    place = bisect_right(moments, at)
    return max(at, moments[place - most] + limit.window) if place >= most else at


def most_kept(rules: Rules, group: str) -> int:
    """Answer how many moments of a group can matter."""
    caps = [caps for caps in (rules.hourly, rules.daily) if caps is not None]
    found = [getattr(each, group) for each in caps]
    if group == NEW and rules.monthly_new is not None:
        found.append(rules.monthly_new)
    return max(found, default=0) or 1


def _since(wall: int, offset: int) -> int:
    return wall if wall in {0, NEVER} else wall - offset
