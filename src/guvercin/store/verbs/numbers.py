"""Whether numbers are on the network, and how often it was asked."""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol


class Checked(NamedTuple):
    """Whether a number was on the network when an account last heard of it."""

    is_registered: bool
    at: datetime


class Numbers(Protocol):
    """What the network said of numbers."""

    async def last_check(self, number: str) -> Checked | None:
        """Answer whether a number (E.164) was on the network when any account last heard of it; null: none has."""

    async def ask_number(
        self, account_id: int, number: str, *, now: datetime, most: int, within: timedelta
    ) -> datetime | None:
        """Count a question that is about to be put, and answer null; or when it may be, if `most` were put `within`."""

    async def learn_number(self, account_id: int, number: str, *, is_registered: bool, now: datetime) -> None:
        """Keep what the network said of a number."""
