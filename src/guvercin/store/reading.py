"""How the log is read: pages, histories, counts. Functions of a reader's connection; they change nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import nlargest
from itertools import product
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, select

from guvercin.core.batch import Batch, Counts
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event, EventKind
from guvercin.core.log import MessageFilter, Page, Tried, Unclear
from guvercin.core.message import Lane, Message, Status, WaitsFor
from guvercin.store import combing, messages
from guvercin.store.hand import BEGIN_READING, by_hand
from guvercin.store.statements.accepting import FIND_KEY
from guvercin.store.statements.messages import MESSAGE, MESSAGE_COLUMNS, STANDING
from guvercin.store.tables.hearing import not_understood
from guvercin.store.tables.messages import attempt, batch, event, message
from guvercin.store.times import HOUR, from_ms, to_ms
from guvercin.store.verbs.accepting import Acceptance, KeyRow
from guvercin.store.verbs.batches import BatchRow, Rest
from guvercin.store.verbs.messages import Depth


def one_message(connection: Connection, message_id: int) -> Message | None:
    """Answer one message. By hand: it is what callers ask again and again until their message has arrived."""
    raw = by_hand(connection)
    row = raw.execute(MESSAGE, (message_id,)).fetchone()
    return None if row is None else messages.message(row)


def token_of(connection: Connection, message_id: int) -> int:
    """Answer the id of the token that asked for a message. NOT_FOUND."""
    token_id = connection.execute(select(message.c.token_id).where(message.c.id == message_id)).scalar_one_or_none()
    if token_id is None:
        raise GuvercinError(Code.NOT_FOUND)
    return int(token_id)


def accepted_before(connection: Connection, token_id: int, key: KeyRow) -> Acceptance | None:
    """Answer what this very request was accepted as, by its key; null: it never was."""
    raw = by_hand(connection)
    kept = raw.execute(FIND_KEY, (token_id, key.method, key.path, key.key)).fetchone()
    if kept is None or bytes(kept[0]) != key.body_hash:
        return None
    _, message_id, batch_id = kept
    row = raw.execute(STANDING, (message_id,)).fetchone()
    return Acceptance(standing=row and messages.standing(row), batch_id=batch_id, replayed=True)


def page(
    connection: Connection,
    wanted: MessageFilter,
    *,
    limit: int,
    below: int | None,
    window: int = combing.WINDOW,
) -> Page:
    """Answer a page, newest first, with ids below `below`. By hand, as one_message.

    A page costs the same however long the log is: it is put together from ranges, and an index holds each of them in
    the order of ids. What no index holds is looked for in `window` rows (combing.py).
    """
    raw = by_hand(connection)
    with _one_moment(raw):
        common = _within(raw, wanted)
        if below is not None:
            common.append(("id < ?", below))
        found: list[int] = []
        floor, ranges = 0, _ranges(raw, wanted)
        if combing.is_combed(wanted):
            common += combing.conditions(wanted)
            if not _is_narrow(wanted):
                floor = combing.floor_of(raw, common, window)
                common += [("id >= ?", floor), *combing.simple(wanted)]
                ranges = iter(((),))
        for conditions in ranges:
            terms = (*conditions, *common)
            where = " AND ".join(term for term, _ in terms) or "true"
            order = f"{_WAITS_FIRST if _WAITS_FOR_NOTHING in conditions else ''}id DESC"
            ids = f"SELECT id FROM message WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608 -- terms of this file
            found.extend(
                row[0] for row in raw.execute(ids, (*(value for term, value in terms if "?" in term), limit + 1))
            )
        newest = nlargest(limit + 1, found)
        shown = newest[:limit]
        places = ", ".join("?" * len(shown)) or "NULL"
        rows = raw.execute(f"{_MESSAGES} WHERE id IN ({places}) ORDER BY id DESC", shown).fetchall()
    return Page(
        messages=tuple(messages.message(row) for row in rows),
        next_id=shown[-1] if len(newest) > limit else floor or None,
    )


def _is_narrow(wanted: MessageFilter) -> bool:
    """Say whether a filter names a recipient, a reference or a batch: so few rows that each may be looked at."""
    return wanted.recipient is not None or wanted.reference is not None or wanted.batch_id is not None


@contextmanager
def _one_moment(raw: Any) -> Iterator[None]:
    """Let several questions see the same log: a row that moves on meanwhile must not be missed between two ranges."""
    raw.execute(BEGIN_READING)
    try:
        yield
    finally:
        raw.execute("ROLLBACK")


_MESSAGES = f"SELECT {MESSAGE_COLUMNS} FROM message"  # noqa: S608 -- our own columns

BATCH_MESSAGES = f"{_MESSAGES} WHERE batch_id = ? AND +id > ? ORDER BY +id LIMIT ?"
"""The plus signs: by the batch's own index, however many rows of others lie between its own."""

