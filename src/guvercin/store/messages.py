"""What happens to messages, one verb = one atomic change, as functions of a transaction.

Every change of a status goes through `move`, which asks core.message.advance and guards the row by its old status;
store/claiming.py asks the same table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import OF_STATUS, EventKind, Standing
from guvercin.core.message import (
    HELD,
    PACED,
    WITH_WHATSAPP,
    Cause,
    Content,
    Courtesy,
    File,
    Lane,
    Message,
    News,
    Order,
    Status,
    Track,
    WaitsFor,
    advance,
)
from guvercin.core.optout import NewOptOut, OptOutScope, OptOutSource, Verdict
from guvercin.core.outcome import Accepted, Deferred, Lost, Outcome, Receipt, ReceiptKind, Refused
from guvercin.store import restricting, wishes
from guvercin.store.statements import messages as sql
from guvercin.store.statements.batches import BATCH_STATE, COUNT_BATCH, FINISH_BATCH
from guvercin.store.statements.upkeep import DUE, LOOK_AGAIN
from guvercin.store.statements.wishes import REFUSALS_OF
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx

# Read by a dictionary: calling an enum costs ten times as much, and these are asked for every row.
_STATUS: Mapping[str, Status] = {status.value: status for status in Status}
_WAITS_FOR: Mapping[str | None, WaitsFor | None] = {None: None} | {word.value: word for word in WaitsFor}
_LANE: Mapping[str, Lane] = {lane.value: lane for lane in Lane}
_TRACK: Mapping[str | None, Track | None] = {None: None} | {track.value: track for track in Track}
_COURTESY: Mapping[str | None, Courtesy | None] = {None: None} | {word.value: word for word in Courtesy}
_CODE: Mapping[str | None, Code | None] = {None: None} | {code.value: code for code in Code}

_LOOK_SOON = 5_000
"""Milliseconds until upkeep first looks for evidence of a message in doubt."""

_LOOK_LATER = 600_000
"""Milliseconds until it looks again after evidence that can't be believed."""

_MAY_WAIT = frozenset({Status.QUEUED, Status.UNKNOWN})
"""Where `waits_for` and `waits_until` may be set; everywhere else both are null."""

_OPEN = frozenset({Status.QUEUED, Status.SENDING})
"""Where a row keeps its batch from being finished."""
_TELLS_OF_RELEASE = HELD | {WaitsFor.TIME, WaitsFor.REVIEW}
"""Waits whose end is an event of its own."""


def standing(row: Sequence[Any]) -> Standing:
    """Read the columns of STANDING_COLUMNS."""
    return Standing(
        id=row[0],
        account_id=row[1],
        batch_id=row[2],
        status=_STATUS[row[3]],
        reason=_CODE[row[4]],
        remote_id=row[5],
        waits_for=_WAITS_FOR[row[6]],
    )


def message(row: Sequence[Any]) -> Message:
    """Read the columns of MESSAGE_COLUMNS."""
    file = None
    if row[6] is not None:
        file = File(digest=row[6], name=row[7], media_type=row[8], size=row[9])
    return Message(
        id=row[0],
        account_id=row[1],
        batch_id=row[2],
        recipient=row[3],
        recipient_name=row[4],
        content=Content(text=row[5], file=file),
        category=row[10],
        lane=_LANE[row[11]],
        priority=row[12],
        status=_STATUS[row[13]],
        reason=_CODE[row[14]],
        warning=_CODE[row[15]],
        waits_for=_WAITS_FOR[row[16]],
        waits_until=from_ms(row[17]),
        created_at=from_ms(row[18]),
        due_at=from_ms(row[19]),
        expires_at=from_ms(row[20]),
        sent_at=from_ms(row[21]),
        delivered_at=from_ms(row[22]),
        read_at=from_ms(row[23]),
        remote_id=row[24],
        attempts=row[25],
        reference=row[26],
        resend_of=row[27],
        track=_TRACK[row[28]],
        courtesy=_COURTESY[row[29]],
        variables=None if row[30] is None else orjson.loads(row[30]),
    )


