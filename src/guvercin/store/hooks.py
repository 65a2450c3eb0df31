"""Hooks and their deliveries, as functions of a connection or a transaction.

The event table is the outbox. A window is what a hook has to deliver now; settling it moves the hook's place and keeps
a row for whatever didn't go well at once, in one change. So a crash repeats a window and loses nothing of it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection

from guvercin.core.audit import Act
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.hook import CloseReason, Delivery, DeliveryState, Hook, HookEvent, Lag, Notice, Secrets
from guvercin.store import auditing, inbox
from guvercin.store.hand import by_hand
from guvercin.store.statements import hooks as sql
from guvercin.store.times import from_ms, to_ms
from guvercin.store.verbs.hooks import NewHook, Try, Window
from guvercin.store.writer import Tx

_HOUR = 3_600_000

_SPAN = 5_000
"""Events that are looked through at a time: most may be none of a hook's."""


def _hook(row: Sequence[Any]) -> Hook:
    return Hook(
        id=row[0],
        url=row[1],
        events=frozenset(map(HookEvent, orjson.loads(row[2]))),
        account_ids=None if row[3] is None else frozenset(orjson.loads(row[3])),
        secrets=Secrets(
            sealed=bytes(row[4]), before=None if row[5] is None else bytes(row[5]), before_until=from_ms(row[6])
        ),
        created_at=from_ms(row[7]),
        first_id=row[8],
        cursor=row[9],
        failing_since=from_ms(row[10]),
        delivered_at=from_ms(row[11]),
        closed_at=from_ms(row[12]),
        closed_for=None if row[13] is None else CloseReason(row[13]),
    )


def _notice(row: Sequence[Any]) -> Notice:
    return Notice(
        id=row[0],
        at=from_ms(row[1]),
        kind=HookEvent(row[2]),
        account_id=row[3],
        message_id=row[4],
        batch_id=row[5],
        detail=MappingProxyType(orjson.loads(row[6]) if row[6] else {}),
        recipient=row[7],
        recipient_name=row[8],
        reference=row[9],
        category=row[10],
        remote_id=row[11],
        received=None if row[12] is None else inbox.row(row[12:]),
    )


_MORE = 12 + inbox.WIDTH
"""Where the columns of a notice end and those of its delivery begin."""


def hour_of(moment: datetime) -> int:
    """Answer the hour in which tries are counted: hours since 1970, UTC."""
    return to_ms(moment) // _HOUR


def _json(values: Collection[Any] | None) -> str | None:
    return None if values is None else orjson.dumps(sorted(values)).decode()


# -- hooks


def add(tx: Tx, new: NewHook, *, now: datetime) -> Hook:
    """Add a hook that hears what happens from now on."""
    newest = tx.execute(sql.NEWEST_EVENT).fetchone()[0]
    made = tx.execute(
        "INSERT INTO hook (token_id, url, events, account_ids, secret, created_at, first_id, cursor) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (new.token_id, new.url, _json(new.events), _json(new.account_ids), new.sealed, to_ms(now), newest + 1, newest),
    )
    auditing.note(tx, Act.HOOK_ADDED, now=now, about=f"webhook:{made.lastrowid}")
    return one(tx, made.lastrowid)


def every(connection: Connection) -> Sequence[Hook]:
    """Answer all hooks that were not removed, by id."""
    rows = by_hand(connection).execute(sql.HOOKS)
    return tuple(map(_hook, rows.fetchall()))


def one(tx: Tx, hook_id: int) -> Hook:
    """Answer a hook; NOT_FOUND."""
    row = tx.execute(sql.HOOK, (hook_id,)).fetchone()
    if row is None:
        raise GuvercinError(Code.NOT_FOUND)
    return _hook(row)


