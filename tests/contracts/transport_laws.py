"""The laws that every line to WhatsApp keeps.

A transport's own tests inherit TransportLaws and bring a fixture `rig`: the transport, and the strings of the peer at
its other end. The laws speak of time only through the rig, so that they hold for a simulated hour and for a real one.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto
from hashlib import sha256
from itertools import count
from pathlib import Path

from guvercin.core.account import Line, LineNews, LineState
from guvercin.core.errors import Code
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    LineEvent,
    Lost,
    NeverLeft,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    TransportEvent,
)
from guvercin.transports.base import Attempt, KnowsWhatLeft, Outgoing, OutgoingFile, Transport

SAMPLES = {
    "application/pdf": b"%PDF-1.4\n%%EOF\n",
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/webp": b"RIFF\x04\x00\x00\x00WEBP",
}
"""The beginnings by which each media type is known."""

_ids = count(1)


class Fate(Enum):
    """What the peer does with the next message to a recipient."""

    ACCEPTED = auto()
    """It arrives, is acknowledged, delivered and read."""
    DEFERRED = auto()
    """It is turned away for now."""
    REFUSED = auto()
    """It is turned away for good."""
    LOST = auto()
    """It arrives, but the sender never hears so. Receipts may follow."""
    DROPPED = auto()
    """The line drops before it leaves; the next try is ACCEPTED."""


class Rig(ABC):
    """One transport, and the strings of its peer. The peer's own tasks must not run in the test's event loop."""

    transport: Transport
    folder: Path
    """Where the laws may put files to send."""
    now: Callable[[], datetime]
    moments: int = 60
    """How many moments of a run are tried out for cancelling it."""

    @abstractmethod
    def recipient(self, fate: Fate) -> str:
        """Answer a number whose next message meets this fate."""

    @abstractmethod
    def arrivals(self) -> list[str]:
        """Answer the remote ids of this account's messages at the peer, in order and with repetitions."""

    @abstractmethod
    async def until(self, happened: Callable[[], bool]) -> None:
        """Let time pass until it happened. Fails if that takes longer than anything in these laws may."""

    @abstractmethod
    async def rest(self) -> None:
        """Let time pass until whatever is going to happen has happened."""

    @abstractmethod
    async def moment(self, number: int) -> None:
        """Wait a little, a little longer for each number below `moments`: here a run will be cancelled."""

    @abstractmethod
    async def beside(self) -> "Rig":
        """Answer the rig of another account at the same peer."""

    def outgoing(self, fate: Fate = Fate.ACCEPTED, text: str | None = "Merhaba") -> Outgoing:
        """Answer a message that will meet this fate, with a secret of its own."""
        number = next(_ids)
        return Outgoing(
            message_id=number,
            secret=sha256(str(number).encode()).digest(),
            recipient=self.recipient(fate),
            text=text,
        )

    def attempt(self, message: Outgoing) -> Attempt:
        """Answer how the log remembers a hand-over that is made now."""
        return Attempt(
            message_id=message.message_id,
            secret=message.secret,
            recipient=message.recipient,
            started_at=self.now(),
        )

    def line(self) -> Line:
        """Answer the line as the gateway knows it when it dials."""
        return Line(state=LineState.CONNECTING, since=self.now())


class NotStoredError(Exception):
    """What `emit` raises here when it can't store."""


class Ear:
    """An `emit` that remembers. It can be slow by some turns of the loop, deaf to receipts, or unable to store some."""

    def __init__(self, *, turns: int = 0, is_deaf: bool = False, failures: int = 0) -> None:
        self.events: list[TransportEvent] = []
        self.refused: list[TransportEvent] = []
        self.is_deaf = is_deaf
        self._turns = turns
        self._failures = failures

    async def __call__(self, event: TransportEvent) -> None:
        await turns(self._turns)
        if isinstance(event, Receipt):
            if self.is_deaf:
                self.refused.append(event)
                await asyncio.Event().wait()
            if self._failures:
                self._failures -= 1
                self.refused.append(event)
                raise NotStoredError
        self.events.append(event)

    @property
    def news(self) -> list[LineNews]:
        return [event.news for event in self.events if isinstance(event, LineEvent)]

    @property
    def receipts(self) -> list[Receipt]:
        return [event for event in self.events if isinstance(event, Receipt)]

    def heard(self, kind: ReceiptKind) -> set[str]:
        return {receipt.remote_id for receipt in self.receipts if receipt.kind is kind}


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)  # noqa: TID251 -- one turn of the event loop, no time passes


