"""The rules of an account: what it has used of them, and what waits for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guvercin.core.course import Closed, Course
from guvercin.core.message import Courtesy, Lane, Track, WaitsFor
from guvercin.core.restriction import Restriction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What is durable of an account's course. Times are milliseconds of its own line, but those of `plans` (the wall).

    `uses`: track, the last moment of a minute, and how many were sent in it. `plans`: the rows of bulk that are parked.
    """

    steady_ms: int
    last_ms: int | None
    draw: float
    bulk_run: int
    rests_until: int
    new_until: int
    head_starts: tuple[int, ...]
    warm_days: int
    uses: Sequence[tuple[Track, int, int]]
    plans: Sequence[tuple[Track, Courtesy | None, WaitsFor, int, int]]
    closed: Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Rows that wait in an account and that its rules see alike. `starts_at`: when the last planned one is due."""

    turn: int
    lane: Lane
    priority: int
    courtesy: Courtesy | None
    track: Track
    count: int
    starts_at: datetime | None


class Pacing(Protocol):
    """What an account has used of its rules, and what waits for them."""

    async def ledger(self, account_id: int, *, now: datetime) -> Ledger:
        """Answer what an account has used of its rules."""

    async def backlog(self, account_id: int, *, now: datetime) -> Sequence[Waiting]:
        """Answer what waits in an account, counted by how its rules see it; paused and held rows don't."""

    async def tracks_of(
        self, account_id: int, numbers: Sequence[str], *, is_of_customers: bool, now: datetime
    ) -> Mapping[Track, int]:
        """Answer what the people of a list are to an account."""

    async def restrictions(self, account_id: int) -> Sequence[Restriction]:
        """Answer what WhatsApp has closed for an account."""

    async def judge_again(self, account_id: int, course: Course, *, now: datetime, limit: int) -> int:
        """Put rows that their pace has parked back in line, to be judged by what is known now; answers how many."""

    async def left_late(self, message_ids: Sequence[int], steady: int) -> None:
        """Write that messages left at `steady`, later than their claim: the next to each person counts from then."""

    async def keep_time(self, account_id: int, steady: int, *, now: datetime) -> None:
        """Write that the wall clock was moved: which moment of it an account's own time is tied to now."""
