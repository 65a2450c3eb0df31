"""The space between sends: never shorter than the pace says, and never longer for a clock that was set."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.house import House, World, batch, make_world, numbers, pace, seconds
from tests.rounds import rounds

from guvercin.core.account import Kind
from guvercin.core.errors import GuvercinError
from guvercin.core.message import Lane, Status
from guvercin.core.pacing import Pace, Rules
from guvercin.gateway.requests import AccountChange
from guvercin.testing.transport import Act
from guvercin.transports.base import Outgoing

POLL = 1.0
ROUNDING = 1e-4
DAY = 86_400.0
LONG = timedelta(days=30)
"""A lifetime over which no clock of these tests jumps: it is measured on the wall."""


class Watch:
    """A script that notes when each message is handed over, on the monotonic clock."""

    def __init__(self, world: World, act: Act | None = None) -> None:
        self.world = world
        self.act = act or Act()
        self.sends: list[tuple[int, float]] = []
        world.peer.script = self

    def __call__(self, message: Outgoing) -> Act:
        self.sends.append((message.message_id, self.world.clock.monotonic()))
        return self.act

    @property
    def gaps(self) -> list[float]:
        moments = [at for _, at in self.sends]
        return [later - earlier for earlier, later in pairwise(moments)]

    @property
    def order(self) -> list[int]:
        return [message_id for message_id, _ in self.sends]


async def begin(world: World, gaps: Pace) -> House:
    house = await world.begin(gaps=gaps)
    await house.tend()
    return house


@pytest.fixture
async def slow(world: World) -> AsyncIterator[House]:
    """A process that keeps 3 to 6 s before a single message and 12 to 25 s before one of a batch."""
    house = await begin(world, pace((3, 6), (12, 25)))
    yield house
    await house.close()


async def bulk(house: House, how_many: int) -> None:
    ask = batch(*numbers(how_many), lifetime=LONG, body_hash=house.rng.randbytes(8))
    await house.gateway.bulk.send(house.everything, ask, wait=seconds(0))


async def test_singles_keep_their_gap_over_many_sends(slow: House) -> None:
    watch = Watch(slow.world)
    for _ in range(60):
        await slow.accept()
    await slow.deliver_all()
    assert len(watch.gaps) == 59
    assert all(3 - ROUNDING <= gap <= 6 + ROUNDING for gap in watch.gaps)
    assert max(watch.gaps) - min(watch.gaps) > 2, "the gaps are drawn, not fixed"


async def test_a_batch_keeps_its_gap_and_loses_no_time_to_polling(slow: House) -> None:
    watch = Watch(slow.world)
    await bulk(slow, 40)
    await slow.deliver_all()
    assert all(12 - ROUNDING <= gap <= 25 + ROUNDING for gap in watch.gaps)
    assert max(watch.gaps) - min(watch.gaps) > 8


async def test_a_single_overtakes_the_batch(slow: House) -> None:
    watch = Watch(slow.world)
    await bulk(slow, 5)
    await slow.dispatch()
    await slow.accept()
    single = await slow.accept()
    await slow.deliver_all()
    assert watch.order[1:3] == [single - 1, single]
    assert all(gap <= 6 + ROUNDING for gap in watch.gaps[:2])
    assert all(gap >= 12 - ROUNDING for gap in watch.gaps[2:])


async def test_a_slot_that_no_single_takes_is_not_the_batch_s(slow: House) -> None:
    watch = Watch(slow.world)
    await slow.accept()
    await bulk(slow, 1)
    await slow.deliver_all()
    assert watch.gaps[0] >= 12 - ROUNDING


async def test_without_a_gap_everything_leaves_at_once(house: House) -> None:
    watch = Watch(house.world)
    await bulk(house, 50)
    began = house.clock.monotonic()
    await house.deliver_all()
    assert len(watch.sends) == 50
    assert house.clock.monotonic() == began


async def test_an_idle_line_looks_for_work_without_being_told(house: House) -> None:
    assert await house.dispatch() - house.clock.now() == seconds(POLL)


async def test_a_restart_does_not_reset_the_gap(world: World) -> None:
    watch = Watch(world)
    house = await begin(world, pace((30, 30)))
    for _ in range(4):
        await house.accept()
    for elapsed in (1, 29, 5):
        await house.dispatch()
        sent = len(watch.sends)
        await house.crash()
        house = await begin(world, pace())
        world.clock.advance(seconds(elapsed))
        await house.dispatch()
        assert len(watch.sends) == sent
        await house.clock.elapse(seconds(30 - elapsed))
    await house.dispatch()
    assert len(watch.sends) == 4
    assert all(gap >= 30 - ROUNDING for gap in watch.gaps)
    await house.close()


@pytest.mark.parametrize("keeps_rules", [False, True])
@pytest.mark.parametrize("is_answered", [False, True])
async def test_after_a_restart_the_gap_counts_from_when_the_last_message_may_have_left(
    world: World, *, is_answered: bool, keeps_rules: bool
) -> None:
    """A slow disk comes between a claim and its send; then the process dies, with the answer written or without."""
    watch = Watch(world, Act(gate=None if is_answered else asyncio.Event()))
    gaps = pace((30, 30))
    rules = Rules(new=gaps.gaps[Lane.SINGLE], known=gaps.gaps[Lane.BULK]) if keeps_rules else None
    house = await begin(world, replace(gaps, rules=rules))
    for number in numbers(2):
        await house.accept(number)
    house.store.writer.hold()
    step = asyncio.create_task(house.dispatch())
    await house.clock.elapse(seconds(20))
    assert watch.sends == []
    house.store.writer.release()
    await house.clock.elapse(seconds(5))
    assert len(watch.sends) == 1
    assert step.done() is is_answered
    await house.crash()
    house = await world.begin()
    await house.recover()
    await house.tend()
    watch.act = Act()
    await house.dispatch()
    began = house.clock.monotonic()
    while len(watch.sends) == 1:
        await house.clock.elapse(seconds(0.5))
        await house.dispatch()
    assert watch.gaps[0] >= 30 - ROUNDING
    assert house.clock.monotonic() - began <= 31, "and no longer than from the start"
    await house.close()


@pytest.mark.parametrize("apart", [6, 10])
async def test_a_persons_distance_counts_from_the_send_and_not_from_its_claim(world: World, apart: int) -> None:
    """A slow disk comes between the claim of one message and its send; two more to the same person are in line."""
    watch = Watch(world)
    gaps = pace((1, 1))
    rules = Rules(new=gaps.gaps[Lane.SINGLE], known=gaps.gaps[Lane.BULK], recipient_gap=seconds(apart))
    house = await begin(world, replace(gaps, rules=rules))
    for _ in range(3):
        await house.accept()
    house.store.writer.hold()
    step = asyncio.create_task(house.dispatch())
    await house.clock.elapse(seconds(apart - 1))
    assert watch.sends == []
    house.store.writer.release()
    await step
    for _ in range(8 * apart):
        await house.clock.elapse(seconds(0.5))
        await house.dispatch()
    assert len(watch.sends) == 3
    assert all(apart - ROUNDING <= gap <= apart + 1 for gap in watch.gaps)
    await house.close()


async def test_the_gap_counts_from_the_send_and_not_from_its_claim(world: World) -> None:
    """An answer that can't be written takes no new message; what is claimed long after keeps its own gap."""
    watch = Watch(world, Act(after=seconds(5)))
    house = await begin(world, pace((4, 4)))
    for _ in range(3):
        await house.accept()
    step = asyncio.create_task(house.dispatch())
    await house.clock.elapse(seconds(4.9))
    house.store.writer.refuses_next = 1
    await house.clock.elapse(seconds(0.2))
    with pytest.raises(GuvercinError):
        step.result()
    assert await house.statuses() == [Status.SENDING, Status.QUEUED, Status.QUEUED]
    await house.clock.elapse(seconds(60))
    for _ in range(2):
        step = asyncio.create_task(house.dispatch())
        await house.clock.elapse(seconds(5.1))
        await step
    assert len(watch.sends) == 3
    assert watch.gaps[1] >= 4 - ROUNDING
    await house.close()


