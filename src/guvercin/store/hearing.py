"""What networks tell us by themselves, as functions of a transaction: many things of one call in one change."""

from collections.abc import Sequence
from datetime import datetime

from guvercin.core.event import EventKind
from guvercin.core.outcome import Acquainted, Inbound, NotUnderstood, Receipt, Restricted, Told
from guvercin.store import statements as sql
from guvercin.store.messages import receive
from guvercin.store.times import to_ms
from guvercin.store.writer import Tx


def hear(tx: Tx, account_id: int, told: Sequence[Told], *, now: datetime) -> None:
    """Write everything that was told, in its order."""
    for event in told:
        match event:
            case Receipt():
                receive(tx, account_id, (event,), now=now)
            case Inbound():
                receive_inbound(tx, account_id, event, now=now)
            case Acquainted():
                tx.execute(sql.HEARD_FROM, (account_id, event.sender, to_ms(event.at)))
            case Restricted():
                _restrict(tx, account_id, event, now=now)
            case NotUnderstood():
                tx.record(to_ms(now), EventKind.NOT_UNDERSTOOD, account_id=account_id, detail={"ne": event.what})


def receive_inbound(tx: Tx, account_id: int, inbound: Inbound, *, now: datetime) -> None:
    """Record that somebody wrote to us, and when they last did: for a day they may be answered freely."""
    detail = {"message_id": inbound.remote_id}
    tx.execute(sql.HEARD_FROM, (account_id, inbound.sender, to_ms(inbound.at)))
    tx.record(to_ms(now), EventKind.MESSAGE_RECEIVED, account_id=account_id, detail=detail)


def _restrict(tx: Tx, account_id: int, told: Restricted, *, now: datetime) -> None:
    """Record that the network forbids a line something for a while, or allows it again."""
    what = {"ne": "kisitlandi" if told.is_active else "kisit_kalkti", "kod": told.code.value}
    until = {} if told.until is None else {"bitis": told.until.isoformat()}
    tx.record(to_ms(now), EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=what | until)
