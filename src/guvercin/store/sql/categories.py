"""Categories, over SQL: what each verb promises stands in store/verbs/categories.py."""

from collections.abc import Sequence
from datetime import datetime

from guvercin.core.category import Category
from guvercin.store import categories
from guvercin.store.sql.database import Database


class SqlCategories(Database):
    """See guvercin.store.verbs.categories.Categories."""

    async def kept_categories(self) -> Sequence[Category]:
        return await self._read(categories.kept)

    async def keep_category(self, category: Category, *, now: datetime) -> None:
        await self._writer.do(lambda tx: categories.keep(tx, category, now=now))

    async def drop_category(self, category_id: int, *, now: datetime) -> bool:
        return await self._writer.do(lambda tx: categories.drop(tx, category_id, now=now))