@asynccontextmanager
async def connected(rig: Rig, ear: Ear) -> AsyncIterator[asyncio.Task[None]]:
    """Run the transport until the block ends. It must open, and leave nothing behind."""
    others = asyncio.all_tasks()
    run = asyncio.create_task(rig.transport.run(ear, rig.line()))
    try:
        await rig.until(lambda: LineNews.OPENED in ear.news or run.done())
        assert LineNews.OPENED in ear.news, f"the run ended before the line opened: {run}"
        yield run
    finally:
        await stop(rig, run)
    assert asyncio.all_tasks() <= others, "a run left tasks behind"


async def stop(rig: Rig, run: asyncio.Task[None]) -> None:
    """Cancel a run and wait for its end. An error of its own comes up here, save that `emit` could not store."""
    run.cancel()
    await rig.until(run.done)
    if not run.cancelled() and not isinstance(run.exception(), NotStoredError):
        run.result()


async def accepted(rig: Rig, message: Outgoing | None = None) -> Accepted:
    outcome = await rig.transport.send(message or rig.outgoing())
    assert isinstance(outcome, Accepted)
    return outcome


def is_line_down(outcome: Outcome) -> bool:
    return isinstance(outcome, Deferred) and outcome.reason is Code.LINE_DOWN and not outcome.pushed_back


