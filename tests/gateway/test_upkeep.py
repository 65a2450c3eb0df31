"""What time does to messages: waits end, lifetimes end, doubts are looked into, and what nobody needs is forgotten."""

import asyncio
import os
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, batch, numbers, seconds

from guvercin.core.account import OnUnknown
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import File, Status, WaitsFor
from guvercin.core.outcome import Accepted, Evidence, Lost, NeverLeft, Unclear
from guvercin.core.token import Permission, TokenRules
from guvercin.gateway.access import create_token
from guvercin.gateway.requests import Ask, IdempotencyKey, UploadedFile
from guvercin.gateway.upkeep import DOUBT_LIMIT, LOOK_LIMIT
from guvercin.store.verbs.upkeep import Doubt
from guvercin.testing.transport import Act, Peer, ScriptedTransport
from guvercin.transports.base import Attempt, Outgoing

MOMENT = timedelta(milliseconds=1)
NAIVE = datetime(2026, 2, 23, 11, 30)  # noqa: DTZ001 -- no transport may say this, and one may
PDF = b"%PDF-1.4\n%%EOF\n"


def lost(_: Outgoing) -> Act:
    return Act(answer=Lost(Code.ANSWER_LOST))


async def in_doubt(house: House, phone: str = FIRST) -> int:
    """Answer a message of which nobody knows whether it left."""
    before, house.world.peer.script = house.world.peer.script, lost
    number = await house.accept(phone)
    await house.dispatch()
    house.world.peer.script = before
    assert await house.status(number) is Status.UNKNOWN
    return number


async def policy(house: House, chosen: OnUnknown) -> None:
    await house.store.change_account(1, now=house.clock.now(), on_unknown=chosen)


async def upkeep_until(house: House, moment: float, *, stride: float = 1.0) -> None:
    """Step upkeep each `stride` until so many seconds from now."""
    end = house.clock.monotonic() + moment
    while house.clock.monotonic() < end:
        house.clock.advance(seconds(stride))
        await house.keep_up()


# -- lifetimes and planned times


async def test_a_lifetime_ends_at_its_moment(world: World) -> None:
    house = await world.begin()
    in_line = await house.accept(lifetime=timedelta(minutes=5))
    planned = await house.accept(
        SECOND, planned_at=house.clock.now() + timedelta(minutes=2), lifetime=timedelta(minutes=3)
    )
    house.clock.advance(timedelta(minutes=5) - MOMENT)
    await house.keep_up()
    assert await house.statuses() == [Status.QUEUED, Status.QUEUED]
    house.clock.advance(MOMENT)
    await house.keep_up()
    for number in (in_line, planned):
        message = await house.message(number)
        assert (message.status, message.reason) == (Status.FAILED, Code.EXPIRED)
    await house.close()


async def test_what_is_past_its_lifetime_is_not_claimed_either(house: House) -> None:
    number = await house.accept(lifetime=timedelta(minutes=1))
    fresh = await house.accept()
    house.clock.advance(timedelta(minutes=1))
    await house.deliver_all()
    assert (await house.message(number)).reason is Code.EXPIRED
    assert await house.status(fresh) is Status.SENT
    assert len(house.world.peer.handed) == 1


async def test_a_doubt_has_no_lifetime(house: House) -> None:
    number = await in_doubt(house)
    house.world.peer.evidence = Unclear()
    house.clock.advance(timedelta(days=40))
    await house.keep_up()
    assert await house.status(number) is Status.UNKNOWN


async def test_a_proof_that_comes_after_the_lifetime_does_not_send_it(house: House) -> None:
    number = await in_doubt(house)
    house.world.peer.evidence = NeverLeft()
    house.clock.advance(timedelta(days=40))
    await house.keep_up()
    await house.dispatch()
    await house.keep_up()
    assert (await house.message(number)).reason is Code.EXPIRED
    assert len(house.world.peer.handed) == 1


