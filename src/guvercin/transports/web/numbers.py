"""What a linked phone is lent to remember numbers with: a transport keeps no database of ours."""

from datetime import timedelta
from typing import Protocol


class Numbers(Protocol):
    """Which numbers (E.164) are on WhatsApp, as far as is known. Every verb may raise GuvercinError: not now."""

    async def known(self, number: str) -> bool | None:
        """Answer what is known of a number; null: nothing."""
        ...

    async def ask(self, number: str) -> timedelta | None:
        """Take leave to ask about a number; answers how long to wait where none is given."""
        ...

    async def learn(self, number: str, *, is_registered: bool) -> None:
        """Keep an answer."""
        ...
