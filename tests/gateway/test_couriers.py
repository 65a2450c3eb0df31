"""What hooks hear: everything once, in its order, under one name; and what a bad receiver costs, and whom."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from tests.gateway.house import FIRST, SECOND, House, World, batch, make_world, seconds, turn

from guvercin.core.call import Called, CallTrouble
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.hook import CloseReason, DeliveryState, Hook, HookEvent, HookState
from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import Inbound
from guvercin.core.retry import DELIVERIES, JITTER
from guvercin.gateway.couriers import HANDS, KNOCK_EVERY, LONGEST_BODY, Courier
from guvercin.gateway.requests import HookAsk

URL = "https://magaza.example/webhook"
REFUSED = Called(trouble=CallTrouble.REFUSED, status=500)
NOBODY = Called(trouble=CallTrouble.NO_CONNECTION)


async def add(house: House, *events: HookEvent, **more: Any) -> tuple[Hook, str]:
    token = more.pop("token", house.everything)
    ask = HookAsk(**{"url": URL, "events": events or tuple(HookEvent)} | more)
    return await house.hooks.add(token, ask, await house.gateway.accounts.seen(token))


async def courier(house: House, hook: Hook) -> Courier:
    return house.couriers.courier(next(each for each in await house.store.hooks() if each.id == hook.id))


async def state(house: House, hook: Hook) -> Hook:
    return next(each for each in await house.store.hooks() if each.id == hook.id)


async def carry(house: House, carrier: Courier, *, most: int = 200) -> None:
    """Step a courier while it wants to go on at once."""
    for _ in range(most):
        if await carrier.step(house.clock.now()) > house.clock.now():
            return
    raise AssertionError("it never rests")


def told(house: House) -> list[dict[str, Any]]:
    """Answer what was taken, in order."""
    return [json.loads(body) for _, body, _ in house.world.receiver.taken]


def names(house: House) -> list[str]:
    return [headers["webhook-id"] for _, _, headers in house.world.receiver.taken]


def fails_for(recipient: str, how: Called = REFUSED) -> Callable[[bytes], Called]:
    return lambda body: how if recipient.encode() in body else Called(trouble=None, status=200)


async def test_a_message_is_heard_from_its_sending_on(house: House) -> None:
    hook, secret = await add(house)
    log_id = await house.accept(FIRST, "Gizli metin", reference="FTR-1", name="Ayşe")
    await house.deliver_all()
    carrier = await courier(house, hook)
    await carry(house, carrier)
    sent = told(house)
    assert [each["type"] for each in sent] == ["mesaj.gonderildi"]
    message = await house.message(log_id)
    assert sent[0]["data"] == {
        "log_id": log_id,
        "durum": "sent",
        "alici": FIRST,
        "isim": "Ayşe",
        "message_id": message.remote_id,
        "neden": None,
        "tur_id": 10,
        "hesap_id": 1,
        "toplu_id": None,
        "referans": "FTR-1",
    }
    _, body, headers = house.world.receiver.taken[0]
    assert b"Gizli metin" not in body
    assert secret.encode() not in body
    assert len(body) <= LONGEST_BODY
    assert Webhook(secret).sign(headers["webhook-id"], house.clock.now(), body.decode()) == headers["webhook-signature"]
    await carry(house, carrier)
    assert len(told(house)) == 1, "once is enough"


async def test_what_somebody_wrote_is_told_whole(house: House) -> None:
    hook, _ = await add(house, HookEvent.RECEIVED)
    now = house.clock.now()
    wrote = Inbound(
        remote_id="IN-1",
        sender=FIRST,
        text="Bu renkten var mı?",
        at=now,
        kind=InboundKind.IMAGE,
        sender_name="Ayşe",
        media=Media(type="image/jpeg", size=48_213),
    )
    await house.store.receive_inbound(1, wrote, now=now)
    await house.store.receive_inbound(1, wrote, now=now)
    await carry(house, await courier(house, hook))
    (sent,) = told(house)
    moment = now.astimezone(ZoneInfo("Europe/Istanbul"))
    assert sent["data"] == {
        "id": 1,
        "hesap_id": 1,
        "gonderen": FIRST,
        "isim": "Ayşe",
        "tip": "gorsel",
        "metin": "Bu renkten var mı?",
        "medya": {"tur": "image/jpeg", "ad": None, "boyut": 48_213, "dosya_url": None},
        "message_id": "IN-1",
        "zaman": moment.strftime("%Y-%m-%d %H:%M:%S"),
        "zaman_iso": moment.isoformat(timespec="seconds"),
        "kisaltildi": False,
    }


@pytest.mark.parametrize("letter", ["ş", '"', "\x01", "\N{DOVE OF PEACE}"])
async def test_a_very_long_text_is_cut_to_what_a_body_holds(house: House, letter: str) -> None:
    hook, _ = await add(house, HookEvent.RECEIVED)
    long = Inbound(remote_id="IN-1", sender=FIRST, text=letter * 60_000, at=house.clock.now(), sender_name=letter * 300)
    await house.store.receive_inbound(1, long, now=house.clock.now())
    await carry(house, await courier(house, hook))
    (sent,) = told(house)
    assert len(house.world.receiver.taken[0][1]) <= LONGEST_BODY
    assert sent["data"]["kisaltildi"] is True
    assert long.text.startswith(sent["data"]["metin"])
    kept = await house.store.received(sent["data"]["id"])
    assert kept is not None
    assert kept.text == long.text


async def test_one_persons_words_wait_for_each_other_and_for_nobody_elses(house: House) -> None:
    hook, _ = await add(house, HookEvent.RECEIVED)
    for number, who in enumerate((FIRST, SECOND, FIRST)):
        wrote = Inbound(remote_id=f"IN-{number}", sender=who, text=str(number), at=house.clock.now())
        await house.store.receive_inbound(1, wrote, now=house.clock.now())
    house.world.receiver.answers = fails_for(FIRST)
    await carry(house, await courier(house, hook))
    assert [each["data"]["metin"] for each in told(house)] == ["1"], "the third waits for the first"
    house.world.receiver.answers = lambda _: Called(trouble=None, status=200)
    house.clock.advance(2 * DELIVERIES[0])
    carrier = await courier(house, hook)
    await carry(house, carrier)
    await carry(house, carrier)
    assert [each["data"]["metin"] for each in told(house)] == ["1", "0", "2"]


async def test_only_what_was_asked_for_and_only_from_then_on(house: House) -> None:
    await house.accept(FIRST)
    await house.deliver_all()
    hook, _ = await add(house, HookEvent.LINE_CHANGED)
    carrier = await courier(house, hook)
    await house.accept(SECOND)
    await house.deliver_all()
    await carry(house, carrier)
    assert told(house) == []
    await house.gateway.accounts.pause(house.everything, 1)
    await carry(house, carrier)
    assert [each["data"] for each in told(house)] == [{"hesap_id": 1, "durum": "disconnected", "kod": "kapali"}]


async def test_a_batch_is_told_once_with_its_counts(house: House) -> None:
    hook, _ = await add(house, HookEvent.BATCH_FINISHED)
    view = await house.gateway.bulk.send(house.everything, batch(FIRST, SECOND, "12"), wait=seconds(0))
    await house.deliver_all()
    await carry(house, await courier(house, hook))
    (heard,) = told(house)
    assert heard["type"] == "toplu.tamamlandi"
    expected = {"toplu_id": view.batch.id, "hesap_id": 1, "total": 3, "sent": 2, "failed": 1, "queued": 0}
    assert heard["data"] == {**expected, "dagilim": {"failed": 1, "sent": 2}}
    assert len(await house.events(EventKind.BATCH_FINISHED)) == 1


async def test_a_batch_of_nothing_but_failures_is_finished_at_once(house: House) -> None:
    await house.gateway.bulk.send(house.everything, batch("12", "13"), wait=seconds(0))
    assert len(await house.events(EventKind.BATCH_FINISHED)) == 1


async def test_what_fails_is_tried_again_by_the_schedule_under_its_name(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    carrier = await courier(house, hook)
    house.world.receiver.answers = lambda _: REFUSED
    await house.accept(FIRST)
    await house.deliver_all()
    for wait in DELIVERIES:
        before = len(house.world.receiver.heard)
        await carry(house, carrier)
        assert len(house.world.receiver.heard) == before + 1
        await house.clock.elapse(wait * (1 - JITTER) - seconds(1))
        await carry(house, carrier)
        assert len(house.world.receiver.heard) == before + 1, "not before its time"
        await house.clock.elapse(wait * 2 * JITTER + seconds(2))
    assert len({headers["webhook-id"] for _, _, headers in house.world.receiver.heard}) == 1
    assert len({body for _, body, _ in house.world.receiver.heard}) == 1
    await carry(house, carrier)
    found = await state(house, hook)
    assert (found.state, found.closed_for) == (HookState.CLOSED, CloseReason.FAILED_LONG)
    assert len(await house.events(EventKind.HOOK_CLOSED)) == 1


async def test_a_closed_hook_loses_nothing(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    carrier = await courier(house, hook)
    house.world.receiver.answers = lambda _: Called(trouble=CallTrouble.REFUSED, status=410)
    await house.accept(FIRST)
    await house.deliver_all()
    await carry(house, carrier)
    assert (await state(house, hook)).closed_for is CloseReason.GONE
    await house.accept(SECOND)
    await house.deliver_all()
    await carry(house, carrier)
    assert len(house.world.receiver.heard) == 1
    house.world.receiver.answers = lambda _: Called(trouble=None, status=204)
    carrier.refresh(await house.hooks.change(house.everything, hook.id, HookAsk(is_open=True), ()))
    await carry(house, carrier)
    assert [each["data"]["alici"] for each in told(house)] == [FIRST, SECOND]


async def test_one_that_fails_holds_back_its_own_recipient_and_nobody_else(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    carrier = await courier(house, hook)
    house.world.receiver.answers = fails_for(FIRST)
    for phone in (FIRST, SECOND, FIRST, SECOND):
        await house.accept(phone)
    await house.deliver_all()
    await carry(house, carrier)
    assert [each["data"]["log_id"] for each in told(house)] == [2, 4]
    await house.accept(FIRST)
    await house.deliver_all()
    await carry(house, carrier)
    house.world.receiver.answers = lambda _: Called(trouble=None, status=200)
    await house.clock.elapse(seconds(10))
    await carry(house, carrier)
    assert [each["data"]["log_id"] for each in told(house)] == [2, 4, 1, 3, 5]
    page, _ = await house.hooks.deliveries(house.everything, hook.id, below=None, limit=10)
    assert {each.state for each in page} == {DeliveryState.DONE}


async def test_what_comes_while_the_one_before_it_gets_through_is_not_left_behind(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    carrier = await courier(house, hook)
    house.world.receiver.answers = fails_for(FIRST)
    for phone in (FIRST, SECOND):
        await house.accept(phone)
    await house.deliver_all()
    await carry(house, carrier)
    house.world.receiver.answers = lambda _: Called(trouble=None, status=200)
    await house.clock.elapse(seconds(10))
    await house.accept(FIRST)
    await house.deliver_all()  # in one window with the one that is due again
    await carry(house, carrier)
    assert [each["data"]["log_id"] for each in told(house)] == [2, 1, 3]


async def test_a_receiver_that_is_down_is_knocked_at_gently_and_then_hears_everything(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    carrier = await courier(house, hook)
    house.world.receiver.answers = lambda _: NOBODY
    phones = [f"+9053200{number:05}" for number in range(300)]
    for phone in phones:
        await house.accept(phone)
    await house.deliver_all()
    await carry(house, carrier)
    assert len(house.world.receiver.heard) < 3 * HANDS, "it stops when nobody is there"
    assert (await state(house, hook)).state is HookState.FAILING
    heard = len(house.world.receiver.heard)
    for _ in range(600):
        await carrier.step(house.clock.now())
        await house.clock.elapse(seconds(1))
    assert len(house.world.receiver.heard) - heard < 600, "one at a time"
    house.world.receiver.answers = lambda _: Called(trouble=None, status=200)
    for _ in range(int(KNOCK_EVERY) + 2):
        await carry(house, carrier)
        await house.clock.elapse(seconds(1))
    assert sorted(each["data"]["alici"] for each in told(house)) == phones
    assert (await state(house, hook)).state is HookState.ACTIVE


async def test_retry_after_is_believed(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    carrier = await courier(house, hook)
    busy = Called(trouble=CallTrouble.REFUSED, status=429, retry_after=timedelta(minutes=20))
    house.world.receiver.answers = lambda _: busy
    await house.accept(FIRST)
    await house.deliver_all()
    await carry(house, carrier)
    await house.accept(SECOND)
    await house.deliver_all()
    house.world.receiver.answers = lambda _: Called(trouble=None, status=200)
    for _ in range(19):
        await carry(house, carrier)
        await house.clock.elapse(timedelta(minutes=1))
    assert told(house) == []
    for _ in range(3):
        await carry(house, carrier)
        await house.clock.elapse(timedelta(minutes=1))
    assert sorted(each["data"]["alici"] for each in told(house)) == [FIRST, SECOND]


async def test_a_crash_delivers_again_and_loses_nothing(world: World) -> None:
    house = await world.begin()
    await house.tend()
    hook, _ = await add(house, HookEvent.SENT)
    for _ in range(5):
        await house.accept(FIRST)
    await house.deliver_all()
    carrier = await courier(house, hook)
    world.receiver.answers = lambda _: _die(house)
    dying = asyncio.create_task(carrier.step(house.clock.now()))
    await turn(20)
    await house.crash()
    assert dying.done()
    world.receiver.answers = lambda _: Called(trouble=None, status=200)
    house = await world.begin()
    await carry(house, await courier(house, hook))
    assert [each["data"]["log_id"] for each in told(house)] == [1, 2, 3, 4, 5] * 2
    assert len(set(names(house))) == 5
    await house.close()


def _die(house: House) -> Called:
    """Take it, and die before anybody can write that down."""
    house.store.die()
    return Called(trouble=None, status=200)


async def test_an_owner_has_an_event_or_a_stretch_of_them_delivered_again(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    carrier = await courier(house, hook)
    for _ in range(3):
        await house.accept(FIRST)
        await house.deliver_all()
        await house.clock.elapse(timedelta(minutes=1))
    await carry(house, carrier)
    first = names(house)
    await house.hooks.replay(house.everything, hook.id, int(first[1].removeprefix("msg_")))
    await carry(house, carrier)
    assert names(house) == [*first, first[1]]
    await carry(house, carrier)
    assert len(names(house)) == 4
    since = house.clock.now() - timedelta(minutes=2, seconds=30)
    await house.hooks.replay_since(house.everything, hook.id, since)
    carrier.refresh(await state(house, hook))
    await carry(house, carrier)
    assert names(house)[4:] == first[1:]
    await house.hooks.replay_since(house.everything, hook.id, since - timedelta(days=400))
    carrier.refresh(await state(house, hook))
    await carry(house, carrier)
    assert names(house)[6:] == first
    with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
        await house.hooks.replay(house.everything, hook.id, 1)


async def test_a_limited_token_hears_of_its_accounts_alone(house: House) -> None:
    limited = await house.token("limited", account_ids=frozenset({7}))
    hook, _ = await add(house, token=limited)
    assert hook.account_ids == frozenset({7})
    await house.accept(FIRST)
    await house.deliver_all()
    await carry(house, await courier(house, hook))
    assert told(house) == []
    whole, _ = await add(house)
    assert [each.id for each in await house.hooks.seen(limited)] == [hook.id]
    assert [each.id for each in await house.hooks.seen(house.everything)] == [hook.id, whole.id]
    with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
        await house.hooks.remove(limited, whole.id)
    with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
        await add(house, token=limited, account_ids=[1])


async def test_two_secrets_sign_for_a_day_and_both_stay_sealed(house: House) -> None:
    hook, old = await add(house, HookEvent.SENT)
    _, new = await house.hooks.renew_secret(house.everything, hook.id, None)
    carrier = await courier(house, hook)
    signatures = []
    for wait in (seconds(1), timedelta(hours=24)):
        await house.accept(FIRST)
        await house.deliver_all()
        await carry(house, carrier)
        signatures.append(house.world.receiver.taken[-1])
        await house.clock.elapse(wait)
    both, one = [
        {Webhook(secret).sign(headers["webhook-id"], house.clock.now() - ago, body.decode()): secret}
        and headers["webhook-signature"].split(" ")
        for (_, body, headers), ago, secret in zip(signatures, (seconds(0), seconds(0)), (old, new), strict=True)
    ]
    assert (len(both), len(one)) == (2, 2)
    await house.accept(FIRST)
    await house.deliver_all()
    await carry(house, carrier)
    assert len(house.world.receiver.taken[-1][2]["webhook-signature"].split(" ")) == 1
    for secret in (old, new):
        key = secret.removeprefix("whsec_").encode()
        assert all(key not in path.read_bytes() for path in house.world.folder.rglob("*") if path.is_file())


async def test_a_secret_that_cannot_be_opened_closes_the_hook_until_it_is_renewed(house: House) -> None:
    hook, _ = await add(house, HookEvent.SENT)
    (house.world.folder / "guvercin.key").write_bytes(bytes(32))
    house.couriers._seal._key = None
    house.hooks._seal._key = None
    await house.accept(FIRST)
    await house.deliver_all()
    carrier = await courier(house, hook)
    await carry(house, carrier)
    assert (await state(house, hook)).closed_for is CloseReason.NOT_OPENED
    with pytest.raises(GuvercinError, match=Code.SECRET_UNREADABLE.value):
        await house.hooks.try_out(house.everything, hook.id)
    await house.hooks.renew_secret(house.everything, hook.id, None)
    carrier.refresh(await house.hooks.change(house.everything, hook.id, HookAsk(is_open=True), ()))
    await carry(house, carrier)
    assert len(told(house)) == 1


async def test_no_hook_opens_no_way_out(house: House) -> None:
    await house.couriers.step(house.clock.now())
    assert house.couriers._calls is None


@given(
    answers=st.one_of(
        st.lists(st.sampled_from(["ok", "500", "down"]), max_size=60),
        # Chance alone hardly ever fails for days.
        st.lists(st.sampled_from(["500", "down"]), min_size=20, max_size=60),
    ),
    seed=st.integers(0, 2**16),
)
def test_whatever_the_receiver_does_everything_arrives_in_the_order_of_its_recipient(
    answers: list[str], seed: int, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The law of P6: at least once, under one name, in order for each recipient, whatever came in between.

    A hook that failed for so long that it was closed is opened again, as its owner does. What was refused for three
    days while others were taken is given up, and nothing else is.
    """
    folder = tmp_path_factory.mktemp("law")

    async def play() -> None:
        world = make_world(folder / "data", template, seed=seed)
        house = await world.begin()
        await house.tend()
        hook, _ = await add(house, HookEvent.SENT)
        carrier = await courier(house, hook)
        plan, began = iter(answers), house.clock.now()
        kinds = {"500": REFUSED, "down": NOBODY}
        world.receiver.answers = lambda _: kinds.get(next(plan, "ok"), Called(trouble=None, status=200))
        phones = [house.rng.choice((FIRST, SECOND)) for _ in range(12)]
        for phone in phones:
            await house.accept(phone)
        await house.deliver_all()
        given_up: set[int | None] = set()
        while len(set(names(house))) + len(given_up) < len(phones):
            await carry(house, carrier)
            page, _ = await house.hooks.deliveries(house.everything, hook.id, below=None, limit=50)
            given_up = {each.notice.message_id for each in page if each.state is DeliveryState.GIVEN_UP}
            if (await state(house, hook)).state is HookState.CLOSED:
                carrier.refresh(await house.hooks.change(house.everything, hook.id, HookAsk(is_open=True), ()))
            again = [each.next_at for each in page if each.next_at is not None]
            soon, late = timedelta(minutes=10), timedelta(days=1)
            await house.clock.elapse(min(max(min(again, default=house.clock.now()) - house.clock.now(), soon), late))
            assert house.clock.now() < began + timedelta(days=120), "it never ends"
        heard = Counter(json.loads(body)["data"]["log_id"] for _, body, _ in world.receiver.heard)
        assert all(heard[log_id] > len(DELIVERIES) for log_id in given_up)
        for phone in (FIRST, SECOND):
            mine = [each["data"]["log_id"] for each in told(house) if each["data"]["alici"] == phone]
            due = [log_id for log_id, each in enumerate(phones, start=1) if each == phone]
            assert list(dict.fromkeys(mine)) == [log_id for log_id in due if log_id not in given_up]
        await house.close()

    anyio.run(play)
