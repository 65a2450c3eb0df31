"""The lines: wanted or not, dialled and redialled, banned, broken, and told about while the store is down."""

import asyncio
from datetime import timedelta

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, pace, seconds

from guvercin.core.account import Account, Kind, Line, LineNews, LineOrder, LineState
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Status
from guvercin.core.outcome import Inbound, LineEvent, Receipt, ReceiptKind
from guvercin.core.retry import JITTER, SCHEDULE
from guvercin.testing.transport import DROPPED, Act, ScriptedTransport
from guvercin.transports.base import Emit, Transport

BAN = timedelta(minutes=10)


def banned(house: House, how_long: timedelta = BAN) -> LineEvent:
    return LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=house.clock.now() + how_long)


async def states(house: House) -> list[str]:
    """Answer every state that the line has been in, as the log has it."""
    return [event.detail["durum"] for event in await house.events(EventKind.LINE_CHANGED)]


async def tend_for(house: House, how_long: float) -> None:
    """Tend the line every ten seconds, and each second at the end, where it counts."""
    left = int(how_long)
    while left:
        stride = 10 if left > 12 else 1
        await house.clock.elapse(seconds(stride))
        await house.tend()
        left -= stride


async def until_connected(house: House, most: int = 20_000) -> float:
    """Tend the line each second until it is connected; answers how many seconds that took."""
    began = house.clock.monotonic()
    for _ in range(most):
        if house.sessions.is_open(1):
            return house.clock.monotonic() - began
        house.clock.advance(seconds(1))
        await house.tend()
    raise AssertionError("it never connected")


# -- up and down


async def test_a_wanted_line_connects(world: World) -> None:
    house = await world.begin()
    assert house.sessions.transport(1) is None
    assert not house.sessions.is_open(1)
    await house.tend()
    assert house.sessions.is_open(1)
    assert await house.line() is LineState.CONNECTED
    assert await states(house) == ["connected"]
    await house.close()


async def test_a_dropped_line_waits_and_dials_again(house: House) -> None:
    house.world.peer.hang_up()
    await house.clock.settle()
    assert await house.line() is LineState.WAITING
    assert not house.sessions.is_open(1)
    took = await until_connected(house)
    assert SCHEDULE[0].total_seconds() * (1 - JITTER) <= took <= SCHEDULE[0].total_seconds() * (1 + JITTER) + 1
    assert await states(house) == ["connected", "waiting", "connecting", "connected"]


async def test_a_line_that_does_not_come_back_is_dialled_more_seldom_but_at_least_every_two_minutes(
    house: House,
) -> None:
    peer = house.world.peer
    planned = [*SCHEDULE[:3], SCHEDULE[2], SCHEDULE[2]]
    peer.dials.extend([DROPPED] * len(planned))
    peer.hang_up()
    await house.clock.settle()
    for place, plan in enumerate(planned):
        stride = plan / 25
        wait = timedelta(0)
        while len(peer.dials) == len(planned) - place:
            house.clock.advance(stride)
            wait += stride
            await house.tend()
        assert plan * (1 - JITTER) <= wait <= plan * (1 + JITTER) + stride
    await until_connected(house)
    peer.hang_up()
    await house.clock.settle()
    assert await until_connected(house) <= SCHEDULE[0].total_seconds() * (1 + JITTER) + 1, "success begins anew"


async def test_a_human_need_not_wait_for_the_redial(house: House) -> None:
    house.world.peer.dials.extend([DROPPED] * 4)
    house.world.peer.hang_up()
    await tend_for(house, 60)
    assert await house.line() is LineState.WAITING
    house.world.peer.dials.clear()
    await house.gateway.accounts.resume(house.everything, 1)
    await house.tend()
    assert house.sessions.is_open(1)


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(hours=-1)])
async def test_a_clock_that_is_set_back_does_not_keep_a_line_down(house: House, jump: timedelta) -> None:
    house.world.peer.hang_up()
    await house.clock.settle()
    house.clock.jump_wall(jump)
    assert await until_connected(house, most=10) <= 7


@pytest.mark.parametrize("end", [None, ConnectionResetError("gone")])
async def test_a_run_that_ends_without_a_word_is_a_drop(house: House, end: Exception | None) -> None:
    house.world.peer.hang_up(end)
    await house.clock.settle()
    await house.tend()
    assert await house.line() is LineState.WAITING
    (account,) = await house.store.accounts()
    assert account.line.code is Code.LINE_DOWN
    assert await until_connected(house) >= 4