def change(
    tx: Tx,
    hook_id: int,
    *,
    url: str | None,
    events: Collection[HookEvent] | None,
    account_ids: Collection[int] | None,
    secrets: Secrets | None,
    now: datetime,
) -> Hook:
    """Change what its owner decides about a hook; null leaves what is there. NOT_FOUND."""
    before = one(tx, hook_id)
    kept = secrets or before.secrets
    tx.execute(
        sql.CHANGE_HOOK,
        (
            url or before.url,
            _json(events or before.events),
            _json(account_ids or before.account_ids),
            kept.sealed,
            kept.before,
            to_ms(kept.before_until),
            hook_id,
        ),
    )
    given = (("url", url), ("olaylar", events), ("hesaplar", account_ids), ("secret", secrets))
    what = {"ne": [word for word, value in given if value is not None]}
    auditing.note(tx, Act.HOOK_CHANGED, now=now, about=f"webhook:{hook_id}", detail=what)
    return one(tx, hook_id)


def reopen(tx: Tx, hook_id: int, *, now: datetime) -> Hook:
    """Let a hook begin anew where it stood: nothing that happened while it was closed is left out. NOT_FOUND."""
    one(tx, hook_id)
    tx.execute("UPDATE hook SET closed_at = NULL, closed_for = NULL, failing_since = NULL WHERE id = ?", (hook_id,))
    tx.execute(sql.BEGIN_DELIVERIES_ANEW, (to_ms(now), hook_id))
    auditing.note(tx, Act.HOOK_REOPENED, now=now, about=f"webhook:{hook_id}")
    return one(tx, hook_id)


def close(tx: Tx, hook_id: int, reason: CloseReason, *, now: datetime) -> Hook:
    """Close a hook and tell so; one that is closed stays as it is. NOT_FOUND."""
    before = one(tx, hook_id)
    if before.closed_at is not None:
        return before
    tx.execute("UPDATE hook SET closed_at = ?, closed_for = ? WHERE id = ?", (to_ms(now), reason.value, hook_id))
    tx.record(to_ms(now), EventKind.HOOK_CLOSED, detail={"webhook": hook_id, "neden": reason.value})
    return one(tx, hook_id)


def remove(tx: Tx, hook_id: int, *, now: datetime) -> None:
    """Remove a hook, its secrets and its deliveries. NOT_FOUND."""
    one(tx, hook_id)
    tx.execute("DELETE FROM delivery WHERE hook_id = ?", (hook_id,))
    tx.execute("DELETE FROM hook_hour WHERE hook_id = ?", (hook_id,))
    tx.execute(
        "UPDATE hook SET removed_at = ?, secret = ?, secret_before = NULL WHERE id = ?", (to_ms(now), b"", hook_id)
    )
    auditing.note(tx, Act.HOOK_REMOVED, now=now, about=f"webhook:{hook_id}")


# -- delivering


def window(connection: Connection, hook: Hook, *, after: int, now: datetime, due: int, fresh: int) -> Window:
    """Answer what a hook has to deliver now: `due` deliveries whose time has come, and `fresh` new events, at the most.

    An event whose subject waits already is not for delivering but for keeping behind it: it is among `behind`.
    """
    raw = by_hand(connection)
    again = [
        Try(notice=_notice(row), tries=row[_MORE], since=from_ms(row[_MORE + 1]))
        for row in (raw.execute(sql.DUE_DELIVERIES, (hook.id, to_ms(now), due)).fetchall() if due else ())
    ]
    newest = raw.execute(sql.NEWEST_EVENT).fetchone()[0]
    upto = min(newest, after + _SPAN)
    notices = notices_between(connection, after, upto, hook.events, hook.account_ids, limit=fresh) if fresh else ()
    if not fresh:
        upto = after
    elif len(notices) == fresh:
        upto = notices[-1].id
    kept = {row[0] for row in raw.execute(sql.WAITING_BETWEEN, (hook.id, after, upto)).fetchall()}
    notices = [notice for notice in notices if notice.id not in kept]  # set back, it meets what waits already
    subjects = _json({notice.subject for notice in notices})
    waiting = (
        {row[0] for row in raw.execute(sql.WAITING_SUBJECTS, (hook.id, subjects)).fetchall()} if notices else set()
    )
    next_ms = raw.execute(sql.NEXT_DELIVERY, (hook.id,)).fetchone()[0]
    return Window(
        again=again,
        fresh=[notice for notice in notices if notice.subject not in waiting],
        behind=[notice for notice in notices if notice.subject in waiting],
        upto=upto,
        is_more=upto < newest,
        next_at=from_ms(next_ms),
    )


