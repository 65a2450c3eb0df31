"""A crash at any point of the straight way: what may have left is in doubt, and only proof puts it back in line."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, seconds, turn

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Lane, Status, WaitsFor
from guvercin.core.outcome import Accepted, Evidence, Lost, NeverLeft, Receipt, ReceiptKind, Unclear
from guvercin.gateway.dispatcher import SEND_LIMIT
from guvercin.testing.transport import Act, remote_id_of

SEEN = (ReceiptKind.DELIVERED, ReceiptKind.READ)


class Lives:
    """The processes of one world, one after the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.house = House(world)

    async def begin(self) -> House:
        self.house = await self.world.begin()
        await self.house.recover()
        await self.house.tend()
        return self.house

    async def crash(self) -> House:
        await self.house.crash()
        return await self.begin()

    async def prove(self) -> None:
        """Let upkeep look for evidence."""
        self.world.clock.advance(seconds(10))
        await self.house.keep_up()


@pytest.fixture
async def lives(world: World) -> AsyncIterator[Lives]:
    lives = Lives(world)
    await lives.begin()
    yield lives
    await lives.house.close()


@pytest.mark.parametrize("evidence", [None, NeverLeft(), Unclear()])
async def test_a_crash_between_claim_and_send(lives: Lives, evidence: Evidence | None) -> None:
    peer = lives.world.peer
    number = await lives.house.accept()
    claimed = await lives.house.store.claim(1, list(Lane), now=lives.world.clock.now(), secret=b"s" * 32, draw=0.5)
    assert claimed is not None
    house = await lives.crash()
    message = await house.message(number)
    assert (message.status, message.reason) == (Status.UNKNOWN, Code.CUT_SHORT)
    await house.dispatch()
    assert peer.handed == [], "nothing is sent again without proof"
    peer.evidence = evidence
    await lives.prove()
    assert peer.looks[0].secret == b"s" * 32
    if isinstance(evidence, Unclear):
        assert await house.status(number) is Status.UNKNOWN
        await house.dispatch()
        assert peer.handed == []
    else:
        assert await house.status(number) is Status.QUEUED
        await house.dispatch()
        assert await house.status(number) is Status.SENT
        assert peer.arrivals_of(number) == 1


@pytest.mark.parametrize("evidence", [None, Unclear()])
@pytest.mark.parametrize("moment", ["in the send", "before the answer is written", "after the answer is written"])
async def test_a_crash_after_it_left(lives: Lives, moment: str, evidence: Evidence | None) -> None:
    peer, house = lives.world.peer, lives.house
    peer.script = lambda _: Act(gate=asyncio.Event() if moment == "in the send" else None)
    number = await house.accept()
    step = asyncio.create_task(house.dispatch())
    if moment == "before the answer is written":
        while not peer.arrivals:
            await turn()
        house.store.writer.refuses = True
        await house.clock.settle()
        assert isinstance(step.exception(), GuvercinError)
    await house.clock.settle()
    house = await lives.crash()
    assert peer.arrivals_of(number) == 1
    if moment == "after the answer is written":
        assert await house.status(number) is Status.SENT
        return
    assert await house.status(number) is Status.UNKNOWN
    peer.evidence = evidence
    await lives.prove()
    for _ in range(5):
        await house.dispatch()
        house.clock.advance(seconds(600))
        await house.keep_up()
    assert len(peer.handed) == 1, "it had left"
    if evidence is None:
        message = await house.message(number)
        assert (message.status, message.remote_id) == (Status.SENT, peer.arrivals[0].remote_id)
    else:
        assert await house.status(number) is Status.UNKNOWN


async def test_receipts_of_a_doubt_are_kept_until_it_has_a_name(lives: Lives) -> None:
    peer = lives.world.peer
    peer.script = lambda _: Act(gate=asyncio.Event(), receipts=SEEN)
    number = await lives.house.accept()
    step = asyncio.create_task(lives.house.dispatch())
    await lives.house.clock.settle()
    assert not step.done()
    assert await lives.house.status(number) is Status.SENDING
    house = await lives.crash()
    await lives.prove()
    message = await house.message(number)
    assert message.status is Status.READ
    assert message.delivered_at is not None


