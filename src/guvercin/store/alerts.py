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
from guvercin.store.hand import by_hand
from guvercin.store.statements import hooks as sql
from guvercin.store.tables.alerts import alert, alert_channel
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx

_EVERY = "SELECT key, kind, about, since, told_at, gone_since FROM alert ORDER BY since, key"

_STOPPED = (
    "SELECT id, paused_code FROM batch WHERE paused_code IS NOT NULL AND paused_at IS NOT NULL "
    "AND cancelled_at IS NULL ORDER BY id"
)


def every(connection: Connection) -> Sequence[Alert]:
    """Answer what is kept of troubles."""
    return tuple(
        Alert(
            trouble=Trouble(key=key, kind=AlertKind(kind), about=MappingProxyType(orjson.loads(about))),
            since=from_ms(since),
            told_at=from_ms(told_at),
            gone_since=from_ms(gone_since),
        )
        for key, kind, about, since, told_at, gone_since in by_hand(connection).execute(_EVERY).fetchall()
    )


def stopped_batches(connection: Connection) -> Sequence[tuple[int, str]]:
    """Answer the batches that have stopped by themselves, and why: those of the last days alone can still go on."""
    return tuple(by_hand(connection).execute(_STOPPED).fetchall())


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
