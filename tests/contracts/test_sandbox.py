"""The sandbox keeps the laws of every line, and acts out the story of each number to the letter."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from tests.contracts.transport_laws import Fate, Rig, TransportLaws, is_line_down, turns

from guvercin.core.account import Line, LineNews, LineState
from guvercin.core.errors import Code
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    Inbound,
    LineEvent,
    Lost,
    NeverLeft,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Scope,
    TransportEvent,
    Unclear,
)
from guvercin.testing.clock import ManualClock
from guvercin.transports.base import Attempt, KnowsWhatLeft, Outgoing, Transport
from guvercin.transports.ledger import KEPT, Arrival, Ledger, arrivals
from guvercin.transports.sandbox import BAN, FULL_DISK_WAIT, RETRY_AFTER, STORIES, TOLD_AT_ONCE, Sandbox

NUMBER = "+9050000000{:02}"
DELIVERED, READ, SERVER = ReceiptKind.DELIVERED, ReceiptKind.READ, ReceiptKind.SERVER


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


class SandboxRig(Rig):
    """The peer is the ledger, the strings are the magic numbers, and time is moved by hand."""

    def __init__(self, *, clock: ManualClock, folder: Path, ledger: Ledger, account_id: int) -> None:
        self.clock = clock
        self.now = clock.now
        self.folder = folder
        self._ledger = ledger
        self._account_id = account_id
        self.transport = Sandbox(account_id=account_id, ledger=ledger, clock=clock)

    def recipient(self, fate: Fate) -> str:
        numbers = {Fate.ACCEPTED: 1, Fate.DEFERRED: 6, Fate.REFUSED: 2, Fate.LOST: 7, Fate.DROPPED: 10}
        return NUMBER.format(numbers[fate])

    def arrivals(self) -> list[str]:
        found = arrivals(self.folder / "sandbox.jsonl")
        return [arrival.remote_id for arrival in found if arrival.account_id == self._account_id]

    async def until(self, happened: Callable[[], bool]) -> None:
        for _ in range(200):
            await self.clock.settle()
            if happened():
                return
            self.clock.advance(seconds(0.1))
        pytest.fail("it did not happen within 20 simulated seconds")

    async def rest(self) -> None:
        await self.clock.elapse(seconds(20))

    async def moment(self, number: int) -> None:
        await turns(number)

    async def beside(self) -> "SandboxRig":
        return SandboxRig(
            clock=self.clock,
            folder=self.folder,
            ledger=self._ledger,
            account_id=self._account_id + 1,
        )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(clock: ManualClock, tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "sandbox.jsonl", now=clock.now())
    yield ledger
    ledger.close()


class TestTheLaws(TransportLaws):
    @pytest.fixture
    def rig(self, clock: ManualClock, ledger: Ledger, tmp_path: Path) -> Rig:
        return SandboxRig(clock=clock, folder=tmp_path, ledger=ledger, account_id=1)


class Stage:
    """A sandbox on a stage: send to a number, let time pass, and read what was told and when."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.path = folder / "sandbox.jsonl"
        self.told: list[tuple[float, TransportEvent]] = []
        self.ear: Callable[[TransportEvent], None] = lambda _: None
        self._ids = count(1)
        self.ledger = Ledger(self.path, now=clock.now())
        self.sandbox = Sandbox(account_id=1, ledger=self.ledger, clock=clock)
        self.began = clock.now()

    def restart(self) -> None:
        """Begin a new process: all that is left is the file."""
        self.ledger.close()
        self.ledger = Ledger(self.path, now=self.clock.now())
        self.sandbox = Sandbox(account_id=1, ledger=self.ledger, clock=self.clock)
        self.told.clear()

    def message(self, number: int, message_id: int | None = None, attempt: int = 1) -> Outgoing:
        message_id = next(self._ids) if message_id is None else message_id
        secret = sha256(f"{message_id} {attempt}".encode()).digest()
        return Outgoing(message_id=message_id, secret=secret, recipient=NUMBER.format(number), text="Merhaba")

    def attempt(self, message: Outgoing) -> Attempt:
        return Attempt(
            message_id=message.message_id,
            secret=message.secret,
            recipient=message.recipient,
            started_at=self.began,
        )

    async def emit(self, event: TransportEvent) -> None:
        self.ear(event)
        self.told.append(((self.clock.now() - self.began).total_seconds(), event))

    async def start(self) -> asyncio.Task[None]:
        line = Line(state=LineState.CONNECTING, since=self.clock.now())
        run = asyncio.create_task(self.sandbox.run(self.emit, line))
        await self.clock.settle()
        return run

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        run = await self.start()
        try:
            yield run
        finally:
            run.cancel()
            await self.clock.settle()
            assert run.done()
        if not run.cancelled():
            run.result()

    async def play(self, message: Outgoing, duration: float = 30) -> Outcome:
        """Send a message and let its story go by."""
        sending = asyncio.create_task(self.sandbox.send(message))
        await self.clock.elapse(seconds(duration))
        return await sending

    def receipts(self) -> list[tuple[float, ReceiptKind]]:
        return [(at, event.kind) for at, event in self.told if isinstance(event, Receipt)]

    def news(self) -> list[LineNews]:
        return [event.news for _, event in self.told if isinstance(event, LineEvent)]


