"""The days' counts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from guvercin.core.tally import DayCount, HourCount


class Tally(Protocol):
    """How many messages of which day and hour stand where."""

    async def count_day(self, day: date, since: datetime, until: datetime) -> Sequence[DayCount]:
        """Count the messages accepted from `since` until before `until`, which are a day's bounds."""

    async def keep_counts(self, day: date, counts: Sequence[DayCount], *, epoch: int = 0) -> None:
        """Replace a day's counts, unless the duty is another gateway's by now.

        `epoch` is that of the duty's lease; 0: there are no leases.
        """

    async def mark_counted(self, cursor: int) -> None:
        """Write up to which event every count is right."""

    async def counted_to(self) -> int | None:
        """Answer up to which event the counts are right; null: nothing was counted yet."""

    async def touched(self, cursor: int, *, limit: int) -> tuple[int, Sequence[datetime]]:
        """Answer how far events above `cursor` were read, and when the messages of those were accepted."""

    async def first_message_at(self) -> datetime | None:
        """Answer the hour of the first message."""

    async def counts_between(self, first: date, last: date, *, monthly: bool = False) -> Sequence[DayCount]:
        """Answer the counts of the days from `first` to `last`; `monthly`: a month's together, as of its first day."""

    async def count_hours(self, since: datetime, until: datetime) -> Sequence[HourCount]:
        """Count the messages of each hour from `since` on."""

    async def reads_by_hour(self, since: datetime, *, most: int) -> Mapping[datetime, int]:
        """Answer how many messages were read in each hour since, among the newest `most` that were accepted since."""
