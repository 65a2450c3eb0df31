"""Until when a worker may use the sessions that it holds: whoever lent them to it may be frozen, or cut off.

A gateway holds an account by a lease, and its worker by what the gateway says over the pipe. A gateway that is stopped
in mid-air says nothing more, and its pipe stays open: so it says beforehand until when. The moment is one of the
machine's monotonic clock, which all of its processes share (PEP 418, CLOCK_MONOTONIC), and not a duration: what lay in
the pipe while everybody was frozen prolongs nothing.

Laws
1. Nothing is prolonged by itself: without a word the time runs out.
2. When the time of one account is over the whole process ends, for nothing less ends for certain what the engine has
   in hand. The leases of a gateway run out together.
3. `look` is asked right before what can't be undone, and doesn't return once the time is over.
"""

from collections.abc import Callable
from math import inf
from threading import Condition


class Deadline:
    """The accounts of a worker, and until when each may be used. For all threads of the process."""

    def __init__(self, monotonic: Callable[[], float], end: Callable[[], None]) -> None:
        """Take the clock, and what ends the process."""
        self._monotonic = monotonic
        self._end = end
        self._until: dict[str, float] = {}
        self._has_changed = Condition()

    def set(self, seat: str, until: float | None) -> None:
        """Let an account be used until a moment of the clock; null: for as long as the process lives."""
        with self._has_changed:
            if until is None:
                self._until.pop(seat, None)
            else:
                self._until[seat] = until
            self._has_changed.notify_all()

    def prolong(self, seat: str, until: float) -> None:
        """Move the end of an account's time; one that is not used here any more has none."""
        with self._has_changed:
            if seat in self._until:
                self._until[seat] = until
                self._has_changed.notify_all()

    def look(self) -> None:
        """End the process if the time of an account is over."""
        with self._has_changed:
            is_over = self._left() <= 0
        if is_over:
            self._end()

    def keep(self) -> None:
        """Wait until the time of an account is over, then end the process. Runs in a thread of its own."""
        with self._has_changed:
            while (left := self._left()) > 0:
                self._has_changed.wait(None if left == inf else left)
        self._end()

    def _left(self) -> float:
        return min(self._until.values(), default=inf) - self._monotonic()