async def test_a_planned_batch_is_released_at_its_moment_however_large(house: House) -> None:
    due = house.clock.now() + timedelta(hours=3)
    ask = batch(*numbers(1_200), planned_at=due)
    await house.gateway.bulk.send(house.everything, ask, wait=seconds(25))
    house.clock.advance(timedelta(hours=3) - MOMENT)
    await house.keep_up()
    assert not await house.events(EventKind.MESSAGE_RELEASED)
    house.clock.advance(MOMENT)
    steps = 1
    while await house.keep_up() == house.clock.now():
        steps += 1
    assert steps == 3, "it comes back at once while there is more"
    assert len(await house.events(EventKind.MESSAGE_RELEASED)) == 1_200


async def test_an_expired_crowd_is_cleared_without_a_pause(world: World) -> None:
    house = await world.begin()
    await house.gateway.bulk.send(house.everything, batch(*numbers(700)), wait=seconds(0))
    house.clock.advance(timedelta(days=3))
    assert await house.keep_up() == house.clock.now()
    assert await house.keep_up() > house.clock.now()
    assert set(await house.statuses()) == {Status.FAILED}
    await house.close()


# -- doubts


async def test_evidence_is_asked_for_ever_more_seldom(house: House) -> None:
    peer = house.world.peer
    peer.evidence = Unclear()
    number = await in_doubt(house)
    waits: list[timedelta] = []
    for looks in range(30):
        until = (await house.message(number)).waits_until
        assert until is not None
        waits.append(until - house.clock.now())
        house.clock.advance(waits[-1] - MOMENT)
        await house.keep_up()
        assert len(peer.looks) == looks
        house.clock.advance(MOMENT)
        await house.keep_up()
        assert len(peer.looks) == looks + 1
    assert waits[0] == seconds(5)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=10)
    assert sum(waits[:20], timedelta(0)) > DOUBT_LIMIT, "an hour of doubt costs a handful of looks"


async def test_a_ledger_that_finds_nothing_puts_it_back_in_line(house: House) -> None:
    number = await in_doubt(house)
    house.world.peer.arrivals.clear()
    await upkeep_until(house, 5)
    assert await house.status(number) is Status.QUEUED
    assert [event.kind for event in await house.store.events(number)][-1] is EventKind.MESSAGE_RELEASED
    await house.dispatch()
    assert await house.status(number) is Status.SENT


async def test_by_default_a_doubt_is_held(house: House) -> None:
    number = await in_doubt(house)
    house.world.peer.evidence = Unclear()
    await upkeep_until(house, 3 * DOUBT_LIMIT.total_seconds(), stride=60)
    assert await house.status(number) is Status.UNKNOWN
    house.world.peer.evidence = None
    await upkeep_until(house, 700, stride=60)
    assert await house.status(number) is Status.SENT, "evidence may come late"


@pytest.mark.parametrize("chosen", [OnUnknown.GIVE_UP, OnUnknown.RESEND])
async def test_the_owner_may_choose_what_becomes_of_a_doubt(house: House, chosen: OnUnknown) -> None:
    await policy(house, chosen)
    number = await in_doubt(house)
    house.world.peer.evidence = Unclear()
    limit = DOUBT_LIMIT.total_seconds()
    await upkeep_until(house, limit - 61, stride=60)
    assert await house.statuses() == [Status.UNKNOWN], "not before the limit"
    await upkeep_until(house, 661, stride=60)
    message = await house.message(number)
    assert message.status is Status.FAILED
    if chosen is OnUnknown.GIVE_UP:
        assert message.reason is Code.GIVEN_UP
        assert await house.statuses() == [Status.FAILED]
        return
    assert message.reason is Code.RESENT
    again = (await house.messages())[1]
    assert (again.resend_of, again.recipient, again.content) == (number, message.recipient, message.content)
    await house.dispatch()
    assert await house.status(again.id) is Status.SENT
    await upkeep_until(house, 2 * limit, stride=60)
    assert len(await house.statuses()) == 2, "once, not again and again"


