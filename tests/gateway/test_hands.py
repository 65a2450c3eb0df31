"""Many messages under way at once: as durable, as ordered and as paced as one after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.gateway.house import FIRST, ISTANBUL, SECOND, House, World, numbers, pace, seconds
from tests.gateway.pacing import bulk

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.grant import Grant
from guvercin.core.message import Lane, Status, WaitsFor
from guvercin.core.outcome import Deferred, Inbound, Outcome, Refused, Scope
from guvercin.core.pacing import NO_RULES, Caps, Rules
from guvercin.gateway.courses import hours_in
from guvercin.gateway.hands import Hands
from guvercin.testing.transport import FEATURES, Act, ScriptedTransport
from guvercin.transports.base import Features, Outgoing

TOO_FAST = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=seconds(1), scope=Scope.ACCOUNT)


class WideTransport(ScriptedTransport):
    """A line that takes eight messages at once."""

    @property
    def features(self) -> Features:
        return replace(FEATURES, concurrency=8)


class Crew:
    """A house whose only account has eight hands."""

    def __init__(self, world: World) -> None:
        self.world, self.clock = world, world.clock
        world.builds = lambda account, world: WideTransport(world.peers[account.id], world.clock)

    async def begin(self, gap: float = 0, rules: Rules | None = None) -> House:
        self.house = await self.world.begin(gaps=replace(pace((gap, gap)), rules=rules))
        await self.house.recover()
        await self.house.tend()
        self.bell = asyncio.Event()
        self.hands = Hands(
            1,
            store=self.house.store,
            sessions=self.house.sessions,
            spool_path=self.house.spool.path,
            hours=hours_in(ISTANBUL),
            clock=self.clock,
            rng=self.house.rng,
            bell=self.bell,
            pools={},
        )
        return self.house

    async def step(self) -> timedelta:
        """Step once, let everything come to rest, and answer how long the hands would wait."""
        wake = await self.hands.step(self.clock.now())
        await self.clock.settle()
        return wake - self.clock.now()

    def handed(self) -> list[str]:
        return [message.recipient for message in self.world.peer.handed]


@pytest.fixture
async def crew(world: World) -> AsyncIterator[Crew]:
    crew = Crew(world)
    yield crew
    await crew.house.close()


def answers(outcome: Outcome) -> Callable[[object], Act]:
    return lambda _: Act(arrives=False, answer=outcome)


async def test_as_many_go_at_once_as_the_line_takes(crew: Crew) -> None:
    house = await crew.begin()
    gate = asyncio.Event()
    crew.world.peer.script = lambda _: Act(gate=gate)
    for number in numbers(12):
        await house.accept(number)
    for _ in range(3):
        await crew.step()
    assert crew.handed() == numbers(12)[:8]
    assert (await house.statuses()).count(Status.SENDING) == 8
    gate.set()
    await crew.clock.settle()
    assert crew.bell.is_set()
    for _ in range(4):
        await crew.step()
    assert set(await house.statuses()) == {Status.SENT}
    assert crew.hands.is_idle


async def test_a_persons_distance_counts_from_the_send_and_not_from_its_claim(crew: Crew) -> None:
    """A slow disk comes between the claim of two people's messages and their send."""
    gaps = pace((0, 0))
    known, new = gaps.gaps[Lane.BULK], gaps.gaps[Lane.SINGLE]
    rules = Rules(new=new, known=known, warms_up=False, recipient_gap=seconds(10))
    house = await crew.begin(rules=rules)
    left: list[tuple[str, float]] = []

    def note(message: Outgoing) -> Act:
        left.append((message.recipient, crew.clock.monotonic()))
        return Act()

    crew.world.peer.script = note
    for to in (FIRST, SECOND, FIRST, SECOND):
        await house.accept(to)
    house.store.writer.hold()
    step = asyncio.create_task(crew.step())
    await crew.clock.elapse(seconds(8))
    assert left == []
    house.store.writer.release()
    await step
    for _ in range(50):
        await crew.clock.elapse(seconds(0.5))
        await crew.step()
    for person in (FIRST, SECOND):
        (first, second) = (at for to, at in left if to == person)
        assert 10 <= second - first <= 11