def find(tx: Tx, message_id: int) -> Standing:
    """Answer where a message stands; NOT_FOUND if there is none."""
    row = tx.execute(sql.STANDING, (message_id,)).fetchone()
    if row is None:
        raise GuvercinError(Code.NOT_FOUND)
    return standing(row)


# -- one change of one row


def move(
    tx: Tx,
    row: Standing,
    cause: Cause,
    now_ms: int,
    *,
    reason: Code | None = None,
    waits_for: WaitsFor | None = None,
    waits_until: int | None = None,
    remote_id: str | None = None,
    sent_at: int | None = None,
    delivered_at: int | None = None,
    read_at: int | None = None,
    counts: bool = False,
    detail: Mapping[str, Any] | None = None,
) -> Standing:
    """Advance one row and write its event. Times are milliseconds; those that are null leave what is there.

    Of several times of one receipt the earliest stays, so that their order doesn't matter. News that changes nothing
    only fills times and ids that were missing.
    """
    after = advance(row.status, cause)
    moved = after is not row.status
    if not moved:
        is_nothing_new = remote_id is None and sent_at is None and delivered_at is None and read_at is None
        if is_nothing_new or row.status in _MAY_WAIT:  # what a row waits for is not for this news to touch
            return row
        reason = row.reason
    if sent_at is None and after in WITH_WHATSAPP:
        sent_at = delivered_at or read_at or now_ms
    values = (
        row.id,
        row.status.value,
        after.value,
        reason and reason.value,
        int(counts),
        remote_id,
        sent_at,
        delivered_at,
        read_at,
    )
    if row.status in _MAY_WAIT or after in _MAY_WAIT:
        cursor = tx.execute(sql.MOVE, (*values, waits_for and waits_for.value, waits_until))
    else:
        cursor = tx.execute(sql.ADVANCE, values)
    if cursor.rowcount != 1:
        raise RuntimeError("a row moved while it was held")
    new = Standing(
        id=row.id,
        account_id=row.account_id,
        batch_id=row.batch_id,
        status=after,
        reason=reason,
        remote_id=row.remote_id or remote_id,
        waits_for=waits_for,
    )
    if moved:
        kind = EventKind.MESSAGE_RELEASED if cause is News.NEVER_LEFT else OF_STATUS[after]
        words = dict(detail) if detail else {}
        if reason is not None:
            words["neden"] = reason.value
        if remote_id is not None:
            words["message_id"] = remote_id
        tx.record(now_ms, kind, account_id=row.account_id, message_id=row.id, batch_id=row.batch_id, detail=words)
        tx.standings.append(new)
        _follow_up(tx, row, after, now_ms)
    return new


def _follow_up(tx: Tx, row: Standing, after: Status, now_ms: int) -> None:
    """Do for others what a row's move means for them."""
    if row.waits_for is WaitsFor.RETRY:  # it holds nobody back any more
        tx.execute(sql.RELEASE_PARKED, (now_ms, row.account_id, row.id))
    if row.waits_for in PACED:
        tx.execute(sql.JUDGE_RECIPIENT_AGAIN, (now_ms, row.account_id, row.id))
    if row.batch_id is not None and row.status in _OPEN and after not in _OPEN:
        finish_batch(tx, row.account_id, row.batch_id, now_ms)


def finish_batch(tx: Tx, account_id: int, batch_id: int, now_ms: int) -> None:
    """Tell that nothing of a batch is queued or sending any more: once, whatever becomes of its doubts later."""
    if tx.execute(FINISH_BATCH, (now_ms, batch_id)).rowcount == 1:
        counts = dict(tx.execute(COUNT_BATCH, (batch_id,)).fetchall())
        detail = {"toplam": sum(counts.values()), "dagilim": counts}
        tx.record(now_ms, EventKind.BATCH_FINISHED, account_id=account_id, batch_id=batch_id, detail=detail)


