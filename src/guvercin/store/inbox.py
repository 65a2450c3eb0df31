"""The inbox, as functions of a connection or a transaction: every message that somebody wrote to us, once.

Laws
1. A message is one row however often the network tells it: (account, remote_id) is its name.
2. What was written stands here and nowhere else: events and deliveries name the row.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.inbound import (
    LONGEST_NAME,
    LONGEST_TEXT,
    FileOfInbox,
    InboundKind,
    InboxFilter,
    InboxPage,
    Media,
    Received,
)
from guvercin.core.outcome import Inbound
from guvercin.store.hand import by_hand
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx

COLUMNS = (
    "i.id, i.account_id, i.remote_id, i.sender, i.sender_name, i.kind, i.body, i.media_type, i.media_name, "
    "i.media_size, i.wrote_at, i.received_at, i.read_at, "
    "(i.media_source IS NOT NULL OR i.media_digest IS NOT NULL) AS has_file"
)
"""In this order `row` reads them."""

WIDTH = COLUMNS.count(",") + 1

_KEEP = (
    "INSERT INTO inbound (account_id, remote_id, sender, sender_name, kind, body, media_type, media_name, media_size, "
    "wrote_at, received_at, media_source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (account_id, remote_id) DO NOTHING RETURNING id"
)
_ASKED = f"SELECT {COLUMNS} FROM inbound i"  # noqa: S608 -- only our own words


def keep(tx: Tx, account_id: int, inbound: Inbound, *, now: datetime) -> int | None:
    """Keep a message; answers its id, or null if it is there already."""
    media = inbound.media or Media()
    row = tx.execute(
        _KEEP,
        (
            account_id,
            inbound.remote_id,
            inbound.sender,
            inbound.sender_name and inbound.sender_name[:LONGEST_NAME],
            inbound.kind.value,
            inbound.text[:LONGEST_TEXT],
            media.type and media.type[:LONGEST_NAME],
            media.name and media.name[:LONGEST_NAME],
            media.size,
            to_ms(inbound.at),
            to_ms(now),
            inbound.source,
        ),
    ).fetchone()
    return None if row is None else int(row[0])


def told_by(tx: Tx, message_id: int, event_id: int | None) -> None:
    """Write which event tells of a message."""
    tx.execute("UPDATE inbound SET event_id = ? WHERE id = ?", (event_id, message_id))


def mark_read(tx: Tx, message_id: int, *, now: datetime) -> Received:
    """Write that somebody here has read a message. NOT_FOUND. Once read, it stays as it is."""
    done = tx.execute(
        "UPDATE inbound SET read_at = ? WHERE id = ? AND read_at IS NULL RETURNING account_id", (to_ms(now), message_id)
    ).fetchone()
    if done is not None:
        tx.record(to_ms(now), EventKind.INBOX_READ, account_id=done[0], detail={"gelen_id": message_id})
    found = one(tx.connection, message_id)
    if found is None:
        raise GuvercinError(Code.NOT_FOUND)
    return found


def mark_all_read(tx: Tx, wanted: InboxFilter, upto: int, *, now: datetime) -> int:
    """Write that everything of a filter up to a message was read; answers how many were new."""
    where, values = _where(wanted)
    conditions = " AND ".join([*where, "i.read_at IS NULL", "i.id <= ?"])
    marked = tx.execute(
        f"UPDATE inbound AS i SET read_at = ? WHERE {conditions} RETURNING account_id",  # noqa: S608 -- our own words
        (to_ms(now), *values, upto),
    ).fetchall()
    for account_id in sorted({row[0] for row in marked}):
        count = sum(row[0] == account_id for row in marked)
        detail = {"gelen_id": upto, "adet": count}
        tx.record(to_ms(now), EventKind.INBOX_READ, account_id=account_id, detail=detail)
    return len(marked)


def one(connection: Connection, message_id: int) -> Received | None:
    """Answer one message."""
    found = by_hand(connection).execute(f"{_ASKED} WHERE i.id = ?", (message_id,)).fetchone()
    return None if found is None else row(found)


def file(connection: Connection, message_id: int) -> FileOfInbox | None:
    """Answer where the file of a message is; null: there is no such message."""
    found = (
        by_hand(connection)
        .execute(f"SELECT {COLUMNS}, i.media_source, i.media_digest FROM inbound i WHERE i.id = ?", (message_id,))  # noqa: S608
        .fetchone()
    )
    if found is None:
        return None
    source, digest = found[WIDTH:]
    return FileOfInbox(received=row(found), source=None if source is None else bytes(source), digest=digest)


def keep_file(tx: Tx, message_id: int, digest: str) -> bool:
    """Write where our copy of a message's file is. False: the message has been erased meanwhile, and the copy with it.

    The way to WhatsApp stays beside it, for a backup that came back without the copy.
    """
    done = tx.execute(
        "UPDATE inbound SET media_digest = ? WHERE id = ? AND (media_source IS NOT NULL OR media_digest IS NOT NULL)",
        (digest, message_id),
    )
    return bool(done.rowcount)


def page(connection: Connection, wanted: InboxFilter, *, limit: int, below: int | None) -> InboxPage:
    """Answer messages, newest first, with ids below `below`."""
    where, values = _where(wanted)
    if below is not None:
        where.append("i.id < ?")
        values.append(below)
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    rows = (
        by_hand(connection).execute(f"{_ASKED}{conditions} ORDER BY i.id DESC LIMIT ?", (*values, limit + 1)).fetchall()
    )
    messages = tuple(map(row, rows[:limit]))
    return InboxPage(messages=messages, next_id=messages[-1].id if len(rows) > limit else None)


def unread(connection: Connection, account_ids: frozenset[int] | None) -> int:
    """Answer how many messages of these accounts (null: of all) nobody here has read."""
    where, values = _where(InboxFilter(account_ids=account_ids, is_unread=True))
    counted = by_hand(connection).execute(
        f"SELECT count(*) FROM inbound i WHERE {' AND '.join(where)}",  # noqa: S608 -- only our own words
        values,
    )
    return int(counted.fetchone()[0])


def row(columns: Sequence[Any]) -> Received:
    """Read a row of COLUMNS."""
    media = Media(type=columns[7], name=columns[8], size=columns[9])
    return Received(
        id=columns[0],
        account_id=columns[1],
        remote_id=columns[2],
        sender=columns[3],
        sender_name=columns[4],
        kind=InboundKind(columns[5]),
        text=columns[6],
        media=None if media == Media() else media,
        wrote_at=from_ms(columns[10]),
        received_at=from_ms(columns[11]),
        read_at=from_ms(columns[12]),
        has_file=bool(columns[13]),
    )


def _where(wanted: InboxFilter) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if wanted.account_id is not None:
        conditions.append("i.account_id = ?")
        values.append(wanted.account_id)
    if wanted.account_ids is not None:
        marks = ", ".join("?" * len(wanted.account_ids))
        conditions.append(f"i.account_id IN ({marks})" if marks else "1 = 0")
        values.extend(sorted(wanted.account_ids))
    if wanted.sender is not None:
        conditions.append("i.sender = ?")
        values.append(wanted.sender)
    if wanted.since is not None:
        conditions.append("i.received_at >= ?")
        values.append(to_ms(wanted.since))
    if wanted.is_unread is not None:
        conditions.append("i.read_at IS NULL" if wanted.is_unread else "i.read_at IS NOT NULL")
    return conditions, values