async def test_one_recipients_messages_go_one_after_the_other(crew: Crew) -> None:
    house = await crew.begin()
    gate = asyncio.Event()
    crew.world.peer.script = lambda message: Act(gate=gate if message.recipient == FIRST else None)
    ids = [await house.accept(to) for to in (FIRST, FIRST, SECOND, FIRST)]
    for _ in range(3):
        await crew.step()
    assert crew.handed() == [FIRST, SECOND]
    waits = [(await house.message(number)).waits_for for number in ids]
    assert waits == [None, WaitsFor.EARLIER, None, WaitsFor.EARLIER]
    gate.set()
    for _ in range(6):
        await crew.step()
        crew.clock.advance(seconds(0.3))
    assert [message.message_id for message in crew.world.peer.handed] == [ids[0], ids[2], ids[1], ids[3]]


async def test_a_deferred_message_keeps_its_place_before_the_later_ones(crew: Crew) -> None:
    house = await crew.begin()
    later = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=seconds(3))
    turns = iter([later, None, None])
    crew.world.peer.script = lambda _: Act(arrives=(answer := next(turns)) is None, answer=answer)
    ids = [await house.accept(FIRST), await house.accept(FIRST)]
    for _ in range(20):
        await crew.step()
        crew.clock.advance(seconds(0.3))
    assert [message.message_id for message in crew.world.peer.handed] == [ids[0], *ids]


async def test_a_crash_leaves_in_doubt_what_was_under_way_and_nothing_else(crew: Crew) -> None:
    house = await crew.begin()
    crew.world.peer.script = lambda _: Act(gate=asyncio.Event())
    for number in numbers(20):
        await house.accept(number)
    await crew.step()
    await crew.step()
    await house.crash()
    house = await crew.begin()
    found = await house.statuses()
    assert (found.count(Status.UNKNOWN), found.count(Status.QUEUED)) == (8, 12)
    crew.world.peer.script = lambda _: Act()
    for _ in range(4):
        await crew.step()
    assert len(crew.world.peer.arrivals) == 8 + 12, "what was in doubt is not sent again"


async def test_whoever_is_about_to_send_is_not_idle(crew: Crew) -> None:
    """A gateway lets go of an account that is idle: what it is about to have in hand would be in doubt for nothing."""
    house = await crew.begin()
    number = await house.accept()
    house.store.writer.hold()
    step = asyncio.create_task(crew.step())
    await crew.clock.settle()
    was_idle = crew.hands.is_idle
    house.store.writer.release()
    await step
    assert not was_idle
    await crew.step()
    assert crew.hands.is_idle
    assert await house.status(number) is Status.SENT


async def test_what_was_claimed_is_handed_over_though_the_rest_can_not_be_judged(crew: Crew) -> None:
    """One claim takes a single message and finds a list that has to be planned anew, and that can't be written."""
    hourly = Caps(all=99, existing=1, new=1)
    house = await crew.begin(rules=replace(NO_RULES, hourly=hourly))
    await bulk(house, 3)
    await crew.step()
    await crew.step()
    assert len(crew.handed()) == 1
    single = await house.accept(crew.handed()[0])
    await bulk(house, 3, first=10)

    def refuse() -> None:
        house.store.writer.refuses_next = 1

    house.store.writer.on_event = refuse
    with pytest.raises(GuvercinError, match="kayit_yapilamadi"):
        await crew.step()
    house.store.writer.on_event = lambda: None
    await crew.clock.settle()
    assert len(crew.handed()) == 2
    await crew.step()
    assert await house.status(single) is Status.SENT


async def test_a_plan_that_could_not_be_written_is_made_again(crew: Crew) -> None:
    """An owner raises a limit, and the disk takes nothing in that moment."""
    house = await crew.begin(rules=replace(NO_RULES, hourly=Caps(all=99, existing=1, new=1)))
    await bulk(house, 3)
    for _ in range(3):
        await crew.step()
    assert len(crew.handed()) == 1
    await house.store.change_account(1, now=crew.clock.now(), pace=replace(pace((0, 0)), rules=NO_RULES))
    await house.tend()
    house.store.writer.refuses_next = 1
    with pytest.raises(GuvercinError, match="kayit_yapilamadi"):
        await crew.step()
    for _ in range(3):
        await crew.step()
    assert len(crew.handed()) == 3


async def test_a_stop_writes_down_what_is_under_way(crew: Crew) -> None:
    house = await crew.begin()
    crew.world.peer.script = lambda _: Act(gate=asyncio.Event())
    number = await house.accept()
    await crew.step()
    crew.hands.close()
    await crew.hands.let_go()
    message = await house.message(number)
    assert (message.status, message.reason) == (Status.UNKNOWN, Code.CUT_SHORT)
    assert crew.hands.is_idle


