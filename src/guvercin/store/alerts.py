"""Alerts and the places of their channels, as functions of a connection or a transaction.

What is said is an event like every other: it is written with what was kept of it, in one change.
"""

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from guvercin.core.alert import Alert, AlertKind, Judgement, Trouble
from guvercin.core.event import EventKind
from guvercin.store import hook_statements as sql
from guvercin.store.tables import alert, alert_channel, batch
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx


def every(connection: Connection) -> Sequence[Alert]:
    """Answer what is kept of troubles."""
    rows = connection.execute(select(alert).order_by(alert.c.since, alert.c.key)).all()
    return tuple(
        Alert(
            trouble=Trouble(key=row.key, kind=AlertKind(row.kind), about=MappingProxyType(orjson.loads(row.about))),
            since=from_ms(row.since),
            told_at=from_ms(row.told_at),
            gone_since=from_ms(row.gone_since),
        )
        for row in rows
    )


def stopped_batches(connection: Connection) -> Sequence[tuple[int, str]]:
    """Answer the batches that have stopped by themselves, and why: those of the last days alone can still go on."""
    query = select(batch.c.id, batch.c.paused_code).where(
        batch.c.paused_code.is_not(None), batch.c.paused_at.is_not(None), batch.c.cancelled_at.is_(None)
    )
    return tuple((row.id, row.paused_code) for row in connection.execute(query.order_by(batch.c.id)))


def keep(tx: Tx, judgement: Judgement, *, now: datetime) -> None:
    """Keep what was judged, and write the events that say it."""
    tx.connection.execute(delete(alert))
    rows = [_row(each) for each in judgement.alerts]
    if rows:
        tx.connection.execute(insert(alert), rows)
    lasting = sum(each.told_at is not None and each.gone_since is None for each in judgement.alerts)
    for kind, troubles in ((EventKind.ALERT_RAISED, judgement.tell), (EventKind.ALERT_CLEARED, judgement.well)):
        if troubles:
            told = [{"tur": each.kind.value, "anahtar": each.key, **each.about} for each in troubles]
            tx.record(to_ms(now), kind, detail={"uyarilar": told, "suren": lasting})


def _row(each: Alert) -> dict[str, Any]:
    return {
        "key": each.trouble.key,
        "kind": each.trouble.kind.value,
        "about": orjson.dumps(dict(each.trouble.about)).decode(),
        "since": to_ms(each.since),
        "told_at": to_ms(each.told_at),
        "gone_since": to_ms(each.gone_since),
    }


def place(connection: Connection, channel: str) -> int | None:
    """Answer the last event that a channel has carried; null for one that nobody has begun."""
    query = select(alert_channel.c.cursor).where(alert_channel.c.name == channel)
    return connection.execute(query).scalar_one_or_none()


def begin(tx: Tx, channel: str) -> int:
    """Begin a channel with what happens from now on; answers its place."""
    newest = int(tx.execute(sql.NEWEST_EVENT).fetchone()[0])
    tx.execute(
        "INSERT INTO alert_channel (name, cursor) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (channel, newest)
    )
    return newest


def carried(tx: Tx, channel: str, upto: int) -> None:
    """Write that a channel has carried everything up to an event."""
    tx.execute("UPDATE alert_channel SET cursor = max(cursor, ?) WHERE name = ?", (upto, channel))