@pytest.fixture
def stage(tmp_path: Path, clock: ManualClock) -> Iterator[Stage]:
    stage = Stage(tmp_path, clock)
    yield stage
    stage.ledger.close()


def test_it_is_a_transport_that_knows_what_left(stage: Stage) -> None:
    transport: Transport = stage.sandbox
    assert isinstance(transport, KnowsWhatLeft)
    assert transport.features.max_text == 4096
    assert set(transport.features.media.values()) == {16 * 1024 * 1024}


# -- the stories


@pytest.mark.parametrize("number", [1, 13, 99])
async def test_01_and_every_other_number_is_delivered_and_read(stage: Stage, number: int) -> None:
    async with stage.running():
        outcome = await stage.play(stage.message(number))
    assert isinstance(outcome, Accepted)
    assert outcome.at == stage.began
    assert outcome.remote_id.startswith("DENEME-")
    assert int(outcome.remote_id.removeprefix("DENEME-"), 16) < 2**64
    assert outcome.remote_id.isupper()
    assert len(outcome.remote_id) == 23
    assert stage.receipts() == [(1, DELIVERED), (3, READ)]
    assert [event.at for _, event in stage.told[1:] if isinstance(event, Receipt)] == [
        stage.began + seconds(1),
        stage.began + seconds(3),
    ]


async def test_02_is_not_on_whatsapp(stage: Stage) -> None:
    async with stage.running():
        outcome = await stage.play(stage.message(2))
    assert outcome == Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT)
    assert stage.receipts() == []


async def test_03_is_delivered_and_never_read(stage: Stage) -> None:
    async with stage.running():
        assert isinstance(await stage.play(stage.message(3)), Accepted)
    assert stage.receipts() == [(1, DELIVERED)]


async def test_04_takes_five_seconds_to_be_sent(stage: Stage) -> None:
    async with stage.running():
        message = stage.message(4)
        sending = asyncio.create_task(stage.sandbox.send(message))
        await stage.clock.elapse(seconds(4.9))
        assert not sending.done()
        assert len(arrivals(stage.path)) == 1
        assert await stage.sandbox.find(stage.attempt(message)) == Unclear()
        await stage.clock.elapse(seconds(0.1))
        outcome = await sending
        assert outcome == Accepted(arrivals(stage.path)[0].remote_id, stage.began + seconds(5))
        assert await stage.sandbox.find(stage.attempt(message)) == outcome
        await stage.clock.elapse(seconds(30))
    assert stage.receipts() == [(6, DELIVERED), (8, READ)]


async def test_04_that_is_cut_short_has_arrived(stage: Stage) -> None:
    async with stage.running():
        message = stage.message(4)
        sending = asyncio.create_task(stage.sandbox.send(message))
        await stage.clock.elapse(seconds(1))
        sending.cancel()
        await stage.clock.elapse(seconds(10))
        assert sending.cancelled()
        assert isinstance(await stage.sandbox.find(stage.attempt(message)), Accepted)
    assert stage.receipts() == [(6, DELIVERED), (8, READ)]


