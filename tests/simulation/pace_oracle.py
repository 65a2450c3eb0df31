"""The rules of an account's pace: what the oracle demands of the hand-overs that its phone has seen.

Limits are counted here over every window that ends with a hand-over, and the hours stand here once more.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.simulation.ledger import Ledger, Limits
from tests.simulation.promises import Broken
from tests.simulation.whatsapp import Handed

_QUIET = {2, 5, 7, 9}
"""Categories that keep quiet hours."""

_OPEN: Mapping[int, tuple[time, time]] = {
    **dict.fromkeys(range(5), (time(9), time(20))),
    5: (time(10), time(18)),
}
"""By day of the week, Monday first; Sundays are quiet. The days that are played have no holiday among them."""

_ISTANBUL = ZoneInfo("Europe/Istanbul")
_MOMENT = timedelta(seconds=1)
_ROUNDING = 0.01
"""Seconds: the store counts in whole milliseconds."""


class PaceOracle:
    """Judges one account's hand-overs, one after the other."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._hands: list[Handed] = []
        self._last_to: dict[str, Handed] = {}

    def see(self, hand: Handed, category: int) -> None:
        """Judge a hand-over by those before it."""
        self._hands.append(hand)
        for word, most, window in (("hour", self._limits.hourly, 3_600), ("day", self._limits.daily, 86_400)):
            first = self._hands[-most - 1] if len(self._hands) > most else None
            if first is not None and hand.moment - first.moment < window - _ROUNDING and not self._is_lost(first, hand):
                raise Broken("PACE", f"{hand.message.message_id} is one more than {most} within one {word}")
        before = self._last_to.get(hand.message.recipient)
        is_soon = before is not None and hand.moment - before.moment < self._limits.recipient_gap - _ROUNDING
        if is_soon and before is not None and not self._is_lost(before, hand):
            raise Broken("PACE", f"{hand.message.message_id} comes too soon after {before.message.message_id}")
        self._last_to[hand.message.recipient] = hand
        if category in _QUIET and not hand.is_after_jump and not _is_open(hand.wall):
            raise Broken("QUIET", f"{hand.message.message_id} of category {category} left at {hand.wall}")

    def _is_lost(self, first: Handed, last: Handed) -> bool:
        """Say whether nobody can know how much time went by: a clock was set forward while no process ran."""
        return first.life != last.life and any(
            first.moment <= jump <= last.moment for jump in self._ledger.forward_jumps
        )


def _is_open(wall: datetime) -> bool:
    local = wall.astimezone(_ISTANBUL)
    span = _OPEN.get(local.weekday())
    return span is not None and span[0] <= local.time() and (local - _MOMENT).time() < span[1]