async def test_a_receipt_before_the_answer_waits_for_it(lives: Lives) -> None:
    gate, house, peer = asyncio.Event(), lives.house, lives.world.peer
    peer.script = lambda _: Act(gate=gate, receipts=SEEN)
    number = await house.accept()
    step = asyncio.create_task(house.dispatch())
    await house.clock.settle()
    assert await house.status(number) is Status.SENDING
    assert not peer.owed, "both receipts were stored"
    gate.set()
    await step
    assert await house.status(number) is Status.READ


async def test_receipts_may_come_twice_late_and_in_any_order(lives: Lives) -> None:
    house, peer = lives.house, lives.world.peer
    number = await house.accept()
    await house.dispatch()
    remote_id = peer.arrivals[0].remote_id
    at = house.clock.now()
    for kind in (ReceiptKind.READ, ReceiptKind.DELIVERED, ReceiptKind.SERVER, ReceiptKind.READ, ReceiptKind.FAILED):
        peer.tell(Receipt(remote_id=remote_id, kind=kind, at=at), Receipt(remote_id=remote_id, kind=kind, at=at))
    await house.clock.settle()
    assert not peer.owed
    message = await house.message(number)
    assert (message.status, message.delivered_at, message.read_at) == (Status.READ, at, at)


async def test_an_answer_that_cannot_be_written_is_kept_and_written_before_the_next_send(lives: Lives) -> None:
    house, peer = lives.house, lives.world.peer
    first, second = await house.accept(FIRST), await house.accept(SECOND)
    step = asyncio.create_task(house.dispatch())
    while not peer.arrivals:
        await turn()
    house.store.writer.refuses = True
    await house.clock.settle()
    with pytest.raises(GuvercinError):
        step.result()
    for _ in range(3):
        house.clock.advance(seconds(30))
        with pytest.raises(GuvercinError):
            await house.dispatch()
    assert len(peer.handed) == 1
    assert not house.dispatcher().is_idle
    house.store.writer.refuses = False
    await house.dispatch()
    assert await house.status(first) is Status.SENT
    assert await house.status(second) is Status.SENT
    assert peer.arrivals_of(first) == peer.arrivals_of(second) == 1


async def test_an_answer_that_can_never_be_written_is_as_good_as_lost(lives: Lives) -> None:
    """Keeping it would stop the account for ever."""
    house, peer = lives.house, lives.world.peer
    naive = house.clock.now().replace(tzinfo=None)
    peer.script = lambda message: Act(answer=Accepted("ODD", naive)) if message.recipient == FIRST else Act()
    first, second = await house.accept(FIRST), await house.accept(SECOND)
    with pytest.raises(TypeError):
        await house.dispatch()
    await house.deliver_all()
    assert await house.status(first) is Status.UNKNOWN
    assert await house.status(second) is Status.SENT
    await lives.prove()
    assert await house.status(first) is Status.SENT


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("trouble", [ConnectionResetError("gone"), asyncio.CancelledError("gone"), None])
async def test_a_transport_that_breaks_or_hangs_leaves_a_doubt(
    lives: Lives, trouble: BaseException | None, *, arrives: bool
) -> None:
    house, peer = lives.house, lives.world.peer
    acts = iter([Act(arrives=arrives, answer=trouble, gate=None if trouble else asyncio.Event())])
    peer.script = lambda _: next(acts, Act())
    number = await house.accept()
    step = asyncio.create_task(house.dispatch())
    await house.clock.settle()
    if trouble is None:
        await house.clock.elapse(seconds(SEND_LIMIT - 0.1))
        assert not step.done()
        await house.clock.elapse(seconds(0.2))
    await step
    message = await house.message(number)
    assert (message.status, message.reason) == (Status.UNKNOWN, Code.ANSWER_LOST)
    await house.dispatch()
    assert len(peer.handed) == 1
    await lives.prove()
    await house.dispatch()
    assert await house.status(number) is Status.SENT
    assert peer.arrivals_of(number) == 1


