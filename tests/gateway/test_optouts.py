"""Refusals while messages are on their way: before their slot, in mid-batch, at the moment of a claim, over a crash."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.gateway.house import FIRST, SECOND, THIRD, House, World, pace, seconds

from guvercin.core.consent import ConsentSource
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.log import MessageFilter
from guvercin.core.message import Message, Status
from guvercin.core.optout import OptOutScope, OptOutSource
from guvercin.core.outcome import Inbound, Lost
from guvercin.gateway.requests import AskBatch, AskConsent, AskOptOut, AskRecipient
from guvercin.testing.transport import Act


def says(house: House, text: str, *, who: str = FIRST, number: int = 1) -> None:
    house.world.peer.tell(Inbound(remote_id=f"IN-{number}", sender=who, text=text, at=house.clock.now()))


async def rows(house: House) -> Sequence[Message]:
    return (await house.store.messages(MessageFilter(), limit=100, below=None)).messages


def arrived(house: House) -> list[tuple[str, str | None]]:
    """Answer what reached WhatsApp: who, and what."""
    return [(each.message.recipient, each.message.text) for each in house.world.peer.arrivals]


async def bulk(house: House, *phones: str, text: str = "Merhaba", **more: object) -> int:
    ask = AskBatch(
        **{"recipients": [AskRecipient(phone=each) for each in phones], "text": text, "body_hash": text.encode()} | more  # type: ignore[arg-type]
    )
    view = await house.gateway.bulk.send(house.everything, ask, wait=seconds(0))
    return view.batch.id


async def refused(house: House, **more: object) -> Code:
    with pytest.raises(GuvercinError) as refusal:
        await house.ask(**more)  # type: ignore[arg-type]
    return refusal.value.code


async def test_between_the_queue_and_the_slot(house: House) -> None:
    number = await house.accept(FIRST, "Borcunuz var")
    says(house, "DUR")
    await house.clock.settle()
    assert await house.status(number) is Status.FAILED
    await house.deliver_all()
    ((who, text),) = arrived(house)
    assert who == FIRST
    assert text is not None
    assert "BAŞLA yazın" in text
    before = len(await rows(house))
    assert await refused(house) is Code.OPTED_OUT
    assert len(await rows(house)) == before
    await house.accept(SECOND)


async def test_in_the_middle_of_a_batch(house: House) -> None:
    batch_id = await bulk(house, FIRST, SECOND, THIRD)
    await house.dispatch()
    says(house, "ret", who=THIRD)
    await house.clock.settle()
    await house.deliver_all()
    told = [who for who, text in arrived(house) if text == "Merhaba"]
    assert told == [FIRST, SECOND]
    view = await house.store.batch(batch_id)
    assert view is not None
    assert (view.counts.sent, view.counts.failed) == (2, 1)


async def test_at_the_very_moment_of_a_claim(house: House) -> None:
    """Both in one commit, whichever comes first: a refusal before the claim keeps the row from leaving."""
    for order in ("refusal first", "claim first"):
        number = await house.accept(SECOND if order == "claim first" else FIRST)
        who = (await house.message(number)).recipient
        house.store.writer.hold()
        if order == "refusal first":
            says(house, "DUR", who=who)
            await house.clock.settle()
            stepping = asyncio.ensure_future(house.dispatch())
        else:
            stepping = asyncio.ensure_future(house.dispatch())
            await house.clock.settle()
            says(house, "DUR", who=who)
        await house.clock.settle()
        house.store.writer.release()
        await stepping
        await house.deliver_all()
        status = await house.status(number)
        assert (status is Status.FAILED) is (order == "refusal first"), order


async def test_a_killed_process_leaves_both_or_nothing(world: World) -> None:
    """What was heard and what it asks for are one change: there is no message without its refusal."""
    house = await world.begin(gaps=pace())
    await house.tend()
    number = await house.accept(FIRST)
    house.store.writer.dies_in = 1
    house.store.writer.on_death = house.kill
    says(house, "DUR")
    await house.clock.settle()
    await house.crash()

    again = await world.begin()
    try:
        heard = await again.events(EventKind.MESSAGE_RECEIVED)
        live = await again.store.opt_outs(None, is_live=True, limit=9, below=None)
        assert len(heard) == len(live) == 1
        assert await again.status(number) is Status.FAILED
        await again.recover()
        await again.tend()
        await again.deliver_all()
        assert [who for who, _ in arrived(again)] == [FIRST], "the confirmation, and nothing else"
    finally:
        await again.close()


async def test_what_is_in_doubt_is_not_sent_again_by_policy(house: House) -> None:
    number = await house.accept(FIRST)
    house.world.peer.script = lambda _: Act(answer=Lost(Code.ANSWER_LOST))
    await house.dispatch()
    says(house, "DUR")
    await house.clock.settle()
    await house.gateway.singles.resend_by_policy(number)
    assert (await house.message(number)).reason is Code.GIVEN_UP


async def test_a_list_says_beforehand_who_is_left_out(house: House) -> None:
    await house.gateway.wishes.refuse(house.everything, AskOptOut(phone="0532 123 45 67"))
    ask = AskBatch(recipients=[AskRecipient(phone=FIRST), AskRecipient(phone=SECOND)], text="Merhaba", body_hash=b"x")
    found = await house.gateway.bulk.rehearse(house.everything, ask)
    assert [(verdict.place, verdict.code) for verdict in found.verdicts] == [(0, Code.OPTED_OUT)]
    assert found.is_acceptable


async def test_somebody_limited_decides_for_nobody_else(house: House) -> None:
    limited = await house.token("limited", account_ids=frozenset({1}))
    wishes = house.gateway.wishes
    with pytest.raises(GuvercinError) as refusal:
        await wishes.refuse(limited, AskOptOut(phone=FIRST))
    assert refusal.value.code is Code.NOT_ALLOWED
    with pytest.raises(GuvercinError) as refusal:
        await wishes.refuse(limited, AskOptOut(phone=FIRST, account_id=2))
    assert refusal.value.code is Code.NOT_FOUND
    kept = await wishes.refuse(limited, AskOptOut(phone=FIRST, account_id=1, scope=OptOutScope.COMMERCIAL))
    everywhere = await wishes.refuse(house.everything, AskOptOut(phone=FIRST))
    assert await wishes.allow(limited, FIRST, account_id=None, scope=None, by=OptOutSource.API) == 1
    live = await wishes.opt_outs(house.everything, is_live=True, limit=9, below=None)
    assert [each.id for each in live] == [everywhere.id]
    assert kept.id != everywhere.id


async def test_a_text_that_sounds_like_advertising_wants_a_word_from_its_sender(house: House) -> None:
    with pytest.raises(GuvercinError) as refusal:
        await bulk(house, FIRST, text="Bu hafta %20 indirim", is_declared=False)
    assert refusal.value.code is Code.DECLARATION_NEEDED
    assert await rows(house) == ()
    first = await bulk(house, FIRST, text="Bu hafta %20 indirim", is_declared=True)
    second = await bulk(house, SECOND, text="Büyük kampanya")
    third = await bulk(house, THIRD, text="Siparişiniz hazır", is_declared=False)
    noted = {
        kind: [event.batch_id for event in await house.events(kind)]
        for kind in (EventKind.BATCH_DECLARED, EventKind.BATCH_SOUNDS_COMMERCIAL)
    }
    assert noted == {EventKind.BATCH_DECLARED: [first], EventKind.BATCH_SOUNDS_COMMERCIAL: [second]}
    assert third not in {first, second}


async def test_a_consent_from_the_future_is_none(house: House) -> None:
    ask = AskConsent(phone=FIRST, source=ConsentSource.WEB, given_at=house.clock.now() + seconds(60))
    with pytest.raises(GuvercinError) as refusal:
        await house.gateway.wishes.consent(house.everything, ask)
    assert refusal.value.code is Code.INVALID_TIME
    with pytest.raises(GuvercinError) as refusal:
        await house.gateway.wishes.consent(
            house.everything,
            AskConsent(phone=FIRST, source=ConsentSource.WEB, given_at=house.clock.now(), proof_id="yok"),
        )
    assert refusal.value.code is Code.FILE_NOT_OPENED