async def test_05_answers_dur(stage: Stage) -> None:
    async with stage.running():
        outcome = await stage.play(stage.message(5))
    assert isinstance(outcome, Accepted)
    assert stage.receipts() == [(1, DELIVERED), (3, READ)]
    at, answer = stage.told[-1]
    assert isinstance(answer, Inbound)
    assert (at, answer.sender, answer.text) == (4, NUMBER.format(5), "DUR")
    assert answer.remote_id.startswith("DENEME-")
    assert answer.remote_id != outcome.remote_id


async def test_06_fails_once_and_then_goes(stage: Stage) -> None:
    async with stage.running():
        first = stage.message(6, message_id=1)
        assert await stage.play(first) == Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=RETRY_AFTER)
        assert await stage.sandbox.find(stage.attempt(first)) == NeverLeft()
        assert isinstance(await stage.play(stage.message(6, message_id=1, attempt=2)), Accepted)
        assert isinstance(await stage.play(stage.message(6, message_id=2)), Deferred)
    assert [kind for _, kind in stage.receipts()] == [DELIVERED, READ]


async def test_06_remembers_its_failure_over_a_restart(stage: Stage) -> None:
    async with stage.running():
        assert isinstance(await stage.play(stage.message(6, message_id=1)), Deferred)
    stage.restart()
    async with stage.running():
        assert isinstance(await stage.play(stage.message(6, message_id=1, attempt=2)), Accepted)


async def test_07_is_lost_until_a_receipt_settles_it(stage: Stage) -> None:
    async with stage.running():
        message = stage.message(7)
        assert await stage.sandbox.send(message) == Lost(Code.ANSWER_LOST)
        await stage.clock.elapse(seconds(4.9))
        assert await stage.sandbox.find(stage.attempt(message)) == Unclear()
        assert stage.receipts() == []
        await stage.clock.elapse(seconds(0.1))
        remote_id = arrivals(stage.path)[0].remote_id
        assert await stage.sandbox.find(stage.attempt(message)) == Accepted(remote_id, stage.began + seconds(5))
        await stage.clock.elapse(seconds(30))
    assert stage.receipts() == [(5, SERVER), (6, DELIVERED), (8, READ)]
    assert {event.remote_id for _, event in stage.told if isinstance(event, Receipt)} == {remote_id}


async def test_08_is_lost_for_good(stage: Stage) -> None:
    async with stage.running():
        message = stage.message(8)
        assert await stage.play(message, 3600) == Lost(Code.ANSWER_LOST)
        assert await stage.sandbox.find(stage.attempt(message)) == Unclear()
    stage.restart()
    async with stage.running():
        await stage.clock.elapse(timedelta(days=1))
        assert await stage.sandbox.find(stage.attempt(message)) == Unclear()
        assert stage.receipts() == []
    assert len(arrivals(stage.path)) == 1
    assert stage.ledger.unfinished(1) == []


async def test_09_may_not_start_new_chats(stage: Stage) -> None:
    async with stage.running():
        outcome = await stage.play(stage.message(9))
    assert outcome == Refused(reason=Code.NEW_CHATS_RESTRICTED, scope=Scope.ACCOUNT, detail="463")


async def test_10_drops_the_line_which_comes_back(stage: Stage) -> None:
    async with stage.running() as run:
        earlier = await stage.sandbox.send(stage.message(1))
        assert isinstance(earlier, Accepted)
        assert is_line_down(await stage.play(stage.message(10, message_id=50)))
        assert run.done()
    assert stage.news() == [LineNews.OPENED, LineNews.DROPPED]
    assert stage.receipts() == []
    async with stage.running():
        assert isinstance(await stage.play(stage.message(10, message_id=50, attempt=2)), Accepted)
    assert stage.news() == [LineNews.OPENED, LineNews.DROPPED, LineNews.OPENED]
    assert stage.receipts() == [(30, DELIVERED), (30, READ), (31, DELIVERED), (33, READ)]