async def test_a_dial_that_breaks_backs_off(house: House) -> None:
    house.world.peer.dials.extend([OSError("no route")] * 3)
    house.world.peer.hang_up()
    await house.clock.settle()
    assert await until_connected(house) >= sum(wait.total_seconds() for wait in (*SCHEDULE[:3], SCHEDULE[2])) * (
        1 - JITTER
    )
    assert not house.world.peer.dials


class Lingering(ScriptedTransport):
    """A transport that says why its line is gone and doesn't return."""

    runs = 0
    most = 0

    async def run(self, emit: Emit, line: Line) -> None:
        Lingering.runs += 1
        Lingering.most = max(Lingering.most, Lingering.runs)
        try:
            await super().run(emit, line)
            await asyncio.Event().wait()
        finally:
            Lingering.runs -= 1


async def test_one_run_at_a_time(world: World) -> None:
    world.builds = lambda account, world: Lingering(world.peers[account.id], world.clock)
    house = await world.begin()
    await house.tend()
    for _ in range(3):
        world.peer.hang_up()
        await house.clock.settle()
        await until_connected(house)
    assert (Lingering.runs, Lingering.most) == (1, 1)
    await house.close()
    assert Lingering.runs == 0


# -- bans


async def test_a_ban_is_left_by_its_moment_and_never_earlier(house: House) -> None:
    house.world.peer.hang_up(banned(house))
    await house.clock.settle()
    assert await house.line() is LineState.BANNED
    await tend_for(house, BAN.total_seconds() - 1)
    assert await house.line() is LineState.BANNED
    await tend_for(house, 1)
    assert await house.line() is LineState.CONNECTED
    assert await states(house) == ["connected", "banned", "connecting", "connected"]


async def test_nothing_is_sent_while_a_ban_lasts(house: House) -> None:
    house.world.peer.hang_up(banned(house))
    await house.clock.settle()
    number = await house.accept()
    for _ in range(5):
        await house.dispatch()
        house.clock.advance(seconds(60))
        await house.tend()
    assert house.world.peer.handed == []
    house.clock.advance(BAN)
    await house.tend()
    await house.dispatch()
    assert await house.status(number) is Status.SENT


async def test_a_ban_survives_a_restart(world: World) -> None:
    house = await world.begin()
    await house.tend()
    world.peer.hang_up(banned(house))
    await house.clock.settle()
    await house.crash()
    house = await world.begin()
    await tend_for(house, BAN.total_seconds() - 1)
    assert await states(house) == ["connected", "banned"]
    await tend_for(house, 1)
    assert house.sessions.is_open(1)
    await house.close()


@pytest.mark.parametrize("is_restarted", [True, False])
async def test_switching_off_and_on_does_not_shorten_a_ban(world: World, *, is_restarted: bool) -> None:
    house = await world.begin()
    await house.tend()
    world.peer.hang_up(banned(house))
    await house.clock.settle()
    await tend_for(house, 60)
    await house.gateway.accounts.pause(house.everything, 1)
    assert await house.line() is LineState.STOPPED
    if is_restarted:
        await house.crash()
        house = await world.begin()
    await tend_for(house, 60)
    await house.gateway.accounts.pause(house.everything, 1)
    account = await house.gateway.accounts.resume(house.everything, 1)
    assert (account.line.state, account.line.code) == (LineState.BANNED, Code.TEMPORARY_BAN)
    await tend_for(house, BAN.total_seconds() - 121)
    assert await house.line() is LineState.BANNED
    await tend_for(house, 1)
    assert await house.line() is LineState.CONNECTED
    await house.close()


async def test_a_ban_that_ended_while_nobody_wanted_the_line_is_over(house: House) -> None:
    house.world.peer.hang_up(banned(house))
    await house.clock.settle()
    await house.gateway.accounts.pause(house.everything, 1)
    await tend_for(house, BAN.total_seconds())
    assert await house.line() is LineState.STOPPED
    account = await house.gateway.accounts.resume(house.everything, 1)
    assert account.line.state is LineState.CONNECTING
    await house.tend()
    assert house.sessions.is_open(1)


async def test_a_ban_without_an_end_waits_for_a_human(house: House) -> None:
    house.world.peer.hang_up(LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN))
    await tend_for(house, 300)
    assert await house.line() is LineState.BANNED
    await house.gateway.accounts.resume(house.everything, 1)
    await house.tend()
    assert await house.line() is LineState.BANNED
    await house.gateway.accounts.pause(house.everything, 1)
    await house.gateway.accounts.resume(house.everything, 1)
    await house.tend()
    assert house.sessions.is_open(1)


# -- what only a human can end


