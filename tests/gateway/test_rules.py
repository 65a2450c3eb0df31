"""An account with rules, stepped by hand: limits, quiet hours, lanes, and what a restart or a clock does to them."""

from datetime import timedelta
from itertools import pairwise

import pytest
from tests.gateway.house import House, World, batch, numbers, pace, seconds
from tests.gateway.pacing import DAY, HOUR, QUIET, Sent, begin, bulk, bulk_to, rules, run, strangers, waits

from guvercin.core.account import LineNews, OnUnknown
from guvercin.core.errors import Code
from guvercin.core.message import Status, Track, WaitsFor
from guvercin.core.outcome import Deferred, Inbound, LineEvent, Lost, Refused, Restricted, Scope, Unclear
from guvercin.core.pacing import Caps
from guvercin.testing.transport import Act
from guvercin.transports.base import Outgoing


async def test_a_list_of_customers_keeps_the_hourly_and_the_daily_limit(shop: House, sent: Sent) -> None:
    await bulk(shop, 320)
    await run(shop, DAY + HOUR * 6)
    assert len(sent.sends) == 320
    for at, _ in sent.sends:
        assert sent.within(at, HOUR) <= 80
        assert sent.within(at, DAY) <= 300
    assert {row.track for row in await shop.messages()} == {Track.EXISTING}


async def test_what_waits_says_why_and_until_when(shop: House) -> None:
    await bulk(shop, 120)
    await run(shop, HOUR)
    parked = [row for row in await shop.messages() if row.waits_for is WaitsFor.HOURLY]
    assert len(parked) >= 30
    moments = [row.waits_until for row in sorted(parked, key=lambda row: row.id) if row.waits_until]
    assert moments == sorted(moments)
    assert moments[0] > shop.clock.now() - HOUR


async def test_quiet_hours_are_kept_and_are_no_part_of_a_lifetime(shop: House, sent: Sent) -> None:
    shop.clock.jump_wall(timedelta(hours=9, minutes=55))  # 19:55
    await shop.dispatch()
    await bulk(shop, 60, category=QUIET)
    await run(shop, timedelta(minutes=10))
    before = len(sent.sends)
    assert await waits(shop) == {WaitsFor.QUIET_HOURS: 60 - before}
    await run(shop, timedelta(hours=12, minutes=54))
    assert len(sent.sends) == before
    await run(shop, HOUR * 2)
    assert len(sent.sends) == 60
    assert not [row for row in await shop.messages() if row.status is Status.FAILED]


async def test_a_restart_resets_no_limit(world: World, sent: Sent) -> None:
    house = await begin(world)
    await bulk(house, 200)
    await run(house, HOUR / 2)
    await house.crash()
    for _ in range(6):
        house = await begin(world)
        await house.recover()
        await run(house, timedelta(minutes=15))
        await house.crash()
    assert len(sent.sends) > 100
    assert all(sent.within(at, HOUR - timedelta(minutes=1)) <= 80 for at, _ in sent.sends)


@pytest.mark.parametrize("jump", [DAY, -DAY, 7 * DAY, HOUR, -HOUR])
async def test_a_clock_that_jumps_resets_and_stretches_no_limit(world: World, sent: Sent, jump: timedelta) -> None:
    """Measured on the monotonic clock: what really went by."""
    house = await begin(world)
    moments: list[float] = []
    script = sent.__call__

    def note(message: Outgoing) -> Act:
        moments.append(world.clock.monotonic())
        return script(message)

    world.peer.script = note
    await bulk(house, 200, lifetime=timedelta(days=29))
    await run(house, HOUR / 2)
    house.clock.jump_wall(jump)
    await house.dispatch()
    await run(house, HOUR * 2)
    assert len(moments) == 200
    assert all(later - earlier >= 3_600 for earlier, later in zip(moments, moments[80:], strict=False))
    assert max(later - earlier for earlier, later in pairwise(moments)) <= 3_600
    await house.close()


async def test_a_jump_and_then_a_restart_reset_no_limit(world: World, sent: Sent) -> None:
    house = await begin(world)
    await bulk(house, 100, lifetime=timedelta(days=29))
    await run(house, HOUR / 2)
    before = len(sent.sends)
    assert before >= 75
    house.clock.jump_wall(DAY)
    await house.dispatch()
    await house.crash()
    house = await begin(world)
    await house.recover()
    await run(house, timedelta(minutes=20))
    assert len(sent.sends) <= 80
    await house.close()


