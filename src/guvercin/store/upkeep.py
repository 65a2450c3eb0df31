"""What becomes of messages by the passing of time, and of those in doubt. Functions of a transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection

from guvercin.core.errors import Code
from guvercin.core.event import Standing
from guvercin.core.message import News, WaitsFor
from guvercin.core.outcome import Accepted, NeverLeft
from guvercin.core.pacing import MONTH
from guvercin.store import access, people
from guvercin.store.claiming import may_have_left
from guvercin.store.hand import by_hand
from guvercin.store.hooks import hour_of
from guvercin.store.messages import accepted, find, hold, move, never_left, standing
from guvercin.store.statements import upkeep as sql
from guvercin.store.statements.hooks import FORGET_DELIVERIES, FORGET_TRIES
from guvercin.store.times import from_ms, to_ms
from guvercin.store.verbs.upkeep import Doubt, Due
from guvercin.store.writer import Tx


def what_is_due(connection: Connection, *, now: datetime) -> Due:
    """Answer what upkeep has to do."""
    raw = by_hand(connection)
    now_ms = to_ms(now)
    waits, lifetimes, cancelled, doubts = raw.execute(sql.WHAT_IS_DUE, (now_ms, now_ms, now_ms)).fetchone()
    return Due(waits=bool(waits), lifetimes=bool(lifetimes), cancelled=bool(cancelled), doubts=bool(doubts))


def expire(tx: Tx, *, now: datetime, limit: int) -> int:
    """Fail queued rows whose lifetime is over; answers how many."""
    now_ms = to_ms(now)
    rows = tx.execute(sql.EXPIRED, (now_ms, limit)).fetchall()
    for row in rows:
        move(tx, standing(row), News.EXPIRED, now_ms, reason=Code.EXPIRED)
    return len(rows)


def recover(tx: Tx, *, now: datetime, limit: int, accounts: Collection[int] | None = None) -> int:
    """Turn rows that a crash left in hand into UNKNOWN, to be looked into at once; answers how many.

    Only for a moment at which nothing is being sent: before the dispatchers of `accounts` (null: of all) start.
    """
    now_ms = to_ms(now)
    found = (
        tx.execute(sql.UNSETTLED, (limit,))
        if accounts is None
        else tx.execute(sql.UNSETTLED_OF, (_listed(accounts), limit))
    )
    rows = [standing(row) for row in found.fetchall()]
    for row in rows:
        tx.execute(sql.END_ATTEMPTS_OF, (now_ms, Code.CUT_SHORT.value, row.id))
        move(tx, row, News.LOST, now_ms, reason=Code.CUT_SHORT, waits_until=now_ms, counts=True)
    for account_id in {row.account_id for row in rows}:
        may_have_left(tx, account_id, now)
    return len(rows)


def _listed(accounts: Collection[int]) -> str:
    return orjson.dumps(sorted(accounts)).decode()


def in_doubt(tx: Tx, *, now: datetime, limit: int, accounts: Collection[int] | None = None) -> Sequence[Doubt]:
    """Answer rows in doubt whose time to be looked into has come."""
    return tuple(
        Doubt(
            message_id=row[0],
            account_id=row[1],
            recipient=row[2],
            attempt_id=row[3],
            secret=bytes(row[4]),
            started_at=from_ms(row[5]),
        )
        for row in (
            tx.execute(sql.IN_DOUBT, (to_ms(now), limit))
            if accounts is None
            else tx.execute(sql.IN_DOUBT_OF, (to_ms(now), _listed(accounts), limit))
        ).fetchall()
    )


def conclude(tx: Tx, doubt: Doubt, evidence: Accepted | NeverLeft, *, now: datetime) -> Standing:
    """Settle a row in doubt by what its transport found. The attempt counted when it came into doubt.

    That an earlier attempt never left says nothing of a later one.
    """
    match evidence:
        case Accepted():
            return accepted(tx, doubt.message_id, evidence, to_ms(now), counts=False)
        case NeverLeft():
            row = find(tx, doubt.message_id)
            is_newest = tx.execute(sql.NEWEST_ATTEMPT, (row.id,)).fetchone()[0] == doubt.attempt_id
            return never_left(tx, row, to_ms(now)) if is_newest else row


def look_again(tx: Tx, message_id: int, at: datetime | None) -> None:
    """Set when a row in doubt is looked into again; null: never by itself."""
    tx.execute(sql.LOOK_AGAIN, (to_ms(at), message_id))


def hold_unfinished(tx: Tx, *, now: datetime, unseen: int) -> int:
    """Hold everything unfinished of a restored copy until its owner decides; answers how many rows.

    Rows in hand become UNKNOWN, and no evidence is asked for rows in doubt: what the copy doesn't know may have
    happened after it was made. `unseen` events were written after the copy: every account, batch and message has at
    least one, so skipping that many ids keeps a new row from taking an id that was given out before.
    """
    for table in ("account", "batch", "event", "message") if unseen else ():
        tx.skip_ids(table, unseen)
    now_ms = to_ms(now)
    while recover(tx, now=now, limit=1_000):
        pass
    tx.execute("UPDATE message SET waits_until = NULL WHERE status = 'unknown'")
    return _hold(tx, [standing(row) for row in tx.execute(sql.UNFINISHED).fetchall()], WaitsFor.RESTORED, now_ms)


def hold_account(tx: Tx, account_id: int, *, now: datetime) -> int:
    """Hold everything that waits in an account whose number has changed; answers how many rows."""
    rows = [standing(row) for row in tx.execute(sql.UNFINISHED_OF, (account_id,)).fetchall()]
    return _hold(tx, rows, WaitsFor.NEW_NUMBER, to_ms(now))


def _hold(tx: Tx, rows: Sequence[Standing], why: WaitsFor, now_ms: int) -> int:
    for row in rows:
        hold(tx, row, why, now_ms)
    return len(rows)


def look_now(tx: Tx, account_id: int, *, now: datetime) -> None:
    """Let every row in doubt of an account be looked into at once, save those that are never looked into."""
    tx.execute(sql.LOOK_NOW, (to_ms(now), to_ms(now), account_id))


_KEEP_RECEIPTS = timedelta(hours=24)
_KEEP_DOUBTED = timedelta(days=30)
_KEEP_KEYS = timedelta(days=7)
_KEEP_UPLOADS = timedelta(days=7)
_KEEP_DRAFTS = timedelta(hours=24)
_KEEP_UNCLEAR = timedelta(days=30)
_KEEP_NUMBERS = timedelta(days=30)
_KEEP_USES = MONTH + timedelta(days=1)
_KEEP_SINGLES = timedelta(hours=1)
_MINUTE = 60_000
_KEEP_DELIVERIES = timedelta(days=30)
_KEEP_TRIES = timedelta(days=2)


def forget(tx: Tx, *, now: datetime) -> None:
    """Drop what has served its time: receipts, keys, uploads, drafts, sessions, deliveries, answers about numbers."""
    people.forget(tx, now=now)
    access.forget_passes(tx, now=now)
    tx.execute(sql.DROP_RECEIPTS, (to_ms(now - _KEEP_RECEIPTS), to_ms(now - _KEEP_DOUBTED)))
    tx.execute("DELETE FROM idempotency_key WHERE created_at < ?", (to_ms(now - _KEEP_KEYS),))
    tx.execute("DELETE FROM upload WHERE created_at < ?", (to_ms(now - _KEEP_UPLOADS),))
    tx.execute("DELETE FROM pace_use WHERE minute < ?", (to_ms(now - _KEEP_USES) // _MINUTE,))
    tx.execute("DELETE FROM token_minute WHERE minute < ?", (to_ms(now - _KEEP_SINGLES) // _MINUTE,))
    tx.execute("DELETE FROM batch_draft WHERE created_at < ?", (to_ms(now - _KEEP_DRAFTS),))
    tx.execute("DELETE FROM not_understood WHERE at < ?", (to_ms(now - _KEEP_UNCLEAR),))
    tx.execute("DELETE FROM number_check WHERE coalesce(known_at, asked_at) < ?", (to_ms(now - _KEEP_NUMBERS),))
    tx.execute(FORGET_DELIVERIES, (to_ms(now - _KEEP_DELIVERIES),))
    tx.execute(FORGET_TRIES, (hour_of(now - _KEEP_TRIES),))