def settle(
    tx: Tx,
    hook_id: int,
    deliveries: Sequence[Delivery],
    *,
    stood_at: int,
    upto: int,
    failing_since: datetime | None,
    is_well_again: bool,
    now: datetime,
) -> None:
    """Write what became of a window: rows for what didn't go well at once, and the hook's new place.

    DONE at the first try leaves no row. `stood_at`: where the hook stood when the window was taken.

    Whose turn is next is looked up when all rows are there: what waits behind a row may have come with the same window.
    """
    now_ms = to_ms(now)
    has_worked = False
    subjects: set[int] = set()
    for each in deliveries:
        is_over = each.state is not DeliveryState.WAITING
        has_worked = has_worked or each.state is DeliveryState.DONE
        if each.state is DeliveryState.DONE and each.tries <= 1:  # simply done; it may have waited untried
            subjects.update(row[0] for row in tx.execute(sql.DROP_DELIVERY, (hook_id, each.notice.id)).fetchall())
            continue
        next_at = None if is_over else to_ms(each.next_at)
        kept = tx.execute(
            sql.KEEP_DELIVERY,
            (
                hook_id,
                each.notice.id,
                each.notice.subject,
                each.state.value,
                each.tries,
                now_ms,
                next_at,
                to_ms(each.tried_at),
                each.status,
                each.trouble,
                each.took_ms,
            ),
        ).fetchone()
        if next_at is None:
            subjects.add(kept[0])
    for subject in sorted(subjects):
        tx.execute(sql.NEXT_OF_SUBJECT, (now_ms, hook_id, subject))
    if is_well_again:
        tx.execute(sql.RELEASE_DELIVERIES, (now_ms, hook_id))
    worked_ms = now_ms if has_worked else None
    tx.execute(sql.MOVE_CURSOR, (hook_id, upto, to_ms(failing_since), worked_ms, stood_at))
    tried = [each.state is DeliveryState.DONE for each in deliveries if each.tried_at is not None]
    if tried:
        tx.execute(sql.COUNT_TRIES, (hook_id, hour_of(now), sum(tried), len(tried) - sum(tried)))


# -- looking


def notices_between(
    connection: Connection,
    after: int,
    upto: int,
    kinds: Collection[HookEvent],
    account_ids: Collection[int] | None,
    *,
    limit: int,
) -> Sequence[Notice]:
    """Answer what happened after one event and up to another, oldest first."""
    rows = by_hand(connection).execute(sql.NOTICES, (after, upto, _json(kinds), _json(account_ids), limit))
    return tuple(map(_notice, rows.fetchall()))


def feed(
    connection: Connection,
    after: int,
    kinds: Collection[HookEvent],
    account_ids: Collection[int] | None,
    *,
    limit: int,
) -> tuple[Sequence[Notice], int]:
    """Answer what happened after an event, oldest first, and from where to go on: past what was none of these kinds."""
    newest = by_hand(connection).execute(sql.NEWEST_EVENT).fetchone()[0]
    while True:
        upto = min(newest, after + _SPAN)
        found = notices_between(connection, after, upto, kinds, account_ids, limit=limit)
        if found or upto >= newest:
            return found, found[-1].id if len(found) == limit else max(upto, after)
        after = upto


def deliveries(connection: Connection, hook: Hook, *, below: int | None, limit: int) -> tuple[Sequence[Delivery], int]:
    """Answer a page of what a hook heard or has to hear, newest first, and the event below which to go on (0: nowhere).

    Its events are walked backwards, a stretch at a time: a page may hold fewer than `limit` and not be the last.
    """
    raw = by_hand(connection)
    top = raw.execute(sql.NEWEST_EVENT).fetchone()[0] if below is None else below - 1
    bottom = max(hook.first_id - 1, top - _SPAN)
    rows = raw.execute(
        sql.DELIVERIES, (bottom, top, _json(hook.events), _json(hook.account_ids), limit, hook.id)
    ).fetchall()
    found = tuple(_delivery(hook, row) for row in rows)
    if len(found) == limit:
        return found, found[-1].notice.id
    return found, bottom + 1 if bottom >= hook.first_id else 0