@pytest.mark.parametrize(
    ("news", "state"),
    [(LineNews.LOGGED_OUT, LineState.LOGGED_OUT), (LineNews.BLOCKED, LineState.BLOCKED)],
)
async def test_a_line_that_needs_a_human_is_left_alone_until_one_acts(
    house: House, news: LineNews, state: LineState
) -> None:
    house.world.peer.hang_up(LineEvent(news=news))
    await tend_for(house, 300)
    assert await house.line() is state
    assert await states(house) == ["connected", state.value]
    await house.gateway.accounts.resume(house.everything, 1)
    await house.tend()
    assert house.sessions.is_open(1), "a human asked, so it is dialled at once"


async def test_a_line_without_a_session_is_logged_out(world: World) -> None:
    world.peer.dials.append(LineEvent(news=LineNews.NO_SESSION))
    house = await world.begin()
    await house.tend()
    await tend_for(house, 100)
    assert await house.line() is LineState.LOGGED_OUT
    await house.close()


# -- orders


async def test_a_paused_line_lets_its_send_finish_and_takes_no_other(house: House) -> None:
    gate, peer = asyncio.Event(), house.world.peer
    peer.script = lambda _: Act(gate=gate)
    first, second = await house.accept(FIRST), await house.accept(SECOND)
    step = asyncio.create_task(house.dispatch())
    await house.clock.settle()
    account = await house.gateway.accounts.pause(house.everything, 1)
    assert (account.line.state, account.is_enabled, account.line.code) == (LineState.STOPPED, False, Code.SWITCHED_OFF)
    gate.set()
    await step
    assert await house.status(first) is Status.SENT
    for _ in range(3):
        await house.dispatch()
        await tend_for(house, 1)
    assert await house.status(second) is Status.QUEUED
    await house.gateway.accounts.resume(house.everything, 1)
    await house.tend()
    await house.dispatch()
    assert await house.status(second) is Status.SENT


async def test_orders_that_change_nothing_are_no_errors(house: House) -> None:
    for _ in range(2):
        assert (await house.gateway.accounts.resume(house.everything, 1)).line.state is LineState.CONNECTED
    for _ in range(2):
        assert (await house.gateway.accounts.pause(house.everything, 1)).line.state is LineState.STOPPED


async def test_orders_and_steps_take_turns(house: House) -> None:
    orders = [LineOrder.DISABLE, LineOrder.ENABLE] * 10
    jobs = [asyncio.create_task(house.sessions.order(1, order)) for order in orders]
    steps = [asyncio.create_task(house.sessions.step(house.clock.now())) for _ in range(10)]
    await house.clock.settle()
    for job in [*jobs, *steps]:
        job.result()
    await house.tend()
    assert house.sessions.is_open(1)
    assert await house.line() is LineState.CONNECTED


async def test_an_account_can_be_ordered_before_any_step_has_seen_it(house: House) -> None:
    added = await house.store.add_account("Yeni", Kind.SANDBOX, None, house.sessions.pace(1), now=house.clock.now())
    account = await house.gateway.accounts.pause(house.everything, added.id)
    assert account.line.state is LineState.STOPPED
    await house.tend()
    assert not house.sessions.is_open(added.id)
    with pytest.raises(GuvercinError) as refused:
        await house.sessions.order(99, LineOrder.ENABLE)
    assert refused.value.code is Code.NOT_FOUND


async def test_an_account_can_be_looked_at_before_any_step_has_seen_it(house: House) -> None:
    added = await house.store.add_account("Yeni", Kind.SANDBOX, None, house.sessions.pace(1), now=house.clock.now())
    health = await house.gateway.lines.health(house.everything, added.id)
    assert (health.account.id, health.is_alive) == (added.id, False)
    assert house.sessions.transport(added.id) is not None


async def test_an_order_that_cannot_be_written_changes_nothing(house: House) -> None:
    house.store.writer.refuses = True
    with pytest.raises(GuvercinError):
        await house.gateway.accounts.pause(house.everything, 1)
    assert house.sessions.is_open(1)
    house.store.writer.refuses = False
    assert await house.line() is LineState.CONNECTED


async def test_a_removed_account_has_no_line(house: House) -> None:
    await house.gateway.accounts.remove(house.everything, 1)
    await house.tend()
    assert house.sessions.transport(1) is None
    assert house.sessions.account_ids() == frozenset()
    assert await house.dispatch() > house.clock.now()


async def test_a_changed_pace_is_known_after_a_step(house: House) -> None:
    await house.store.change_account(1, now=house.clock.now(), pace=pace((7, 7)))
    await house.tend()
    assert house.sessions.pace(1) == pace((7, 7))