async def test_11_is_banned_for_a_minute(stage: Stage) -> None:
    async with stage.running() as run:
        assert is_line_down(await stage.play(stage.message(11, message_id=1), 1))
        assert run.done()
    until = stage.began + BAN
    ban = LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=until)
    assert stage.told[1:] == [(0, ban)]
    async with stage.running() as run:  # dialled too early
        assert run.done()
    assert stage.told[2:] == [(1, ban)]
    await stage.clock.elapse(seconds(59))
    async with stage.running():
        assert isinstance(await stage.play(stage.message(11, message_id=1, attempt=2)), Accepted)
    assert stage.news() == [LineNews.OPENED, LineNews.BANNED, LineNews.BANNED, LineNews.OPENED]
    assert stage.receipts() == [(61, DELIVERED), (63, READ)]


async def test_a_restart_learns_of_a_ban_from_the_line(stage: Stage) -> None:
    until = stage.began + BAN
    line = Line(state=LineState.BANNED, since=stage.began, until=until)
    run = asyncio.create_task(stage.sandbox.run(stage.emit, line))
    await stage.clock.settle()
    assert run.done()
    assert stage.told == [(0, LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=until))]


async def test_12_tells_its_receipts_twice_and_in_reverse(stage: Stage) -> None:
    async with stage.running():
        await stage.play(stage.message(12))
    assert stage.receipts() == [(3, READ), (3, READ), (3, DELIVERED), (3, DELIVERED)]
    stamps = {event.kind: event.at - stage.began for _, event in stage.told if isinstance(event, Receipt)}
    assert stamps == {DELIVERED: seconds(1), READ: seconds(3)}


def test_every_story_has_its_number() -> None:
    assert list(STORIES) == [NUMBER.format(number) for number in range(1, 14)]


# -- running


async def test_stories_that_run_together_keep_their_times(stage: Stage) -> None:
    async with stage.running():
        for _ in range(3):
            await stage.play(stage.message(1), 0.5)
        await stage.clock.elapse(seconds(30))
    assert [at for at, _ in stage.receipts()] == [1, 1.5, 2, 3, 3.5, 4]


async def test_a_story_due_earlier_overtakes(stage: Stage) -> None:
    async with stage.running():
        await stage.sandbox.send(stage.message(7))
        await stage.clock.settle()
        await stage.play(stage.message(1))
    assert stage.receipts() == [(1, DELIVERED), (3, READ), (5, SERVER), (6, DELIVERED), (8, READ)]


async def test_receipts_are_handed_in_together_but_not_all(stage: Stage) -> None:
    at_once, most = 0, 0

    async def emit(event: TransportEvent) -> None:
        nonlocal at_once, most
        if isinstance(event, Receipt):
            at_once += 1
            most = max(most, at_once)
            await turns(3)
            at_once -= 1
        await stage.emit(event)

    run = asyncio.create_task(stage.sandbox.run(emit, Line(state=LineState.CONNECTING, since=stage.began)))
    await stage.clock.settle()
    for _ in range(1000):
        await stage.sandbox.send(stage.message(1))
    await stage.clock.elapse(seconds(10))
    run.cancel()
    await stage.clock.settle()
    assert most == TOLD_AT_ONCE
    assert len(stage.receipts()) == 2000
    order: dict[str, list[ReceiptKind]] = {}
    for _, event in stage.told:
        if isinstance(event, Receipt):
            order.setdefault(event.remote_id, []).append(event.kind)
    assert set(map(tuple, order.values())) == {(DELIVERED, READ)}
    assert stage.ledger.unfinished(1) == []


async def test_a_failing_store_ends_the_run_but_not_the_others_receipts(stage: Stage) -> None:
    class DiskError(Exception):
        pass

    def ear(event: TransportEvent) -> None:
        if isinstance(event, Receipt) and event.remote_id == arrivals(stage.path)[0].remote_id:
            raise DiskError

    stage.ear = ear
    run = await stage.start()
    for _ in range(2):
        await stage.sandbox.send(stage.message(1))
    await stage.clock.elapse(seconds(1))
    assert isinstance(run.exception(), DiskError)
    assert stage.receipts() == [(1, DELIVERED)]
    stage.ear = lambda _: None
    async with stage.running():
        await stage.clock.elapse(seconds(5))
    assert stage.receipts() == [(1, DELIVERED), (1, DELIVERED), (3, READ), (3, READ)]