_Condition = tuple[str, int | str | None]
"""A term and the value of its question mark, if it has one."""

_WAITS_FOR_NOTHING: _Condition = ("waits_for IS NULL", None)

_WAITS_FIRST = "waits_for DESC, "
"""To PostgreSQL a column that IS NULL isn't one with one value: told so, it finds the range in its index's order."""


def _ranges(raw: Any, wanted: MessageFilter) -> Iterator[Sequence[_Condition]]:
    """Answer the ranges that hold what is wanted, each as its conditions.

    In an index the id comes last (in SQLite's by itself): the ids of a range stand in order where every column before
    it has one value.
    """
    accounts = wanted.account_ids
    if wanted.account_id is not None:
        accounts = frozenset({wanted.account_id}) & (accounts or {wanted.account_id})
    is_for_all = accounts is None and wanted.statuses is None and wanted.scheduled is None
    if _is_narrow(wanted):
        yield from _narrow_ranges(wanted, accounts)
    elif is_for_all and wanted.category is None:
        yield ()
    else:
        category = [] if wanted.category is None else [("category = ?", wanted.category)]
        every = (row[0] for row in raw.execute("SELECT id FROM account").fetchall())
        for account_id, (status, word) in product(every if accounts is None else accounts, _stands(wanted)):
            yield (*category, ("account_id = ?", account_id), ("status = ?", status), _stands_for(word))


def _narrow_ranges(wanted: MessageFilter, accounts: frozenset[int] | None) -> Iterator[Sequence[_Condition]]:
    """Answer the ranges of a recipient, a reference or a batch: so few rows that the rest is asked of each of them.

    A plus sign keeps SQLite from looking for a column in an index that is not meant.
    """
    given: list[_Condition] = [
        (condition, value)
        for condition, value in (
            ("recipient = ?", wanted.recipient),
            ("reference = ?", wanted.reference),
            ("batch_id = ?", wanted.batch_id),
            ("category = ?", wanted.category),
        )
        if value is not None
    ]
    aside: list[_Condition] = [(f"+{condition}", value) for condition, value in given[1:]]
    if accounts is not None:
        aside.append((_IS_OF, _json(accounts)))
    if wanted.scheduled is not None:
        aside.append(("waits_for IS ?" if wanted.scheduled else "waits_for IS NOT ?", WaitsFor.TIME.value))
    statuses = Status if wanted.statuses is None else wanted.statuses
    if given[0][0].startswith("batch_id"):  # the one of them whose index knows the status
        yield from ((given[0], ("status = ?", status.value), *aside) for status in statuses)
    else:
        yield (given[0], (_HAS_STATUS, _json(statuses)), *aside)


_IS_OF = "+account_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))"
_HAS_STATUS = "+status IN (SELECT value FROM json_each(?))"


def _stands_for(word: str | None) -> _Condition:
    """Write what a row waits for so that an index answers it in both databases."""
    return _WAITS_FOR_NOTHING if word is None else ("waits_for = ?", word)


def _json(values: Iterable[int | str]) -> str:
    return orjson.dumps(list(values)).decode()


def _stands(wanted: MessageFilter) -> Sequence[tuple[str, str | None]]:
    """Answer where a wanted row may stand: its status, and what it waits for."""
    words: Sequence[str | None] = (None, *WaitsFor)
    if wanted.scheduled is not None:
        words = [word for word in words if (word == WaitsFor.TIME) is wanted.scheduled]
    return [
        (status.value, word)
        for status in (Status if wanted.statuses is None else wanted.statuses)
        for word in words
        if word is None or status is Status.QUEUED
    ]


def _within(raw: Any, wanted: MessageFilter) -> list[_Condition]:
    """Answer the conditions of a time, and of the ids between which the marks of the hours say that it is."""
    found: list[_Condition] = []
    if wanted.since is not None:
        since = to_ms(wanted.since)
        first = raw.execute("SELECT min(first_id) FROM hour_mark WHERE hour > ?", (since - HOUR,)).fetchone()[0]
        found += [("created_at >= ?", since), ("id >= ?", first)]  # null is above every id, as it should be
    if wanted.until is not None:
        until = to_ms(wanted.until)
        last = raw.execute("SELECT max(first_id) FROM hour_mark WHERE hour < ?", (until,)).fetchone()[0]
        end = raw.execute("SELECT min(first_id) FROM hour_mark WHERE first_id > ?", (last or 0,)).fetchone()[0]
        found.append(("created_at < ?", until))
        if end is not None:
            found.append(("id < ?", end))
    return found