@pytest.mark.parametrize("chosen", [OnUnknown.GIVE_UP, OnUnknown.RESEND])
async def test_news_that_comes_while_the_policy_decides_wins(world: World, chosen: OnUnknown) -> None:
    """Nothing may be sent twice because somebody looked at an old answer."""

    class Unlucky(ScriptedTransport):
        async def find(self, attempt: Attempt) -> Evidence:
            doubt = Doubt(
                message_id=attempt.message_id,
                account_id=1,
                recipient=attempt.recipient,
                attempt_id=1,
                secret=attempt.secret,
                started_at=attempt.started_at,
            )
            await house.store.conclude(doubt, Accepted("LATE", house.clock.now()), now=house.clock.now())
            return Unclear()

    world.builds = lambda account, world: Unlucky(world.peers[account.id], world.clock)
    house = await world.begin()
    await house.tend()
    await policy(house, chosen)
    number = await in_doubt(house)
    house.clock.advance(DOUBT_LIMIT)
    await house.keep_up()
    assert await house.statuses() == [Status.SENT]
    assert (await house.message(number)).remote_id == "LATE"
    await house.close()


class Mute:
    """A line that can't say afterwards what left."""

    def __init__(self, peer: Peer, world: World) -> None:
        line = ScriptedTransport(peer, world.clock)
        self.features, self.run, self.send, self.unlink = line.features, line.run, line.send, line.unlink


async def test_where_nobody_knows_what_left_nothing_is_sent_again(world: World) -> None:
    world.builds = lambda account, world: Mute(world.peers[account.id], world)
    house = await world.begin()
    await house.tend()
    number = await in_doubt(house)
    await upkeep_until(house, 2 * DOUBT_LIMIT.total_seconds(), stride=60)
    await house.dispatch()
    assert await house.status(number) is Status.UNKNOWN
    assert len(world.peer.handed) == 1
    await house.close()


@pytest.mark.parametrize("evidence", [OSError("the disk is sick"), Accepted("ODD", NAIVE)])
async def test_evidence_that_cannot_be_had_or_believed_stops_nothing(
    house: House, evidence: Evidence | Exception
) -> None:
    number = await in_doubt(house)
    other = await house.accept(SECOND, planned_at=house.clock.now() + seconds(5))
    house.world.peer.evidence = evidence
    await upkeep_until(house, 20)
    assert await house.status(number) is Status.UNKNOWN
    assert (await house.message(other)).waits_for is None
    assert 0 < len(house.world.peer.looks) <= 4
    house.world.peer.evidence = None
    await upkeep_until(house, 20)
    assert await house.status(number) is Status.SENT


async def test_a_look_that_hangs_does_not_hold_up_the_rest(world: World) -> None:
    class Hanging(ScriptedTransport):
        async def find(self, attempt: Attempt) -> Evidence:  # noqa: ARG002 -- nobody looks
            await asyncio.Event().wait()
            return Unclear()

    world.builds = lambda account, world: Hanging(world.peers[account.id], world.clock)
    house = await world.begin()
    await house.tend()
    number = await in_doubt(house)
    house.clock.advance(seconds(5))
    step = asyncio.create_task(house.keep_up())
    await house.clock.elapse(seconds(LOOK_LIMIT - 0.1))
    assert not step.done()
    await house.clock.elapse(seconds(0.2))
    await step
    assert await house.status(number) is Status.UNKNOWN
    await house.close()


async def test_a_crowd_of_doubts_is_looked_into_without_a_pause(house: House) -> None:
    for number in numbers(120):
        await in_doubt(house, number)
    house.clock.advance(seconds(10))
    while await house.keep_up() == house.clock.now():
        pass
    assert set(await house.statuses()) == {Status.SENT}
    assert len(house.world.peer.handed) == 120


# -- a restored copy


async def test_what_a_restored_copy_holds_waits_for_a_human(world: World) -> None:
    house = await world.begin()
    await house.tend()
    doubtful = await in_doubt(house)
    number = await house.accept(SECOND)
    await house.store.hold_unfinished(now=house.clock.now())
    for _ in range(5):
        await house.dispatch()
        await upkeep_until(house, 60, stride=30)
    message = await house.message(number)
    assert (message.status, message.waits_for) == (Status.QUEUED, WaitsFor.RESTORED)
    assert await house.status(doubtful) is Status.UNKNOWN
    assert not world.peer.looks
    assert len(world.peer.handed) == 1
    sent = await house.gateway.messages.release(house.everything, number)
    assert sent.standing.waits_for is None
    await house.dispatch()
    assert await house.status(number) is Status.SENT
    await house.close()