@pytest.mark.parametrize("number", range(30))
async def test_cancelling_takes_a_few_turns_and_no_time(stage: Stage, number: int) -> None:
    before = asyncio.all_tasks()
    for _ in range(3):
        async with stage.running():
            await stage.sandbox.send(stage.message(1))
    stage.clock.advance(seconds(5))
    line = Line(state=LineState.CONNECTING, since=stage.clock.now())
    run = asyncio.create_task(stage.sandbox.run(stage.emit, line))
    await turns(number)
    run.cancel()
    await turns(4)
    assert run.cancelled()
    assert asyncio.all_tasks() == before


async def test_a_wall_clock_set_back_delays_no_receipt(stage: Stage) -> None:
    async with stage.running():
        await stage.sandbox.send(stage.message(1))
        stage.clock.jump_wall(-timedelta(hours=1))
        await stage.clock.elapse(seconds(3))
    assert [kind for _, kind in stage.receipts()] == [DELIVERED, READ]
    await _sent_and_stopped(stage)
    stage.clock.jump_wall(-timedelta(hours=1))
    stage.restart()
    async with stage.running():
        await stage.clock.elapse(seconds(3))
    assert [kind for _, kind in stage.receipts()] == [DELIVERED, READ]


async def test_unlinking_is_harmless(stage: Stage) -> None:
    await stage.sandbox.unlink()
    async with stage.running():
        assert isinstance(await stage.play(stage.message(1)), Accepted)


# -- after a restart


async def _sent_and_stopped(stage: Stage, number: int = 1, duration: float = 0) -> None:
    async with stage.running():
        await stage.sandbox.send(stage.message(number))
        await stage.clock.elapse(seconds(duration))


@pytest.mark.parametrize(
    ("down_for", "expected"),
    [
        (0.5, [(1, DELIVERED), (3, READ)]),
        (2, [(2, DELIVERED), (3, READ)]),
        (3600, [(3600, DELIVERED), (3600, READ)]),
    ],
)
async def test_a_story_plays_on_after_a_restart(
    stage: Stage,
    down_for: float,
    expected: list[tuple[float, ReceiptKind]],
) -> None:
    await _sent_and_stopped(stage)
    stage.clock.advance(seconds(down_for))
    stage.restart()
    async with stage.running():
        await stage.clock.elapse(seconds(30))
    assert stage.receipts() == expected
    stage.restart()
    async with stage.running():
        await stage.clock.elapse(seconds(30))
    assert stage.receipts() == [], "a story that was told to its end was told again"


async def test_a_half_told_story_is_told_again(stage: Stage) -> None:
    await _sent_and_stopped(stage, duration=2)
    told = {event for _, event in stage.told if isinstance(event, Receipt)}
    stage.restart()
    async with stage.running():
        await stage.clock.elapse(seconds(30))
    assert stage.receipts() == [(2, DELIVERED), (3, READ)]
    assert told < {event for _, event in stage.told}, "the repetition differs from what was told first"


async def test_an_answer_is_told_again_under_its_own_id(stage: Stage) -> None:
    await _sent_and_stopped(stage, number=5, duration=4)
    answers = {event for _, event in stage.told if isinstance(event, Inbound)}
    assert len(answers) == 1
    stage.path.write_bytes(stage.path.read_bytes().splitlines(keepends=True)[0])  # the note of its end is lost
    stage.restart()
    async with stage.running():
        await stage.clock.elapse(seconds(30))
    assert {event for _, event in stage.told if isinstance(event, Inbound)} == answers


async def test_evidence_and_a_lost_message_outlive_a_restart(stage: Stage) -> None:
    message, lost = stage.message(1), stage.message(7)
    async with stage.running():
        answer = await stage.sandbox.send(message)
        await stage.sandbox.send(lost)
    stage.restart()
    assert await stage.sandbox.find(stage.attempt(message)) == answer
    assert await stage.sandbox.find(stage.attempt(lost)) == Unclear()
    async with stage.running():
        await stage.clock.elapse(seconds(5))
        assert isinstance(await stage.sandbox.find(stage.attempt(lost)), Accepted)
        await stage.clock.elapse(seconds(5))
    assert stage.receipts() == [(1, DELIVERED), (3, READ), (5, SERVER), (6, DELIVERED), (8, READ)]