async def test_strangers_are_few_and_far_between(world: World, sent: Sent) -> None:
    house = await begin(world)
    ask = batch(*numbers(40), body_hash=b"strangers")
    await house.gateway.bulk.send(house.everything, ask, wait=seconds(0))
    await run(house, DAY - HOUR)
    assert len(sent.sends) == 15
    assert all(gap >= 45 for gap in sent.gaps)
    assert set(await waits(house)) <= {WaitsFor.DAILY, WaitsFor.HOURLY}
    await house.close()


@pytest.mark.parametrize(("days", "track"), [(27, Track.KNOWN), (29, Track.NEW)])
async def test_somebody_who_wrote_is_known_for_twenty_eight_days(shop: House, days: int, track: Track) -> None:
    (number,) = numbers(1)
    wrote_at = shop.clock.now() - days * DAY
    inbound = Inbound(remote_id="G-1", sender=number, text="Merhaba", at=wrote_at)
    await shop.store.receive_inbound(1, inbound, now=wrote_at)
    await shop.gateway.bulk.send(shop.everything, batch(number), wait=seconds(0))
    await run(shop, timedelta(minutes=5))
    (row,) = await shop.messages()
    assert row.track is track


async def test_singles_overtake_bulk_within_one_gap(shop: House, sent: Sent) -> None:
    await bulk(shop, 100)
    await run(shop, timedelta(minutes=5))
    asked_at = shop.clock.now()
    (number,) = numbers(301)[300:]
    await shop.accept(phone=number, category=1)
    await run(shop, timedelta(seconds=8))
    assert next(at - asked_at for at, to in sent.sends if to == number) <= seconds(6)


async def test_batches_share_an_account_fairly(shop: House, sent: Sent) -> None:
    """Of two that wait each gets every second place, whenever it came, whatever the other's length."""
    await bulk(shop, 200)
    await run(shop, timedelta(minutes=5))
    before = len(sent.sends)
    await bulk(shop, 30, first=500)
    await run(shop, timedelta(minutes=8))
    second = set(numbers(530)[500:])
    order = [to in second for _, to in sent.sends[before:]]
    assert sum(order[:20]) >= 9
    assert all(sum(order[place : place + 2]) >= 1 for place in range(1, 18))


async def test_who_goes_first_for_a_persons_sake_sets_no_turn_back(world: World) -> None:
    """Lists to the same people, each in another order, beside one to others: that one waits for one turn of each."""
    lists, people, others = 6, numbers(10), numbers(905)[900:]
    house, sent = await begin(world, pace(bulk=(1, 1))), Sent(world)
    await bulk_to(house, others)
    for turn in range(1, lists):
        await bulk_to(house, [*people[turn:], *people[:turn]])
    await run(house, HOUR)
    assert len(sent.sends) == len(others) + (lists - 1) * len(people)
    places = [place for place, (_, to) in enumerate(sent.sends) if to in others]
    assert all(later - earlier <= lists for earlier, later in pairwise(places)), places


async def test_who_has_to_step_aside_in_its_turn_keeps_it(world: World, sent: Sent) -> None:
    """Singles take places that a list had, and every later place is another list's already."""
    hourly = Caps(all=3, existing=3, new=1)
    house = await begin(world, rules(warms_up=False, hourly=hourly, has_breakers=False, breather_after=None))
    people, others = numbers(3), numbers(140)[100:]
    await strangers(house, len(people), first=0)
    await run(house, timedelta(minutes=1))
    await bulk_to(house, others)
    for number, minutes in zip(numbers(202)[200:], (55, 45), strict=True):
        await run(house, timedelta(minutes=minutes))
        await house.accept(phone=number, category=1)
    await run(house, HOUR * 12)
    turns = [to in people for _, to in sent.sends if to in people or to in others]
    places = [place for place, is_theirs in enumerate(turns) if is_theirs]
    assert all(later - earlier <= 3 for earlier, later in pairwise(places)), turns
    await house.close()


async def test_a_newcomer_shares_the_plans_that_others_have_made(shop: House, sent: Sent) -> None:
    await bulk(shop, 900)
    await run(shop, HOUR)
    before = len(sent.sends)
    await bulk(shop, 20, first=2_000)
    await run(shop, HOUR)
    second = set(numbers(2_020)[2_000:])
    assert sum(to in second for _, to in sent.sends[before:]) == 20


