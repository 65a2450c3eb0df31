"""How a message enters the log: once, however often its sender asks. Functions of a transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

import orjson

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind, Standing
from guvercin.core.message import Draft, IllegalOrder, Lane, Level, Order, Status, WaitsFor, priority
from guvercin.core.pacing import LOOP_WINDOW
from guvercin.core.restriction import RestrictionKind
from guvercin.store import restricting, wishes, words
from guvercin.store.messages import find, finish_batch, move, standing
from guvercin.store.statements import accepting as sql
from guvercin.store.statements.restricting import RESTRICTION
from guvercin.store.times import HOUR, to_ms
from guvercin.store.verbs.accepting import Acceptance, BatchAsk, KeyRow, Quota, Repeat
from guvercin.store.writer import Tx

_MINUTE = 60_000


def _replay(tx: Tx, token_id: int, key: KeyRow) -> Acceptance | None:
    row = tx.execute(sql.FIND_KEY, (token_id, key.method, key.path, key.key)).fetchone()
    if row is None:
        return None
    body_hash, message_id, batch_id = row
    if bytes(body_hash) != key.body_hash:
        raise GuvercinError(Code.KEY_MISMATCH)
    first = find(tx, message_id) if message_id is not None else None
    return Acceptance(standing=first, batch_id=batch_id, replayed=True)


def _repeated(tx: Tx, token_id: int, repeat: Repeat) -> Standing | None:
    """Answer the row that a request without a key repeats, where its token wants that looked for."""
    if repeat.since is None:
        return None
    for fingerprint, since in filter(None, (repeat.other, (repeat.fingerprint, repeat.since))):
        row = tx.execute(sql.FIND_REPEAT, (token_id, fingerprint, to_ms(since))).fetchone()
        if row is not None:
            return find(tx, row[0])
    return None


def _keep_key(tx: Tx, token_id: int, key: KeyRow, ms: int, *, message_id: int | None, batch_id: int | None) -> None:
    tx.execute(
        sql.INSERT_KEY,
        (token_id, key.method, key.path, key.key, key.body_hash, message_id, batch_id, ms),
    )


def _check_account(tx: Tx, account_id: int) -> int | None:
    """Refuse a message for an account that was removed a moment ago: nobody would ever send it.

    Answers its guard against repeats, in milliseconds.
    """
    live = tx.execute(sql.LIVE_ACCOUNT, (account_id,)).fetchone()
    if live is None:
        raise GuvercinError(Code.NOT_FOUND)
    guard: int | None = live[0]
    return guard


def _check_people(tx: Tx, draft: Draft) -> None:
    """Refuse a message that its recipient doesn't want, or must agree to first. OPTED_OUT, NO_CONSENT."""
    objection = _objection(tx, draft, is_direct=True)
    if objection is not None:
        raise GuvercinError(objection)


def _objection(tx: Tx, draft: Draft, *, is_direct: bool) -> Code | None:
    return wishes.objection(
        tx.execute,
        account_id=draft.account_id,
        recipient=draft.recipient,
        category=draft.category,
        is_direct=is_direct,
    )


def _check_quota(tx: Tx, token_id: int, quota: Quota, count: int) -> None:
    row = tx.execute(sql.USED_TODAY, (token_id, quota.day)).fetchone()
    if (row[0] if row else 0) + count > quota.limit:
        raise GuvercinError(Code.DAILY_QUOTA, retry_after=quota.renews_in)


_Row: TypeAlias = tuple[object, ...]
"""A message as it is stored: the values of INSERTED_COLUMNS."""


def _row(
    draft: Draft, token_id: int, now_ms: int, line_ms: int, *, batch_id: int | None, fingerprint: bytes | None
) -> _Row:
    """Write a draft as a row. `line_ms` places it behind everything that stands in line already."""
    status, waits_until = _begins(draft, now_ms)
    file = draft.content.file
    return (
        draft.account_id,
        batch_id,
        token_id,
        draft.recipient,
        draft.recipient_name,
        draft.content.text,
        file and file.digest,
        file and file.name,
        file and file.media_type,
        file and file.size,
        draft.category,
        draft.lane.value,
        draft.priority,
        status.value,
        draft.reason and draft.reason.value,
        draft.warning and draft.warning.value,
        None if waits_until is None else WaitsFor.TIME.value,
        waits_until,
        now_ms,
        line_ms if waits_until is None else waits_until,
        to_ms(draft.expires_at),
        draft.reference,
        fingerprint,
        draft.resend_of,
        draft.track and draft.track.value,
        draft.courtesy and draft.courtesy.value,
        draft.owns_lifetime,
        draft.is_head,
        orjson.dumps(dict(draft.variables)).decode() if draft.variables else None,
    )