async def test_a_new_line_of_the_same_account_plays_on(stage: Stage) -> None:
    await _sent_and_stopped(stage)
    stage.sandbox = Sandbox(account_id=1, ledger=stage.ledger, clock=stage.clock)
    async with stage.running():
        await stage.clock.elapse(seconds(30))
    assert stage.receipts() == [(1, DELIVERED), (3, READ)]


async def test_each_account_plays_its_own_stories(stage: Stage) -> None:
    await _sent_and_stopped(stage)
    stage.restart()
    stage.sandbox = Sandbox(account_id=2, ledger=stage.ledger, clock=stage.clock)
    async with stage.running():
        await stage.clock.elapse(seconds(30))
    assert stage.receipts() == []
    assert len(stage.ledger.unfinished(1)) == 1


# -- a ledger in trouble


async def test_a_ledger_that_cannot_be_written_defers_and_nothing_arrives(stage: Stage) -> None:
    async with stage.running():
        stage.ledger.close()
        deferred = Deferred(reason=Code.STORE_UNAVAILABLE, pushed_back=False, retry_after=FULL_DISK_WAIT)
        assert await stage.play(stage.message(1)) == deferred
        assert await stage.play(stage.message(6)) == deferred
        assert await stage.play(stage.message(7)) == deferred
    assert arrivals(stage.path) == []
    stage.ledger = Ledger(stage.path, now=stage.clock.now())


async def test_a_ledger_that_cannot_be_read_is_no_proof(stage: Stage) -> None:
    async with stage.running():
        message = stage.message(1)
        await stage.sandbox.send(message)
        stage.path.rename(stage.path.with_suffix(".away"))
        assert await stage.sandbox.find(stage.attempt(message)) == Unclear()
        assert isinstance(await stage.play(stage.message(10)), Deferred)


async def test_a_garbled_arrival_is_no_proof(stage: Stage) -> None:
    message = stage.message(1)
    stage.path.write_text(f'{{"secret":"{message.secret.hex()}"}}\n')
    assert await stage.sandbox.find(stage.attempt(message)) == Unclear()


async def test_what_a_trimmed_ledger_could_have_held_is_unclear(stage: Stage, clock: ManualClock) -> None:
    attempt = stage.attempt(stage.message(1))
    assert await stage.sandbox.find(attempt) == NeverLeft()
    clock.advance(KEPT)
    assert await stage.sandbox.find(attempt) == Unclear()


# -- several gateways


async def test_nothing_arrives_once_another_gateway_may_have_the_account(stage: Stage) -> None:
    taken_away = Outgoing(
        message_id=1, secret=b"s" * 32, recipient=NUMBER.format(1), text="Merhaba", may_leave=lambda: False
    )
    async with stage.running():
        answer = await stage.sandbox.send(taken_away)
    assert answer == Deferred(reason=Code.CLOSING, pushed_back=False)
    assert arrivals(stage.path) == []


async def test_gateways_know_of_each_others_arrivals(clock: ManualClock, tmp_path: Path) -> None:
    """And while one of them holds its file, which it does to write, nothing is proof."""
    paths = [tmp_path / "bir.jsonl", tmp_path / "iki.jsonl"]
    one = Ledger(paths[0], now=clock.now(), others=lambda: paths[1:])
    two = Ledger(paths[1], now=clock.now(), others=lambda: paths[:1])
    sent = Arrival(
        account_id=1, message_id=7, number="+905320000001", remote_id="DENEME-7", secret=b"a" * 32, at=clock.now()
    )
    one.append(sent)
    one.stumble(1, 8, clock.now())
    assert two.unfinished(1) == [sent]
    assert two.has_stumbled(1, 8)
    attempt = Attempt(message_id=7, secret=sent.secret, recipient=sent.number, started_at=clock.now())
    never = Attempt(message_id=9, secret=b"b" * 32, recipient=sent.number, started_at=clock.now())
    sandbox = Sandbox(account_id=1, ledger=two, clock=clock)
    assert isinstance(await sandbox.find(attempt), Accepted)
    assert isinstance(await sandbox.find(never), NeverLeft)
    with paths[0].open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert isinstance(await sandbox.find(never), Unclear)
    assert isinstance(await sandbox.find(never), NeverLeft)
    one.close()
    two.close()
