"""Batches: total = sent + failed + queued, always; and what the caller who waited for one is told."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from random import Random  # noqa: TID251 -- the chance that a test hands in

import pytest
from tests.gateway.house import FIRST, SECOND, THIRD, House, World, batch, numbers, pace, seconds

from guvercin.core.account import LineNews
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status
from guvercin.core.outcome import Deferred, LineEvent, Lost, NeverLeft, ReceiptKind, Refused, Unclear
from guvercin.gateway.bulk import BATCH_GUARD
from guvercin.gateway.drafting import MOST_RECIPIENTS
from guvercin.gateway.requests import AskBatch, BatchView, IdempotencyKey
from guvercin.testing.transport import Act

NO_WAIT = timedelta(0)


def figures(view: BatchView) -> tuple[int, int, int, int]:
    """Answer total, sent, failed and queued; they must agree."""
    counts = view.counts
    assert view.batch.total == counts.total == counts.sent + counts.failed + counts.queued
    return counts.total, counts.sent, counts.failed, counts.queued


async def send(house: House, ask: AskBatch, wait: float = 0, key: IdempotencyKey | None = None) -> BatchView:
    return await house.gateway.bulk.send(house.everything, ask, wait=seconds(wait), key=key)


async def look(house: House, view: BatchView) -> BatchView:
    return await house.gateway.batches.one(house.everything, view.batch.id)


async def test_bad_and_repeated_numbers_become_failed_rows_and_the_good_ones_go(house: House) -> None:
    view = await send(house, batch(FIRST, "kapı no 5", SECOND, "0532 123 45 67", "", THIRD))
    assert figures(view) == (6, 0, 3, 3)
    rows = await house.messages()
    assert [row.recipient for row in rows] == [FIRST, "kapı no 5", SECOND, FIRST, "", THIRD]
    assert [row.reason for row in rows] == [
        None,
        Code.INVALID_PHONE,
        None,
        Code.DUPLICATE,
        Code.INVALID_PHONE,
        None,
    ]
    await house.deliver_all()
    view = await look(house, view)
    assert figures(view) == (6, 3, 3, 0)
    assert view.counts.is_finished
    assert [arrived.message.recipient for arrived in house.world.peer.arrivals] == [FIRST, SECOND, THIRD]


async def test_a_batch_of_nothing_but_bad_rows_is_finished_at_once(house: House) -> None:
    began = house.clock.monotonic()
    view = await send(house, batch("x", "y", "x"), wait=25)
    assert house.clock.monotonic() == began
    assert figures(view) == (3, 0, 3, 0)
    assert view.counts.is_finished
    assert view.finish_at is None


async def test_what_stands_where_a_number_should_is_kept_readable(house: House) -> None:
    await send(house, batch("tel:\x00\x1b[31m", "\ud83d", "9" * 500, FIRST))
    assert [row.recipient for row in await house.messages()] == ["tel:\ufffd\ufffd[31m", "\ufffd", "9" * 200, FIRST]


async def test_the_caller_hears_when_the_last_row_is_done(house: House) -> None:
    calling = asyncio.create_task(send(house, batch(*numbers(5)), wait=25))
    await house.clock.settle()
    for _ in range(4):
        await house.dispatch()
        await house.clock.settle()
    await house.dispatch()
    await house.clock.settle()
    assert figures(calling.result()) == (5, 5, 0, 0)


async def test_the_caller_hears_the_truth_when_the_wait_ends(world: World) -> None:
    house = await world.begin(gaps=pace((10, 10)))
    await house.tend()
    calling = asyncio.create_task(send(house, batch(*numbers(5)), wait=25))
    await house.clock.settle()
    for _ in range(30):
        await house.dispatch()
        await house.clock.elapse(seconds(1))
    view = calling.result()
    assert figures(view) == (5, 3, 0, 2)
    assert not view.counts.is_finished
    assert view.finish_at == house.clock.now() - seconds(5) + seconds(20), "two rows, ten seconds each"
    await house.close()


async def test_a_planned_batch_answers_at_once_and_counts_as_scheduled(house: House) -> None:
    due = house.clock.now() + timedelta(days=1)
    began = house.clock.monotonic()
    view = await send(house, batch(*numbers(3), "x", planned_at=due), wait=25)
    assert house.clock.monotonic() == began
    assert figures(view) == (4, 0, 1, 3)
    assert view.counts.scheduled == 3
    assert not view.counts.is_finished
    assert view.finish_at == due


async def test_doubts_count_as_queued_and_do_not_keep_a_batch_open(house: House) -> None:
    acts: Iterator[Act] = iter([Act(answer=Lost(Code.ANSWER_LOST))])
    house.world.peer.script = lambda _: next(acts, Act())
    house.world.peer.evidence = Unclear()
    calling = asyncio.create_task(send(house, batch(FIRST, SECOND), wait=25))
    await house.clock.settle()
    await house.deliver_all()
    await house.clock.settle()
    view = calling.result()
    assert figures(view) == (2, 1, 0, 1)
    assert view.counts.is_finished
    assert view.counts.of(Status.UNKNOWN) == 1


async def test_a_doubt_that_proves_to_be_none_keeps_the_caller_waiting(house: House) -> None:
    acts: Iterator[Act] = iter([Act(arrives=False, answer=Lost(Code.ANSWER_LOST))])
    house.world.peer.script = lambda _: next(acts, Act())
    house.world.peer.evidence = NeverLeft()
    ask = batch(FIRST, SECOND)
    calling = asyncio.create_task(send(house, ask, wait=25))
    await house.clock.settle()
    await house.dispatch()
    await house.clock.elapse(seconds(0.1))
    house.clock.advance(seconds(0.01))
    doubt = (await house.messages())[0]
    await house.store.look_again(doubt.id, house.clock.now())
    await house.keep_up()
    await house.clock.settle()
    while (await house.statuses())[1] is not Status.SENT:
        await house.dispatch()
    await house.clock.settle()
    await house.deliver_all()
    await house.clock.settle()
    assert figures(calling.result()) == (2, 2, 0, 0)


async def test_withdrawn_rows_count_as_failed(house: House) -> None:
    view = await send(house, batch(FIRST, SECOND, reference="KMP-1"))
    assert await house.gateway.messages.cancel_reference(house.everything, "KMP-1") == 2
    assert figures(await look(house, view)) == (2, 0, 2, 0)


async def test_the_figures_agree_at_every_moment(house: House) -> None:
    rng = Random(7)
    house.world.peer.script = lambda _: rng.choice(
        [
            Act(),
            Act(receipts=(ReceiptKind.READ, ReceiptKind.DELIVERED)),
            Act(arrives=False, answer=Refused(reason=Code.NOT_ON_WHATSAPP)),
            Act(arrives=False, answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True)),
            Act(answer=Lost(Code.ANSWER_LOST)),
            Act(arrives=False, answer=ConnectionResetError()),
        ],
    )
    views = [await send(house, batch(*numbers(12), "x", numbers(1)[0], text=f"Liste {place}")) for place in range(3)]
    for _ in range(150):
        match rng.randrange(4):
            case 0 | 1:
                await house.dispatch()
            case 2:
                house.clock.advance(seconds(rng.choice([0.1, 2, 6, 40])))
                await house.keep_up()
            case _:
                number = rng.randrange(1, 43)
                if await house.status(number) is Status.QUEUED and rng.random() < 0.2:
                    await house.gateway.messages.cancel(house.everything, number)
        for view in views:
            assert figures(await look(house, view))[0] == 14


# -- forecasts


@pytest.fixture
async def paced(world: World) -> House:
    house = await world.begin(gaps=pace((2, 4), (6, 14)))
    await house.tend()
    return house


async def test_a_forecast_is_what_is_left_times_the_mean_gap(paced: House) -> None:
    view = await send(paced, batch(*numbers(30), "x"))
    assert view.finish_at == paced.clock.now() + seconds(300)
    await paced.dispatch()
    assert (await look(paced, view)).finish_at == paced.clock.now() + seconds(290)
    planned = await send(paced, batch(*numbers(10), planned_at=paced.clock.now() + timedelta(hours=2)))
    assert planned.finish_at == paced.clock.now() + timedelta(hours=2) + seconds(100)
    paced.clock.advance(timedelta(hours=3))
    assert (await look(paced, planned)).finish_at == paced.clock.now() + seconds(100), "never in the past"
    await paced.close()


async def test_nothing_is_forecast_while_nothing_moves(paced: House) -> None:
    view = await send(paced, batch(*numbers(30)))
    await paced.gateway.accounts.pause(paced.everything, 1)
    assert (await look(paced, view)).finish_at is None
    await paced.gateway.accounts.resume(paced.everything, 1)
    await paced.tend()
    until = paced.clock.now() + timedelta(hours=1)
    paced.world.peer.hang_up(LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=until))
    await paced.clock.settle()
    assert (await look(paced, view)).finish_at == until + seconds(300), "a ban ends by itself"
    paced.clock.advance(timedelta(hours=1))
    await paced.tend()
    paced.world.peer.hang_up()
    await paced.clock.settle()
    assert (await look(paced, view)).finish_at is not None, "a drop is no news for a batch of minutes"
    paced.clock.advance(timedelta(minutes=1))
    await paced.tend()
    await paced.tend()
    paced.world.peer.hang_up(LineEvent(news=LineNews.LOGGED_OUT))
    await paced.clock.settle()
    assert (await look(paced, view)).finish_at is None
    await paced.close()


# -- asked for twice


async def test_a_client_that_was_cut_off_finds_its_batch(house: House) -> None:
    ask = batch(FIRST, SECOND)
    first = await send(house, ask)
    house.clock.advance(BATCH_GUARD - seconds(1))
    again = await send(house, ask)
    assert (again.batch.id, again.repeated) == (first.batch.id, True)
    other = await send(house, batch(FIRST, SECOND, text="Başka"))
    assert not other.repeated
    await house.deliver_all()
    third = await send(house, ask)
    assert not third.repeated, "a finished batch may be sent again"
    assert third.batch.id != first.batch.id


async def test_a_repeated_batch_waits_like_the_first(house: House) -> None:
    ask = batch(*numbers(3))
    callers = [asyncio.create_task(send(house, ask, wait=25)) for _ in range(3)]
    await house.clock.settle()
    assert not any(caller.done() for caller in callers)
    await house.deliver_all()
    await house.clock.settle()
    assert {figures(caller.result()) for caller in callers} == {(3, 3, 0, 0)}
    assert len(await house.statuses()) == 3


async def test_a_key_answers_a_finished_batch_without_waiting(house: House) -> None:
    key = IdempotencyKey(method="POST", path="/toplu-gonder", key="k", body_hash=b"b")
    first = await send(house, batch(FIRST), key=key)
    await house.deliver_all()
    began = house.clock.monotonic()
    again = await send(house, batch(FIRST), wait=25, key=key)
    assert (again.batch.id, again.replayed, figures(again)) == (first.batch.id, True, (1, 1, 0, 0))
    assert house.clock.monotonic() == began


# -- what can't be done


async def test_what_concerns_the_whole_batch_is_refused_whole(house: House) -> None:
    for ask, code in (
        (batch(), Code.INVALID_FIELD),
        (batch(FIRST, text="  "), Code.EMPTY_TEXT),
        (batch(*["x"] * (MOST_RECIPIENTS + 1)), Code.TOO_MANY_RECIPIENTS),
    ):
        with pytest.raises(GuvercinError) as refused:
            await send(house, ask)
        assert refused.value.code is code
    assert await house.statuses() == []


async def test_the_largest_batch_is_taken(house: House) -> None:
    view = await send(house, batch(*numbers(MOST_RECIPIENTS)))
    assert figures(view) == (MOST_RECIPIENTS, 0, 0, MOST_RECIPIENTS)


async def test_a_batch_that_is_accepted_is_never_called_an_error_because_it_cannot_be_read(house: House) -> None:
    calling = asyncio.create_task(send(house, batch(FIRST, SECOND, "x"), wait=3))
    await house.clock.settle()
    house.store.is_unreadable = True
    await house.clock.elapse(seconds(3.1))
    view = calling.result()
    assert figures(view) == (3, 0, 1, 2)
    house.store.is_unreadable = False
    assert figures(await look(house, view)) == (3, 0, 1, 2)


async def test_a_caller_that_goes_away_leaves_its_batch_to_go_on(house: House) -> None:
    calling = asyncio.create_task(send(house, batch(*numbers(3)), wait=25))
    await house.clock.settle()
    calling.cancel()
    await house.clock.settle()
    assert not house.waiting._of_batch
    await house.deliver_all()
    assert len(house.world.peer.arrivals) == 3