async def test_a_loop_over_singles_keeps_the_gaps_of_bulk(shop: House, sent: Sent) -> None:
    for number in numbers(60):
        await shop.accept(phone=number, category=1)
    await run(shop, timedelta(minutes=20))
    assert len(sent.sends) == 60
    assert all(gap <= 6 for gap in sent.gaps[:19])
    assert sum(gap >= 12 or gap >= 6 for gap in sent.gaps[20:]) >= 35


async def test_a_refused_new_chat_closes_new_chats_alone(shop: House, sent: Sent) -> None:
    sent.act = Act(answer=Refused(reason=Code.NEW_CHATS_RESTRICTED, scope=Scope.ACCOUNT, detail="463"))
    await strangers(shop, 5, first=0)
    await run(shop, timedelta(minutes=1))
    sent.act = Act()
    assert len(sent.sends) == 1
    await bulk(shop, 5, first=100)
    await run(shop, DAY)
    assert len(sent.sends) == 6
    assert await waits(shop) == {WaitsFor.NEW_CLOSED: 4}
    assert (await shop.messages())[0].reason is Code.NEW_CHATS_RESTRICTED
    await run(shop, 7 * DAY)
    assert len(sent.sends) == 10


async def test_in_an_old_chat_the_same_refusal_closes_nothing(shop: House, sent: Sent) -> None:
    for number in numbers(2):
        inbound = Inbound(remote_id=number, sender=number, text="Merhaba", at=shop.clock.now())
        await shop.store.receive_inbound(1, inbound, now=shop.clock.now())
    sent.act = Act(answer=Refused(reason=Code.NEW_CHATS_RESTRICTED, scope=Scope.ACCOUNT, detail="463"))
    await strangers(shop, 2, first=0)
    await run(shop, timedelta(minutes=1))
    sent.act = Act()
    await strangers(shop, 2, first=100)
    await run(shop, timedelta(minutes=5))
    assert len(sent.sends) == 4


async def test_a_time_lock_lasts_until_its_stated_end(shop: House, sent: Sent) -> None:
    until = shop.clock.now() + timedelta(hours=5)
    shop.world.peer.tell(Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True, until=until))
    await shop.clock.settle()
    await strangers(shop, 2, first=0)
    await run(shop, timedelta(hours=4))
    assert await waits(shop) == {WaitsFor.NEW_CLOSED: 2}
    await run(shop, timedelta(hours=2))
    assert len(sent.sends) == 2
    assert sent.sends[0][0] >= until


async def test_too_fast_rests_for_longer_each_time(shop: House, sent: Sent) -> None:
    sent.act = Act(answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True, scope=Scope.ACCOUNT))
    await bulk(shop, 20)
    await run(shop, timedelta(minutes=30))
    assert sent.gaps[0] >= 60
    assert sent.gaps[1] >= 300
    assert sent.gaps[2] >= 900


async def test_many_failures_pause_a_bulk_and_say_why(shop: House, sent: Sent) -> None:
    sent.act = Act(answer=Refused(reason=Code.WHATSAPP_REFUSED))
    await bulk(shop, 30)
    await run(shop, timedelta(minutes=10))
    assert len(sent.sends) == 5
    found = await shop.gateway.batches.one(shop.everything, 1)
    assert found.batch.paused_code is Code.MANY_FAILED
    sent.act = Act()
    await shop.gateway.batches.resume(shop.everything, 1)
    await run(shop, timedelta(minutes=20))
    assert len(sent.sends) == 30


@pytest.mark.usefixtures("sent")
async def test_too_little_that_arrives_pauses_a_bulk(shop: House) -> None:
    await bulk(shop, 320)
    await run(shop, timedelta(hours=8))
    await shop.store.check_deliveries(now=shop.clock.now())
    found = await shop.gateway.batches.one(shop.everything, 1)
    assert found.batch.paused_code is Code.FEW_DELIVERED


