"""The pace of an account: when may it send this message.

Laws
1. A slot depends on the pace, on durable use, and on nothing else: a restart never resets it.
2. The chance in a gap is drawn once, when a send is claimed, and stored with it: asking twice answers the same.
3. The gap belongs to the message that follows: a single keeps the short gap, a bulk row the long one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from guvercin.core.message import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The space before a send, drawn evenly between `least` and `most`."""

    least: timedelta
    most: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.least <= self.most:
            raise ValueError("a gap needs 0 <= least <= most")

    def at(self, draw: float) -> timedelta:
        """Answer the gap for a draw in [0, 1)."""
        return self.least + (self.most - self.least) * draw

    @property
    def mean(self) -> timedelta:
        """Answer the gap that forecasts count with."""
        return self.at(0.5)


def _even(seconds: float) -> Gap:
    return Gap(least=timedelta(seconds=seconds), most=timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The spacing policy of one account: a gap for every lane."""

    gaps: Mapping[Lane, Gap] = field(default_factory=lambda: MappingProxyType({lane: _even(0.2) for lane in Lane}))

    def longest_gap(self) -> timedelta:
        """Answer the longest gap that this pace can draw: no wait of a gap can be longer."""
        return max(gap.most for gap in self.gaps.values())


SANDBOX_PACE = Pace()
"""0.2 s between any two sends: quick to try, slow enough to watch."""


WEB_PACE = Pace(
    gaps=MappingProxyType(
        {
            Lane.SINGLE: Gap(least=timedelta(seconds=3), most=timedelta(seconds=6)),
            Lane.BULK: Gap(least=timedelta(seconds=12), most=timedelta(seconds=25)),
        },
    ),
)
"""What a linked phone begins with: the pace of somebody who types, not of a machine."""


CLOUD_PACE = Pace(gaps=MappingProxyType({lane: _even(0) for lane in Lane}))
"""No gap of our own: a number goes as fast as Meta grants it this moment (core/grant.py)."""


@dataclass(frozen=True, slots=True)
class Use:
    """What an account has used of its pace: the last claim and the chance drawn for the gap after it. Durable."""

    last_at: datetime | None = None
    draw: float = 0.0


def next_slot(pace: Pace, use: Use, lane: Lane) -> datetime | None:
    """Answer the first moment at which a message of `lane` may leave; null means at once."""
    if use.last_at is None:
        return None
    return use.last_at + pace.gaps[lane].at(use.draw)


def time_to_send(pace: Pace, waiting: Mapping[Lane, int]) -> timedelta:
    """Estimate how long the waiting messages take: what is left × the mean gap of its lane."""
    return sum((pace.gaps[lane].mean * count for lane, count in waiting.items()), timedelta(0))
