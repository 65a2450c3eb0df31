"""One verb is one transaction: a row, its attempt and its event are written together or not at all.

Each verb is made to fail at its last word: a trigger forbids the event, or the attempt. Then nothing of it may stay.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.desk import AYSE, BORA, HOUR, NOW, Desk, again, draft, in_hand, key, receipt
from tests.store.driver import driver

from guvercin.core.account import Kind, Line, LineState
from guvercin.core.errors import Code
from guvercin.core.message import Lane, Status
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    Inbound,
    Lost,
    NeverLeft,
    NotUnderstood,
    Receipt,
    ReceiptKind,
    Refused,
    Told,
)
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.verbs.accepting import Quota, Repeat
from guvercin.store.verbs.claiming import Settlement

Verb = Callable[[], Awaitable[object]]


async def accept(desk: Desk) -> Verb:
    quota = Quota(limit=10, day="2026-02-23", renews_in=HOUR)
    repeat = Repeat(fingerprint=b"f", since=NOW)
    return lambda: desk.take(draft(), under=key("k"), repeat=repeat, quota=quota)


async def accept_batch(desk: Desk) -> Verb:
    return lambda: desk.accept_batch([draft(), draft(BORA)], under=key("k"))


async def claim(desk: Desk) -> Verb:
    await desk.accept()
    return desk.claim


def settling(outcome: object) -> Callable[[Desk], Awaitable[Verb]]:
    async def prepare(desk: Desk) -> Verb:
        await desk.hear(receipt(ReceiptKind.READ, NOW, "D-1"))  # waits for the answer
        await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        said: Any = outcome
        return lambda: desk.settle(claimed, said, retry_at=NOW)

    return prepare


async def receive(desk: Desk) -> Verb:
    await desk.bring(Status.SENT, remote_id="D-1")
    several = [receipt(ReceiptKind.DELIVERED, NOW, "D-1"), receipt(ReceiptKind.READ, NOW, "D-2")]
    return lambda: desk.hear(*several)


async def hear(desk: Desk) -> Verb:
    doubtful = await desk.bring(Status.UNKNOWN)
    told: list[Told] = [
        Receipt(remote_id="W-1", kind=ReceiptKind.READ, at=NOW, message_id=doubtful),
        Inbound(remote_id="I-1", sender=BORA, text="", at=NOW),
        NotUnderstood(what="user_preferences"),
        receipt(ReceiptKind.READ, NOW, "W-2"),
    ]
    return lambda: desk.store.hear(1, told, now=NOW)


async def settle_and_claim_more(desk: Desk) -> Verb:
    for to in (AYSE, AYSE, BORA):
        await desk.accept(to)
    claimed = await desk.claim()
    assert claimed is not None
    settlement = Settlement(in_hand(claimed).id, claimed.attempt_id, Accepted("D-1", NOW), None)
    chances = [(b"s" * 32, 0.5)] * 2
    return lambda: desk.store.settle_and_claim_more(1, [settlement], list(Lane), now=NOW, chances=chances, busy=())


async def cancel(desk: Desk) -> Verb:
    message_id = await desk.accept()
    return lambda: desk.store.cancel(message_id, now=NOW)


async def cancel_reference(desk: Desk) -> Verb:
    for _ in range(3):
        await desk.accept(reference="F-1")
    return lambda: desk.store.cancel_reference("F-1", None, now=NOW)


async def give_up(desk: Desk) -> Verb:
    message_id = await desk.bring(Status.UNKNOWN)
    return lambda: desk.store.give_up(message_id, Code.GIVEN_UP, now=NOW)


async def resend(desk: Desk) -> Verb:
    old = await desk.row(await desk.bring(Status.UNKNOWN))
    return lambda: desk.store.resend(old.id, again(old, NOW), token_id=1, now=NOW, key=key("k"), quota=None)


async def release(desk: Desk) -> Verb:
    message_id = await desk.accept()
    await desk.store.hold_unfinished(now=NOW)
    return lambda: desk.store.release(message_id, now=NOW)


async def release_due(desk: Desk) -> Verb:
    for _ in range(3):
        await desk.accept(due_at=NOW + HOUR)
    return lambda: desk.store.release_due(now=NOW + HOUR, limit=10)


async def expire(desk: Desk) -> Verb:
    for _ in range(3):
        await desk.accept(lifetime=HOUR)
    return lambda: desk.store.expire(now=NOW + HOUR, limit=10)


async def recover(desk: Desk) -> Verb:
    await desk.bring(Status.SENDING)
    return lambda: desk.store.recover(now=NOW, limit=10)


async def hold_unfinished(desk: Desk) -> Verb:
    await desk.bring(Status.SENDING)
    await desk.accept()
    return lambda: desk.store.hold_unfinished(now=NOW)


def concluding(evidence: Accepted | NeverLeft) -> Callable[[Desk], Awaitable[Verb]]:
    async def prepare(desk: Desk) -> Verb:
        doubt = await desk.doubt(await desk.bring(Status.UNKNOWN))
        return lambda: desk.store.conclude(doubt, evidence, now=NOW)

    return prepare


async def add_account(desk: Desk) -> Verb:
    return lambda: desk.store.add_account("Yeni", Kind.SANDBOX, None, SANDBOX_PACE, now=NOW)


async def change_account(desk: Desk) -> Verb:
    return lambda: desk.store.change_account(1, now=NOW, name="Yeni")


async def remove_account(desk: Desk) -> Verb:
    return lambda: desk.store.remove_account(1, now=NOW)


async def set_default(desk: Desk) -> Verb:
    await desk.store.set_default(1, now=NOW)
    return lambda: desk.store.set_default(2, now=NOW)


async def set_line(desk: Desk) -> Verb:
    return lambda: desk.store.set_line(1, Line(state=LineState.CONNECTED, since=NOW), now=NOW)


PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)

VERBS: dict[str, Callable[[Desk], Awaitable[Verb]]] = {
    "accept": accept,
    "accept_batch": accept_batch,
    "claim": claim,
    "settle: accepted": settling(Accepted("D-1", NOW)),
    "settle: deferred": settling(PUSHED_BACK),
    "settle: refused": settling(Refused(reason=Code.NOT_ON_WHATSAPP)),
    "settle: lost": settling(Lost(Code.ANSWER_LOST)),
    "receive": receive,
    "hear": hear,
    "settle_and_claim_more": settle_and_claim_more,
    "cancel": cancel,
    "cancel_reference": cancel_reference,
    "give_up": give_up,
    "resend": resend,
    "release": release,
    "release_due": release_due,
    "expire": expire,
    "recover": recover,
    "hold_unfinished": hold_unfinished,
    "conclude: it left": concluding(Accepted("D-1", NOW)),
    "conclude: it never left": concluding(NeverLeft()),
    "add_account": add_account,
    "change_account": change_account,
    "remove_account": remove_account,
    "set_default": set_default,
    "set_line": set_line,
}

FORBIDDEN = "CREATE TRIGGER forbidden BEFORE {} BEGIN SELECT RAISE(ABORT, 'forbidden'); END"


def tell(path: Path, statement: str) -> None:
    with engine_for(path).connect() as connection:
        connection.exec_driver_sql(statement)
        connection.commit()


def everything(path: Path) -> list[str]:
    """Answer all that is stored."""
    with engine_for(path).connect() as connection:
        raw: Any = connection.connection.driver_connection
        names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [f"{name}: {row}" for name in names for row in raw.execute(f"SELECT * FROM {name}")]  # noqa: S608


@pytest.mark.parametrize("name", VERBS)
async def test_a_verb_without_its_event_did_not_happen(desk: Desk, folder: Path, name: str) -> None:
    path = folder / FILE_NAME
    verb = await VERBS[name](desk)
    before = everything(path)
    tell(path, FORBIDDEN.format("INSERT ON event"))
    with pytest.raises(driver.IntegrityError, match="forbidden"):
        await verb()
    tell(path, "DROP TRIGGER forbidden")
    assert everything(path) == before
    await verb()
    assert everything(path) != before


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("claim", "INSERT ON attempt"),
        ("claim", "UPDATE ON account"),
        ("settle: accepted", "UPDATE ON attempt"),
        ("settle: accepted", "DELETE ON receipt"),
        ("recover", "UPDATE ON attempt"),
        ("accept", "INSERT ON idempotency_key"),
        ("accept", "INSERT ON token_use"),
        ("accept_batch", "INSERT ON idempotency_key"),
        ("resend", "INSERT ON message"),
        ("receive", "INSERT ON receipt"),
        ("hear", "INSERT ON receipt"),
        ("hear", "INSERT ON last_inbound"),
        ("settle_and_claim_more", "INSERT ON attempt"),
    ],
)
async def test_nor_without_what_belongs_to_it(desk: Desk, folder: Path, name: str, place: str) -> None:
    path = folder / FILE_NAME
    verb = await VERBS[name](desk)
    before = everything(path)
    tell(path, FORBIDDEN.format(place))
    with pytest.raises(driver.IntegrityError, match="forbidden"):
        await verb()
    tell(path, "DROP TRIGGER forbidden")
    assert everything(path) == before
