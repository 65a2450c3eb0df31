"""Accounts, over SQL: what each verb promises stands in store/verbs/accounts.py."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from guvercin.core.account import Account, Kind, Line, Manners, OnUnknown
from guvercin.core.pacing import Pace, Use
from guvercin.store import accounts, leasing, upkeep
from guvercin.store.sql.database import Database
from guvercin.store.writer import Tx


class SqlAccounts(Database):
    """See guvercin.store.verbs.accounts.Accounts."""

    async def accounts(self) -> Sequence[Account]:
        return await self._read(accounts.every)

    async def add_account(self, name: str, kind: Kind, phone: str | None, pace: Pace, *, now: datetime) -> Account:
        return await self._writer.do(lambda tx: accounts.add(tx, name, kind, phone, pace, now=now))

    async def furnish(self, name: str, kind: Kind, phone: str | None, pace: Pace, *, now: datetime) -> None:
        if await self.accounts():
            return

        def work(tx: Tx) -> None:
            if not accounts.every(tx.connection):  # asked again: another gateway may begin at the same moment
                first = accounts.add(tx, name, kind, phone, pace, now=now)
                accounts.set_default(tx, first.id, now=now)

        await self._writer.do(work)

    async def change_account(
        self,
        account_id: int,
        *,
        now: datetime,
        name: str | None = None,
        pace: Pace | None = None,
        on_unknown: OnUnknown | None = None,
    ) -> Account:
        return await self._writer.do(
            lambda tx: accounts.change(tx, account_id, now=now, name=name, pace=pace, on_unknown=on_unknown)
        )

    async def set_manners(self, account_id: int, manners: Manners, *, now: datetime) -> Account:
        return await self._writer.do(lambda tx: accounts.set_manners(tx, account_id, manners, now=now))

    async def remove_account(self, account_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: accounts.remove(tx, account_id, now=now))

    async def set_default(self, account_id: int, *, now: datetime) -> Account:
        return await self._writer.do(lambda tx: accounts.set_default(tx, account_id, now=now))

    async def set_line(
        self, account_id: int, line: Line, *, now: datetime, is_enabled: bool | None = None, epoch: int = 0
    ) -> bool:
        def work(tx: Tx) -> bool:
            if not leasing.holds(tx, leasing.subject_of(account_id), epoch):
                return False
            accounts.set_line(tx, account_id, line, now=now, is_enabled=is_enabled)
            return True

        return await self._writer.do(work)

    async def link_account(self, account_id: int, phone: str, *, now: datetime) -> int:
        def work(tx: Tx) -> int:
            is_another = accounts.link(tx, account_id, phone, now=now)
            return upkeep.hold_account(tx, account_id, now=now) if is_another else 0

        return await self._writer.do(work)

    async def use(self, account_id: int) -> Use:
        return await self._read(partial(accounts.use, account_id=account_id))