async def test_the_pace_holds_over_a_crowd(crew: Crew) -> None:
    house = await crew.begin(gap=0.0125)
    for number in numbers(200):
        await house.accept(number)
    await crew.step()
    for _ in range(200):
        crew.clock.advance(seconds(0.01))
        await crew.step()
    assert 150 <= len(crew.handed()) <= 165, "80 a second for two seconds"


async def test_a_line_that_is_too_fast_rests_and_then_goes_slower(crew: Crew) -> None:
    house = await crew.begin()
    for number in numbers(100):
        await house.accept(number)
    crew.world.peer.script = answers(TOO_FAST)
    await crew.step()
    assert len(crew.handed()) == 8
    crew.world.peer.script = lambda _: Act()
    await crew.step()
    assert len(crew.handed()) == 8, "it rests"
    crew.clock.advance(seconds(1.1))
    for _ in range(100):
        await crew.step()
        crew.clock.advance(seconds(0.01))
    sent = len(crew.handed()) - 8
    assert 35 <= sent <= 50, "40 a second after the first time"


async def test_a_network_in_trouble_is_left_alone_ever_longer_and_forgiven_at_once(crew: Crew) -> None:
    house = await crew.begin()
    for number in numbers(200):
        await house.accept(number)
    crew.world.peer.script = answers(Deferred(reason=Code.PUSHED_BACK, pushed_back=True, scope=Scope.SYSTEM))
    rests: list[float] = []
    quiet = 0.0
    for _ in range(800):
        before = len(crew.handed())
        await crew.step()
        if len(crew.handed()) > before:
            rests.append(quiet)
            quiet = 0.0
        crew.clock.advance(seconds(0.25))
        quiet += 0.25
    for rest, wanted in zip(rests[1:8], (1, 2, 4, 8, 16, 32, 60), strict=True):
        assert wanted * 0.75 <= rest <= wanted * 1.3, rests
    crew.world.peer.script = lambda _: Act()
    crew.clock.advance(seconds(80))
    arrived = len(crew.world.peer.arrivals)
    for _ in range(4):
        await crew.step()
    assert len(crew.world.peer.arrivals) > arrived + 8, "it goes on as fast as before"


class GrantedTransport(WideTransport):
    """A line that knows what the network grants it."""

    now = Grant(per_second=80)

    def granted(self) -> Grant | None:
        return GrantedTransport.now


@pytest.fixture
def granted(crew: Crew) -> Iterator[Callable[[Grant], None]]:
    crew.world.builds = lambda account, world: GrantedTransport(world.peers[account.id], world.clock)

    def grant(now: Grant) -> None:
        GrantedTransport.now = now

    grant(Grant(per_second=80))
    yield grant
    grant(Grant(per_second=80))


async def sent_within(crew: Crew, span: float) -> int:
    """Step for a while, and answer how many messages were handed over meanwhile."""
    before = len(crew.handed())
    for _ in range(round(span / 0.01)):
        crew.clock.advance(seconds(0.01))
        await crew.step()
    return len(crew.handed()) - before


async def test_a_number_goes_as_fast_as_it_is_granted_and_no_faster(
    crew: Crew, granted: Callable[[Grant], None]
) -> None:
    house = await crew.begin()
    for number in numbers(900):
        await house.accept(number)
    assert 75 <= await sent_within(crew, 1) <= 86, "80 a second"
    granted(Grant(per_second=400))
    assert 360 <= await sent_within(crew, 1) <= 430, "what Meta has raised counts at once"
    granted(Grant(per_second=20))
    assert 17 <= await sent_within(crew, 1) <= 30


async def test_one_person_is_not_written_to_faster_than_granted(crew: Crew, granted: Callable[[Grant], None]) -> None:
    del granted
    house = await crew.begin()
    for _ in range(5):
        await house.accept(FIRST)
    await house.accept(SECOND)
    moments = []
    for _ in range(70):
        before = len(crew.handed())
        await crew.step()
        moments += [crew.clock.monotonic()] * (len(crew.handed()) - before)
        crew.clock.advance(seconds(0.25))
    assert crew.handed().count(FIRST) == 5
    assert SECOND in crew.handed()[:4], "others don't wait for it"
    assert moments[-1] - moments[0] >= 2 * 6 - 1, "three at once, then one each six seconds"