def back_in_line(tx: Tx, row: Standing, now_ms: int) -> Standing:
    """Put a waiting row in line, or where a paused batch keeps it; a cancelled batch lets nothing back in."""
    waits_for = tx.execute(sql.RELEASE, (row.id,)).fetchall()
    if waits_for and waits_for[0][0] is not None:
        return _kept_by_batch(tx, row, now_ms)
    return _released(tx, row, None, now_ms)


def never_left(tx: Tx, row: Standing, now_ms: int) -> Standing:
    """Put a row back in line of which is proven that it didn't leave, unless its batch is paused."""
    new = move(tx, row, News.NEVER_LEFT, now_ms)
    if new.batch_id is not None and tx.execute(sql.KEEP_OUT, (row.id,)).rowcount == 1:
        return _kept_by_batch(tx, new, now_ms)
    return new


def _kept_by_batch(tx: Tx, row: Standing, now_ms: int) -> Standing:
    """Answer a queued row whose batch is paused: it waits for that, or ends if the batch was cancelled meanwhile."""
    kept = replace(row, status=Status.QUEUED, waits_for=WaitsFor.PAUSED)
    if tx.execute(BATCH_STATE, (row.batch_id,)).fetchone()[2] is not None:
        return move(tx, kept, Order.CANCEL, now_ms)
    tx.standings.append(kept)
    return kept


def _released(tx: Tx, row: Standing, waits_for: WaitsFor | None, now_ms: int) -> Standing:
    if row.waits_for in _TELLS_OF_RELEASE:
        tx.record(
            now_ms,
            EventKind.MESSAGE_RELEASED,
            account_id=row.account_id,
            message_id=row.id,
            batch_id=row.batch_id,
        )
    new = Standing(
        id=row.id,
        account_id=row.account_id,
        batch_id=row.batch_id,
        status=row.status,
        reason=row.reason,
        remote_id=row.remote_id,
        waits_for=waits_for,
    )
    tx.standings.append(new)
    return new


def release_due(tx: Tx, *, now: datetime, limit: int) -> int:
    """Put rows whose wait is over back in line; answers how many."""
    now_ms = to_ms(now)
    rows = tx.execute(DUE, (now_ms, limit)).fetchall()
    for row in rows:
        back_in_line(tx, standing(row), now_ms)
    return len(rows)


def is_unwanted(tx: Tx, message_id: int, account_id: int, recipient: str, now_ms: int) -> bool:
    """Take a message out of line that its recipient has refused, or may have refused; says whether it was."""
    if not tx.execute(REFUSALS_OF, (recipient, account_id)).fetchall():
        return False
    found = message(tx.execute(sql.MESSAGE, (message_id,)).fetchone())
    row = find(tx, message_id)
    match wishes.refusal(
        tx.execute,
        account_id=account_id,
        recipient=recipient,
        category=found.category,
        is_direct=found.batch_id is None,
        message_id=message_id,
    ):
        case Verdict.STOPS:
            move(tx, row, News.REFUSED, now_ms, reason=Code.OPTED_OUT)
        case Verdict.HOLDS:
            hold(tx, row, WaitsFor.REVIEW, now_ms)
        case None:
            return False
    return True


def hold(tx: Tx, row: Standing, why: WaitsFor, now_ms: int) -> None:
    """Take a queued row out of line until a person has decided."""
    tx.execute(sql.HOLD, (why.value, row.id))
    tx.record(now_ms, EventKind.MESSAGE_HELD, account_id=row.account_id, message_id=row.id, batch_id=row.batch_id)
    tx.standings.append(replace(row, waits_for=why))


# -- settle


def settle(
    tx: Tx, message_id: int, attempt_id: int, outcome: Outcome, *, now: datetime, retry_at: datetime | None
) -> Standing:
    """Write what became of an attempt. A deferral with no `retry_at` has used up its tries and fails.

    Writing it again changes nothing: an attempt ends once, and counts once.
    """
    now_ms = to_ms(now)
    reason = None if isinstance(outcome, Accepted) else outcome.reason
    detail = outcome.detail if isinstance(outcome, Refused) else None
    ended = tx.execute(
        sql.END_ATTEMPT,
        (now_ms, type(outcome).__name__.lower(), reason and reason.value, detail, attempt_id, message_id),
    )
    if isinstance(outcome, Accepted):  # always heard: it did leave, whatever was written before
        return accepted(tx, message_id, outcome, now_ms, counts=ended.rowcount == 1)
    row = find(tx, message_id)
    if ended.rowcount != 1:
        return row
    new = _not_accepted(tx, row, outcome, now_ms, retry_at)
    restricting.after_answer(tx, row, outcome, now_ms)
    return new


