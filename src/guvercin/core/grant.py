"""What a network grants a number: how many messages a second, how often to one person, to how many people a day.

The pace is what the owner wants of an account; the grant is what the network takes from it. Both hold.

Laws
1. To one person: `burst` at once, then one every `refill`, over any stretch of time.
2. Never more than `people` different people within any DAY, of those who have not written to us within one: who writes
   first is free. Who was counted and is written to again counts anew, not twice.
3. What is counted follows from the log, so that no restart gives anything back. In doubt it counts.
4. Who has no room yet stands behind those who wait already: each is told a place of its own.
"""

from bisect import bisect_right, insort
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from itertools import islice

DAY = timedelta(hours=24) // timedelta(milliseconds=1)
"""In milliseconds, like every moment here."""

PAIR_REFILL = timedelta(seconds=6)
PAIR_BURST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a number may do. `people` null: as many as it likes; `pool` names what shares that figure with it."""

    per_second: int
    people: int | None = None
    pool: str = ""
    burst: int = PAIR_BURST
    refill: timedelta = PAIR_REFILL

    @property
    def least_gap(self) -> timedelta:
        """Answer the least space between two messages."""
        return timedelta(seconds=1) / self.per_second


class Held(Enum):
    """Why a message may not go yet."""

    BY_PAIR = auto()
    BY_PEOPLE = auto()


class People:
    """The people that a pool of numbers wrote to first, by the moment of the last time, oldest first."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()
        self._waiting: list[int] = []
        """When each message that waits for a place has it, in order."""

    def count(self, person: str, at: int) -> None:
        """Count a person, from `at` on for a day. Moments come in order."""
        self._last[person] = at
        self._last.move_to_end(person)
        self._forget(at)

    def uncount(self, person: str) -> None:
        """Hear that the last message to a person has not left after all."""
        self._last.pop(person, None)

    def room_at(self, person: str, most: int, now: int) -> int:
        """Answer the first moment at which one more may be written to, behind those who wait already."""
        self._forget(now)
        if person in self._last:
            return now
        too_many = len(self._last) + len(self._waiting) + 1 - most
        if too_many <= 0:
            return now
        if too_many > len(self._last):  # each place that comes free is taken already
            return now + DAY
        return next(islice(self._last.values(), too_many - 1, None)) + DAY

    def wait(self, until: int) -> None:
        """Hear that a message waits for its place."""
        insort(self._waiting, until)

    def _forget(self, now: int) -> None:
        while self._last and next(iter(self._last.values())) <= now - DAY:
            self._last.popitem(last=False)
        del self._waiting[: bisect_right(self._waiting, now)]


class Allowance:
    """What one number has left of its grant. `people` is shared by the numbers of its pool."""

    def __init__(self, grant: Grant, people: People) -> None:
        self.grant = grant
        self.ahead = 0
        """Milliseconds by which the wall clock is ahead of this allowance's time, which its jumps don't move."""
        self._people = people
        self._full_at: dict[str, int] = {}
        """When a person's allowance will be whole again."""

    @property
    def matters_for(self) -> int:
        """Answer how far back sends matter, in milliseconds."""
        return DAY if self.grant.people is not None else self.grant.burst * self._refill

    def opens_at(self, person: str, now: int, *, is_first: bool) -> tuple[int, Held | None]:
        """Answer from when on a message may go, and what holds it until then.

        `is_first`: the person has not written to us within a day.
        """
        pair_at = self._full_at.get(person, 0) - (self.grant.burst - 1) * self._refill
        if pair_at > now:
            return pair_at, Held.BY_PAIR
        if is_first and self.grant.people is not None:
            room_at = self._people.room_at(person, self.grant.people, now)
            if room_at > now:
                return room_at, Held.BY_PEOPLE
        return now, None

    def wait(self, until: int) -> None:
        """Hear that a message waits for room among people."""
        self._people.wait(until)

    def spend(self, person: str, at: int, *, is_first: bool) -> None:
        """Count a message that leaves."""
        if len(self._full_at) > _MANY:
            self._full_at = {each: full_at for each, full_at in self._full_at.items() if full_at > at}
        self._full_at[person] = max(at, self._full_at.get(person, 0)) + self._refill
        if is_first:
            self._people.count(person, at)

    def give_back(self, person: str) -> None:
        """Hear that a message has not left: one more person may be written to. The pair's wait stays."""
        self._people.uncount(person)

    @property
    def _refill(self) -> int:
        return self.grant.refill // timedelta(milliseconds=1)


_MANY = 10_000
"""People whose allowance is looked through for whole ones, which need not be remembered."""
