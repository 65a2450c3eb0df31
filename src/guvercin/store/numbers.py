"""What the network said of numbers, and how often it was asked, as functions of a connection or a transaction."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from guvercin.store.statements import numbers as sql
from guvercin.store.tables.hearing import number_check
from guvercin.store.times import from_ms, to_ms
from guvercin.store.verbs.numbers import Checked
from guvercin.store.writer import Tx


def last_check(connection: Connection, number: str) -> Checked | None:
    """Answer what was last heard of a number, by whichever account."""
    table = number_check.c
    row = connection.execute(
        select(table.is_registered, table.known_at)
        .where(table.number == number, table.known_at.is_not(None))
        .order_by(table.known_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Checked(row.is_registered, from_ms(row.known_at))


def ask(tx: Tx, account_id: int, number: str, *, now: datetime, most: int, within: timedelta) -> datetime | None:
    """Count a question about a number, before it is put; if `most` were put `within` this time, answer when it may be.

    So neither a crash in the middle nor an answer that never comes makes room for more.
    """
    nth = tx.execute(sql.NTH_CHECK, (account_id, to_ms(now - within), most - 1)).fetchone()
    if nth is not None:
        asked_at: datetime = from_ms(nth[0])
        return asked_at + within
    tx.execute(sql.COUNT_CHECK, (number, account_id, to_ms(now)))
    return None


def learn(tx: Tx, account_id: int, number: str, *, is_registered: bool, now: datetime) -> None:
    """Keep an answer."""
    tx.execute(sql.KEEP_CHECK, (number, account_id, is_registered, to_ms(now)))
