"""What is known of numbers, over SQL: what each verb promises stands in store/verbs/numbers.py."""

from datetime import datetime, timedelta
from functools import partial

from guvercin.store import numbers
from guvercin.store.sql.database import Database
from guvercin.store.verbs.numbers import Checked


class SqlNumbers(Database):
    """See guvercin.store.verbs.numbers.Numbers."""

    async def last_check(self, number: str) -> Checked | None:
        return await self._read(partial(numbers.last_check, number=number))

    async def ask_number(
        self, account_id: int, number: str, *, now: datetime, most: int, within: timedelta
    ) -> datetime | None:
        return await self._writer.do(lambda tx: numbers.ask(tx, account_id, number, now=now, most=most, within=within))

    async def learn_number(self, account_id: int, number: str, *, is_registered: bool, now: datetime) -> None:
        await self._writer.do(lambda tx: numbers.learn(tx, account_id, number, is_registered=is_registered, now=now))
