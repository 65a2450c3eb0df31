"""From categories to their answers."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType

from guvercin.api.answers.categories import CategoryAnswer, CategoryList, CategoryRow
from guvercin.api.wire.categories import LEVELS, Urgency
from guvercin.core.category import Category
from guvercin.core.message import Level

_URGENCY: Mapping[Level, Urgency] = MappingProxyType({level: word for word, level in LEVELS.items()})


def category_list(categories: Iterable[Category]) -> CategoryList:
    """Answer the categories."""
    return CategoryList(ok=True, data=[_category(each) for each in categories])


def category_answer(category: Category) -> CategoryAnswer:
    """Answer one category."""
    return CategoryAnswer(ok=True, data=_category(category))


def _category(category: Category) -> CategoryRow:
    return CategoryRow(
        id=category.id,
        code=category.code,
        name=category.name,
        is_commercial=category.is_commercial,
        keeps_quiet_hours=category.keeps_quiet_hours,
        lifetime_minutes=category.lifetime // timedelta(minutes=1),
        level=_URGENCY[category.level],
    )