def _not_accepted(
    tx: Tx, row: Standing, outcome: Deferred | Refused | Lost, now_ms: int, retry_at: datetime | None
) -> Standing:
    match outcome:
        case Deferred() if retry_at is None:
            return move(tx, row, News.REFUSED, now_ms, reason=Code.RETRIES_EXHAUSTED, counts=True)
        case Deferred():
            return move(
                tx,
                row,
                News.DEFERRED,
                now_ms,
                reason=outcome.reason,
                waits_for=WaitsFor.RETRY,
                waits_until=to_ms(retry_at),
                counts=outcome.pushed_back,
            )
        case Refused():
            if outcome.reason is Code.OPTED_OUT:
                _refused_at_network(tx, row, from_ms(now_ms))
            refusal = {"kapsam": outcome.scope.value, "ayrinti": outcome.detail}
            return move(tx, row, News.REFUSED, now_ms, reason=outcome.reason, counts=True, detail=refusal)
        case Lost():
            return move(tx, row, News.LOST, now_ms, reason=outcome.reason, waits_until=now_ms + _LOOK_SOON, counts=True)


def _refused_at_network(tx: Tx, row: Standing, now: datetime) -> None:
    """Keep that a recipient told the network that they want no advertising from us (Meta's 131050)."""
    recipient = message(tx.execute(sql.MESSAGE, (row.id,)).fetchone()).recipient
    new = NewOptOut(
        account_id=row.account_id, phone=recipient, scope=OptOutScope.COMMERCIAL, source=OptOutSource.MESSAGE
    )
    wishes.refuse(tx, new, now=now)


def accepted(tx: Tx, message_id: int, outcome: Accepted, now_ms: int, *, counts: bool) -> Standing:
    """Write an acknowledgement, and whatever receipts came before it. NOT_FOUND if there is no such message.

    One id names one message, and a message has one id: an answer that breaks this can't be believed, so the message is
    in doubt.
    """
    found = tx.execute(sql.ACCEPTED_AS, (message_id, outcome.remote_id)).fetchone()
    if found is None:
        raise GuvercinError(Code.NOT_FOUND)
    row, other, has_early = standing(found), found[-2], found[-1]
    if other not in (None, row.id) or row.remote_id not in (None, outcome.remote_id):
        if row.status is Status.UNKNOWN:
            tx.execute(LOOK_AGAIN, (now_ms + _LOOK_LATER, row.id))
            return row
        look_at = now_ms + _LOOK_SOON
        return move(tx, row, News.LOST, now_ms, reason=Code.ANSWER_LOST, waits_until=look_at, counts=counts)
    remote_id = outcome.remote_id
    new = move(tx, row, News.ACCEPTED, now_ms, remote_id=remote_id, sent_at=to_ms(outcome.at), counts=counts)
    if outcome.warning is not None and new.remote_id is not None:
        tx.execute(sql.WARN, (outcome.warning.value, row.id))
    return _with_early(tx, new, now_ms) if has_early else new


def _with_early(tx: Tx, row: Standing, now_ms: int) -> Standing:
    """Apply the receipts that came before anyone knew whose they were."""
    new, remote_id = row, row.remote_id
    if remote_id is None:  # the answer was not for this row any more
        return row
    early = tx.execute(sql.EARLY_RECEIPTS, (row.account_id, remote_id)).fetchall()
    if early:
        tx.execute(sql.FORGET_RECEIPTS, (row.account_id, remote_id))
    for kind, at_ms, reason in sorted(early, key=itemgetter(1)):  # as it happened, for who reads the events
        receipt = Receipt(remote_id=remote_id, kind=ReceiptKind(kind), at=from_ms(at_ms), reason=_CODE[reason])
        new = _heard(tx, new, receipt, now_ms)
    return new


