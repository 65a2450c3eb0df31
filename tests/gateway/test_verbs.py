"""What tokens may see and do: accounts, cancelling, sending again, keys, guards and limits."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from tests.gateway.house import FIRST, SECOND, THIRD, House, batch, numbers, pace, seconds

from guvercin.core.account import Account, Kind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.log import MessageFilter
from guvercin.core.message import Lane, Status
from guvercin.core.outcome import Deferred, Lost, ReceiptKind, Refused, Unclear
from guvercin.core.pacing import Gap
from guvercin.core.token import Token
from guvercin.gateway.accounts import LONGEST_ACCOUNT_NAME
from guvercin.gateway.paces import LONGEST_GAP
from guvercin.gateway.pulse import FRESH, LIMIT
from guvercin.gateway.requests import AccountChange, Ask, IdempotencyKey, NewAccount, Sent
from guvercin.gateway.singles import RETRY_GUARD
from guvercin.testing.transport import Act

NO_WAIT = timedelta(0)


async def refused(asked: Awaitable[Any]) -> GuvercinError:
    with pytest.raises(GuvercinError) as refusal:
        await asked
    return refusal.value


async def code_of(asked: Awaitable[Any]) -> Code:
    return (await refused(asked)).code


async def second_account(house: House, **change: Any) -> Account:
    added = await house.store.add_account("İkinci", Kind.SANDBOX, None, pace(), now=house.clock.now())
    if change:
        await house.store.change_account(added.id, now=house.clock.now(), **change)
    await house.tend()
    return added


async def send(house: House, token: Token, key: IdempotencyKey | None = None, **fields: Any) -> Sent:
    ask = Ask(**{"phone": FIRST, "text": "Merhaba"} | fields)
    return await house.gateway.singles.send(token, ask, wait=NO_WAIT, key=key)


# -- which account


async def test_a_message_takes_the_default_account_or_the_one_it_names(house: House) -> None:
    other = await second_account(house)
    assert (await house.ask()).standing.account_id == 1
    assert (await house.ask(SECOND, account_id=other.id)).standing.account_id == other.id
    await house.gateway.accounts.make_default(house.everything, other.id)
    assert (await house.ask(THIRD)).standing.account_id == other.id
    assert [account.is_default for account in await house.gateway.accounts.seen(house.everything)] == [False, True]


async def test_an_account_that_is_not_there_or_not_yours_is_not_found(house: House) -> None:
    other = await second_account(house)
    limited = await house.token("limited", account_ids=frozenset({other.id}))
    assert await code_of(send(house, house.everything, account_id=99)) is Code.NOT_FOUND
    assert await code_of(send(house, limited, account_id=1)) is Code.NOT_FOUND
    assert await code_of(send(house, limited)) is Code.NO_ACCOUNT, "the default is not its own"
    assert (await send(house, limited, account_id=other.id)).standing.account_id == other.id
    assert await code_of(house.gateway.bulk.send(limited, batch(FIRST, account_id=1), wait=NO_WAIT)) is Code.NOT_FOUND
    assert await code_of(house.gateway.bulk.send(limited, batch(FIRST), wait=NO_WAIT)) is Code.NO_ACCOUNT


async def test_without_a_default_there_is_none_to_send_with(house: House) -> None:
    other = await second_account(house)
    await house.gateway.accounts.remove(house.everything, 1)
    assert await code_of(send(house, house.everything)) is Code.NO_ACCOUNT
    assert await code_of(send(house, house.everything, account_id=1)) is Code.NOT_FOUND
    assert (await send(house, house.everything, account_id=other.id)).standing.account_id == other.id


async def test_what_a_token_cannot_see_does_not_exist_for_it(house: House) -> None:
    other = await second_account(house)
    limited = await house.token("limited", account_ids=frozenset({other.id}))
    hidden = await house.accept(reference="FTR-001")
    shown = await house.accept(account_id=other.id, reference="FTR-001")
    view = await house.gateway.bulk.send(house.everything, batch(SECOND), wait=NO_WAIT)
    gateway = house.gateway
    verbs: list[Callable[[int], Awaitable[Any]]] = [
        lambda number: gateway.messages.one(limited, number),
        lambda number: gateway.messages.history(limited, number),
        lambda number: gateway.messages.cancel(limited, number),
        lambda number: gateway.messages.release(limited, number),
        lambda number: gateway.singles.resend(limited, number, wait=NO_WAIT),
    ]
    for verb in verbs:
        assert await code_of(verb(hidden)) is await code_of(verb(4711)) is Code.NOT_FOUND
    assert await code_of(gateway.batches.one(limited, view.batch.id)) is Code.NOT_FOUND
    for account_verb in (
        gateway.accounts.one,
        gateway.accounts.pause,
        gateway.accounts.resume,
        gateway.accounts.make_default,
        gateway.accounts.remove,
    ):
        assert await code_of(account_verb(limited, 1)) is Code.NOT_FOUND
    assert await code_of(gateway.accounts.change(limited, 1, AccountChange(name="x"))) is Code.NOT_FOUND
    assert await code_of(gateway.accounts.add(limited, NewAccount(name="x", kind=Kind.SANDBOX))) is Code.NOT_ALLOWED
    page = await gateway.messages.page(limited, MessageFilter(), limit=10, below=None)
    assert [message.id for message in page.messages] == [shown]
    widened = MessageFilter(account_ids=frozenset({1}), account_id=1)
    assert not (await gateway.messages.page(limited, widened, limit=10, below=None)).messages
    assert await gateway.messages.cancel_reference(limited, "FTR-001") == 1
    assert await house.status(hidden) is Status.QUEUED
    assert await house.status(shown) is Status.CANCELLED


async def test_accounts_are_added_changed_and_removed(house: House) -> None:
    gateway, token = house.gateway, house.everything
    added = await gateway.accounts.add(token, NewAccount(name="  Şube  ", kind=Kind.SANDBOX))
    assert (added.name, added.is_default, added.is_enabled) == ("Şube", False, True)
    assert (await gateway.accounts.one(token, added.id)).name == "Şube", "it is there at once"
    gap = Gap(least=seconds(2), most=seconds(4))
    changed = await gateway.accounts.change(token, added.id, AccountChange(name="Depo", gaps={Lane.BULK: gap}))
    assert changed.name == "Depo"
    assert changed.pace.gaps[Lane.BULK] == gap
    assert changed.pace.gaps[Lane.SINGLE] == added.pace.gaps[Lane.SINGLE]
    number = await house.accept(account_id=added.id)
    assert await code_of(gateway.accounts.remove(token, added.id)) is Code.MESSAGES_WAITING
    await gateway.messages.cancel(token, number)
    await gateway.accounts.remove(token, added.id)
    assert await code_of(gateway.accounts.one(token, added.id)) is Code.NOT_FOUND
    message, _ = await gateway.messages.one(token, number)
    assert message.status is Status.CANCELLED, "the log stays"


@pytest.mark.parametrize("name", ["", "  ", "x" * (LONGEST_ACCOUNT_NAME + 1), "Şu\x07be"])
async def test_an_account_s_name_must_be_readable(house: House, name: str) -> None:
    for asked in (
        house.gateway.accounts.add(house.everything, NewAccount(name=name, kind=Kind.SANDBOX)),
        house.gateway.accounts.change(house.everything, 1, AccountChange(name=name)),
    ):
        trouble = await refused(asked)
        assert trouble.code is Code.INVALID_FIELD
        assert [fault.where for fault in trouble.faults] == ["name"]
    assert [account.name for account in await house.gateway.accounts.live()] == ["Deneme"]


async def test_a_gap_has_a_ceiling(house: House) -> None:
    within = Gap(least=NO_WAIT, most=LONGEST_GAP)
    beyond = Gap(least=NO_WAIT, most=LONGEST_GAP + seconds(1))
    await house.gateway.accounts.change(house.everything, 1, AccountChange(gaps={Lane.BULK: within}))
    change = AccountChange(gaps={Lane.BULK: beyond, Lane.SINGLE: beyond})
    trouble = await refused(house.gateway.accounts.change(house.everything, 1, change))
    assert {fault.where for fault in trouble.faults} == {"gaps.bulk", "gaps.single"}


async def test_a_list_read_before_a_change_is_not_believed_after_it(house: House) -> None:
    """The read began before the change and ends after it."""
    plain, gate = house.store.accounts, asyncio.Event()

    async def slow_accounts() -> Sequence[Account]:
        found = await plain()
        await gate.wait()
        return found

    house.clock.advance(seconds(2))
    house.store.accounts = slow_accounts  # type: ignore[method-assign]
    reading = asyncio.create_task(house.gateway.accounts.seen(house.everything))
    await house.clock.settle()
    house.store.accounts = plain  # type: ignore[method-assign]
    added = await house.gateway.accounts.add(house.everything, NewAccount(name="Yeni", kind=Kind.SANDBOX))
    gate.set()
    await reading
    assert (await send(house, house.everything, account_id=added.id)).standing.account_id == added.id


# -- cancel, send again, release


async def make(house: House, kind: str) -> int:
    """Make a message that stands where `kind` says."""
    peer = house.world.peer
    gate = asyncio.Event()
    acts: dict[str, Act] = {
        "waits for a retry": Act(arrives=False, answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True)),
        "sending": Act(gate=gate),
        "unknown": Act(answer=Lost(Code.ANSWER_LOST)),
        "delivered": Act(receipts=(ReceiptKind.DELIVERED,)),
        "read": Act(receipts=(ReceiptKind.READ,)),
        "failed": Act(arrives=False, answer=Refused(reason=Code.NOT_ON_WHATSAPP)),
    }
    peer.script = lambda _: acts.get(kind, Act())
    planned_at = house.clock.now() + timedelta(hours=1) if kind == "scheduled" else None
    number = await house.accept(reference="FTR-001", planned_at=planned_at)
    match kind:
        case "queued" | "scheduled":
            pass
        case "cancelled":
            await house.gateway.messages.cancel(house.everything, number)
        case "held":
            await house.store.hold_unfinished(now=house.clock.now())
        case _:
            stepping = asyncio.create_task(house.dispatch())
            await house.clock.settle()
            assert stepping.done() == (kind != "sending")
    return number


KINDS = [
    "queued",
    "scheduled",
    "waits for a retry",
    "held",
    "sending",
    "unknown",
    "sent",
    "delivered",
    "read",
    "failed",
    "cancelled",
]
WITHDRAWABLE = {"queued", "scheduled", "waits for a retry", "held"}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_has_not_left_can_be_withdrawn(house: House, kind: str) -> None:
    number = await make(house, kind)
    before = await house.status(number)
    if kind in WITHDRAWABLE | {"cancelled"}:
        for _ in range(2):
            sent = await house.gateway.messages.cancel(house.everything, number)
            assert sent.standing.status is Status.CANCELLED, "withdrawing twice is no error"
        message = await house.message(number)
        assert (message.status, message.waits_for) == (Status.CANCELLED, None)
    else:
        trouble = await refused(house.gateway.messages.cancel(house.everything, number))
        assert (trouble.code, trouble.log_id) == (Code.NOT_CANCELLABLE, number)
        assert await house.status(number) is before


async def test_two_who_withdraw_at_once_both_succeed(house: House) -> None:
    number = await house.accept()
    both = [asyncio.create_task(house.gateway.messages.cancel(house.everything, number)) for _ in range(2)]
    await house.clock.settle()
    assert [one.result().standing.status for one in both] == [Status.CANCELLED] * 2


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reference_withdraws_what_has_not_left(house: House, kind: str) -> None:
    number = await make(house, kind)
    before = await house.status(number)
    assert await house.gateway.messages.cancel_reference(house.everything, " FTR-001 ") == (kind in WITHDRAWABLE)
    assert await house.status(number) is (Status.CANCELLED if kind in WITHDRAWABLE else before)
    assert await house.gateway.messages.cancel_reference(house.everything, "FTR-002") == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_sending_again_makes_a_new_row(house: House, kind: str) -> None:
    number = await make(house, kind)
    house.world.peer.script = lambda _: Act()
    old = await house.message(number)
    if kind in WITHDRAWABLE | {"sending"}:
        trouble = await refused(house.gateway.singles.resend(house.everything, number, wait=NO_WAIT))
        assert (trouble.code, trouble.log_id) == (Code.MESSAGES_WAITING, number)
        assert len(await house.statuses()) == 1
        return
    sent = await house.gateway.singles.resend(house.everything, number, wait=NO_WAIT)
    again = await house.message(sent.standing.id)
    assert again.id != number
    assert (again.resend_of, again.recipient, again.content, again.reference, again.status) == (
        number,
        old.recipient,
        old.content,
        old.reference,
        Status.QUEUED,
    )
    after = await house.message(number)
    if kind == "unknown":
        assert (after.status, after.reason) == (Status.FAILED, Code.RESENT)
    else:
        assert after == old
    await house.dispatch()
    assert await house.status(again.id) is Status.SENT


async def test_sending_again_may_wait_for_the_answer(house: House) -> None:
    number = await make(house, "failed")
    house.world.peer.script = lambda _: Act()
    asking = asyncio.create_task(house.gateway.singles.resend(house.everything, number, wait=seconds(10)))
    await house.clock.settle()
    await house.dispatch()
    await house.clock.settle()
    assert asking.result().standing.status is Status.SENT


async def test_a_row_whose_number_nobody_could_read_is_not_sent_again(house: House) -> None:
    await house.gateway.bulk.send(house.everything, batch("kapı no 5", FIRST), wait=NO_WAIT)
    bad = (await house.messages())[0]
    assert bad.reason is Code.INVALID_PHONE
    assert await code_of(house.gateway.singles.resend(house.everything, bad.id, wait=NO_WAIT)) is Code.INVALID_PHONE
    assert len(await house.statuses()) == 2


async def test_a_repeat_that_was_left_out_of_a_batch_can_be_sent_after_all(house: House) -> None:
    await house.gateway.bulk.send(house.everything, batch(FIRST, FIRST), wait=NO_WAIT)
    repeat = (await house.messages())[1]
    assert repeat.reason is Code.DUPLICATE
    sent = await house.gateway.singles.resend(house.everything, repeat.id, wait=NO_WAIT)
    assert sent.standing.status is Status.QUEUED


@pytest.mark.parametrize("kind", KINDS)
async def test_only_what_is_held_can_be_released(house: House, kind: str) -> None:
    number = await make(house, kind)
    before = await house.message(number)
    sent = await house.gateway.messages.release(house.everything, number)
    after = await house.message(number)
    if kind == "held":
        assert (sent.standing.status, after.status, after.waits_for) == (Status.QUEUED, Status.QUEUED, None)
    else:
        assert after == before


async def test_a_doubt_after_a_late_receipt_cannot_be_given_up(house: House) -> None:
    number = await make(house, "unknown")
    await house.clock.elapse(seconds(5))
    await house.keep_up()
    assert await house.status(number) is Status.SENT
    again = await house.gateway.singles.resend(house.everything, number, wait=NO_WAIT)
    assert await house.status(number) is Status.SENT, "a settled row keeps its status"
    assert again.standing.id != number


# -- keys and guards


def key(word: str = "k1", body: bytes = b"body", path: str = "/gonder") -> IdempotencyKey:
    return IdempotencyKey(method="POST", path=path, key=word, body_hash=body)


async def test_a_key_answers_the_row_that_it_made_as_it_stands_now(house: House) -> None:
    first = await send(house, house.everything, key())
    again = await send(house, house.everything, key())
    assert (first.replayed, again.replayed, again.standing) == (False, True, first.standing)
    await house.dispatch()
    again = await send(house, house.everything, key())
    assert (again.standing.id, again.standing.status) == (first.standing.id, Status.SENT)
    assert len(house.world.peer.arrivals) == 1


async def test_a_repeat_with_a_key_waits_like_the_first(house: House) -> None:
    ask = Ask(phone=FIRST, text="Merhaba")
    callers = [
        asyncio.create_task(house.gateway.singles.send(house.everything, ask, wait=seconds(10), key=key()))
        for _ in range(3)
    ]
    await house.clock.settle()
    assert not any(caller.done() for caller in callers)
    await house.dispatch()
    await house.clock.settle()
    assert {caller.result().standing.status for caller in callers} == {Status.SENT}
    assert [caller.result().replayed for caller in callers] == [False, True, True]
    assert len(await house.statuses()) == 1


async def test_a_key_stands_for_one_body_one_token_and_one_path(house: House) -> None:
    await send(house, house.everything, key())
    assert await code_of(send(house, house.everything, key(body=b"another"))) is Code.KEY_MISMATCH
    other = await house.token("other")
    for asked in (send(house, other, key()), send(house, house.everything, key(path="/dosya-gonder"))):
        assert not (await asked).replayed
    assert len(await house.statuses()) == 3


async def test_a_key_of_a_message_is_none_of_a_batch(house: House) -> None:
    await send(house, house.everything, key())
    asked = house.gateway.bulk.send(house.everything, batch(FIRST), wait=NO_WAIT, key=key())
    assert await code_of(asked) is Code.KEY_MISMATCH
    await house.gateway.bulk.send(house.everything, batch(FIRST), wait=NO_WAIT, key=key("k2"))
    assert await code_of(send(house, house.everything, key("k2"))) is Code.KEY_MISMATCH
    number = await house.accept()
    await house.deliver_all()
    asked_again = house.gateway.singles.resend(house.everything, number, wait=NO_WAIT, key=key("k2"))
    assert await code_of(asked_again) is Code.KEY_MISMATCH


async def test_sending_again_with_a_key_makes_one_row(house: House) -> None:
    number = await make(house, "unknown")
    first, again = [
        await house.gateway.singles.resend(house.everything, number, wait=NO_WAIT, key=key("k9")) for _ in range(2)
    ]
    assert (first.standing.id, again.standing.id, again.replayed) == (first.standing.id, first.standing.id, True)
    assert len(await house.statuses()) == 2


async def test_a_replay_is_told_as_its_own_account_carries_it(house: House) -> None:
    other = await second_account(house)
    first = await send(house, house.everything, key())
    await house.gateway.accounts.make_default(house.everything, other.id)
    again = await send(house, house.everything, key())
    assert (again.standing.id, again.standing.account_id, again.is_sandbox) == (first.standing.id, 1, True)


async def test_a_retry_without_a_key_finds_its_row(house: House) -> None:
    first = await send(house, house.everything)
    house.clock.advance(RETRY_GUARD - seconds(1))
    again = await send(house, house.everything, phone="0532 123 45 67", name="Ayşe")
    assert (again.repeated, again.standing.id) == (True, first.standing.id), "the same number, however it is written"
    house.clock.advance(seconds(1))
    assert not (await send(house, house.everything)).repeated
    assert len(await house.statuses()) == 2


async def test_a_retry_finds_its_planned_row_when_the_time_has_come_meanwhile(house: House) -> None:
    planned_at = house.clock.now() + seconds(2)
    first = await send(house, house.everything, planned_at=planned_at)
    house.clock.advance(seconds(3))
    again = await send(house, house.everything, planned_at=planned_at)
    assert (again.repeated, again.standing.id) == (True, first.standing.id)


async def test_a_retry_finds_its_row_when_the_default_account_has_changed_meanwhile(house: House) -> None:
    other = await second_account(house)
    first = await send(house, house.everything)
    await house.gateway.accounts.make_default(house.everything, other.id)
    again = await send(house, house.everything)
    assert (again.repeated, again.standing.id, again.standing.account_id) == (True, first.standing.id, 1)


async def test_two_retries_at_once_make_one_row(house: House) -> None:
    both = [asyncio.create_task(send(house, house.everything)) for _ in range(2)]
    await house.clock.settle()
    assert [one.result().repeated for one in both] == [False, True]


@pytest.mark.parametrize(
    "difference",
    [
        {"text": "Merhaba!"},
        {"phone": SECOND},
        {"reference": "FTR-001"},
        {"planned_at": datetime(2026, 2, 24, 8, tzinfo=UTC)},
        {"key": key()},
    ],
)
async def test_another_message_is_no_retry(house: House, difference: dict[str, Any]) -> None:
    await send(house, house.everything)
    assert not (await send(house, house.everything, **difference)).repeated


async def test_another_account_or_token_is_no_retry(house: House) -> None:
    other = await second_account(house)
    await send(house, house.everything)
    assert not (await send(house, house.everything, account_id=other.id)).repeated
    assert not (await send(house, await house.token("other"))).repeated


@pytest.mark.parametrize("kind", ["failed", "cancelled"])
async def test_what_failed_may_be_asked_for_again(house: House, kind: str) -> None:
    number = await make(house, kind)
    content = (await house.message(number)).content
    again = await send(house, house.everything, text=content.text, reference="FTR-001")
    assert not again.repeated


async def test_a_token_may_switch_the_guard_off(house: House) -> None:
    free = await house.token("free", guards_retries=False)
    assert [(await send(house, free)).repeated for _ in range(3)] == [False] * 3


# -- limits


async def test_a_day_s_quota_ends_at_midnight_in_istanbul(house: House) -> None:
    """The test begins at 14:30 there."""
    limited = await house.token("limited", per_day=3)
    for phone in numbers(3):
        await send(house, limited, phone=phone)
    trouble = await refused(send(house, limited))
    assert (trouble.code, trouble.retry_after) == (Code.DAILY_QUOTA, timedelta(hours=9, minutes=30))
    house.clock.advance(timedelta(hours=9, minutes=29, seconds=59))
    assert (await refused(send(house, limited))).retry_after == seconds(1)
    house.clock.advance(seconds(1))
    await send(house, limited)
    assert len(await house.statuses()) == 4


async def test_what_is_not_accepted_spends_no_quota(house: House) -> None:
    limited = await house.token("limited", per_day=2)
    await send(house, limited, key())
    await send(house, limited, key())
    await send(house, limited, phone=SECOND)
    await send(house, limited, phone=SECOND)
    assert await code_of(send(house, limited, phone=THIRD)) is Code.DAILY_QUOTA
    assert await code_of(send(house, limited, phone="123")) is Code.INVALID_PHONE
    assert len(await house.statuses()) == 2


async def test_a_batch_that_is_larger_than_the_rest_of_the_day_is_refused_whole(house: House) -> None:
    limited = await house.token("limited", per_day=5)
    await house.gateway.bulk.send(limited, batch(*numbers(3)), wait=NO_WAIT)
    assert await code_of(house.gateway.bulk.send(limited, batch(*numbers(4)), wait=NO_WAIT)) is Code.DAILY_QUOTA
    assert len(await house.statuses()) == 3
    await house.gateway.bulk.send(limited, batch(*numbers(2)), wait=NO_WAIT)


async def test_sending_again_spends_quota(house: House) -> None:
    limited = await house.token("limited", per_day=2)
    number = (await send(house, limited)).standing.id
    await house.dispatch()
    await house.gateway.singles.resend(limited, number, wait=NO_WAIT)
    assert await code_of(house.gateway.singles.resend(limited, number, wait=NO_WAIT)) is Code.DAILY_QUOTA


# -- reading, and the state of the whole


async def test_a_history_tells_everything_that_happened(house: House) -> None:
    number = await make(house, "unknown")
    house.world.peer.evidence = Unclear()
    history = await house.gateway.messages.history(house.everything, number)
    assert history.message.id == number
    assert history.is_sandbox
    assert [tried.outcome for tried in history.attempts] == ["lost"]
    assert len(history.events) == 3


async def test_pages_are_read_from_the_newest(house: House) -> None:
    asked = [await house.accept(phone) for phone in numbers(5)]
    first = await house.gateway.messages.page(house.everything, MessageFilter(), limit=3, below=None)
    rest = await house.gateway.messages.page(house.everything, MessageFilter(), limit=3, below=first.next_id)
    assert [message.id for message in (*first.messages, *rest.messages)] == asked[::-1]
    assert rest.next_id is None


async def test_readiness_is_found_out_by_writing(house: House) -> None:
    assert (await house.gateway.ready()).is_ready
    house.store.writer.refuses = True
    assert (await house.gateway.ready()).is_ready, "as it was found out a moment ago"
    house.clock.advance(seconds(FRESH))
    for _ in range(2):
        sick = await house.gateway.ready()
        assert (sick.is_ready, list(sick.troubles)) == (False, [Code.STORE_UNAVAILABLE.value])
        house.store.writer.refuses = False
    house.clock.advance(seconds(FRESH))
    assert (await house.gateway.ready()).is_ready
    house.gateway.close()
    closing = await house.gateway.ready()
    assert (closing.is_ready, list(closing.troubles)) == (False, [Code.CLOSING.value])


async def test_asking_whether_it_is_ready_writes_once_a_second(house: House) -> None:
    """Anybody may ask, without a token."""
    beats: list[datetime] = []
    house.gateway._pulse._check = lambda now: _note(beats, now)
    for _ in range(3):
        assert all(it.is_ready for it in await asyncio.gather(*(house.gateway.ready() for _ in range(100))))
        house.clock.advance(seconds(FRESH / 2))
    assert len(beats) == 2


async def _note(beats: list[datetime], now: datetime) -> None:
    beats.append(now)


async def test_a_database_that_somebody_holds_is_not_ready_and_is_not_asked_again(house: House) -> None:
    """The writer waits for it as long as it takes; whoever asks doesn't, and leaves no pile of questions behind."""
    house.store.writer.hold()
    asking = [asyncio.create_task(house.gateway.ready()) for _ in range(3)]
    await house.clock.settle()
    await house.clock.elapse(seconds(LIMIT - 0.1))
    assert not any(task.done() for task in asking)
    await house.clock.elapse(seconds(0.2))
    for answer in [*[task.result() for task in asking], await house.gateway.ready()]:
        assert (answer.is_ready, list(answer.troubles)) == (False, [Code.STORE_UNAVAILABLE.value])
    house.clock.advance(timedelta(minutes=1))
    assert not (await house.gateway.ready()).is_ready
    assert house.store.waiting == 1
    house.store.writer.release()
    await house.clock.settle()
    assert (await house.gateway.ready()).is_ready


async def test_closing_takes_nothing_new_of_any_kind(house: House) -> None:
    number = await make(house, "sent")
    house.gateway.close()
    token, gateway = house.everything, house.gateway
    for asked in (
        send(house, token),
        gateway.bulk.send(token, batch(FIRST), wait=NO_WAIT),
        gateway.singles.resend(token, number, wait=NO_WAIT),
        gateway.uploads.keep(token, BytesIO(b"%PDF-1.4\n"), "f.pdf"),
    ):
        assert await code_of(asked) is Code.CLOSING
    assert (await gateway.messages.one(token, number))[0].status is Status.SENT, "reading goes on"


async def test_the_queue_at_a_glance(house: House) -> None:
    await house.gateway.bulk.send(house.everything, batch(*numbers(3)), wait=NO_WAIT)
    await house.accept()
    (depth,) = await house.gateway.depths()
    assert depth.in_line == {Lane.SINGLE: 1, Lane.BULK: 3}
    assert house.gateway.now() == house.clock.now()
