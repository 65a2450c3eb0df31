"""A linked phone keeps the laws of every line: the real engine, against the test server."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import TypeAlias

import pytest
from tests.contracts.transport_laws import Fate, Rig, TransportLaws, turns
from tests.transports.web.bedside import SHORT, Bedside, Notes, bedside, until

from guvercin.core.account import Line
from guvercin.core.outcome import Outcome
from guvercin.store.sqlite import reading
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.transports.base import Emit, Outgoing
from guvercin.transports.web.engine import Web
from guvercin.transports.web.journal import Reader

_accounts = count(1)

Spare: TypeAlias = list[tuple[int, LinkedDevice]]
"""Linked accounts that no test is using."""


class Stringed(Web):
    """A line whose peer drops it when a certain recipient's first message is about to leave, and is back for a run."""

    def __init__(self, side: Bedside, device: LinkedDevice, account_id: int) -> None:
        super().__init__(
            folder=side.folder / "web" / str(account_id),
            clock=side.clock,
            open_database=reading,
            numbers=Notes(),
            workers=side.workers,
            limits=SHORT,
        )
        self.side = side
        self.device = device
        self.drops: set[str] = set()
        self.is_running = False

    async def run(self, emit: Emit, line: Line) -> None:
        self.side.server.is_away = False
        self.is_running = True
        try:
            await super().run(emit, line)
        finally:
            self.is_running = False

    async def send(self, message: Outgoing) -> Outcome:
        connection = self.device.connection
        if message.recipient in self.drops and self._open_run() is not None and connection is not None:
            self.drops.discard(message.recipient)
            self.side.server.is_away = True
            await self.side.call(connection.cut())
            await until(lambda: self._open_run() is None)
        return await super().send(message)


class WebRig(Rig):
    """The strings are faults of the server; time is real."""

    moments = 6

    def __init__(self, side: Bedside, device: LinkedDevice, account_id: int, spare: Spare) -> None:
        self._side = side
        self._spare = spare
        self._account_id = account_id
        self.other: WebRig | None = None
        self._device = device
        self._before = len(side.server.received)
        self.folder = side.folder
        self.now = side.clock.now
        self.line_under_test = Stringed(side, device, account_id)
        self.transport = self.line_under_test

    def recipient(self, fate: Fate) -> str:
        person = self._side.person()
        match fate:
            case Fate.ACCEPTED:
                pass
            case Fate.DEFERRED:
                self._plan(Fault(at=Point.MESSAGE, act=Act.REFUSE, code="429", to=person.number))
            case Fate.REFUSED:
                self._plan(Fault(at=Point.MESSAGE, act=Act.REFUSE, code="400", to=person.number))
            case Fate.LOST:
                self._plan(Fault(at=Point.MESSAGE, act=Act.SILENT, to=person.number))
            case Fate.DROPPED:
                self.line_under_test.drops.add(f"+{person.number}")
        return f"+{person.number}"

    def _plan(self, fault: Fault) -> None:
        self._side.server.faults.add(fault)

    def arrivals(self) -> list[str]:
        return [one.id for one in self._side.server.received[self._before :] if one.sender is self._device]

    async def until(self, happened: Callable[[], bool]) -> None:
        await until(happened)

    async def rest(self) -> None:
        line, clock = self.line_under_test, self._side.clock
        await turns(1)  # a run that was just begun
        await until(lambda: not line.is_running or line._open_run() is not None)
        await clock.sleep_until(clock.monotonic() + 0.5)

    async def moment(self, number: int) -> None:
        clock = self._side.clock
        await clock.sleep_until(clock.monotonic() + 0.3 * number)

    async def beside(self) -> "WebRig":
        self.other = await make_rig(self._side, self._spare)
        return self.other

    def give_back(self) -> None:
        self._spare.append((self._account_id, self._device))
        if self.other is not None:
            self.other.give_back()


async def make_rig(side: Bedside, spare: Spare) -> WebRig:
    """Take a linked account, one that an earlier test has used if there is one. Nothing of that test is told again."""
    if not spare:
        account_id = next(_accounts)
        spare.append((account_id, await side.linked(account_id)))
    account_id, device = spare.pop(0)
    device.queue.clear()
    reader = Reader(side.folder / "web" / str(account_id) / "journal")
    while found := reader.read(1_000):
        reader.mark(found[-1].after)
    return WebRig(side, device, account_id, spare)


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bedside]:
    with bedside(tmp_path_factory.mktemp("web")) as side:
        yield side


@pytest.fixture(scope="module")
def spare() -> Spare:
    return []


@pytest.mark.xdist_group("whatsapp")
class TestTheLaws(TransportLaws):
    @pytest.fixture
    async def rig(self, side: Bedside, spare: Spare) -> AsyncIterator[Rig]:
        rig = await make_rig(side, spare)
        yield rig
        rig.give_back()
        side.server.faults.clear()
        side.server.is_away = False
