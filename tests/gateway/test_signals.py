"""What WhatsApp and its people say about an account, and what follows: pauses, closed lanes, halved limits."""

from datetime import UTC, datetime, timedelta

from tests.gateway.house import ISTANBUL, House, World, numbers, seconds
from tests.gateway.pacing import DAY, HOUR, Sent, begin, bulk, rules, run, strangers, waits

from guvercin.core.errors import Code
from guvercin.core.message import Status, Track, WaitsFor
from guvercin.core.outcome import Inbound, Refused, Restricted, Scope
from guvercin.testing.transport import Act
from guvercin.transports.base import Outgoing

ABSENT = Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT)


async def says(house: House, number: str, text: str, *, at: datetime | None = None) -> None:
    now = house.clock.now()
    inbound = Inbound(remote_id=f"G-{number}-{now}", sender=number, text=text, at=at or now)
    await house.store.receive_inbound(1, inbound, now=now)


async def why_paused(house: House, batch_id: int = 1) -> Code | None:
    return (await house.gateway.batches.one(house.everything, batch_id)).batch.paused_code


# -- people who refuse


async def test_a_share_of_people_who_refuse_pauses_a_bulk_and_says_why(shop: House, sent: Sent) -> None:
    await bulk(shop, 60)
    await run(shop, timedelta(minutes=12))
    reached = [to for _, to in sent.sends]
    assert 20 <= len(reached) < 50
    await says(shop, reached[0], "DUR")
    assert await why_paused(shop) is None, "one person proves nothing"
    await says(shop, reached[1], "Teşekkürler")
    assert await why_paused(shop) is None
    await says(shop, reached[2], "RET")
    assert await why_paused(shop) is Code.MANY_REFUSALS
    before = len(sent.sends)
    await run(shop, HOUR)
    assert {to for _, to in sent.sends[before:]} <= set(), "nothing of it leaves"
    await shop.gateway.batches.resume(shop.everything, 1)
    await run(shop, timedelta(minutes=5))
    assert len(sent.sends) > before


async def test_two_in_a_hundred_who_refuse_are_not_too_many(shop: House, sent: Sent) -> None:
    await bulk(shop, 300)
    await run(shop, 2 * HOUR)
    reached = [to for _, to in sent.sends]
    assert len(reached) >= 100
    most = len(reached) * 2 // 100
    for number in reached[:most]:
        await says(shop, number, "DUR")
    assert await why_paused(shop) is None
    await says(shop, reached[most], "DUR")
    assert await why_paused(shop) is Code.MANY_REFUSALS


async def test_who_refuses_another_message_pauses_nothing(shop: House, sent: Sent) -> None:
    await bulk(shop, 60)
    await run(shop, timedelta(minutes=12))
    assert len(sent.sends) >= 20
    for number in numbers(505)[500:]:
        await says(shop, number, "DUR")
    assert await why_paused(shop) is None


async def test_an_account_without_breakers_is_not_paused(world: World, sent: Sent) -> None:
    house = await begin(world, rules(warms_up=False, has_breakers=False))
    await bulk(house, 60)
    await run(house, timedelta(minutes=12))
    for _, number in sent.sends[:4]:
        await says(house, number, "DUR")
    sent.act = Act(answer=Refused(reason=Code.WHATSAPP_REFUSED))
    await run(house, timedelta(minutes=12))
    assert await why_paused(house) is None
    await house.close()


# -- numbers that aren't there


async def test_a_list_of_absent_numbers_pauses_its_bulk(shop: House, sent: Sent) -> None:
    absent = set(numbers(60)[4:60:9])
    world = shop.world

    def script(message: Outgoing) -> Act:
        sent(message)
        return Act(answer=ABSENT) if message.recipient in absent else Act()

    world.peer.script = script
    await bulk(shop, 60)
    await run(shop, 2 * HOUR)
    assert len(absent) == 7
    assert await why_paused(shop) is Code.MANY_NOT_ON_WHATSAPP


async def test_a_declared_customer_whom_whatsapp_refused_lately_counts_as_new(shop: House, sent: Sent) -> None:
    (number,) = numbers(1)
    sent.act = Act(answer=ABSENT)
    await bulk(shop, 1)
    await run(shop, seconds(10))
    for wait, track in ((DAY, Track.NEW), (6 * DAY, Track.NEW), (8 * DAY, Track.EXISTING)):
        await run(shop, wait)
        foretold = await shop.store.tracks_of(1, [number], is_of_customers=True, now=shop.clock.now())
        assert foretold == {track: 1}, "a forecast sees it alike"
        await bulk(shop, 1)
        await run(shop, timedelta(minutes=2))
        assert (await shop.messages())[-1].track is track


