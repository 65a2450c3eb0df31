"""Upkeep: waits and lifetimes that end, doubts, and what a crash or a restored copy left behind."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guvercin.core.event import Standing
from guvercin.core.outcome import Accepted, NeverLeft


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What there is to do for upkeep: waits that are over, lifetimes, batches being cancelled, doubts."""

    waits: bool
    lifetimes: bool
    cancelled: bool
    doubts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A message in doubt and its last attempt."""

    message_id: int
    account_id: int
    recipient: str
    attempt_id: int
    secret: bytes
    started_at: datetime


class Upkeep(Protocol):
    """What has to be looked after from time to time."""

    async def what_is_due(self, *, now: datetime) -> Due:
        """Answer what there is to do for upkeep: a read, so that an idle gateway writes nothing."""

    async def release_due(self, *, now: datetime, limit: int) -> int:
        """Put rows whose wait is over back in line; answers how many."""

    async def expire(self, *, now: datetime, limit: int) -> int:
        """Fail queued rows whose lifetime is over; answers how many."""

    async def check_deliveries(self, *, now: datetime) -> int:
        """Pause batches under rules of which too little arrives; answers how many."""

    async def recover(self, *, now: datetime, limit: int, accounts: Collection[int] | None = None) -> int:
        """Turn rows that a crash left in hand into UNKNOWN; answers how many. `accounts` null: of all of them."""

    async def in_doubt(self, *, now: datetime, limit: int, accounts: Collection[int] | None = None) -> Sequence[Doubt]:
        """Answer rows in doubt whose time to be looked into has come. `accounts` null: of all of them."""

    async def conclude(self, doubt: Doubt, evidence: Accepted | NeverLeft, *, now: datetime) -> Standing:
        """Settle a row in doubt by evidence."""

    async def look_again(self, message_id: int, at: datetime | None) -> None:
        """Set when a row in doubt is looked into again; null: never by itself."""

    async def look_now(self, account_id: int, *, now: datetime) -> None:
        """Let every row in doubt of an account be looked into at once: something new may be known of them."""

    async def hold_unfinished(self, *, now: datetime) -> int:
        """Hold everything unfinished of a restored copy; answers how many rows."""

    async def is_older_copy(self) -> bool:
        """Say whether this database ends before what its data folder has seen: somebody restored a copy."""

    async def forget(self, *, now: datetime) -> None:
        """Drop what has served its time: early receipts (24 h), keys (7 days), uploads that nobody used (7 days).

        And bulk requests that were not made (24 h), and answers about numbers (30 days).
        """
