"""The owner's categories."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.category import Category


class Categories(Protocol):
    """The owner's own categories, and the presets that the owner has changed."""

    async def kept_categories(self) -> Sequence[Category]:
        """Answer the owner's own categories and the presets that the owner has changed, by id."""

    async def keep_category(self, category: Category, *, now: datetime) -> None:
        """Write a category of the owner's own, or a changed preset, in the place of what was kept under its id.

        INVALID_FIELD: its code is that of another one.
        """

    async def drop_category(self, category_id: int, *, now: datetime) -> bool:
        """Forget what is kept under an id; says whether anything was."""