def _heard(tx: Tx, row: Standing, receipt: Receipt, now_ms: int, *, remote_id: str | None = None) -> Standing:
    at_ms = to_ms(receipt.at)
    match receipt.kind:
        case ReceiptKind.SERVER:
            if row.status in WITH_WHATSAPP and remote_id is None:  # it has its time already
                return row
            return move(tx, row, News.SERVER, now_ms, sent_at=at_ms, remote_id=remote_id)
        case ReceiptKind.DELIVERED:
            return move(tx, row, News.DELIVERED, now_ms, delivered_at=at_ms, remote_id=remote_id)
        case ReceiptKind.READ:
            return move(tx, row, News.READ, now_ms, read_at=at_ms, remote_id=remote_id)
        case ReceiptKind.FAILED:
            if receipt.reason is Code.OPTED_OUT:
                _refused_at_network(tx, row, from_ms(now_ms))
            reason, detail = receipt.reason or Code.WHATSAPP_REFUSED, receipt.detail and {"ayrinti": receipt.detail}
            return move(tx, row, News.FAILED, now_ms, reason=reason, remote_id=remote_id, detail=detail or None)


def receive(tx: Tx, account_id: int, receipts: Sequence[Receipt], *, now: datetime) -> None:
    """Apply receipts; those of an id that nobody knows yet are kept until its answer comes.

    Where a network gives our own id back, a receipt finds its row without the answer: that settles a doubt.
    """
    now_ms = to_ms(now)
    for receipt in receipts:
        row = tx.execute(sql.STANDING_BY_REMOTE_ID, (account_id, receipt.remote_id)).fetchone()
        if row is not None:
            _heard(tx, standing(row), receipt, now_ms)
            continue
        if receipt.message_id is not None:
            row = tx.execute(sql.STANDING_WITHOUT_REMOTE_ID, (receipt.message_id, account_id)).fetchone()
            if row is not None:
                _with_early(tx, _heard(tx, standing(row), receipt, now_ms, remote_id=receipt.remote_id), now_ms)
                continue
        reason = receipt.reason and receipt.reason.value
        tx.execute(
            sql.KEEP_RECEIPT,
            (account_id, receipt.remote_id, receipt.kind.value, to_ms(receipt.at), reason, now_ms),
        )


# -- what the owner decides


def cancel(tx: Tx, message_id: int, *, now: datetime) -> Standing:
    """Withdraw a row that has not left; IllegalOrder otherwise."""
    return move(tx, find(tx, message_id), Order.CANCEL, to_ms(now))


def give_up(tx: Tx, message_id: int, reason: Code, *, now: datetime) -> Standing:
    """Stop hoping for a row in doubt; IllegalOrder otherwise."""
    return move(tx, find(tx, message_id), Order.GIVE_UP, to_ms(now), reason=reason)


def release(tx: Tx, message_id: int, *, now: datetime) -> Standing:
    """Put a held row back in line, or let it wait for its time again; a row that is not held stays as it is."""
    row = find(tx, message_id)
    if row.waits_for not in HELD:
        return row
    now_ms = to_ms(now)
    if tx.execute(sql.PLAN_AGAIN, (message_id, now_ms)).rowcount == 1:
        return _released(tx, row, WaitsFor.TIME, now_ms)
    return back_in_line(tx, row, now_ms)


def cancel_reference(tx: Tx, reference: str, accounts: frozenset[int] | None, *, now: datetime) -> int:
    """Withdraw every queued row of a reference, in the accounts that the caller sees; answers how many."""
    rows = [standing(row) for row in tx.execute(sql.QUEUED_OF_REFERENCE, (reference,)).fetchall()]
    wanted = [row for row in rows if accounts is None or row.account_id in accounts]
    for row in wanted:
        move(tx, row, Order.CANCEL, to_ms(now))
    return len(wanted)
