"""The categories that the owner keeps, as functions of a connection or a transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert

from guvercin.core.category import Category, with_kept
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Level
from guvercin.store.hand import by_hand
from guvercin.store.tables.categories import category
from guvercin.store.times import MILLISECOND, to_ms
from guvercin.store.writer import Tx

_KEPT = "SELECT id, code, name, is_commercial, keeps_quiet_hours, lifetime, level FROM category ORDER BY id"
"""By hand: every request asks this."""


def kept(connection: Connection) -> Sequence[Category]:
    """Answer the owner's own categories and the changed presets, by id."""
    raw = by_hand(connection)
    return tuple(
        Category(
            id=row[0],
            code=row[1],
            name=row[2],
            is_commercial=bool(row[3]),
            keeps_quiet_hours=bool(row[4]),
            lifetime=row[5] * MILLISECOND,
            level=Level(row[6]),
        )
        for row in raw.execute(_KEPT).fetchall()
    )


def keep(tx: Tx, given: Category, *, now: datetime) -> None:
    """Write a category, in the place of what was kept under its id. INVALID_FIELD: its code is another one's."""
    known = with_kept(kept(tx.connection))
    if any(given.code == other.code for other in known.values() if other.id != given.id):
        raise GuvercinError(Code.INVALID_FIELD, faults=(FieldFault("code", "kullanimda"),))
    tx.connection.execute(delete(category).where(category.c.id == given.id))
    tx.connection.execute(
        insert(category).values(
            id=given.id,
            code=given.code,
            name=given.name,
            is_commercial=given.is_commercial,
            keeps_quiet_hours=given.keeps_quiet_hours,
            lifetime=given.lifetime // MILLISECOND,
            level=given.level.value,
        )
    )
    tx.record(to_ms(now), EventKind.CATEGORY_CHANGED, detail={"tur_id": given.id, "ne": "degistirildi"})


def drop(tx: Tx, category_id: int, *, now: datetime) -> bool:
    """Forget what is kept under an id; says whether anything was."""
    is_gone = tx.connection.execute(delete(category).where(category.c.id == category_id)).rowcount == 1
    if is_gone:
        tx.record(to_ms(now), EventKind.CATEGORY_CHANGED, detail={"tur_id": category_id, "ne": "birakildi"})
    return is_gone
