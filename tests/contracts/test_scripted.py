"""The line that tests script keeps the laws of every line, and does what its script says."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.contracts.transport_laws import Ear, Fate, Rig, TransportLaws, connected, is_line_down, turns

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import Accepted, Deferred, LineEvent, Lost, NeverLeft, ReceiptKind, Refused, Unclear
from guvercin.testing.clock import ManualClock
from guvercin.testing.transport import LINE_DOWN, Act, Peer, ScriptedTransport, remote_id_of
from guvercin.transports.base import Outgoing

SEEN = (ReceiptKind.DELIVERED, ReceiptKind.READ)


class ScriptedRig(Rig):
    """The strings are the peer's script, which goes by the number."""

    def __init__(self, *, clock: ManualClock, folder: Path) -> None:
        self.clock = clock
        self.now = clock.now
        self.folder = folder
        self.peer = Peer(self._act)
        self.transport = self.line_to_peer = ScriptedTransport(self.peer, clock)
        self._dropped: set[int] = set()

    def _act(self, message: Outgoing) -> Act:
        match Fate[message.recipient]:
            case Fate.DEFERRED:
                return Act(arrives=False, answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True))
            case Fate.REFUSED:
                return Act(arrives=False, answer=Refused(reason=Code.NOT_ON_WHATSAPP))
            case Fate.LOST:
                return Act(answer=Lost(Code.ANSWER_LOST), receipts=SEEN)
            case Fate.DROPPED if message.message_id not in self._dropped:
                self._dropped.add(message.message_id)
                self.peer.hang_up()
                return Act(arrives=False, answer=LINE_DOWN)
            case _:
                return Act(receipts=SEEN)

    def recipient(self, fate: Fate) -> str:
        return fate.name

    def arrivals(self) -> list[str]:
        return [arrived.remote_id for arrived in self.peer.arrivals]

    async def until(self, happened: Callable[[], bool]) -> None:
        await self.clock.settle()
        assert happened()

    async def rest(self) -> None:
        await self.clock.elapse(timedelta(seconds=20))

    async def moment(self, number: int) -> None:
        await turns(number)

    async def beside(self) -> "ScriptedRig":
        return ScriptedRig(clock=self.clock, folder=self.folder)


@pytest.fixture
def rig(tmp_path: Path) -> ScriptedRig:
    return ScriptedRig(clock=ManualClock(), folder=tmp_path)


class TestTheLaws(TransportLaws):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Rig:
        return ScriptedRig(clock=ManualClock(), folder=tmp_path)


async def test_receipts_can_come_before_the_answer_in_any_order_and_twice(rig: ScriptedRig) -> None:
    gate, ear = asyncio.Event(), Ear()
    rig.peer.script = lambda _: Act(gate=gate, receipts=(ReceiptKind.READ, ReceiptKind.DELIVERED, ReceiptKind.READ))
    message = rig.outgoing()
    async with connected(rig, ear):
        sending = asyncio.create_task(rig.transport.send(message))
        await rig.clock.settle()
        assert [receipt.kind.value for receipt in ear.receipts] == ["read", "delivered", "read"]
        assert not sending.done()
        gate.set()
        await rig.clock.settle()
        assert sending.result() == Accepted(remote_id_of(message.secret), rig.now())


async def test_a_slow_message_arrives_and_is_answered_when_the_act_says(rig: ScriptedRig) -> None:
    rig.peer.script = lambda _: Act(before=timedelta(seconds=2), after=timedelta(seconds=3))
    async with connected(rig, Ear()):
        sending = asyncio.create_task(rig.transport.send(rig.outgoing()))
        await rig.clock.elapse(timedelta(seconds=1.9))
        assert rig.arrivals() == []
        await rig.clock.elapse(timedelta(seconds=3))
        assert len(rig.arrivals()) == 1
        assert not sending.done()
        await rig.clock.elapse(timedelta(seconds=0.2))
        assert sending.done()


async def test_a_send_that_is_cut_short_before_it_arrives_never_does(rig: ScriptedRig) -> None:
    rig.peer.script = lambda _: Act(before=timedelta(seconds=2))
    message = rig.outgoing()
    async with connected(rig, Ear()):
        sending = asyncio.create_task(rig.transport.send(message))
        await rig.clock.elapse(timedelta(seconds=1))
        sending.cancel()
        await rig.rest()
        assert rig.arrivals() == []
        assert rig.peer.handed == [message]
        assert await rig.line_to_peer.find(rig.attempt(message)) == NeverLeft()


async def test_it_raises_what_the_act_says(rig: ScriptedRig) -> None:
    rig.peer.script = lambda _: Act(answer=ConnectionResetError())
    async with connected(rig, Ear()):
        with pytest.raises(ConnectionResetError):
            await rig.transport.send(rig.outgoing())
    assert len(rig.arrivals()) == 1


async def test_the_evidence_of_a_test_stands_before_the_truth(rig: ScriptedRig) -> None:
    message = rig.outgoing()
    rig.peer.evidence = Unclear()
    assert await rig.line_to_peer.find(rig.attempt(message)) == Unclear()
    rig.peer.evidence = OSError("the disk is sick")
    with pytest.raises(OSError, match="sick"):
        await rig.line_to_peer.find(rig.attempt(message))
    assert len(rig.peer.looks) == 2


@pytest.mark.parametrize("farewell", [LineEvent(news=LineNews.LOGGED_OUT), None])
async def test_the_peer_hangs_up_as_it_likes(rig: ScriptedRig, farewell: LineEvent | None) -> None:
    ear = Ear()
    async with connected(rig, ear) as run:
        rig.peer.hang_up(farewell)
        assert is_line_down(await rig.transport.send(rig.outgoing()))
        await rig.clock.settle()
        assert run.done()
    assert ear.events[1:] == ([farewell] if farewell else [])


async def test_the_peer_can_break_a_run_or_turn_a_dial_away(rig: ScriptedRig) -> None:
    ear = Ear()
    rig.peer.dials.extend([LineEvent(news=LineNews.NO_SESSION), OSError("no route")])
    await rig.transport.run(ear, rig.line())
    assert ear.news == [LineNews.NO_SESSION]
    with pytest.raises(OSError, match="no route"):
        await rig.transport.run(ear, rig.line())
    run = asyncio.create_task(rig.transport.run(ear, rig.line()))
    await rig.clock.settle()
    rig.peer.hang_up(OSError("broken pipe"))
    await rig.clock.settle()
    with pytest.raises(OSError, match="broken pipe"):
        run.result()


async def test_what_the_peer_owes_waits_for_the_next_line(rig: ScriptedRig) -> None:
    ear = Ear()
    rig.peer.tell(LineEvent(news=LineNews.CODE))
    async with connected(rig, ear):
        await rig.clock.settle()
    assert ear.news == [LineNews.OPENED, LineNews.CODE]
