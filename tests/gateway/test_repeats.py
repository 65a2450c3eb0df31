"""A request that is made again while something has changed in between: it is the same request all the same."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, batch, seconds

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status
from guvercin.gateway.requests import Ask, AskBatch, FilePath, IdempotencyKey, Sent

NO_WAIT = timedelta(0)
KEY = IdempotencyKey(method="POST", path="/gonder", key="fis-1", body_hash=b"1")
OTHER_BODY = IdempotencyKey(method="POST", path="/gonder", key="fis-1", body_hash=b"2")


async def send(house: House, ask: Ask, key: IdempotencyKey | None = None) -> Sent:
    return await house.gateway.singles.send(house.everything, ask, wait=NO_WAIT, key=key)


def planned(house: House, after: float) -> Ask:
    return Ask(phone=FIRST, text="Merhaba", planned_at=house.clock.now() + seconds(after))


@pytest.mark.parametrize("waited", [30, 90, 299])
async def test_without_a_key_a_planned_message_is_recognised_on_both_sides_of_its_time(
    house: House, waited: float
) -> None:
    ask = planned(house, 60)
    first = await send(house, ask)
    house.clock.advance(seconds(waited))
    again = await send(house, ask)
    assert (again.standing.id, again.repeated) == (first.standing.id, True)


async def test_a_planned_message_is_recognised_after_the_clock_was_set_back_over_its_time(house: House) -> None:
    ask = planned(house, 60)
    house.clock.advance(seconds(61))
    first = await send(house, ask)
    house.clock.jump_wall(seconds(-30))
    again = await send(house, ask)
    assert (again.standing.id, again.repeated) == (first.standing.id, True)


async def test_the_same_for_now_and_for_later_are_two_messages(house: House) -> None:
    first = await send(house, Ask(phone=FIRST, text="Merhaba"))
    later = await send(house, planned(house, 60))
    assert later.standing.id != first.standing.id


async def test_times_that_are_over_are_one_time(house: House) -> None:
    """A till that stamps every try with its own clock asks for now, each time."""
    first = await send(house, planned(house, -1))
    house.clock.advance(seconds(10))
    again = await send(house, planned(house, -1))
    assert (again.standing.id, again.repeated) == (first.standing.id, True)


async def test_a_time_that_has_come_prefers_the_row_that_was_planned_for_it(house: House) -> None:
    ask = planned(house, 60)
    first = await send(house, ask)
    house.clock.advance(seconds(90))
    plain = await send(house, Ask(phone=FIRST, text="Merhaba"))
    again = await send(house, ask)
    assert plain.standing.id != first.standing.id
    assert again.standing.id == first.standing.id


async def test_a_keyed_message_is_answered_long_after_its_time(house: House) -> None:
    ask = planned(house, 60)
    first = await send(house, ask, KEY)
    house.clock.advance(timedelta(hours=1))
    again = await send(house, ask, KEY)
    assert (again.standing.id, again.replayed) == (first.standing.id, True)
    with pytest.raises(GuvercinError) as refused:
        await send(house, ask, OTHER_BODY)
    assert refused.value.code is Code.INVALID_TIME


async def test_a_keyed_message_is_answered_when_its_account_is_gone(house: House) -> None:
    ask = Ask(phone=FIRST, text="Merhaba")
    first = await send(house, ask, KEY)
    await house.deliver_all()
    await house.gateway.accounts.remove(house.everything, 1)
    again = await send(house, ask, KEY)
    assert (again.standing.id, again.standing.status, again.replayed) == (first.standing.id, Status.SENT, True)
    assert again.is_sandbox
    with pytest.raises(GuvercinError) as refused:
        await send(house, Ask(phone=SECOND, text="Merhaba"))
    assert refused.value.code is Code.NO_ACCOUNT


@pytest.fixture
def invoice(world: World) -> Path:
    path = world.folder / "fatura.pdf"
    path.write_bytes(b"%PDF-1.7\nfatura")
    return path


def throw_away(file: Path) -> None:
    file.unlink()


async def test_a_keyed_file_is_answered_when_the_file_is_gone(house: House, invoice: Path) -> None:
    ask = Ask(phone=FIRST, text=None, file=FilePath(path=f"/{invoice.name}"))
    first = await send(house, ask, KEY)
    throw_away(invoice)
    again = await send(house, ask, KEY)
    assert (again.standing.id, again.replayed) == (first.standing.id, True)


async def test_a_keyed_batch_is_answered_long_after_its_time_and_without_its_account(house: House) -> None:
    ask: AskBatch = batch(FIRST, SECOND, planned_at=house.clock.now() + seconds(60))
    first = await house.gateway.bulk.send(house.everything, ask, wait=NO_WAIT, key=KEY)
    house.clock.advance(timedelta(hours=1))
    again = await house.gateway.bulk.send(house.everything, ask, wait=NO_WAIT, key=KEY)
    assert (again.batch.id, again.counts.queued, again.replayed) == (first.batch.id, 2, True)
    await house.keep_up()
    await house.deliver_all()
    await house.gateway.accounts.remove(house.everything, 1)
    again = await house.gateway.bulk.send(house.everything, ask, wait=NO_WAIT, key=KEY)
    assert (again.batch.id, again.counts.sent, again.replayed) == (first.batch.id, 2, True)


async def test_a_keyed_resend_is_answered_when_its_account_is_gone(house: House) -> None:
    first = await send(house, Ask(phone=FIRST, text="Merhaba"))
    await house.deliver_all()
    resent = await house.gateway.singles.resend(house.everything, first.standing.id, wait=NO_WAIT, key=KEY)
    await house.deliver_all()
    await house.gateway.accounts.remove(house.everything, 1)
    again = await house.gateway.singles.resend(house.everything, first.standing.id, wait=NO_WAIT, key=KEY)
    assert (again.standing.id, again.replayed) == (resent.standing.id, True)
    with pytest.raises(GuvercinError) as refused:
        await house.gateway.singles.resend(house.everything, first.standing.id, wait=NO_WAIT, key=None)
    assert refused.value.code is Code.NOT_FOUND
