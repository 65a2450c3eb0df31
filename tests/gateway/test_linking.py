"""Linking a phone, seen from the gateway: orders, news, the number that an account is, and what waits for another."""

import asyncio

import pytest
from tests.gateway.house import FIRST, House, World, seconds

from guvercin.core.account import LineNews, LineState
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status, WaitsFor
from guvercin.core.outcome import LineEvent, Linked
from guvercin.testing.transport import OPENED, Peer, ScriptedTransport
from guvercin.transports.base import Clock, Emit, Link, LinkState

OURS, OTHER = "+905320000001", "+905320000002"
NOT_LINKED = LineEvent(news=LineNews.NO_SESSION, code=Code.NOT_LINKED)


class PairingTransport(ScriptedTransport):
    """A line whose phone takes the link when the test says so."""

    def __init__(self, peer: Peer, clock: Clock) -> None:
        super().__init__(peer, clock)
        self.link = Link(state=LinkState.NONE)
        self.has_session = False
        self.cannot_tell = False
        self.is_erased = False
        self.asked: list[str | None] = []
        self.taken: asyncio.Queue[str | LineEvent | Exception] = asyncio.Queue()

    async def is_linked(self) -> bool:
        return self.has_session

    async def pair(self, emit: Emit, phone: str | None) -> None:
        self.asked.append(phone)
        until = self._clock.now() + seconds(60)
        self.link = Link(state=LinkState.SHOWING, qr="text", valid_until=until)
        await emit(LineEvent(news=LineNews.CODE, until=until))
        taken = await self.taken.get()
        if isinstance(taken, Exception):
            raise taken
        if isinstance(taken, LineEvent):
            self.link = Link(state=LinkState.TIMED_OUT)
            await emit(taken)
            return
        self.link = Link(state=LinkState.LINKED)
        self.has_session = True
        await emit(Linked(phone=taken))
        await emit(LineEvent(news=LineNews.PAIRED))
        await emit(OPENED)
        farewell = await self._listen(emit)
        if isinstance(farewell, LineEvent):
            await emit(farewell)

    async def unlink(self) -> None:
        if self.cannot_tell:
            raise GuvercinError(Code.NOT_CONNECTED)
        self.has_session = False
        self._peer.hang_up(LineEvent(news=LineNews.LOGGED_OUT, code=Code.NOT_LINKED))

    async def erase(self) -> None:
        self.is_erased = True


@pytest.fixture
def paired(world: World) -> World:
    world.builds = lambda account, world: PairingTransport(world.peers[account.id], world.clock)
    world.peer.dials.append(NOT_LINKED)
    return world


def phone_of(house: House) -> PairingTransport:
    transport = house.sessions.transport(1)
    assert isinstance(transport, PairingTransport)
    return transport


async def number(house: House) -> str | None:
    return next(account.phone for account in await house.store.accounts() if account.id == 1)


async def test_a_phone_takes_the_link_and_its_line_opens(paired: World) -> None:
    house = await paired.begin()
    await house.tend()
    assert await house.line() is LineState.LOGGED_OUT
    await house.sessions.pair(1, None)
    await house.clock.settle()
    assert await house.line() is LineState.PAIRING
    await house.tend()  # nothing is dialled beside it
    phone_of(house).taken.put_nowait(OURS)
    await house.clock.settle()
    assert await house.line() is LineState.CONNECTED
    assert await number(house) == OURS
    with pytest.raises(GuvercinError) as refusal:
        await house.sessions.pair(1, None)
    assert refusal.value.code is Code.ALREADY_LINKED
    assert await house.line() is LineState.CONNECTED
    await house.close()


async def test_nobody_takes_it(paired: World) -> None:
    house = await paired.begin()
    await house.tend()
    await house.sessions.pair(1, OURS)
    phone_of(house).taken.put_nowait(LineEvent(news=LineNews.TIMED_OUT, code=Code.LINKING_TIMED_OUT))
    await house.clock.settle()
    assert phone_of(house).asked == [OURS]
    assert await house.line() is LineState.LOGGED_OUT
    assert await number(house) is None
    await house.close()


async def test_a_linking_that_breaks_ends_and_can_be_begun_again(paired: World) -> None:
    house = await paired.begin()
    await house.tend()
    await house.sessions.pair(1, None)
    phone_of(house).taken.put_nowait(OSError("no pipe"))
    await house.clock.settle()
    assert await house.line() is LineState.PAIRING
    await house.tend()
    assert await house.line() is LineState.LOGGED_OUT
    await house.sessions.pair(1, None)
    await house.clock.settle()
    await house.sessions.pair(1, OURS)  # while the first is shown: the new one takes its place
    phone_of(house).taken.put_nowait(OURS)
    await house.clock.settle()
    assert phone_of(house).asked == [None, None, OURS]
    assert await house.line() is LineState.CONNECTED
    await house.close()


