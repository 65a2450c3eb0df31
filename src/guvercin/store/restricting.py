"""What answers close for an account, and when a bulk send is paused by itself, as functions of a transaction.

Nothing here concerns accounts without rules: a row that was claimed under rules has a track, and others have none.

Laws
1. A lane that WhatsApp has closed opens at the moment that it stated, at the end of the cycle, or by a human; never
   because somebody tried again.
2. A refused new chat closes new chats. In an old chat it says something about that chat alone: its privacy token.
3. A batch that was paused by itself says why, and only a human lets it go on.
"""

from datetime import datetime, timedelta, timezone

import orjson

from guvercin.core.errors import Code
from guvercin.core.event import EventKind, Standing
from guvercin.core.outcome import Deferred, Outcome, Refused, Scope
from guvercin.core.pacing import BREAKERS
from guvercin.core.restriction import BACK_OFF, SLOWED_FOR, UNSTATED_LOCK, RestrictionKind
from guvercin.store.statements import restricting as sql
from guvercin.store.statements.batches import PAUSE_BATCH, PAUSE_ROWS
from guvercin.store.statements.pacing import WARM_DAYS
from guvercin.store.times import HOUR, from_ms, to_ms
from guvercin.store.writer import Tx

_CLOSES_NEW = frozenset({RestrictionKind.NEW, RestrictionKind.MONTH})

_ISTANBUL = timezone(timedelta(hours=3))
"""The zone of the monthly quota's cycle: Turkey keeps one time all year."""


def restrict(
    tx: Tx, account_id: int, kind: RestrictionKind, code: Code, *, now_ms: int, until_ms: int | None, step: int = 0
) -> None:
    """Close something until a moment; null: until a human decides. A later end stays."""
    before = tx.execute(sql.RESTRICTION, (account_id, kind.value)).fetchone()
    if before is not None and until_ms is not None and (before[0] is None or before[0] > until_ms):
        return
    tx.execute(sql.RESTRICT, (account_id, kind.value, code.value, now_ms, until_ms, step))
    until = {} if until_ms is None else {"bitis": from_ms(until_ms).isoformat()}
    detail = {"ne": "kisitlandi", "kod": code.value} | until
    tx.record(now_ms, EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=detail)
    tx.lines.append(account_id)


def lift(tx: Tx, account_id: int, kind: RestrictionKind, *, now_ms: int) -> bool:
    """Open something again; says whether it was closed."""
    before = tx.execute(sql.RESTRICTION, (account_id, kind.value)).fetchone()
    if before is None:
        return False
    tx.execute(sql.LIFT, (account_id, kind.value))
    if kind in _CLOSES_NEW:
        tx.execute(sql.OPEN_NEW, (now_ms, account_id))
    detail = {"ne": "kisit_kalkti", "kod": before[2]}
    tx.record(now_ms, EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=detail)
    tx.lines.append(account_id)
    return True


def lock_new_chats(tx: Tx, account_id: int, *, code: Code, now: datetime, until: datetime | None) -> None:
    """Close new chats until the end that WhatsApp stated; unstated, for as long as such locks were seen to last."""
    end = until or now + UNSTATED_LOCK
    restrict(tx, account_id, RestrictionKind.NEW, code, now_ms=to_ms(now), until_ms=to_ms(end))


def banned(tx: Tx, account_id: int, *, code: Code, now: datetime, until: datetime | None) -> None:
    """Pause every bulk send, and slow the day after a temporary ban down."""
    now_ms = to_ms(now)
    slowed_until = to_ms((until or now) + SLOWED_FOR)
    restrict(tx, account_id, RestrictionKind.SLOWED, code, now_ms=now_ms, until_ms=slowed_until)
    restrict(tx, account_id, RestrictionKind.BULK, code, now_ms=now_ms, until_ms=None)
    for (batch_id,) in tx.execute(sql.BATCHES_IN_LINE, (account_id,)).fetchall():
        pause_batch(tx, batch_id, account_id, code, now_ms=now_ms)


def keeps_rules(tx: Tx, account_id: int) -> bool:
    """Say whether an account has a course: it has claimed something under rules."""
    return tx.execute(WARM_DAYS, (0, account_id)).fetchone() is not None


# -- after an answer


def after_answer(tx: Tx, row: Standing, outcome: Outcome, now_ms: int) -> None:
    """Take what one answer says about the whole account or the whole batch."""
    match outcome:
        case Deferred(pushed_back=True, scope=Scope.ACCOUNT):
            if _track(tx, row.id) is not None:
                _back_off(tx, row.account_id, outcome.reason, now_ms)
        case Refused():
            if _track(tx, row.id) is None:
                return
            if outcome.reason is Code.NEW_CHATS_RESTRICTED and not tx.execute(sql.IS_OLD_CHAT, (row.id,)).fetchone()[0]:
                lock_new_chats(tx, row.account_id, code=outcome.reason, now=from_ms(now_ms), until=None)
            if outcome.reason is Code.MONTHLY_LIMIT:
                until_ms = to_ms(cycle_end(from_ms(now_ms)))
                restrict(tx, row.account_id, RestrictionKind.MONTH, outcome.reason, now_ms=now_ms, until_ms=until_ms)
            if row.batch_id is not None:
                _check_failures(tx, row.batch_id, row.account_id, now_ms)


