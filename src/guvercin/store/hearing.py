"""What networks tell us by themselves, as functions of a transaction: many things of one call in one change."""

from collections.abc import Sequence
from datetime import datetime

from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.inbound import SPOKEN
from guvercin.core.optout import NewOptOut, OptOutScope, OptOutSource, Replies, Wish, wish_of
from guvercin.core.outcome import (
    Acquainted,
    Inbound,
    NotUnderstood,
    NumberNews,
    Preference,
    Receipt,
    Restricted,
    TemplateNews,
    Told,
)
from guvercin.core.restriction import RestrictionKind
from guvercin.store import batches, inbox, optouts, restricting, stopping
from guvercin.store.messages import receive
from guvercin.store.statements import hearing as sql
from guvercin.store.statements.restricting import BATCHES_IN_LINE
from guvercin.store.times import DAY, to_ms
from guvercin.store.writer import Tx

MOST_UNCLEAR = 1_000
"""How much of what nobody understood is kept: the newest."""

_KINDS = {
    Code.NEW_CHATS_RESTRICTED: RestrictionKind.NEW,
    Code.MONTHLY_LIMIT: RestrictionKind.MONTH,
    Code.MONTHLY_WARNING: RestrictionKind.WARNED,
}
_ENDS_WITH = {RestrictionKind.MONTH: (RestrictionKind.WARNED,)}
"""What is over too when something is: a quota that is counted anew has no warning any more."""


def hear(tx: Tx, account_id: int, told: Sequence[Told], *, now: datetime, replies: Replies | None) -> None:
    """Write everything that was told, in its order."""
    for event in told:
        match event:
            case Receipt():
                receive(tx, account_id, (event,), now=now)
            case Inbound():
                receive_inbound(tx, account_id, event, now=now, replies=replies)
            case Preference():
                prefer(tx, account_id, event, now=now)
            case Acquainted():
                tx.execute(sql.HEARD_FROM, (account_id, event.sender, to_ms(event.at)))
            case Restricted():
                _restrict(tx, account_id, event, now=now)
            case TemplateNews():
                what = "sablon_acildi" if event.is_usable else "sablon_durdu"
                detail = {"ne": what, "sablon": f"{event.name}:{event.language}", "neden": event.why}
                tx.record(to_ms(now), EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=detail)
            case NumberNews():
                detail = {"ne": "meta", "neden": event.what}
                tx.record(to_ms(now), EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=detail)
            case NotUnderstood():
                _keep(tx, account_id, event, now=now)


def _keep(tx: Tx, account_id: int, told: NotUnderstood, *, now: datetime) -> None:
    """Keep what nobody understood, beside an event that names it: the text of it has no place among events."""
    tx.record(to_ms(now), EventKind.NOT_UNDERSTOOD, account_id=account_id, detail={"ne": told.what})
    kept = tx.execute(sql.KEEP_UNCLEAR, (account_id, to_ms(now), told.what, told.body))
    tx.execute(sql.DROP_UNCLEAR, (kept.lastrowid - MOST_UNCLEAR,))
    tx.unclear += 1


def receive_inbound(tx: Tx, account_id: int, inbound: Inbound, *, now: datetime, replies: Replies | None) -> None:
    """Keep what somebody wrote to us and when they last did, and do what they ask for. Told again, it changes nothing.

    For a day after it they may be answered freely. `replies`: what is said to who refuses or comes back.
    """
    message_id = inbox.keep(tx, account_id, inbound, now=now)
    if message_id is None:
        return
    detail = {"message_id": inbound.remote_id, "gelen_id": message_id}
    tx.execute(sql.HEARD_FROM, (account_id, inbound.sender, to_ms(inbound.at)))
    tx.execute(sql.NEEDS_NO_PLACE, (to_ms(now), account_id, inbound.sender))
    tx.execute(sql.ANSWERED, (account_id, inbound.sender))
    tx.execute(sql.TRAFFIC_BOTH_WAYS, (to_ms(now) - to_ms(now) % DAY, account_id))
    tx.record(to_ms(now), EventKind.MESSAGE_RECEIVED, account_id=account_id, detail=detail)
    inbox.told_by(tx, message_id, tx.last_event)
    tx.received += 1
    wish = wish_of(inbound.text, stopping.folds(tx)) if inbound.kind in SPOKEN else None
    if wish is not None:
        is_news = optouts.hear(tx, account_id, inbound, wish, replies, now=now)
        if is_news and wish in {Wish.STOP, Wish.WRONG_NUMBER}:
            restricting.check_refusals(tx, account_id, inbound.sender, now=now)


def prefer(tx: Tx, account_id: int, preference: Preference, *, now: datetime) -> None:
    """Do what somebody chose in WhatsApp about our advertising; what they wrote to us stands."""
    if preference.wants_advertising:
        optouts.resume_advertising(tx, account_id, preference.sender, now=now)
        return
    new = NewOptOut(
        account_id=account_id,
        phone=preference.sender,
        scope=OptOutScope.COMMERCIAL,
        source=OptOutSource.MESSAGE,
    )
    optouts.add(tx, new, now=now)


def _restrict(tx: Tx, account_id: int, told: Restricted, *, now: datetime) -> None:
    """Close what the network forbids a line for a while, or open it again.

    Where it says that bulk has to stop, every bulk of the account does: a person lets it go on. What it forbids an
    account without rules is recorded alone: its own line keeps it.
    """
    if told.is_active and told.stops_bulk:
        for (batch_id,) in tx.execute(BATCHES_IN_LINE, (account_id,)).fetchall():
            batches.pause(tx, batch_id, now=now)
    now_ms = to_ms(now)
    kind = _KINDS.get(told.code)
    if kind is None or not told.is_active:
        opened = kind is not None and [
            restricting.lift(tx, account_id, each, now_ms=now_ms) for each in (kind, *_ENDS_WITH.get(kind, ()))
        ]
        if not opened or not any(opened):
            what = {"ne": "kisitlandi" if told.is_active else "kisit_kalkti", "kod": told.code.value}
            until = {} if told.until is None else {"bitis": told.until.isoformat()}
            tx.record(now_ms, EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=what | until)
    elif kind is RestrictionKind.NEW:
        restricting.lock_new_chats(tx, account_id, code=told.code, now=now, until=told.until)
    else:
        if kind is RestrictionKind.WARNED:  # it warns: so the quota isn't used up (any more)
            restricting.lift(tx, account_id, RestrictionKind.MONTH, now_ms=now_ms)
        until_ms = to_ms(told.until or restricting.cycle_end(now))
        restricting.restrict(tx, account_id, kind, told.code, now_ms=now_ms, until_ms=until_ms)
