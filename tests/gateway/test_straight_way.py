"""The straight way: send, row, claim, transport, settle, and the caller who waited for it."""

import asyncio
from datetime import timedelta

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, seconds

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Status, WaitsFor
from guvercin.core.outcome import Accepted, Lost, ReceiptKind, Refused, Scope, Unclear
from guvercin.gateway.requests import Sent
from guvercin.testing.transport import Act, remote_id_of

LOST = Act(answer=Lost(Code.ANSWER_LOST))


async def ended(house: House, calling: asyncio.Task[Sent]) -> Sent:
    await house.clock.settle()
    assert calling.done()
    return calling.result()


async def test_a_message_is_a_row_then_a_packet_then_an_answer(house: House) -> None:
    calling = house.calling(FIRST, "Faturanız hazır", name="Ayşe", reference="FTR-001")
    await house.clock.settle()
    assert await house.statuses() == [Status.QUEUED]
    assert house.world.peer.handed == []
    await house.dispatch()
    sent = await ended(house, calling)
    (arrived,) = house.world.peer.arrivals
    assert (arrived.message.recipient, arrived.message.text) == (FIRST, "Faturanız hazır")
    assert sent.standing.status is Status.SENT
    assert sent.standing.remote_id == arrived.remote_id == remote_id_of(arrived.message.secret)
    assert sent.is_sandbox
    message = await house.message(sent.standing.id)
    assert (message.recipient_name, message.reference, message.attempts) == ("Ayşe", "FTR-001", 1)
    assert message.sent_at == house.clock.now()
    assert [event.kind for event in await house.store.events(message.id)] == [
        EventKind.MESSAGE_ACCEPTED,
        EventKind.MESSAGE_CLAIMED,
        EventKind.MESSAGE_SENT,
    ]


async def test_a_caller_hears_not_yet_when_the_wait_ends_and_the_message_goes_all_the_same(house: House) -> None:
    gate = asyncio.Event()
    house.world.peer.script = lambda _: Act(gate=gate)
    calling = house.calling(wait=10)
    await house.clock.settle()
    sending = asyncio.create_task(house.dispatch())
    await house.clock.elapse(seconds(9.9))
    assert not calling.done()
    await house.clock.elapse(seconds(0.2))
    sent = await ended(house, calling)
    assert (sent.standing.status, sent.standing.remote_id) == (Status.SENDING, None)
    gate.set()
    await sending
    assert await house.status(sent.standing.id) is Status.SENT


async def test_without_a_wait_the_answer_is_the_row(house: House) -> None:
    sent = await house.ask()
    assert (sent.standing.status, sent.standing.waits_for) == (Status.QUEUED, None)


async def test_a_line_that_is_down_is_no_error(world: World) -> None:
    house = await world.begin()
    calling = house.calling(wait=2)
    await house.clock.elapse(seconds(2.1))
    assert (await ended(house, calling)).standing.status is Status.QUEUED
    await house.dispatch()
    assert world.peer.handed == []
    await house.tend()
    await house.dispatch()
    assert len(world.peer.arrivals) == 1
    await house.close()


async def test_a_planned_message_answers_at_once_and_leaves_in_its_time(house: House) -> None:
    began = house.clock.monotonic()
    due = house.clock.now() + timedelta(hours=2)
    sent = await house.ask(planned_at=due, wait=10)
    assert house.clock.monotonic() == began
    assert (sent.standing.status, sent.standing.waits_for) == (Status.QUEUED, WaitsFor.TIME)
    house.clock.advance(timedelta(hours=2) - timedelta(milliseconds=1))
    await house.keep_up()
    await house.dispatch()
    assert house.world.peer.handed == []
    house.clock.advance(timedelta(milliseconds=1))
    await house.keep_up()
    await house.dispatch()
    assert len(house.world.peer.arrivals) == 1


async def test_closing_answers_whoever_waits_and_takes_nothing_more(house: House) -> None:
    calling = house.calling()
    await house.clock.elapse(seconds(0.3))
    house.gateway.close()
    assert (await ended(house, calling)).standing.status is Status.QUEUED
    with pytest.raises(GuvercinError) as refused:
        await house.ask(SECOND)
    assert refused.value.code is Code.CLOSING
    assert refused.value.retry_after is not None
    assert len(await house.statuses()) == 1


async def test_nobody_waits_after_closing(house: House) -> None:
    house.waiting.dismiss()
    calling = house.calling()
    assert (await ended(house, calling)).standing.status is Status.QUEUED


