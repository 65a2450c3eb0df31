"""Accounts and their lines."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.account import Account, Kind, Line, Manners, OnUnknown
from guvercin.core.pacing import Pace, Use


class Accounts(Protocol):
    """Accounts and their lines."""

    async def accounts(self) -> Sequence[Account]:
        """Answer every account, removed ones among them, by id."""

    async def add_account(self, name: str, kind: Kind, phone: str | None, pace: Pace, *, now: datetime) -> Account:
        """Add an account, wanted and connecting. It becomes the default only by set_default."""

    async def furnish(self, name: str, kind: Kind, phone: str | None, pace: Pace, *, now: datetime) -> None:
        """Add an account and make it the default, if there has never been one."""

    async def change_account(
        self,
        account_id: int,
        *,
        now: datetime,
        name: str | None = None,
        pace: Pace | None = None,
        on_unknown: OnUnknown | None = None,
    ) -> Account:
        """Change what the owner decides about an account. NOT_FOUND."""

    async def set_manners(self, account_id: int, manners: Manners, *, now: datetime) -> Account:
        """Change how people are treated. NOT_FOUND."""

    async def remove_account(self, account_id: int, *, now: datetime) -> None:
        """Remove an account with no unfinished rows (MESSAGES_WAITING); its log stays."""

    async def set_default(self, account_id: int, *, now: datetime) -> Account:
        """Make an account the one that messages without hesap_id take."""

    async def set_line(
        self, account_id: int, line: Line, *, now: datetime, is_enabled: bool | None = None, epoch: int = 0
    ) -> bool:
        """Write what was last heard of a line, and whether it is wanted; answers whether it was written.

        `epoch` is that of the account's lease: with one that is over nothing is written; 0: there are no leases.
        """

    async def link_account(self, account_id: int, phone: str, *, now: datetime) -> int:
        """Write which number (E.164) an account is. Answers how many waiting rows are held, because it was another."""

    async def use(self, account_id: int) -> Use:
        """Answer what an account has used of its pace."""