def _begins(draft: Draft, now_ms: int) -> tuple[Status, int | None]:
    """Answer how a row begins: its status, and the time that it waits for."""
    if draft.reason is not None:
        return Status.FAILED, None
    due_ms = to_ms(draft.due_at)
    return Status.QUEUED, due_ms if due_ms is not None and due_ms > now_ms else None


def insert(tx: Tx, draft: Draft, token_id: int, now_ms: int, line_ms: int, *, fingerprint: bytes | None) -> Standing:
    """Store one message."""
    row = _row(draft, token_id, now_ms, line_ms, batch_id=None, fingerprint=fingerprint)
    status, waits_until = _begins(draft, now_ms)
    new = Standing(
        id=int(tx.execute(sql.INSERT_MESSAGE, row).lastrowid),
        account_id=draft.account_id,
        batch_id=None,
        status=status,
        reason=draft.reason,
        waits_for=None if waits_until is None else WaitsFor.TIME,
    )
    _mark_hour(tx, new.id, now_ms)
    detail = {"neden": draft.reason.value} if draft.reason else None
    kind = EventKind.MESSAGE_ACCEPTED if draft.reason is None else EventKind.MESSAGE_FAILED
    tx.record(now_ms, kind, account_id=draft.account_id, message_id=new.id, detail=detail)
    tx.standings.append(new)
    return new


def _insert_batch(tx: Tx, rows: Sequence[_Row], batch_id: int, now_ms: int) -> None:
    """Store the rows of a batch by one statement, and their events by another.

    Of all that stand in line one is announced: nobody can wait for a row yet, and one bell is enough.
    """
    columns = list(zip(*rows, strict=True))
    varies = tuple(len(set(column)) > 1 for column in columns)
    own = [column for column, is_own in zip(columns, varies, strict=True) if is_own]
    shared = [column[0] for column, is_own in zip(columns, varies, strict=True) if not is_own]
    values = list(zip(*own, strict=True)) or [()] * len(rows)
    into = words.insert_messages(varies) if tx.is_postgres else sql.insert_messages(varies)
    tx.execute(into, (*shared, orjson.dumps(values).decode()))
    first_id = tx.execute(sql.FIRST_OF_BATCH, (batch_id,)).fetchone()[0]
    _mark_hour(tx, first_id, now_ms)
    tx.last_event = tx.execute(sql.ACCEPTED_ROWS, (first_id, batch_id)).lastrowid
    tx.standings += map(standing, tx.execute(sql.IN_LINE_OF_BATCH, (batch_id,)).fetchall())


def _mark_hour(tx: Tx, first_id: int, now_ms: int) -> None:
    """Remember a message as the first of its hour, if it is."""
    hour_ms = now_ms - now_ms % HOUR
    last = tx.execute(sql.LAST_HOUR).fetchone()
    if last is None or last[0] != hour_ms:
        tx.execute(sql.MARK_HOUR, (first_id, hour_ms))