async def test_a_lost_answer_does_not_hold_back_the_next_message(lives: Lives) -> None:
    house, peer = lives.house, lives.world.peer
    acts = iter([Act(answer=Lost(Code.ANSWER_LOST))])
    peer.script = lambda _: next(acts, Act())
    first, second = await house.accept(FIRST), await house.accept(FIRST)
    await house.deliver_all()
    assert [await house.status(number) for number in (first, second)] == [Status.UNKNOWN, Status.SENT]


@pytest.mark.parametrize("cuts", [1, 2, 3])
async def test_what_a_cut_step_had_claimed_is_not_forgotten(lives: Lives, cuts: int) -> None:
    """The writer does its job even when whoever asked for it has been cancelled, however often that happens."""
    house = lives.house
    number = await house.accept()
    house.dispatcher()._use = await house.store.use(1)
    house.store.writer.hold()
    step = asyncio.create_task(house.dispatch())
    await house.clock.settle()
    for _ in range(cuts):
        step.cancel()
        await house.clock.settle()
        assert not step.done(), "it waits for the claim to be written"
    house.store.writer.release()
    await house.clock.settle()
    assert step.cancelled()
    assert await house.status(number) is Status.SENDING
    assert lives.world.peer.handed == []
    await house.dispatcher().let_go()
    message = await house.message(number)
    assert (message.status, message.waits_for, message.attempts) == (Status.QUEUED, WaitsFor.RETRY, 0)
    house.clock.advance(seconds(1))
    await house.keep_up()
    await house.dispatch()
    assert lives.world.peer.arrivals_of(number) == 1


async def test_what_expires_between_claim_and_hand_over_does_not_leave(lives: Lives) -> None:
    """A disk that was slow, or a machine that was suspended."""
    house, peer = lives.house, lives.world.peer
    number = await house.accept(lifetime=timedelta(minutes=1))
    house.dispatcher()._use = await house.store.use(1)
    house.store.writer.hold()
    step = asyncio.create_task(house.dispatch())
    await house.clock.settle()
    house.clock.advance(timedelta(minutes=1))
    house.store.writer.release()
    await step
    await house.keep_up()
    message = await house.message(number)
    assert (message.status, message.reason, peer.handed) == (Status.FAILED, Code.EXPIRED, [])


async def test_a_step_cut_between_claim_and_hand_over_sends_it_next(lives: Lives) -> None:
    house = lives.house
    number = await house.accept()
    for turns in range(1, 60):
        step = asyncio.create_task(house.dispatch())
        await turn(turns)
        step.cancel()
        await house.clock.settle()
        if await house.status(number) is not Status.QUEUED:
            break
    await house.dispatch()
    await lives.prove()
    await house.deliver_all()
    assert await house.status(number) is Status.SENT
    assert lives.world.peer.arrivals_of(number) == 1


@pytest.mark.parametrize("turns", range(1, 40))
async def test_no_moment_of_a_crash_loses_or_doubles_a_message(lives: Lives, turns: int) -> None:
    peer = lives.world.peer
    peer.script = lambda _: Act(receipts=SEEN)
    numbers = [await lives.house.accept(FIRST), await lives.house.accept(SECOND)]
    stepping = asyncio.create_task(lives.house.dispatch())
    await turn(turns)
    house = await lives.crash()
    assert stepping.cancelled() or stepping.done()
    await lives.prove()
    await house.deliver_all()
    await house.clock.settle()
    assert [await house.status(number) for number in numbers] == [Status.READ, Status.READ]
    assert [peer.arrivals_of(number) for number in numbers] == [1, 1]


async def test_a_message_survives_any_number_of_restarts(lives: Lives) -> None:
    house = lives.house
    number = await house.accept(planned_at=house.clock.now() + timedelta(hours=1))
    for _ in range(5):
        house = await lives.crash()
    assert (await house.message(number)).waits_for is WaitsFor.TIME
    house.clock.advance(timedelta(hours=1))
    await house.keep_up()
    await house.dispatch()
    assert await house.status(number) is Status.SENT
    assert lives.world.peer.arrivals[0].remote_id == remote_id_of(lives.world.peer.handed[0].secret)
