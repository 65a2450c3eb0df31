"""How the log is read: pages, histories, counts. Functions of a reader's connection; they change nothing."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, select, text, union_all

from guvercin.core.batch import Batch, Counts
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event, EventKind
from guvercin.core.log import MessageFilter, Page, Tried
from guvercin.core.message import Lane, Message, Status, WaitsFor
from guvercin.store import messages, statements
from guvercin.store.store import Acceptance, BatchRow, Depth, KeyRow
from guvercin.store.tables import attempt, batch, event, message, upload
from guvercin.store.times import from_ms, to_ms

_MESSAGE = tuple(message.c[name] for name in statements.MESSAGE_COLUMNS.split(", "))


def one_message(connection: Connection, message_id: int) -> Message | None:
    """Answer one message. By hand: it is what callers ask again and again until their message has arrived."""
    raw: Any = connection.connection.driver_connection
    row = raw.execute(statements.MESSAGE, (message_id,)).fetchone()
    return None if row is None else messages.message(row)


def token_of(connection: Connection, message_id: int) -> int:
    """Answer the id of the token that asked for a message. NOT_FOUND."""
    token_id = connection.execute(select(message.c.token_id).where(message.c.id == message_id)).scalar_one_or_none()
    if token_id is None:
        raise GuvercinError(Code.NOT_FOUND)
    return int(token_id)


def accepted_before(connection: Connection, token_id: int, key: KeyRow) -> Acceptance | None:
    """Answer what this very request was accepted as, by its key; null: it never was."""
    raw: Any = connection.connection.driver_connection
    kept = raw.execute(statements.FIND_KEY, (token_id, key.method, key.path, key.key)).fetchone()
    if kept is None or bytes(kept[0]) != key.body_hash:
        return None
    _, message_id, batch_id = kept
    row = raw.execute(statements.STANDING, (message_id,)).fetchone()
    return Acceptance(standing=row and messages.standing(row), batch_id=batch_id, replayed=True)


def page(connection: Connection, wanted: MessageFilter, *, limit: int, below: int | None) -> Page:
    """Answer a page, newest first, with ids below `below`."""
    query = _filtered(select(*_MESSAGE), wanted)
    if below is not None:
        query = query.where(message.c.id < below)
    rows = connection.execute(query.order_by(message.c.id.desc()).limit(limit + 1)).all()
    found = tuple(messages.message(row) for row in rows[:limit])
    return Page(messages=found, next_id=found[-1].id if len(rows) > limit else None)


def _filtered(query: Select[Any], wanted: MessageFilter) -> Select[Any]:
    if wanted.statuses is not None:
        query = query.where(message.c.status.in_([status.value for status in wanted.statuses]))
    if wanted.scheduled is not None:
        waits = message.c.waits_for == WaitsFor.TIME.value
        query = query.where(waits if wanted.scheduled else (message.c.waits_for.is_(None) | ~waits))
    if wanted.account_ids is not None:
        query = query.where(message.c.account_id.in_(wanted.account_ids))
    for column, value in (
        (message.c.account_id, wanted.account_id),
        (message.c.category, wanted.category),
        (message.c.recipient, wanted.recipient),
        (message.c.reference, wanted.reference),
        (message.c.batch_id, wanted.batch_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(message.c.created_at >= to_ms(wanted.since))
    if wanted.until is not None:
        query = query.where(message.c.created_at < to_ms(wanted.until))
    return query


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
    return int(connection.execute(select(func.coalesce(func.max(event.c.id), 0))).scalar_one())


def one_batch(connection: Connection, batch_id: int) -> BatchRow | None:
    """Answer a batch and its counts."""
    row = connection.execute(select(batch).where(batch.c.id == batch_id)).one_or_none()
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


def _counted(connection: Connection, row: Any) -> BatchRow:
    """Count a batch's rows, each in one group."""
    by_status: dict[Status, int] = {}
    left: dict[Lane, int] = {}
    scheduled = 0
    starts_ms: int | None = None
    groups = connection.execute(
        select(message.c.status, message.c.waits_for, message.c.lane, func.count(), func.max(message.c.waits_until))
        .where(message.c.batch_id == row.id)
        .group_by(message.c.status, message.c.waits_for, message.c.lane),
    )
    for status_word, waits_for, lane, count, until_ms in groups:
        status = Status(status_word)
        by_status[status] = by_status.get(status, 0) + count
        if waits_for == WaitsFor.TIME.value:
            scheduled += count
            starts_ms = max(starts_ms or 0, until_ms)
        if status in (Status.QUEUED, Status.SENDING):
            left[Lane(lane)] = left.get(Lane(lane), 0) + count
    found = Batch(
        id=row.id,
        account_id=row.account_id,
        token_id=row.token_id,
        category=row.category,
        total=row.total,
        created_at=from_ms(row.created_at),
        paused_at=from_ms(row.paused_at),
        cancelled_at=from_ms(row.cancelled_at),
    )
    return BatchRow(batch=found, counts=Counts(by_status, scheduled), left=left, starts_at=from_ms(starts_ms))


def batch_is_finished(connection: Connection, batch_id: int) -> bool:
    """Say whether no row of a batch is queued or sending any more."""
    open_row = (
        select(message.c.id)
        .where(message.c.batch_id == batch_id, message.c.status.in_([Status.QUEUED.value, Status.SENDING.value]))
        .limit(1)
    )
    return connection.execute(open_row).first() is None


def depths(connection: Connection) -> Sequence[Depth]:
    """Answer every account's unfinished rows. Reads the partial indexes of unfinished rows alone."""
    in_line = connection.exec_driver_sql(
        "SELECT account_id, lane, count(*), min(due_at) FROM message "
        "WHERE status = 'queued' AND waits_for IS NULL GROUP BY account_id, lane",
    ).all()
    unfinished = connection.exec_driver_sql(
        "SELECT account_id, status, count(*) FROM message WHERE status = 'queued' GROUP BY account_id UNION ALL "
        "SELECT account_id, status, count(*) FROM message WHERE status IN ('sending', 'unknown') "
        "GROUP BY account_id, status",
    ).all()
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


def spool_digests(connection: Connection) -> frozenset[str]:
    """Answer the digests of files that an unfinished message or an upload may still need."""
    # Two questions, each answered by an index of unfinished rows: the log may be long.
    of_messages = select(message.c.file_digest).where(message.c.file_digest.is_not(None))
    waiting = of_messages.where(text("status = 'queued'"))
    in_hand = of_messages.where(text("status IN ('sending', 'unknown')"))
    return frozenset(connection.execute(union_all(waiting, in_hand, select(upload.c.digest))).scalars())
