"""What an owner decides about a batch as a whole. Functions of a transaction.

Laws
1. A batch that is paused gives nothing to the dispatcher: rows that come back in line are kept out one by one, where
   they come back (messages.back_in_line), and what is in hand finishes.
2. A cancel is durable before the first of its rows: a crash on the way finds the rest still out of line, and goes on.
"""

from datetime import datetime

from sqlalchemy import update

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Order
from guvercin.core.restriction import RestrictionKind
from guvercin.store import restricting
from guvercin.store.messages import move, standing
from guvercin.store.statements import batches as sql
from guvercin.store.tables.messages import batch
from guvercin.store.times import to_ms
from guvercin.store.writer import Tx


def _account_of(tx: Tx, batch_id: int) -> int:
    row = tx.execute(sql.BATCH_STATE, (batch_id,)).fetchone()
    if row is None:
        raise GuvercinError(Code.NOT_FOUND)
    return int(row[0])


def pause(tx: Tx, batch_id: int, *, now: datetime) -> None:
    """Take everything of a batch that has not left out of line. Pausing twice changes nothing. NOT_FOUND."""
    account_id = _account_of(tx, batch_id)
    restricting.pause_batch(tx, batch_id, account_id, None, now_ms=to_ms(now))


def resume(tx: Tx, batch_id: int, *, now: datetime) -> None:
    """Put a paused batch back in line, and let bulk go on after a ban; a cancelled one stays so. NOT_FOUND."""
    account_id = _account_of(tx, batch_id)
    restricting.lift(tx, account_id, RestrictionKind.BULK, now_ms=to_ms(now))
    if tx.execute(sql.RESUME_BATCH, (batch_id,)).rowcount == 1:
        tx.execute(sql.RESUME_ROWS, (batch_id, to_ms(now)))
        tx.record(to_ms(now), EventKind.BATCH_RESUMED, account_id=account_id, batch_id=batch_id)
        tx.lines.append(account_id)


def rename(tx: Tx, batch_id: int, name: str | None) -> None:
    """Call a batch something, or nothing. NOT_FOUND."""
    _account_of(tx, batch_id)
    tx.connection.execute(update(batch).where(batch.c.id == batch_id).values(name=name))


def cancel(tx: Tx, batch_id: int, *, now: datetime) -> None:
    """Decide that nothing more of a batch leaves; `cancel_rest` ends its rows. NOT_FOUND."""
    account_id = _account_of(tx, batch_id)
    if tx.execute(sql.CANCEL_BATCH, (to_ms(now), batch_id)).rowcount == 1:
        tx.execute(sql.PAUSE_ROWS, (batch_id,))
        tx.record(to_ms(now), EventKind.BATCH_CANCELLED, account_id=account_id, batch_id=batch_id)


def cancel_rest(tx: Tx, *, now: datetime, limit: int) -> bool:
    """Withdraw some rows of a batch that was cancelled; says whether there may be more, of this batch or another."""
    found = tx.execute(sql.CANCELLING).fetchone()
    if found is None:
        return False
    rows = tx.execute(sql.QUEUED_OF_BATCH, (found[0], limit)).fetchall()
    for row in rows:
        move(tx, standing(row), Order.CANCEL, to_ms(now))
    if len(rows) < limit:
        tx.execute(sql.CANCELLED_WHOLE, (found[0],))
    return True