def attempts(connection: Connection, message_id: int) -> Sequence[Tried]:
    """Answer the attempts of a message, oldest first."""
    rows = connection.execute(
        select(attempt.c.started_at, attempt.c.ended_at, attempt.c.outcome, attempt.c.reason, attempt.c.detail)
        .where(attempt.c.message_id == message_id)
        .order_by(attempt.c.id),
    )
    return tuple(
        Tried(
            started_at=from_ms(row.started_at),
            ended_at=from_ms(row.ended_at),
            outcome=row.outcome,
            reason=None if row.reason is None else Code(row.reason),
            detail=row.detail,
        )
        for row in rows
    )


def _event(row: Any) -> Event:
    return Event(
        id=row.id,
        at=from_ms(row.at),
        kind=EventKind(row.kind),
        account_id=row.account_id,
        message_id=row.message_id,
        batch_id=row.batch_id,
        detail=MappingProxyType(orjson.loads(row.detail) if row.detail else {}),
    )


def events(connection: Connection, message_id: int) -> Sequence[Event]:
    """Answer the events of a message, oldest first."""
    rows = connection.execute(select(event).where(event.c.message_id == message_id).order_by(event.c.id))
    return tuple(_event(row) for row in rows)


def events_after(connection: Connection, cursor: int, *, limit: int) -> Sequence[Event]:
    """Answer events with ids above `cursor`, oldest first."""
    rows = connection.execute(select(event).where(event.c.id > cursor).order_by(event.c.id).limit(limit))
    return tuple(_event(row) for row in rows)