# -- while the store is down


async def test_a_receipt_that_cannot_be_stored_is_told_again(house: House) -> None:
    peer = house.world.peer
    number = await house.accept()
    await house.dispatch()
    house.store.writer.refuses = True
    receipt = Receipt(remote_id=peer.arrivals[0].remote_id, kind=ReceiptKind.READ, at=house.clock.now())
    peer.tell(receipt)
    await house.clock.settle()
    assert list(peer.owed) == [receipt], "the line heard that nobody has it"
    with pytest.raises(GuvercinError):
        await house.tend()
    house.store.writer.refuses = False
    await house.tend()
    assert await house.line() is LineState.WAITING
    await until_connected(house)
    assert not peer.owed
    assert await house.status(number) is Status.READ


async def test_a_farewell_that_cannot_be_stored_still_ends_the_line(house: House) -> None:
    house.store.writer.refuses = True
    house.world.peer.hang_up(LineEvent(news=LineNews.DROPPED))
    await house.clock.settle()
    for _ in range(3):
        with pytest.raises(GuvercinError):
            await house.tend()
    house.store.writer.refuses = False
    await house.tend()
    assert await house.line() is LineState.WAITING
    await until_connected(house)


async def test_somebody_wrote_to_us(house: House) -> None:
    house.world.peer.tell(Inbound(remote_id="IN-1", sender=FIRST, text="DUR", at=house.clock.now()))
    await house.clock.settle()
    (event,) = await house.events(EventKind.MESSAGE_RECEIVED)
    assert event.detail == {"message_id": "IN-1", "gelen_id": 1}, "an event holds no text"


async def test_a_storm_of_news_ends_where_it_ends(house: House) -> None:
    peer = house.world.peer
    storm = [LineEvent(news=LineNews.DROPPED), LineEvent(news=LineNews.OPENED)] * 200
    peer.tell(*storm, LineEvent(news=LineNews.CODE), LineEvent(news=LineNews.DROPPED))
    await house.clock.settle()
    assert not peer.owed
    assert await house.line() is LineState.WAITING
    assert len(await states(house)) == len(storm) + 2
    await until_connected(house)
    before = len(await states(house))
    peer.tell(*[LineEvent(news=LineNews.OPENED)] * 500)
    await house.clock.settle()
    assert len(await states(house)) == before, "news that changes nothing is not written"


# -- restarts


class Silent(ScriptedTransport):
    """A transport whose dial nobody answers."""

    async def run(self, emit: Emit, line: Line) -> None:  # noqa: ARG002 -- nothing is told
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (LineState.CONNECTED, LineState.CONNECTING),
        (LineState.CONNECTING, LineState.CONNECTING),
        (LineState.WAITING, LineState.CONNECTING),
        (LineState.PAIRING, LineState.LOGGED_OUT),
        (LineState.LOGGED_OUT, LineState.LOGGED_OUT),
        (LineState.BLOCKED, LineState.BLOCKED),
        (LineState.BANNED, LineState.BANNED),
        (LineState.STOPPED, LineState.CONNECTING),
    ],
)
async def test_how_a_wanted_line_begins_after_a_restart(world: World, stored: LineState, expected: LineState) -> None:
    world.builds = lambda account, world: Silent(world.peers[account.id], world.clock)
    house = await world.begin()
    now = house.clock.now()
    line = Line(state=stored, since=now, until=now + BAN if stored is LineState.BANNED else None)
    await house.store.set_line(1, line, now=now)
    await house.tend()
    assert await house.line() is expected
    await house.close()


@pytest.mark.parametrize("stored", list(LineState))
async def test_a_line_that_is_not_wanted_begins_stopped(world: World, stored: LineState) -> None:
    house = await world.begin()
    now = house.clock.now()
    await house.store.set_line(1, Line(state=stored, since=now), now=now, is_enabled=False)
    await house.tend()
    assert await house.line() is LineState.STOPPED
    assert not house.sessions.is_open(1)
    await house.close()


async def test_a_session_that_could_not_begin_begins_later(world: World) -> None:
    troubles = [OSError("the disk is sick")]

    def build(account: Account, world: World) -> Transport:
        if troubles:
            raise troubles.pop()
        return ScriptedTransport(world.peers[account.id], world.clock)

    world.builds = build
    house = await world.begin()
    with pytest.raises(OSError, match="sick"):
        await house.tend()
    assert house.sessions.account_ids() == frozenset()
    await house.tend()
    assert house.sessions.is_open(1)
    await house.close()