def _delivery(hook: Hook, row: Sequence[Any]) -> Delivery:
    notice = _notice(row)
    state, tries, tried_ms, next_ms, status, trouble, took_ms = row[_MORE:]
    if state is None:
        is_done = notice.id <= hook.cursor
        return Delivery(
            notice=notice, state=DeliveryState.DONE if is_done else DeliveryState.QUEUED, tries=1 if is_done else 0
        )
    return Delivery(
        notice=notice,
        state=DeliveryState(state),
        tries=tries,
        tried_at=from_ms(tried_ms),
        next_at=from_ms(next_ms),
        status=status,
        trouble=trouble,
        took_ms=took_ms,
    )


def tries(connection: Connection, *, now: datetime) -> Mapping[int, tuple[int, int]]:
    """Answer by hook how many tries of the last 24 hours (whole hours) were taken, and how many not."""
    rows = by_hand(connection).execute(sql.TRIES_SINCE, (hour_of(now) - 24,)).fetchall()
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def lags(connection: Connection) -> Sequence[Lag]:
    """Answer how far each hook is behind, as its place was last written."""
    raw = by_hand(connection)
    found = []
    for hook in every(connection):
        waiting, oldest_ms = raw.execute(sql.WAITING_OF_HOOK, (hook.id,)).fetchone()
        fresh = notices_between(
            connection, hook.cursor, hook.cursor + 2 * _SPAN, hook.events, hook.account_ids, limit=1
        )
        moments = [from_ms(oldest_ms), *(notice.at for notice in fresh)]
        oldest = min((moment for moment in moments if moment is not None), default=None)
        found.append(Lag(hook=hook, waiting=waiting, oldest_at=oldest))
    return found


# -- again


def replay(tx: Tx, hook: Hook, event_id: int, *, now: datetime) -> None:
    """Deliver one event once more, whatever became of it before. NOT_FOUND: the hook doesn't hear of such an event."""
    row = tx.execute(sql.ONE_NOTICE, (event_id,)).fetchone()
    if row is None or row[2] not in set(HookEvent):
        raise GuvercinError(Code.NOT_FOUND)
    notice = _notice(row)
    is_of_account = hook.account_ids is None or notice.account_id in hook.account_ids
    if notice.kind not in hook.events or not is_of_account or not hook.first_id <= notice.id:
        raise GuvercinError(Code.NOT_FOUND)
    if notice.id > hook.cursor:  # it comes by itself
        return
    waiting = DeliveryState.WAITING.value
    nothing = (None, None, None)
    tx.execute(
        sql.KEEP_DELIVERY,
        (hook.id, notice.id, notice.subject, waiting, 0, to_ms(now), to_ms(now), None, *nothing),
    )


def replay_since(tx: Tx, hook_id: int, moment: datetime) -> int:
    """Set a hook's place back to a moment, so that it hears everything since then again; answers the new place.

    NOT_FOUND. Nothing from before the hook was made is delivered.
    """
    hook = one(tx, hook_id)
    wanted = to_ms(moment)
    low, high = hook.first_id, tx.execute(sql.NEWEST_EVENT).fetchone()[0] + 1
    while low < high:  # ids grow with time: the first event at or after the moment
        middle = (low + high) // 2
        row = tx.execute(sql.EVENT_TIME, (middle,)).fetchone()
        if row is None or row[1] >= wanted:
            high = middle
        else:
            low = row[0] + 1
    place = min(hook.cursor, low - 1)
    tx.execute("UPDATE hook SET cursor = ? WHERE id = ?", (place, hook_id))
    return place