def last_event_id(connection: Connection) -> int:
    """Answer the cursor of the newest event."""
    return int(connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM event").scalar_one())


_ONE_BATCH = select(batch).where(batch.c.id == bindparam("id"))


def one_batch(connection: Connection, batch_id: int) -> BatchRow | None:
    """Answer a batch and its counts."""
    row = connection.execute(_ONE_BATCH, {"id": batch_id}).one_or_none()
    return None if row is None else _counted(connection, row)


def batches(
    connection: Connection,
    accounts: frozenset[int] | None,
    *,
    account_id: int | None,
    limit: int,
    below: int | None,
) -> Sequence[BatchRow]:
    """Answer a page of batches, newest first, each counted."""
    query = select(batch)
    if accounts is not None:
        query = query.where(batch.c.account_id.in_(accounts))
    if account_id is not None:
        query = query.where(batch.c.account_id == account_id)
    if below is not None:
        query = query.where(batch.c.id < below)
    rows = connection.execute(query.order_by(batch.c.id.desc()).limit(limit)).all()
    return tuple(_counted(connection, row) for row in rows)


# Rows that are done are counted in the index alone: a list of large batches must not read each of their rows.
_COUNTED = (
    "SELECT status, NULL, NULL, count(*), NULL FROM message "
    "WHERE batch_id = ?1 AND status NOT IN ('queued', 'sending') GROUP BY status "
    "UNION ALL SELECT status, waits_for, lane, count(*), max(waits_until) FROM message "
    "WHERE batch_id = ?1 AND status IN ('queued', 'sending') GROUP BY status, waits_for, lane"
)


def _counted(connection: Connection, row: Any) -> BatchRow:
    """Count a batch's rows, each in one group."""
    by_status: dict[Status, int] = {}
    left: dict[Lane, int] = {}
    waits: dict[WaitsFor, int] = {}
    scheduled = 0
    starts_ms: int | None = None
    raw = by_hand(connection)
    groups = raw.execute(_COUNTED, (row.id,)).fetchall()
    for status_word, waits_for, lane, count, until_ms in groups:
        status = Status(status_word)
        by_status[status] = by_status.get(status, 0) + count
        if waits_for is not None and status is Status.QUEUED:
            waits[WaitsFor(waits_for)] = waits.get(WaitsFor(waits_for), 0) + count
        if waits_for == WaitsFor.TIME.value:
            scheduled += count
            starts_ms = max(starts_ms or 0, until_ms)
        if lane is not None:
            left[Lane(lane)] = left.get(Lane(lane), 0) + count
    found = Batch(
        id=row.id,
        account_id=row.account_id,
        token_id=row.token_id,
        category=row.category,
        total=row.total,
        created_at=from_ms(row.created_at),
        paused_at=from_ms(row.paused_at),
        paused_code=None if row.paused_code is None else Code(row.paused_code),
        cancelled_at=from_ms(row.cancelled_at),
        declared_at=from_ms(row.declared_at),
        name=row.name,
    )
    return BatchRow(batch=found, counts=Counts(by_status, scheduled, waits), left=left, starts_at=from_ms(starts_ms))


def batch_messages(connection: Connection, batch_id: int, *, above: int, limit: int) -> Sequence[Message]:
    """Answer messages of a batch with ids above `above`, in the order of its list. By hand, as one_message."""
    raw = by_hand(connection)
    rows = raw.execute(BATCH_MESSAGES, (batch_id, above, limit))
    return tuple(messages.message(row) for row in rows.fetchall())


def batch_reasons(connection: Connection, batch_id: int) -> Mapping[Code, int]:
    """Answer how many rows of a batch failed for which reason, the most frequent first."""
    column = message.c
    counted = (
        select(column.reason, func.count())
        .where(column.batch_id == batch_id, column.status == Status.FAILED.value, column.reason.is_not(None))
        .group_by(column.reason)
        .order_by(func.count().desc(), column.reason)
    )
    return {Code(reason): n for reason, n in connection.execute(counted)}


_MOVING = (
    "SELECT 1 FROM message WHERE batch_id = ? "
    "AND ((status = 'queued' AND waits_for IS NULL) OR status = 'sending') LIMIT 1"
)

_PARKED = "SELECT count(*), min(waits_until) FROM message WHERE batch_id = ? AND status = 'queued'"


def batch_rests(connection: Connection, batch_id: int) -> Rest:
    """Say whether a batch moves. Asked often: the first row that is in line or in hand answers it."""
    raw = by_hand(connection)
    if raw.execute(_MOVING, (batch_id,)).fetchone() is not None:
        return Rest(is_finished=False, is_moving=True)
    waiting, until_ms = raw.execute(_PARKED, (batch_id,)).fetchone()
    return Rest(is_finished=not waiting, until=from_ms(until_ms))


def unclear(connection: Connection, account_id: int, *, limit: int) -> Sequence[Unclear]:
    """Answer what was told to an account and not understood, the newest first. The table is small."""
    kept = not_understood
    query = select(kept).where(kept.c.account_id == account_id).order_by(kept.c.id.desc()).limit(limit)
    return tuple(Unclear(at=from_ms(row.at), what=row.what, body=row.body) for row in connection.execute(query))


def depths(connection: Connection) -> Sequence[Depth]:
    """Answer every account's unfinished rows. Reads indexes of unfinished rows alone."""
    in_line = connection.exec_driver_sql(
        "SELECT account_id, lane, count(*), min(due_at) FROM message "
        "WHERE status = 'queued' AND waits_for IS NULL GROUP BY account_id, lane",
    ).all()
    counted = connection.exec_driver_sql(
        "SELECT a.id, s.status, (SELECT count(*) FROM message m WHERE m.account_id = a.id AND m.status = s.status) "
        "FROM account a, (SELECT 'queued' AS status UNION ALL SELECT 'sending' UNION ALL SELECT 'unknown') s",
    ).all()
    unfinished = [row for row in counted if row[2]]
    accounts = sorted({row[0] for row in in_line} | {row[0] for row in unfinished})
    return tuple(
        Depth(
            account_id=account_id,
            by_status={Status(row[1]): row[2] for row in unfinished if row[0] == account_id},
            in_line={Lane(row[1]): row[2] for row in in_line if row[0] == account_id},
            oldest_due_at=min((from_ms(row[3]) for row in in_line if row[0] == account_id), default=None),
        )
        for account_id in accounts
    )


# Two questions of messages, each answered by an index of unfinished rows: the log may be long.
_DIGESTS = """SELECT file_digest FROM message WHERE file_digest IS NOT NULL AND status = 'queued'
UNION ALL SELECT file_digest FROM message WHERE file_digest IS NOT NULL AND status IN ('sending', 'unknown')
UNION ALL SELECT digest FROM upload
UNION ALL SELECT proof_digest FROM consent WHERE proof_digest IS NOT NULL
UNION ALL SELECT media_digest FROM inbound WHERE media_digest IS NOT NULL
UNION ALL SELECT file_digest FROM message
  WHERE file_digest IS NOT NULL AND recipient IN (SELECT phone FROM legal_hold)
"""


def spool_digests(connection: Connection) -> frozenset[str]:
    """Answer the digests of files that an unfinished message or an upload may still need."""
    return frozenset(digest for (digest,) in connection.exec_driver_sql(_DIGESTS))