async def test_a_restart_gives_no_people_back(crew: Crew, granted: Callable[[Grant], None]) -> None:
    granted(Grant(per_second=80, people=10, pool="9"))
    house = await crew.begin()
    for number in numbers(16):
        await house.accept(number)
    await sent_within(crew, 1)
    assert len(crew.handed()) == 10
    assert (await house.statuses()).count(Status.QUEUED) == 6
    await house.crash()
    house = await crew.begin()
    for number in numbers(30)[20:]:
        await house.accept(number)
    await sent_within(crew, 1)
    assert len(crew.handed()) == 10, "the day is not over"
    waiting = [row for row in await house.messages() if row.status is Status.QUEUED]
    assert {row.reason for row in waiting} == {Code.PEOPLE_LIMIT}
    wrote = Inbound(remote_id="I", sender=FIRST, text="Selam", at=crew.clock.now())
    await house.store.hear(1, [wrote], now=crew.clock.now())
    await house.accept(FIRST)
    await sent_within(crew, 0.5)
    assert crew.handed()[10:] == [FIRST], "who writes first needs no place"
    crew.clock.advance(timedelta(hours=25))
    for number in numbers(40)[32:]:
        await house.accept(number)
    await sent_within(crew, 0.5)
    assert set(numbers(40)[32:]) <= set(crew.handed()), "places come free"


async def test_a_clock_that_jumps_gives_nobody_a_place(crew: Crew, granted: Callable[[Grant], None]) -> None:
    granted(Grant(per_second=80, people=3, pool="9"))
    house = await crew.begin()
    for number in numbers(3):
        await house.accept(number)
    await sent_within(crew, 0.5)
    crew.clock.jump_wall(timedelta(hours=30))
    for number in numbers(9)[5:]:
        await house.accept(number)
    await sent_within(crew, 0.5)
    assert len(crew.handed()) == 3


async def test_what_is_refused_costs_its_neighbours_nothing(crew: Crew) -> None:
    house = await crew.begin()
    no = Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT)
    crew.world.peer.script = lambda message: Act(
        arrives=message.recipient != FIRST, answer=no if message.recipient == FIRST else None
    )
    for to in (FIRST, *numbers(5)):
        await house.accept(to)
    for _ in range(3):
        await crew.step()
    assert await house.statuses() == [Status.FAILED, *[Status.SENT] * 5]


async def test_an_exception_of_the_line_is_a_doubt(crew: Crew) -> None:
    house = await crew.begin()
    crew.world.peer.script = lambda _: Act(arrives=False, answer=RuntimeError("a bug"))
    number = await house.accept()
    for _ in range(3):
        await crew.step()
    assert await house.status(number) is Status.UNKNOWN


async def test_the_line_hears_when_a_recipient_last_wrote(crew: Crew) -> None:
    house = await crew.begin()
    at = crew.clock.now() - timedelta(hours=3)
    for hours in (5, 3, 9):  # in any order
        wrote = Inbound(
            remote_id=f"I-{hours}", sender=FIRST, text="Selam", at=crew.clock.now() - timedelta(hours=hours)
        )
        await house.store.hear(1, [wrote], now=crew.clock.now())
    for to in (FIRST, SECOND):
        await house.accept(to)
    await crew.step()
    assert [(message.recipient, message.heard_at) for message in crew.world.peer.handed] == [
        (FIRST, at),
        (SECOND, None),
    ]


async def test_an_answer_that_can_not_be_written_now_is_written_later(crew: Crew) -> None:
    house = await crew.begin()
    number = await house.accept()
    await crew.step()
    house.store.writer.refuses_next = 1
    with pytest.raises(Exception, match="kayit_yapilamadi"):
        await crew.step()
    assert await house.status(number) is Status.SENDING
    await crew.step()
    assert await house.status(number) is Status.SENT
    assert len(crew.handed()) == 1


async def test_the_loops_give_a_wide_line_its_hands(crew: Crew) -> None:
    house = await crew.begin()
    for number in numbers(30):
        await house.accept(number)
    await house.loops.start()
    await crew.clock.elapse(seconds(3))
    assert isinstance(house.loops._dispatchers[1], Hands)
    assert set(await house.statuses()) == {Status.SENT}
    stopping = asyncio.create_task(house.loops.stop())
    await crew.clock.elapse(seconds(1))
    await stopping
