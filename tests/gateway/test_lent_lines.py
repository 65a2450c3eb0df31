"""The lines of a gateway among others: nothing is dialled and nothing written of an account whose lease is over."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from tests.gateway.house import House, World, seconds
from tests.gateway.test_linking import NOT_LINKED, OURS, PairingTransport

from guvercin.core.account import Account, Line, LineNews, LineOrder, LineState
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.outcome import LineEvent
from guvercin.gateway.leases import Alone, Lease
from guvercin.gateway.sessions import Sessions
from guvercin.sealing import Seal
from guvercin.store.store import Store


class Lent(Alone):
    """The leases of one of several gateways, which has every account for as long as a test says."""

    is_shared = True

    def __init__(self, lease: Lease) -> None:
        super().__init__()
        self.lease: Lease | None = lease

    def of(self, account_id: int) -> Lease | None:  # noqa: ARG002 -- as the protocol has it
        return self.lease


class TooLate:
    """A store to which every line is another gateway's by the time it is written."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def set_line(self, *_: Any, **__: Any) -> bool:
        return False


class Gate:
    """A gateway's lines, and the lease by which it has them: ten seconds."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clock = house.clock
        self.lease = Lease(0, self.clock.monotonic() + 10, self.clock.monotonic)
        self.leases = Lent(self.lease)
        self.sessions = Sessions(
            house.store,
            self.build,
            seal=Seal(house.world.folder),
            clock=self.clock,
            rng=house.rng,
            on_change=lambda _: None,
            leases=self.leases,
        )

    def build(self, account: Account) -> PairingTransport:
        self.phone = PairingTransport(self.house.world.peers[account.id], self.clock)
        return self.phone

    async def tend(self) -> None:
        await self.sessions.step(self.clock.now())
        await self.clock.settle()


@pytest.fixture
async def gate(world: World) -> AsyncIterator[Gate]:
    house = await world.begin()
    gate = Gate(house)
    yield gate
    await gate.sessions.close()
    await house.close()


async def test_what_a_line_tells_when_its_lease_is_over_is_not_written(gate: Gate, world: World) -> None:
    """A gateway was frozen, its worker ended meanwhile, and another one has the account: it tells of the line."""
    await gate.tend()
    gate.lease.good_until = gate.clock.monotonic()
    world.peer.hang_up()
    await gate.clock.settle()
    await gate.tend()
    assert await gate.house.line() is LineState.CONNECTED
    gate.clock.advance(seconds(600))
    await gate.tend()
    assert await gate.house.line() is LineState.CONNECTED, "nor is it dialled"


async def test_an_order_for_a_line_whose_lease_is_over_is_another_gateways_to_take(gate: Gate) -> None:
    await gate.tend()
    gate.lease.good_until = gate.clock.monotonic()
    with pytest.raises(GuvercinError) as refused:
        await gate.sessions.order(1, LineOrder.DISABLE)
    assert refused.value.code is Code.ELSEWHERE
    assert await gate.house.line() is LineState.CONNECTED


async def test_an_order_that_comes_too_late_to_be_written_is_another_gateways_to_take(gate: Gate) -> None:
    """The gateway is frozen after it has looked at its lease, and before its order is written."""
    await gate.tend()
    gate.sessions._store = cast("Store", TooLate(gate.house.store))
    with pytest.raises(GuvercinError) as refused:
        await gate.sessions.order(1, LineOrder.DISABLE)
    assert refused.value.code is Code.ELSEWHERE
    assert await gate.house.line() is LineState.CONNECTED


async def test_a_session_that_comes_after_its_account_is_dialled_by_itself(gate: Gate, world: World) -> None:
    """It lay in the data folder of a gateway that started later, and moved it to where all find it."""
    world.peer.dials.append(NOT_LINKED)
    await gate.tend()
    await gate.tend()
    assert await gate.house.line() is LineState.LOGGED_OUT
    gate.phone.has_session = True
    await gate.tend()
    assert await gate.house.line() is LineState.CONNECTED


async def test_a_phone_that_was_linked_in_the_moment_of_a_loss_is_dialled_by_itself(gate: Gate) -> None:
    now = gate.clock.now()
    await gate.house.store.set_line(1, Line(state=LineState.PAIRING, since=now), now=now)
    await gate.tend()
    assert await gate.house.line() is LineState.LOGGED_OUT, "what was shown is void"
    gate.phone.has_session = True
    await gate.tend()
    assert await gate.house.line() is LineState.CONNECTED


async def test_a_phone_that_was_linked_while_nothing_could_be_written_is_dialled_by_itself(gate: Gate) -> None:
    gate.house.world.peer.dials.append(NOT_LINKED)
    await gate.tend()
    await gate.sessions.pair(1, None)
    await gate.clock.settle()
    gate.house.store.writer.refuses_next = 1
    gate.phone.taken.put_nowait(OURS)
    await gate.clock.settle()
    assert gate.phone.has_session
    for _ in range(3):
        await gate.tend()
    assert await gate.house.line() is LineState.CONNECTED


async def test_a_session_that_whatsapp_ended_is_not_dialled_again(gate: Gate, world: World) -> None:
    world.peer.dials.append(LineEvent(news=LineNews.LOGGED_OUT, code=Code.REMOVED))
    await gate.tend()
    gate.phone.has_session = True  # the engine has not deleted it yet
    await gate.tend()
    assert await gate.house.line() is LineState.LOGGED_OUT


async def test_a_phone_that_is_being_linked_says_so(gate: Gate, world: World) -> None:
    world.peer.dials.append(NOT_LINKED)
    await gate.tend()
    assert not gate.sessions.is_pairing(1)
    await gate.sessions.pair(1, None)
    assert gate.sessions.is_pairing(1)
    gate.phone.taken.put_nowait(OURS)
    await gate.clock.settle()
    assert not gate.sessions.is_pairing(1)
    assert not gate.sessions.is_pairing(7)
