"""The days' counts, kept beside the log and always countable anew from it. Functions of a connection or transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from guvercin.core.errors import Code
from guvercin.core.message import Status
from guvercin.core.tally import DayCount, HourCount
from guvercin.store.hand import by_hand
from guvercin.store.tables.tally import count_mark, daily_count
from guvercin.store.times import HOUR, from_ms, to_ms
from guvercin.store.writer import Tx

# An hour's mark says where in the log the hour begins, so a day's rows are found without an index on their time.
_OF_A_SPAN = """
WHERE id >= (SELECT min(first_id) FROM hour_mark WHERE hour > ?3)
  AND id < coalesce((SELECT min(first_id) FROM hour_mark WHERE first_id >
    (SELECT max(first_id) FROM hour_mark WHERE hour < ?2)), 9223372036854775807)
  AND created_at >= ?1 AND created_at < ?2
"""

_DAY = f"""
SELECT account_id, category, token_id, status, reason, count(*) FROM message
{_OF_A_SPAN} GROUP BY account_id, category, token_id, status, reason
"""  # noqa: S608 -- our own words

_HOURS = f"""
SELECT (created_at - ?1) / {HOUR}, status, count(*) FROM message
{_OF_A_SPAN} GROUP BY 1, status
"""  # noqa: S608 -- as above

_READS = f"""
SELECT read_at / {HOUR}, count(*) FROM message
WHERE id >= (SELECT coalesce(min(first_id), 9223372036854775807) FROM hour_mark WHERE hour > ?2)
  AND id > (SELECT coalesce(max(id), 0) FROM message) - ?3
  AND created_at >= ?1 AND read_at IS NOT NULL
GROUP BY 1
"""  # noqa: S608 -- as above

_TOUCHED = """
SELECT event.id, message.created_at FROM event LEFT JOIN message ON message.id = event.message_id
WHERE event.id > ? ORDER BY event.id LIMIT ? + 0
"""


_MARK = """
INSERT INTO count_mark (id, event_id) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET event_id = excluded.event_id
"""


_KEEP = "INSERT INTO daily_count (day, account_id, tur_id, key_id, status, reason, n) VALUES (?, ?, ?, ?, ?, ?, ?)"


def _between(since: datetime, until: datetime) -> tuple[int, int, int]:
    return to_ms(since), to_ms(until), to_ms(since) - HOUR


def reads_by_hour(connection: Connection, since: datetime, most: int) -> Mapping[datetime, int]:
    """Answer how many of the newest messages were read in which hour."""
    rows = by_hand(connection).execute(_READS, (to_ms(since), to_ms(since) - HOUR, most)).fetchall()
    return {from_ms(int(hour) * HOUR): n for hour, n in rows}


def count_day(connection: Connection, day: date, since: datetime, until: datetime) -> Sequence[DayCount]:
    """Count the messages accepted from `since` until before `until`."""
    rows = by_hand(connection).execute(_DAY, _between(since, until)).fetchall()
    return tuple(
        DayCount(
            day=day,
            account_id=row[0],
            category=row[1],
            token_id=row[2],
            status=Status(row[3]),
            reason=None if row[4] is None else Code(row[4]),
            n=row[5],
        )
        for row in rows
    )


def count_hours(connection: Connection, since: datetime, until: datetime) -> Sequence[HourCount]:
    """Count the messages of each hour from `since` on, by status."""
    rows = by_hand(connection).execute(_HOURS, _between(since, until)).fetchall()
    return tuple(HourCount(hour=int(hour), status=Status(status), n=n) for hour, status, n in rows)


def touched(connection: Connection, cursor: int, *, limit: int) -> tuple[int, Sequence[datetime]]:
    """Answer how far the events above `cursor` were read, and when the messages that they are about were accepted."""
    rows = by_hand(connection).execute(_TOUCHED, (cursor, limit)).fetchall()
    return (rows[-1][0] if rows else cursor), tuple(from_ms(ms) for ms in {row[1] for row in rows} if ms is not None)


def counted_to(connection: Connection) -> int | None:
    """Answer up to which event the counts are right; null: nothing was counted yet."""
    found: int | None = connection.execute(select(count_mark.c.event_id)).scalar_one_or_none()
    return found


def first_at(connection: Connection) -> datetime | None:
    """Answer the hour of the first message."""
    first = connection.exec_driver_sql("SELECT min(hour) FROM hour_mark").scalar_one()
    return None if first is None else from_ms(first)


def keep(tx: Tx, day: date, counts: Sequence[DayCount]) -> None:
    """Replace a day's counts."""
    tx.execute("DELETE FROM daily_count WHERE day = ?", (day.isoformat(),))
    for each in counts:
        reason = "" if each.reason is None else each.reason.value
        of = (day.isoformat(), each.account_id, each.category, each.token_id, each.status.value, reason)
        tx.execute(_KEEP, (*of, each.n))


def mark(tx: Tx, cursor: int) -> None:
    """Write up to which event every count is right."""
    tx.execute(_MARK, (cursor,))


def between(connection: Connection, first: date, last: date, *, monthly: bool) -> Sequence[DayCount]:
    """Answer the counts of the days from `first` to `last`; `monthly`: a month's together, as of its first day."""
    column = daily_count.c
    day = func.substr(column.day, 1, 7).concat("-01") if monthly else column.day
    what = (day.label("day"), column.account_id, column.tur_id, column.key_id, column.status, column.reason)
    rows = connection.execute(
        select(*what, func.sum(column.n).label("n"))
        .where(column.day >= first.isoformat(), column.day <= last.isoformat())
        .group_by(*what)
    )
    return tuple(
        DayCount(
            day=date.fromisoformat(row.day),
            account_id=row.account_id,
            category=row.tur_id,
            token_id=row.key_id,
            status=Status(row.status),
            reason=Code(row.reason) if row.reason else None,
            n=row.n,
        )
        for row in rows
    )
