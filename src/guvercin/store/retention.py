"""What ends because its time is over, a small part at a time, so that everybody else has turns between.

Functions of a transaction; gateway/retention.py decides when and how much.

Laws
1. What may still leave, or may have left, is never touched: only finished messages end.
2. What the law wants kept stays as it is.
3. Whatever a part destroys is added to the log of destructions in the same change.
4. The newest event stays, however old: by it a restored copy is told from the present.
"""

from datetime import datetime

import orjson
from sqlalchemy import Connection

from guvercin.core.rights import Cause, Destruction
from guvercin.store.hand import by_hand
from guvercin.store.rights import HAS_INBOX
from guvercin.store.statements import retention as sql
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx

SPAN = 500
"""Ids that one part looks through: a few milliseconds."""


def begin(tx: Tx, *, now: datetime) -> int:
    """Begin the night's destruction in the log, or go on with one that a stop has cut short; answers its id."""
    row = tx.execute("SELECT id FROM destruction WHERE cause = ? AND ended_at IS NULL", (Cause.NIGHT.value,)).fetchone()
    if row is not None:
        return int(row[0])
    made = tx.execute(
        "INSERT INTO destruction (began_at, cause, texts, records, files, others) VALUES (?, ?, 0, 0, 0, 0)",
        (to_ms(now), Cause.NIGHT.value),
    )
    return int(made.lastrowid)


def end(tx: Tx, destruction_id: int, *, now: datetime) -> None:
    """Write that a destruction is over, and drop the marks of hours that have no message any more."""
    tx.execute(sql.DROP_MARKS)
    tx.execute("UPDATE destruction SET ended_at = ? WHERE id = ?", (to_ms(now), destruction_id))


def last(connection: Connection) -> Destruction | None:
    """Answer the newest destruction of a night."""
    row = (
        by_hand(connection)
        .execute(
            "SELECT id, began_at, ended_at, texts, records, files, others FROM destruction WHERE cause = ? "
            "ORDER BY id DESC LIMIT 1",
            (Cause.NIGHT.value,),
        )
        .fetchone()
    )
    if row is None:
        return None
    return Destruction(
        id=row[0],
        began_at=from_ms(row[1]),
        ended_at=from_ms(row[2]),
        cause=Cause.NIGHT,
        texts=row[3],
        records=row[4],
        files=row[5],
        others=row[6],
    )


def empty(tx: Tx, destruction_id: int, *, above: int, before: datetime) -> int | None:
    """Take the content of some finished messages; answers up to which id this has come, null at the end."""
    ids, upto = _some(tx, sql.WITH_CONTENT, above, before)
    if HAS_INBOX and (read := tx.execute(sql.EMPTY_INBOX, (to_ms(before), SPAN)).rowcount):
        tx.execute("UPDATE destruction SET texts = texts + ? WHERE id = ?", (read, destruction_id))
        upto = above if upto is None else upto  # it may have more
    if ids:
        for statement in sql.EMPTY:
            tx.execute(statement, (orjson.dumps(ids).decode(),))
        tx.execute("UPDATE destruction SET texts = texts + ? WHERE id = ?", (len(ids), destruction_id))
    return upto


def remove(tx: Tx, destruction_id: int, *, above: int, before: datetime) -> int | None:
    """Remove some finished messages with everything that names them; answers as `empty`."""
    ids, upto = _some(tx, sql.OLD, above, before)
    if ids:
        for statement in sql.REMOVE:
            tx.execute(statement, (orjson.dumps(ids).decode(),))
        tx.execute("UPDATE destruction SET records = records + ? WHERE id = ?", (len(ids), destruction_id))
    return upto


def _some(tx: Tx, statement: str, above: int, before: datetime) -> tuple[list[int], int | None]:
    """Answer the ids of one part, and up to which id it has looked; null: there is nothing behind."""
    end_id = int(tx.execute(sql.END_OF, (to_ms(before),)).fetchone()[0])
    upto = min(above + SPAN, end_id)
    ids = [row[0] for row in tx.execute(statement, (above, upto, to_ms(before))).fetchall()]
    return ids, None if upto >= end_id else upto


def remove_beside(tx: Tx, destruction_id: int, *, before: datetime) -> bool:
    """Remove some other rows whose year is over; says whether there may be more."""
    gone: int = 0
    events = [row[0] for row in tx.execute(sql.OLD_EVENTS, (to_ms(before), SPAN)).fetchall()]
    listed = orjson.dumps(events).decode()
    tx.execute(sql.DROP_DELIVERIES, (listed,))
    gone += tx.execute(sql.DROP_EVENTS, (listed,)).rowcount
    for statement in (*sql.BESIDE, *((sql.CLEAR_INBOX,) if HAS_INBOX else ())):
        gone += tx.execute(statement, (to_ms(before), SPAN)).rowcount
    if gone:
        tx.execute("UPDATE destruction SET others = others + ? WHERE id = ?", (gone, destruction_id))
    return gone > 0