async def test_what_whatsapp_took_since_makes_up_for_a_refusal(shop: House, sent: Sent) -> None:
    (number,) = numbers(1)
    sent.act = Act(answer=ABSENT)
    await bulk(shop, 1)
    await run(shop, seconds(10))
    sent.act = Act()
    await bulk(shop, 1)
    await run(shop, seconds(200))
    assert (await shop.messages())[-1].status is Status.SENT
    assert await shop.store.tracks_of(1, [number], is_of_customers=True, now=shop.clock.now()) == {Track.EXISTING: 1}


# -- the month's quota


async def test_a_used_up_quota_closes_new_chats_until_the_month_ends(shop: House, sent: Sent) -> None:
    sent.act = Act(answer=Refused(reason=Code.MONTHLY_LIMIT, scope=Scope.ACCOUNT, detail="475"))
    await strangers(shop, 3, first=0)
    await run(shop, timedelta(minutes=1))
    sent.act = Act()
    await bulk(shop, 5, first=100)
    await run(shop, 3 * DAY)
    assert len(sent.sends) == 6, "old chats go on"
    assert await waits(shop) == {WaitsFor.NEW_CLOSED: 2}
    await run(shop, 4 * DAY)
    march = datetime(2026, 3, 1, tzinfo=ISTANBUL).astimezone(UTC)
    assert [at >= march for at, _ in sent.sends] == [False] * 6 + [True] * 2


async def test_a_warning_halves_what_goes_to_new_people_until_its_end(shop: House, sent: Sent) -> None:
    until = shop.clock.now() + 2 * DAY
    shop.world.peer.tell(Restricted(code=Code.MONTHLY_WARNING, is_active=True, until=until))
    await shop.clock.settle()
    await strangers(shop, 40, first=0)
    await run(shop, HOUR)
    assert len(sent.sends) == 2, "of five an hour"
    assert all(gap >= 90 for gap in sent.gaps)
    await run(shop, DAY - HOUR)
    assert len(sent.sends) <= 8, "of fifteen a day"
    warned = len(sent.sends)
    await bulk(shop, 20, first=100)
    await run(shop, HOUR)
    assert len(sent.sends) >= warned + 20, "customers are not meant"
    await run(shop, DAY - HOUR)
    before = len(sent.sends)
    await run(shop, DAY)
    assert len(sent.sends) - before > 8, "it is over"


async def test_an_owner_sees_the_limits_that_hold_now(shop: House) -> None:
    until = shop.clock.now() + 2 * DAY
    shop.world.peer.tell(Restricted(code=Code.MONTHLY_WARNING, is_active=True, until=until))
    await shop.clock.settle()
    account = await shop.gateway.accounts.any(1)
    assert account is not None
    use = await shop.gateway.outlook.use(account)
    assert use is not None
    assert {one.limit.most for one in use.limits if one.limit.group == "new"} == {2, 7, 75}
    assert [one.code for one in use.restrictions] == [Code.MONTHLY_WARNING]


async def test_a_warning_ends_when_whatsapp_says_so(shop: House, sent: Sent) -> None:
    for is_active in (True, False):
        code = Code.MONTHLY_WARNING if is_active else Code.MONTHLY_LIMIT
        shop.world.peer.tell(Restricted(code=code, is_active=is_active, until=None))
        await shop.clock.settle()
    await strangers(shop, 10, first=0)
    await run(shop, HOUR)
    assert len(sent.sends) == 5


async def test_what_waits_for_a_lock_goes_when_it_is_lifted_early(shop: House, sent: Sent) -> None:
    code, until = Code.NEW_CHATS_RESTRICTED, shop.clock.now() + 5 * DAY
    shop.world.peer.tell(Restricted(code=code, is_active=True, until=until))
    await shop.clock.settle()
    await strangers(shop, 2, first=0)
    await run(shop, HOUR)
    lived = [row.expires_at for row in await shop.messages()]
    assert await waits(shop) == {WaitsFor.NEW_CLOSED: 2}
    shop.world.peer.tell(Restricted(code=code, is_active=False))
    await shop.clock.settle()
    await run(shop, timedelta(minutes=5))
    assert len(sent.sends) == 2
    assert all(row.expires_at < then - 4 * DAY for row, then in zip(await shop.messages(), lived, strict=True))