class TransportLaws:
    """Inherit these, and bring a fixture `rig`."""

    async def test_features_name_what_can_be_carried(self, rig: Rig) -> None:
        features = rig.transport.features
        assert features.max_text > 0
        assert features.concurrency > 0
        assert all(size > 0 for size in features.media.values())
        assert features.media.keys() <= SAMPLES.keys()

    # -- the line

    async def test_a_run_says_that_it_opened_before_anything_else(self, rig: Rig) -> None:
        ear = Ear()
        async with connected(rig, ear):
            assert ear.news == [LineNews.OPENED]
            assert isinstance(ear.events[0], LineEvent)

    async def test_a_line_that_is_not_open_takes_nothing(self, rig: Rig) -> None:
        assert is_line_down(await rig.transport.send(rig.outgoing()))
        async with connected(rig, Ear()):
            pass
        for fate in Fate:
            assert is_line_down(await rig.transport.send(rig.outgoing(fate)))
        assert rig.arrivals() == []

    async def test_a_dropped_line_ends_the_run_and_the_next_one_sends(self, rig: Rig) -> None:
        message = rig.outgoing(Fate.DROPPED)
        ear = Ear()
        async with connected(rig, ear) as run:
            assert is_line_down(await rig.transport.send(message))
            assert is_line_down(await rig.transport.send(rig.outgoing()))
            await rig.until(run.done)
            assert not run.cancelled()
            assert run.exception() is None
            assert ear.news == [LineNews.OPENED, LineNews.DROPPED]
            assert is_line_down(await rig.transport.send(message))
            assert rig.arrivals() == []
        async with connected(rig, Ear()):
            answer = await accepted(rig, replace(message, secret=sha256(b"the next try").digest()))
            assert rig.arrivals() == [answer.remote_id]

    async def test_a_run_can_be_cancelled_at_any_moment_and_loses_nothing(self, rig: Rig) -> None:
        async with connected(rig, Ear(is_deaf=True)):
            sent = {(await accepted(rig)).remote_id for _ in range(3)}
            await rig.rest()
        heard: set[str] = set()
        before = asyncio.all_tasks()
        for number in range(rig.moments):
            ear = Ear(turns=3)
            run = asyncio.create_task(rig.transport.run(ear, rig.line()))
            await rig.moment(number)
            await stop(rig, run)
            assert asyncio.all_tasks() <= before, f"cancelled at moment {number}, a run left tasks behind"
            heard |= ear.heard(ReceiptKind.READ)
        ear = Ear()
        async with connected(rig, ear):
            if rig.transport.features.receipts:
                await rig.until(lambda: heard | ear.heard(ReceiptKind.READ) >= sent)
        assert sorted(rig.arrivals()) == sorted(sent)

    # -- one try

    async def test_what_is_accepted_has_arrived_once(self, rig: Rig) -> None:
        async with connected(rig, Ear()):
            answers = [await accepted(rig) for _ in range(5)]
            assert rig.arrivals() == [answer.remote_id for answer in answers]
            assert len(set(rig.arrivals())) == len(answers)
            await rig.rest()
        assert rig.arrivals() == [answer.remote_id for answer in answers]
        assert all(answer.at <= rig.now() and answer.at.tzinfo is UTC for answer in answers)

    async def test_what_is_deferred_or_refused_never_arrives(self, rig: Rig) -> None:
        async with connected(rig, Ear()):
            deferred = await rig.transport.send(rig.outgoing(Fate.DEFERRED))
            assert isinstance(deferred, Deferred)
            assert deferred.pushed_back
            assert isinstance(await rig.transport.send(rig.outgoing(Fate.REFUSED)), Refused)
            await rig.rest()
            assert rig.arrivals() == []

    async def test_what_is_lost_is_not_claimed_and_not_tried_again(self, rig: Rig) -> None:
        async with connected(rig, Ear()):
            assert isinstance(await rig.transport.send(rig.outgoing(Fate.LOST)), Lost)
            await rig.rest()
        assert len(rig.arrivals()) == 1

    async def test_as_many_go_at_once_as_features_say(self, rig: Rig) -> None:
        async with connected(rig, Ear()):
            answers = await asyncio.gather(*(accepted(rig) for _ in range(rig.transport.features.concurrency)))
        assert Counter(rig.arrivals()) == Counter(answer.remote_id for answer in answers)

    # -- what it carries

    async def test_the_longest_text_goes(self, rig: Rig) -> None:
        longest = rig.transport.features.max_text
        async with connected(rig, Ear()):
            for letter in ("a", "ğ", "🕊"):
                await accepted(rig, rig.outgoing(text=letter * longest))
        assert len(rig.arrivals()) == 3

    async def test_every_media_type_goes(self, rig: Rig) -> None:
        async with connected(rig, Ear()):
            for media_type in rig.transport.features.media:
                await accepted(rig, replace(rig.outgoing(text=None), file=_file(rig, media_type)))
                await accepted(rig, replace(rig.outgoing(text="Faturanız"), file=_file(rig, media_type)))
        assert len(rig.arrivals()) == 2 * len(rig.transport.features.media)

    async def test_a_file_that_is_gone_is_refused(self, rig: Rig) -> None:
        file = _file(rig, "application/pdf")
        file.path.unlink()
        async with connected(rig, Ear()):
            outcome = await rig.transport.send(replace(rig.outgoing(), file=file))
            assert isinstance(outcome, Refused)
            assert outcome.reason is Code.FILE_NOT_OPENED
        assert rig.arrivals() == []

    async def test_a_file_that_can_not_be_read_now_waits(self, rig: Rig) -> None:
        file = _file(rig, "application/pdf")
        content = file.path.read_bytes()
        file.path.unlink()
        file.path.symlink_to(file.path)  # as a drive in trouble: it is there, and nobody can open it
        async with connected(rig, Ear()):
            outcome = await rig.transport.send(replace(rig.outgoing(), file=file))
            assert isinstance(outcome, Deferred)
            assert (outcome.reason, outcome.pushed_back) == (Code.FILE_NOT_OPENED, False)
            assert rig.arrivals() == []
            file.path.unlink()
            file.path.write_bytes(content)
            await accepted(rig, replace(rig.outgoing(), file=file))

    # -- receipts

    async def test_receipts_come_for_what_arrived_and_for_nothing_else(self, rig: Rig) -> None:
        ear = Ear()
        async with connected(rig, ear):
            sent = {(await accepted(rig)).remote_id for _ in range(5)}
            for fate in (Fate.DEFERRED, Fate.REFUSED, Fate.LOST):
                await rig.transport.send(rig.outgoing(fate))
            if rig.transport.features.receipts:
                await rig.until(lambda: ear.heard(ReceiptKind.DELIVERED) & ear.heard(ReceiptKind.READ) >= sent)
            await rig.rest()
        assert {receipt.remote_id for receipt in ear.receipts} <= set(rig.arrivals())
        assert all(receipt.at <= rig.now() and receipt.at.tzinfo is UTC for receipt in ear.receipts)

    async def test_a_receipt_that_was_not_stored_is_told_again(self, rig: Rig) -> None:
        if not rig.transport.features.receipts:
            return
        deaf, ear = Ear(is_deaf=True), Ear()
        async with connected(rig, deaf):
            answer = await accepted(rig)
            await rig.until(lambda: bool(deaf.refused))
        async with connected(rig, ear):
            await rig.until(lambda: {*deaf.refused} <= {*ear.events})
        assert {receipt.remote_id for receipt in ear.receipts} <= {answer.remote_id}

    async def test_a_receipt_that_could_not_be_stored_is_told_again(self, rig: Rig) -> None:
        if not rig.transport.features.receipts:
            return
        ear = Ear(failures=2)
        async with connected(rig, ear):
            await accepted(rig)
            await rig.until(lambda: bool(ear.refused))
            await rig.rest()
        for _ in range(2):  # each failure may have ended a run
            async with connected(rig, ear):
                await rig.rest()
        assert len(ear.refused) == 2
        assert {*ear.refused} <= {*ear.events}

    # -- evidence

    async def test_evidence_agrees_with_the_answer(self, rig: Rig) -> None:
        transport = rig.transport
        if not isinstance(transport, KnowsWhatLeft):
            return
        async with connected(rig, Ear()):
            message = rig.outgoing()
            attempt = rig.attempt(message)
            assert await transport.find(attempt) == NeverLeft()
            answer = await accepted(rig, message)
            assert await transport.find(attempt) == answer
            for fate in (Fate.DEFERRED, Fate.REFUSED):
                message = rig.outgoing(fate)
                await transport.send(message)
                assert await transport.find(rig.attempt(message)) == NeverLeft()
        assert await transport.find(attempt) == answer

    async def test_no_evidence_says_of_a_lost_message_that_it_never_left(self, rig: Rig) -> None:
        transport = rig.transport
        if not isinstance(transport, KnowsWhatLeft):
            return
        async with connected(rig, Ear()):
            message = rig.outgoing(Fate.LOST)
            attempt = rig.attempt(message)
            assert isinstance(await transport.send(message), Lost)
            assert await transport.find(attempt) != NeverLeft()
            await rig.rest()
            evidence = await transport.find(attempt)
            assert evidence != NeverLeft()
            if isinstance(evidence, Accepted):
                assert rig.arrivals() == [evidence.remote_id]

    # -- neighbours

    async def test_two_accounts_do_not_mix(self, rig: Rig) -> None:
        other = await rig.beside()
        ours, theirs = Ear(), Ear()
        async with connected(rig, ours):
            message = rig.outgoing()
            assert is_line_down(await other.transport.send(other.outgoing()))
            async with connected(other, theirs):
                mine = await accepted(rig, message)
                foreign = await accepted(other)
                if isinstance(other.transport, KnowsWhatLeft):
                    assert not isinstance(await other.transport.find(other.attempt(message)), Accepted)
                if rig.transport.features.receipts:
                    await rig.until(lambda: bool(ours.heard(ReceiptKind.READ) and theirs.heard(ReceiptKind.READ)))
        assert rig.arrivals() == [mine.remote_id]
        assert other.arrivals() == [foreign.remote_id]
        assert {receipt.remote_id for receipt in ours.receipts} <= {mine.remote_id}
        assert {receipt.remote_id for receipt in theirs.receipts} <= {foreign.remote_id}


def _file(rig: Rig, media_type: str) -> OutgoingFile:
    content = SAMPLES[media_type]
    path = rig.folder / sha256(f"{next(_ids)}".encode()).hexdigest()
    path.write_bytes(content)
    return OutgoingFile(path=path, name="FTR-001", media_type=media_type, size=len(content))