@pytest.mark.parametrize("jump", [3600.0, -3600.0, DAY, -DAY])
async def test_a_wall_clock_that_jumps_changes_no_gap(slow: House, jump: float) -> None:
    watch = Watch(slow.world)
    await bulk(slow, 12)
    for _ in range(12):
        await slow.dispatch()
        slow.clock.jump_wall(seconds(jump))
        for _ in range(250):
            await slow.dispatch()
            slow.clock.advance(seconds(0.1))
    assert len(watch.sends) == 12
    assert all(12 - ROUNDING <= gap <= 25 + POLL for gap in watch.gaps)


@pytest.mark.parametrize("jump", [-3600.0, -DAY])
async def test_a_clock_set_back_before_a_restart_blocks_for_one_gap_at_most(world: World, jump: float) -> None:
    watch = Watch(world)
    house = await begin(world, pace((30, 30)))
    await house.accept()
    await house.accept()
    await house.dispatch()
    await house.crash()
    world.clock.jump_wall(seconds(jump))
    house = await begin(world, pace())
    await house.dispatch()
    await house.clock.elapse(seconds(30))
    await house.dispatch()
    assert len(watch.sends) == 2
    assert watch.gaps[0] >= 30 - ROUNDING
    await house.close()


async def test_a_pace_is_changed_while_it_runs(world: World) -> None:
    watch = Watch(world)
    house = await begin(world, pace((3600, 3600)))
    for _ in range(4):
        await house.accept()
    await house.dispatch()
    await house.clock.elapse(seconds(10))
    wake = await house.dispatch()
    assert wake - house.clock.now() <= seconds(POLL), "a pace that gets faster is not noticed an hour later"
    change = AccountChange(gaps=pace((0.5, 0.5)).gaps)
    await house.gateway.accounts.change(house.everything, 1, change)
    await house.tend()
    await house.dispatch()
    await house.clock.elapse(seconds(0.5))
    await house.dispatch()
    await house.gateway.accounts.change(house.everything, 1, AccountChange(gaps=pace((20, 20)).gaps))
    await house.tend()
    await house.deliver_all()
    assert watch.gaps == [pytest.approx(10), pytest.approx(0.5), pytest.approx(20)]
    await house.close()