def _of_a_loop(tx: Tx, draft: Draft, token_id: int, now_ms: int) -> Draft:
    """Count a single of a token; one of very many in a short while keeps the pace of a bulk, and takes turns."""
    minute = now_ms // _MINUTE
    before = tx.execute(sql.SINGLES_SINCE, (token_id, minute - LOOP_WINDOW // timedelta(minutes=1))).fetchone()[0]
    tx.execute(sql.COUNT_SINGLE, (token_id, minute))
    if draft.loop_after is None or before < draft.loop_after:
        return draft
    lower = priority(Level.LOWEST, Lane.SINGLE) - priority(Level.LOWEST, Lane.BULK)
    return replace(draft, lane=Lane.BULK, priority=draft.priority - lower)


def accept(
    tx: Tx,
    draft: Draft,
    *,
    token_id: int,
    now: datetime,
    line_ms: int,
    key: KeyRow | None,
    repeat: Repeat | None,
    quota: Quota | None,
) -> Acceptance:
    """Store one message, or answer the row that its sender already has: by key, or by the guard against retries.

    Raises KEY_MISMATCH, NOT_FOUND for an account that is gone, OPTED_OUT, NO_CONSENT and DAILY_QUOTA, before anything
    is written.
    """
    if key is not None and (first := _replay(tx, token_id, key)) is not None:
        return first
    now_ms = to_ms(now)
    if key is None and repeat is not None and (stood_there := _repeated(tx, token_id, repeat)) is not None:
        return Acceptance(standing=stood_there, repeated=True)
    _check_account(tx, draft.account_id)
    _check_people(tx, draft)
    if quota is not None:
        _check_quota(tx, token_id, quota, 1)
        tx.execute(sql.USE_TODAY, (token_id, quota.day, 1))
    fingerprint = repeat.fingerprint if repeat is not None else None
    if draft.loop_after is not None:
        draft = _of_a_loop(tx, draft, token_id, now_ms)
    new = insert(tx, draft, token_id, now_ms, line_ms, fingerprint=fingerprint)
    if key is not None:
        _keep_key(tx, token_id, key, now_ms, message_id=new.id, batch_id=None)
    return Acceptance(standing=new)


def _looked_at(tx: Tx, draft: Draft, repeats_since_ms: int | None) -> Draft:
    """Answer a row of a batch as it is stored: failed, if its recipient doesn't want it or has it already."""
    if draft.reason is not None:
        return draft
    objection = _objection(tx, draft, is_direct=False)
    if objection is None and repeats_since_ms is not None and _was_sent_lately(tx, draft, repeats_since_ms):
        objection = Code.SENT_LATELY
    return draft if objection is None else replace(draft, reason=objection)


def _was_sent_lately(tx: Tx, draft: Draft, since_ms: int) -> bool:
    """Say whether a person got the same words and file from this account lately, or is about to."""
    content = draft.content
    digest = None if content.file is None else content.file.digest
    asked = (draft.recipient, draft.account_id, since_ms, content.text, digest)
    return tx.execute(sql.SENT_LATELY, asked).fetchone() is not None


def accept_batch(
    tx: Tx,
    ask: BatchAsk,
    drafts: Sequence[Draft],
    *,
    token_id: int,
    now: datetime,
    line_ms: int,
    key: KeyRow | None,
    repeats_since: datetime | None,
    quota: Quota | None,
) -> Acceptance:
    """Store a batch with all its rows, or answer the unfinished one that the same request made before."""
    if key is not None and (first := _replay(tx, token_id, key)) is not None:
        return first
    now_ms = to_ms(now)
    if key is None and repeats_since is not None:
        row = tx.execute(sql.FIND_REPEATED_BATCH, (token_id, ask.body_hash, to_ms(repeats_since))).fetchone()
        if row is not None:
            return Acceptance(batch_id=row[0], repeated=True)
    guard = _check_account(tx, ask.account_id)
    repeats_since_ms = None if guard is None else now_ms - guard
    if guard is not None or any(wishes.may_object(tx.execute, each) for each in {draft.category for draft in drafts}):
        drafts = [_looked_at(tx, draft, repeats_since_ms) for draft in drafts]
    if quota is not None:
        good = sum(draft.reason is None for draft in drafts)  # rows that are stored as failed are not accepted messages
        _check_quota(tx, token_id, quota, good)
        tx.execute(sql.USE_TODAY, (token_id, quota.day, good))
    cursor = tx.execute(
        sql.INSERT_BATCH,
        (
            ask.account_id,
            token_id,
            ask.category,
            len(drafts),
            ask.body_hash,
            now_ms,
            now_ms if ask.is_of_customers else None,
        ),
    )
    batch_id = int(cursor.lastrowid)
    tx.record(
        now_ms,
        EventKind.BATCH_ACCEPTED,
        account_id=ask.account_id,
        batch_id=batch_id,
        detail={"toplam": len(drafts)},
    )
    if ask.note is not None:
        tx.record(now_ms, ask.note, account_id=ask.account_id, batch_id=batch_id, detail={"anahtar_id": token_id})
    rows = [_row(draft, token_id, now_ms, line_ms, batch_id=batch_id, fingerprint=None) for draft in drafts]
    _insert_batch(tx, rows, batch_id, now_ms)
    banned = tx.execute(RESTRICTION, (ask.account_id, RestrictionKind.BULK.value)).fetchone()
    if banned is not None:  # since a ban no human has said that bulk may go on
        restricting.pause_batch(tx, batch_id, ask.account_id, Code.TEMPORARY_BAN, now_ms=now_ms)
    finish_batch(tx, ask.account_id, batch_id, now_ms)  # if every row failed at once
    if key is not None:
        _keep_key(tx, token_id, key, now_ms, message_id=None, batch_id=batch_id)
    return Acceptance(batch_id=batch_id)


def resend(
    tx: Tx,
    message_id: int,
    draft: Draft,
    *,
    token_id: int,
    now: datetime,
    line_ms: int,
    key: KeyRow | None,
    quota: Quota | None,
    only_in_doubt: bool,
) -> Acceptance:
    """Store a new row in place of an old one, which gives up if it was in doubt.

    Raises IllegalOrder while the old one may still leave by itself, and with `only_in_doubt` if it isn't in doubt.
    """
    if key is not None and (first := _replay(tx, token_id, key)) is not None:
        return first
    old = find(tx, message_id)
    if old.status in (Status.QUEUED, Status.SENDING) or (only_in_doubt and old.status is not Status.UNKNOWN):
        raise IllegalOrder(old.status, Order.GIVE_UP)
    _check_account(tx, draft.account_id)
    _check_people(tx, draft)
    if quota is not None:
        _check_quota(tx, token_id, quota, 1)
    if old.status is Status.UNKNOWN:
        move(tx, old, Order.GIVE_UP, to_ms(now), reason=Code.RESENT)
    return accept(tx, draft, token_id=token_id, now=now, line_ms=line_ms, key=key, repeat=None, quota=quota)