async def test_a_ban_pauses_bulk_until_a_human_resumes_it(shop: House, sent: Sent) -> None:
    await bulk(shop, 50)
    await run(shop, timedelta(minutes=3))
    until = shop.clock.now() + HOUR
    shop.world.peer.hang_up(LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=until))
    await shop.clock.settle()
    before = len(sent.sends)
    found = await shop.gateway.batches.one(shop.everything, 1)
    assert found.batch.paused_code is Code.TEMPORARY_BAN
    await run(shop, HOUR)
    await shop.tend()
    await shop.tend()
    (number,) = numbers(401)[400:]
    for _ in range(3):
        await shop.accept(phone=number, category=1)
    await run(shop, timedelta(minutes=2))
    assert len(sent.sends) > before, "singles go on"
    assert all(to == number for _, to in sent.sends[before:])
    assert all(gap >= 12 for gap in sent.gaps[before:])
    await bulk(shop, 5, first=600)
    assert (await shop.gateway.batches.one(shop.everything, 2)).batch.paused_at is not None
    await shop.gateway.batches.resume(shop.everything, 1)
    await run(shop, timedelta(minutes=5))
    assert any(to != number for _, to in sent.sends[before:])


async def test_one_person_who_has_had_enough_holds_nobody_else_up(shop: House, sent: Sent) -> None:
    for _ in range(3):
        await bulk(shop, 1)
        await run(shop, timedelta(minutes=3))
    await bulk(shop, 12)
    await run(shop, timedelta(minutes=10))
    assert len(sent.sends) == 3 + 11
    assert await waits(shop) == {WaitsFor.RECIPIENT: 1}


async def test_what_may_go_at_night_waits_for_nothing_that_may_not(world: World, sent: Sent) -> None:
    world.clock.jump_wall(HOUR * 11)  # 21:00
    house = await begin(world)
    await bulk(house, 5, category=QUIET)
    await run(house, timedelta(minutes=2))
    await bulk(house, 5, first=10)
    await run(house, timedelta(minutes=5))
    assert len(sent.sends) == 5
    assert await waits(house) == {WaitsFor.QUIET_HOURS: 5}
    await house.crash()
    house = await begin(world)  # plans are taken up where they were
    await bulk(house, 5, first=20)
    await run(house, timedelta(minutes=5))
    assert len(sent.sends) == 10
    await house.close()


async def test_one_recipients_messages_of_a_kind_keep_their_order(shop: House, sent: Sent) -> None:
    """The second list would be free to go: its sender says that they are customers, the first one's doesn't."""
    await strangers(shop, 12, first=0)
    await run(shop, HOUR / 2)
    (parked,) = {row.recipient for row in await shop.messages() if row.waits_for} & {numbers(12)[-1]}
    await bulk(shop, 12)
    await run(shop, DAY * 2)
    of_one = [row for row in await shop.messages() if row.recipient == parked]
    assert [row.status for row in of_one] == [Status.SENT] * 2
    first, second = (row.sent_at for row in of_one)
    assert first is not None
    assert second is not None
    assert first < second
    assert [at for at, to in sent.sends if to == parked] == [first, second]


async def test_an_order_that_nobody_waits_for_any_more_holds_nothing_back(shop: House, sent: Sent) -> None:
    await strangers(shop, 12, first=0)
    await run(shop, HOUR / 2)
    (first,) = [row for row in await shop.messages() if row.recipient == numbers(12)[-1]]
    await bulk(shop, 12)
    await run(shop, HOUR / 2)
    assert (await shop.messages())[-1].waits_for is WaitsFor.RECIPIENT
    await shop.gateway.messages.cancel(shop.everything, first.id)
    assert first.recipient not in {to for _, to in sent.sends}
    await run(shop, timedelta(minutes=2))
    assert first.recipient in {to for _, to in sent.sends}


async def test_what_a_policy_sends_again_keeps_quiet_hours(shop: House, sent: Sent) -> None:
    await shop.store.change_account(1, on_unknown=OnUnknown.RESEND, now=shop.clock.now())
    shop.clock.jump_wall(HOUR * 9)  # 19:00
    await shop.dispatch()
    sent.act = Act(answer=Lost(Code.ANSWER_LOST), arrives=False)
    shop.world.peer.evidence = Unclear()
    await shop.accept(category=QUIET)
    await run(shop, timedelta(minutes=1))
    assert len(sent.sends) == 1
    await shop.clock.elapse(HOUR + timedelta(minutes=30))
    await shop.keep_up()
    await run(shop, HOUR)
    assert [row.waits_for for row in await shop.messages()] == [None, WaitsFor.QUIET_HOURS]
    assert len(sent.sends) == 1