async def test_a_line_that_was_switched_off_is_wanted_once_it_is_linked(paired: World) -> None:
    house = await paired.begin()
    await house.tend()
    token = await house.token("everything")
    await house.gateway.accounts.pause(token, 1)
    await house.sessions.pair(1, None)
    phone_of(house).taken.put_nowait(OURS)
    await house.clock.settle()
    assert await house.line() is LineState.CONNECTED
    assert (await house.gateway.accounts.one(token, 1)).is_enabled
    await house.close()


async def test_a_restart_ends_a_linking(paired: World) -> None:
    house = await paired.begin()
    await house.tend()
    await house.sessions.pair(1, None)
    await house.clock.settle()
    await house.close()
    house = await paired.begin()
    await house.tend()
    assert await house.line() is LineState.LOGGED_OUT
    await house.close()


async def test_what_waited_for_another_number_is_held(paired: World) -> None:
    house = await paired.begin()
    await house.tend()
    await house.store.link_account(1, OURS, now=house.clock.now())
    sent = await house.accept(FIRST)
    assert await house.store.link_account(1, OURS, now=house.clock.now()) == 0, "the same phone again"
    await house.sessions.pair(1, None)
    phone_of(house).taken.put_nowait(OTHER)
    await house.clock.settle()
    message = await house.message(sent)
    assert (message.status, message.waits_for) == (Status.QUEUED, WaitsFor.NEW_NUMBER)
    assert await number(house) == OTHER
    await house.store.release(sent, now=house.clock.now())
    assert (await house.message(sent)).waits_for is None
    await house.close()


async def test_unlinking_ends_the_line(paired: World) -> None:
    house = await paired.begin()
    await house.tend()
    await house.sessions.pair(1, None)
    phone_of(house).taken.put_nowait(OURS)
    await house.clock.settle()
    await house.sessions.unlink(1)
    await house.clock.settle()
    assert not phone_of(house).has_session
    assert not house.sessions.is_open(1)
    await house.close()


async def test_what_has_no_phone_cannot_be_linked(house: House) -> None:
    for ask in (house.sessions.pair(1, None), house.sessions.unlink(1)):
        with pytest.raises(GuvercinError) as refusal:
            await ask
        assert refusal.value.code is Code.UNSUPPORTED
    assert await house.line() is LineState.CONNECTED


async def test_a_line_that_is_sick_stays_connected_and_says_so(house: House) -> None:
    for news, code in ((LineNews.SICK, Code.NO_DELIVERIES), (LineNews.WELL, None)):
        house.world.peer.tell(LineEvent(news=news, code=code))
        await house.clock.settle()
        (account,) = await house.store.accounts()
        assert (account.line.state, account.line.code) == (LineState.CONNECTED, code)


async def linked(paired: World) -> House:
    house = await paired.begin()
    await house.tend()
    await house.sessions.pair(1, None)
    phone_of(house).taken.put_nowait(OURS)
    await house.clock.settle()
    return house


async def test_a_removed_account_is_unlinked_and_nothing_of_it_stays(paired: World) -> None:
    house = await linked(paired)
    phone = phone_of(house)
    assert await house.gateway.accounts.remove(await house.token("everything"), 1) is None
    assert (phone.has_session, phone.is_erased) == (False, True)
    assert house.sessions.transport(1) is None
    await house.close()


async def test_a_phone_that_cannot_be_told_is_removed_all_the_same_and_that_is_said(paired: World) -> None:
    house = await linked(paired)
    phone = phone_of(house)
    phone.cannot_tell = True
    token = await house.token("everything")
    assert await house.gateway.accounts.remove(token, 1) is Code.STILL_ON_PHONE
    assert phone.is_erased
    with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
        await house.gateway.accounts.remove(token, 1)
    await house.close()


async def test_an_account_whose_messages_wait_is_neither_removed_nor_unlinked(paired: World) -> None:
    house = await linked(paired)
    phone = phone_of(house)
    await house.accept(FIRST)
    with pytest.raises(GuvercinError, match=Code.MESSAGES_WAITING.value):
        await house.gateway.accounts.remove(await house.token("everything"), 1)
    assert (phone.has_session, phone.is_erased) == (True, False)
    assert await house.line() is LineState.CONNECTED
    await house.close()