# -- forgetting


async def test_what_nobody_needs_is_forgotten(house: House) -> None:
    key = IdempotencyKey(method="POST", path="/gonder", key="k", body_hash=b"b")
    first = await house.gateway.singles.send(
        house.everything, Ask(phone=FIRST, text="Merhaba"), wait=seconds(0), key=key
    )
    upload = await house.gateway.uploads.keep(house.everything, BytesIO(PDF), "fatura.pdf")
    used = await house.gateway.uploads.keep(house.everything, BytesIO(PDF + b"\n"), "sozlesme.pdf")
    await house.accept(
        SECOND,
        file=UploadedFile(id=used.id),
        lifetime=timedelta(days=30),
        planned_at=house.clock.now() + timedelta(days=20),
    )
    await house.deliver_all()
    kept = (await house.store.upload(upload.id), await house.store.upload(used.id))
    assert kept[0] is not None
    assert kept[1] is not None
    for file in kept:
        assert file is not None
        now = house.clock.now().timestamp()
        os.utime(house.spool.path(file.file.digest), (now, now))  # ages are by the file system's clock
    await house.keep_up()
    house.clock.advance(timedelta(days=8))
    await house.keep_up()
    assert await house.store.upload(upload.id) is None
    assert not house.spool.has(kept[0].file.digest)
    assert house.spool.has(kept[1].file.digest), "a message still needs it"
    again = await house.gateway.singles.send(
        house.everything, Ask(phone=FIRST, text="Merhaba"), wait=seconds(0), key=key
    )
    assert not again.replayed
    assert again.standing.id != first.standing.id


async def test_tidying_waits_an_hour_by_a_clock_that_cannot_be_set(house: House) -> None:
    await house.keep_up()
    token = house.everything
    await house.store.keep_upload("old", token.id, _file(), now=house.clock.now() - timedelta(days=8))
    house.clock.jump_wall(timedelta(days=-1))
    house.clock.advance(timedelta(minutes=59))
    await house.keep_up()
    assert await house.store.upload("old") is not None
    house.clock.jump_wall(timedelta(days=1))
    house.clock.advance(timedelta(minutes=1))
    await house.keep_up()
    assert await house.store.upload("old") is None


async def test_the_last_use_of_a_token_is_written(house: House) -> None:
    rules = TokenRules(name="kasa", permissions=frozenset({Permission.SEND}))
    token, secret = await create_token(house.store, rules, b"s" * 32, now=house.clock.now())
    await house.keep_up()
    used_at = house.clock.now()
    await house.gateway.authenticate(secret)

    async def last_used() -> object:
        return next(each.last_used_at for each in await house.store.tokens() if each.id == token.id)

    house.clock.advance(seconds(29))
    await house.keep_up()
    assert await last_used() is None
    house.clock.advance(seconds(1))
    await house.keep_up()
    assert await last_used() == used_at


async def test_a_use_that_could_not_be_written_is_written_later(house: House) -> None:
    rules = TokenRules(name="kasa", permissions=frozenset({Permission.SEND}))
    token, secret = await create_token(house.store, rules, b"s" * 32, now=house.clock.now())
    used_at = house.clock.now()
    await house.gateway.authenticate(secret)
    house.store.writer.refuses = True
    with pytest.raises(GuvercinError):
        await house.access.write_last_used()
    house.store.writer.refuses = False
    await house.access.write_last_used()
    assert next(each.last_used_at for each in await house.store.tokens() if each.id == token.id) == used_at


async def test_a_step_that_met_a_sick_store_is_made_up_for(house: House) -> None:
    number = await house.accept(planned_at=house.clock.now() + seconds(5))
    house.clock.advance(seconds(5))
    house.store.writer.refuses = True
    with pytest.raises(GuvercinError):
        await house.keep_up()
    house.store.writer.refuses = False
    await house.keep_up()
    assert (await house.message(number)).waits_for is None


def _file() -> File:
    return File(digest="0" * 64, name="f.pdf", media_type="application/pdf", size=1)