def _track(tx: Tx, message_id: int) -> str | None:
    found: str | None = tx.execute(sql.TRACK, (message_id,)).fetchone()[0]
    return found


def cycle_end(now: datetime) -> datetime:
    """Answer when the month's quota of new chats is counted anew: with the next month, as far as anybody knows."""
    here = now.astimezone(_ISTANBUL).replace(hour=0, minute=0, second=0, microsecond=0)
    return (here.replace(day=28) + timedelta(days=4)).replace(day=1)


def _back_off(tx: Tx, account_id: int, code: Code, now_ms: int) -> None:
    row = tx.execute(sql.RESTRICTION, (account_id, RestrictionKind.BACKS_OFF.value)).fetchone()
    follows = row is not None and row[0] is not None and now_ms < row[0] + HOUR
    step = min(row[1] + 1, len(BACK_OFF) - 1) if follows else 0
    until_ms = now_ms + BACK_OFF[step] // timedelta(milliseconds=1)
    restrict(tx, account_id, RestrictionKind.BACKS_OFF, code, now_ms=now_ms, until_ms=until_ms, step=step)


# -- what pauses a batch by itself


def pause_batch(tx: Tx, batch_id: int, account_id: int, code: Code | None, *, now_ms: int) -> bool:
    """Take everything of a batch that has not left out of line; says whether it was not paused before."""
    if tx.execute(PAUSE_BATCH, (now_ms, code and code.value, batch_id)).rowcount != 1:
        return False
    tx.execute(PAUSE_ROWS, (batch_id,))
    detail = None if code is None else {"neden": code.value}
    tx.record(now_ms, EventKind.BATCH_PAUSED, account_id=account_id, batch_id=batch_id, detail=detail)
    return True


def _check_failures(tx: Tx, batch_id: int, account_id: int, now_ms: int) -> None:
    """Pause a batch of which too much fails: many of the last ones, or too many numbers that aren't on WhatsApp."""
    if not _has_breakers(tx, account_id):
        return
    most, last = BREAKERS.failed_of_last
    outcomes = [row[0] for row in tx.execute(sql.LAST_ATTEMPTS, (batch_id, last)).fetchall()]
    if outcomes.count("refused") >= most:
        pause_batch(tx, batch_id, account_id, Code.MANY_FAILED, now_ms=now_ms)
        return
    total, absent = tx.execute(sql.NOT_ON_WHATSAPP, (batch_id, Code.NOT_ON_WHATSAPP.value)).fetchone()
    if total >= BREAKERS.least_sent and absent > total * BREAKERS.not_on_whatsapp:
        pause_batch(tx, batch_id, account_id, Code.MANY_NOT_ON_WHATSAPP, now_ms=now_ms)


def check_refusals(tx: Tx, account_id: int, phone: str, *, now: datetime) -> int:
    """Pause the batches that reached a person who has just refused, if too many of their people did; answers how many.

    For accounts with rules alone. The share is that of 24 hours: the cheap sign of being blocked and reported.
    """
    now_ms = to_ms(now)
    since_ms = now_ms - BREAKERS.refusals_within // timedelta(milliseconds=1)
    paused = 0
    for (batch_id,) in tx.execute(sql.BATCHES_THAT_REACHED, (phone, account_id, since_ms)).fetchall():
        sent, refused = tx.execute(sql.REFUSED_BY, (batch_id, since_ms, account_id)).fetchone()
        is_many = sent >= BREAKERS.least_sent and refused > sent * BREAKERS.refusals
        if is_many and refused >= BREAKERS.least_refusals and _has_breakers(tx, account_id):
            paused += pause_batch(tx, batch_id, account_id, Code.MANY_REFUSALS, now_ms=now_ms)
    return paused


def _has_breakers(tx: Tx, account_id: int) -> bool:
    """Asked of accounts with rules alone; a pace that was written before there were any has them."""
    pace = orjson.loads(tx.execute(sql.PACE, (account_id,)).fetchone()[0])
    return bool((pace.get("rules") or {}).get("has_breakers", True))


def check_deliveries(tx: Tx, *, now: datetime) -> int:
    """Pause batches of which too little arrives; answers how many. For accounts with rules alone."""
    now_ms = to_ms(now)
    before_ms = now_ms - BREAKERS.delivered_after // timedelta(milliseconds=1)
    paused = 0
    for batch_id, account_id in tx.execute(sql.RUNNING_BATCHES).fetchall():
        sent, arrived = tx.execute(sql.ARRIVED, (batch_id, before_ms)).fetchone()
        is_few = sent >= BREAKERS.least_sent and arrived < sent * BREAKERS.delivered
        if is_few and _has_breakers(tx, account_id):
            paused += pause_batch(tx, batch_id, account_id, Code.FEW_DELIVERED, now_ms=now_ms)
    return paused