async def test_two_accounts_keep_their_paces_apart(world: World) -> None:
    house = await begin(world, pace((10, 10)))
    await house.store.add_account("İkinci", Kind.SANDBOX, None, pace(), now=house.clock.now())
    await house.tend()
    for account_id in (1, 1, 2, 2):
        await house.accept(account_id=account_id)
    for _ in range(3):
        await house.dispatch(1)
        await house.dispatch(2)
    assert [len(world.peers[account_id].arrivals) for account_id in (1, 2)] == [1, 2]
    await house.close()


JUMPS = st.sampled_from([-DAY, -3600.0, -61.0, -1.0, 0.0, 1.0, 61.0, 3600.0, DAY])
MOVES = st.lists(st.tuples(JUMPS, st.floats(0, 8), st.sampled_from(list(Lane))), min_size=2, max_size=8)


@settings(max_examples=rounds(40, 1_000))
@given(moves=MOVES, seed=st.integers(0, 1_000))
async def test_no_sequence_of_jumps_breaks_a_gap_or_blocks(
    tmp_path_factory: pytest.TempPathFactory, template: Path, moves: list[tuple[float, float, Lane]], seed: int
) -> None:
    world = make_world(tmp_path_factory.mktemp("jumps"), template, seed=seed)
    gaps = pace((2, 5), (4, 9))
    house = await begin(world, gaps)
    watch = Watch(world)
    lanes: dict[int, Lane] = {}
    waiting_since: dict[int, float] = {}
    for jump, wait, lane in moves:
        if lane is Lane.SINGLE:
            number = await house.accept(lifetime=LONG)
        else:
            await bulk(house, 1)
            number = max(message.id for message in await house.messages())
        lanes[number] = lane
        waiting_since[number] = world.clock.monotonic()
        world.clock.jump_wall(seconds(jump))
        end = world.clock.monotonic() + wait
        while world.clock.monotonic() < end:
            wake = await house.dispatch()
            left = seconds(end - world.clock.monotonic())
            await world.clock.elapse(max(seconds(0.001), min(left, wake - world.clock.now())))
    await house.deliver_all()
    for (_, earlier), (number, later) in pairwise(watch.sends):
        gap = gaps.gaps[lanes[number]]
        assert later - earlier >= gap.least.total_seconds() - ROUNDING
    sent_at = 0.0
    for place, (_, at) in enumerate(watch.sends):
        asked_at = min(waiting_since[number] for number, _ in watch.sends[place:])
        assert at - max(sent_at, asked_at) <= gaps.longest_gap().total_seconds() + POLL, "blocked by a jump"
        sent_at = at
    assert sorted(watch.order) == sorted(lanes)
    await house.close()