async def test_a_refusal_within_the_wait_is_the_answer(house: House) -> None:
    refusal = Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT, detail="not registered")
    house.world.peer.script = lambda _: Act(arrives=False, answer=refusal)
    calling = house.calling()
    await house.clock.settle()
    await house.dispatch()
    sent = await ended(house, calling)
    assert (sent.standing.status, sent.standing.reason) == (Status.FAILED, Code.NOT_ON_WHATSAPP)
    (tried,) = await house.store.attempts(sent.standing.id)
    assert (tried.outcome, tried.reason, tried.detail) == ("refused", Code.NOT_ON_WHATSAPP, "not registered")


async def test_evidence_within_the_wait_settles_a_doubt(house: House) -> None:
    """The story of +905000000007."""
    house.world.peer.script = lambda _: LOST
    calling = house.calling(wait=10)
    await house.clock.settle()
    await house.dispatch()
    await house.clock.elapse(seconds(5))
    assert not calling.done()
    await house.keep_up()
    sent = await ended(house, calling)
    assert sent.standing.status is Status.SENT
    assert sent.standing.remote_id == house.world.peer.arrivals[0].remote_id
    assert len(house.world.peer.handed) == 1


async def test_a_doubt_that_nothing_settles_is_told_as_it_is(house: House) -> None:
    """The story of +905000000008."""
    house.world.peer.script = lambda _: LOST
    house.world.peer.evidence = Unclear()
    calling = house.calling(wait=10)
    await house.clock.settle()
    for _ in range(10):
        await house.dispatch()
        await house.keep_up()
        await house.clock.elapse(seconds(1.01))
    sent = await ended(house, calling)
    assert (sent.standing.status, sent.standing.reason) == (Status.UNKNOWN, Code.ANSWER_LOST)
    assert len(house.world.peer.handed) == 1


async def test_a_caller_that_goes_away_changes_nothing(house: House) -> None:
    calling = house.calling()
    await house.clock.elapse(seconds(0.5))
    calling.cancel()
    await house.clock.settle()
    assert calling.cancelled()
    assert not house.waiting._of_message
    await house.dispatch()
    assert len(house.world.peer.arrivals) == 1


async def test_a_caller_that_goes_away_while_its_row_is_written_has_asked_all_the_same(house: House) -> None:
    house.store.writer.hold()
    calling = house.calling()
    await house.clock.settle()
    calling.cancel()
    await house.clock.settle()
    house.store.writer.release()
    await house.clock.settle()
    assert await house.statuses() == [Status.QUEUED]
    await house.dispatch()
    assert len(house.world.peer.arrivals) == 1


async def test_polling_alone_is_correct(house: House) -> None:
    house.store.writer._listeners.clear()
    calling = house.calling(wait=10)
    await house.clock.elapse(seconds(0.4))
    await house.dispatch()
    await house.clock.settle()
    assert not calling.done()
    await house.clock.elapse(seconds(1))
    sent = await ended(house, calling)
    assert sent.standing.status is Status.SENT


async def test_what_is_accepted_is_never_called_an_error_because_it_cannot_be_read(house: House) -> None:
    calling = house.calling(wait=3)
    await house.clock.settle()
    house.store.is_unreadable = True
    await house.clock.elapse(seconds(3.1))
    assert (await ended(house, calling)).standing.status is Status.QUEUED


async def test_nothing_is_accepted_that_cannot_be_written(house: House) -> None:
    house.store.writer.refuses = True
    with pytest.raises(GuvercinError) as refused:
        await house.ask()
    assert refused.value.code is Code.STORE_UNAVAILABLE
    house.store.writer.refuses = False
    assert await house.statuses() == []


async def test_receipts_carry_a_message_to_its_end(house: House) -> None:
    house.world.peer.script = lambda _: Act(receipts=(ReceiptKind.DELIVERED, ReceiptKind.READ))
    number = await house.accept()
    await house.dispatch()
    await house.clock.settle()
    message = await house.message(number)
    assert message.status is Status.READ
    assert message.sent_at == message.delivered_at == message.read_at == house.clock.now()


async def test_one_id_names_one_message(house: House) -> None:
    """An answer that names a message of somebody else's can't be believed."""
    house.world.peer.script = lambda _: Act(answer=Accepted("ONE", house.clock.now()))
    first, second = await house.accept(FIRST), await house.accept(SECOND)
    await house.deliver_all()
    assert await house.status(first) is Status.SENT
    assert await house.status(second) is Status.UNKNOWN
    house.world.peer.evidence = Accepted("ONE", house.clock.now())
    house.clock.advance(seconds(10))
    await house.keep_up()
    assert await house.status(second) is Status.UNKNOWN
    looks = len(house.world.peer.looks)
    await house.keep_up()
    assert len(house.world.peer.looks) == looks, "contradicting evidence must not be asked for without a pause"
