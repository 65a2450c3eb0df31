"""One account's dispatcher: claim, send, settle. Nothing else calls `transport.send`.

Laws
1. A claim is durable before the transport hears of the message; what the transport says is durable before the next send
   of the account begins.
2. A gap is measured on the monotonic clock while this process lives: a wall clock that jumps never shortens it.
3. Not our turn is not a failure: only a network that pushed back makes an attempt count.
4. What has outlived its lifetime is not handed over, however long ago it was claimed.
5. The rules of an account are kept on its own time line, which outlives the process and doesn't follow the wall clock's
   jumps: neither a restart nor a jump resets or stretches a limit.
6. What was claimed is settled, whenever a step is cut short: handed over, it is in doubt until its answer is written;
   not handed over, it goes back in line.
7. Nothing is claimed and nothing handed over once the account's lease is over: another gateway may have it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import Any, TypeVar

from guvercin.core.course import Course
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, File, Lane, Message
from guvercin.core.outcome import Accepted, Deferred, Lost, Outcome
from guvercin.core.pacing import Use, next_slot
from guvercin.core.retry import SCHEDULE, retry_at
from guvercin.gateway.clock import Clock, within
from guvercin.gateway.courses import begin, from_steady_ms, to_steady_ms
from guvercin.gateway.leases import FOR_EVER, Lease
from guvercin.gateway.sessions import Sessions
from guvercin.store.store import Store
from guvercin.store.verbs.claiming import FIRST_TURN, Claimed, Turn
from guvercin.transports.base import Outgoing, OutgoingFile, Transport

T = TypeVar("T")

POLL = timedelta(seconds=1)
"""How often an idle line looks for work without being told: the bell only shortens this."""

_LATE = 50
"""Milliseconds between a claim and its send that are nobody's business."""

_JUMPED = 2_000
"""Milliseconds by which the wall clock may drift before what waits for a moment of it is judged again."""

_JUDGED_AT_ONCE = 500
"""Parked rows that are judged again in one change: other writers get their turn in between."""

_SNOOZE = timedelta(seconds=1)
"""How long a message waits after «not now» that named no time."""

SEND_LIMIT = 60.0
"""Seconds after which a transport that doesn't answer is taken to have lost the answer."""

_log = logging.getLogger(__name__)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end however often this task is cancelled: the writer would do its job all the same."""
    task = asyncio.ensure_future(work)
    cut: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as again:
            cut = again
    if cut is None:
        return task.result()
    with suppress(asyncio.CancelledError):  # heard, so that nobody misses it: being cut comes first
        task.exception()
    raise cut


@dataclass(frozen=True, slots=True)
class Hand:
    """A message that was claimed."""

    message: Message
    attempt_id: int
    secret: bytes
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a hand, and nobody has written down yet."""

    hand: Hand
    outcome: Outcome


class Dispatcher:
    """The hand that sends for one account, one message at a time."""

    def __init__(
        self,
        account_id: int,
        *,
        store: Store,
        sessions: Sessions,
        spool_path: Callable[[str], Path],
        hours: Mapping[Courtesy, Hours],
        clock: Clock,
        rng: Random,
        lease: Lease = FOR_EVER,
    ) -> None:
        self.account_id = account_id
        self.lease = lease
        self._store = store
        self._sessions = sessions
        self._spool_path = spool_path
        self._clock = clock
        self._rng = rng
        self._hours = hours
        self._use: Use | None = None
        self._place = Turn(after=FIRST_TURN)
        self._wakes_at: datetime | None = None
        self._judges_again = False
        """Whether what is parked was parked by a plan that isn't ours any more."""
        self._tied_at = 0
        """The offset of the wall clock by which parked rows have their moments."""
        self._anchor = (clock.now(), clock.monotonic())
        self._next: Hand | None = None
        self._owed: Answer | None = None
        self._late: tuple[Sequence[int], int] | None = None
        """Messages that left long after their claim, and when: not written down yet."""
        self._is_closing = False

    def close(self) -> None:
        """Claim nothing more. What is in hand is still sent."""
        self._is_closing = True

    @property
    def is_closing(self) -> bool:
        """Say whether nothing is claimed any more."""
        return self._is_closing

    def reopen(self) -> None:
        """Claim again: the account stays."""
        self._is_closing = False

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is in hand and no answer waits to be written."""
        return self._next is None and self._owed is None

    async def step(self, now: datetime) -> datetime:
        """Send one message if one may leave; answers when to look again."""
        if self._owed is not None:
            await to_the_end(self._settle())
        transport = self._sessions.transport(self.account_id)
        if transport is None:
            return now + POLL
        await self._get_ready()
        if self._next is None and not await to_the_end(self._claim()):
            return now + self._idle_for()
        if self._next is not None:
            await self._hand_over(transport, self._next)
        return now

    def _idle_for(self) -> timedelta:
        """Answer how long nothing can be done unless something new comes."""
        waits = [*self._waits().values()]
        if self._wakes_at is not None:
            waits.append(self._wakes_at - self._steady_now())
        return min([POLL, *(wait for wait in waits if wait > timedelta(0))])

    async def let_go(self) -> None:
        """Write down what the last step left in hand, once no step runs any more.

        Raises what the store raises: then the next start finds the row as a crash would have left it.
        """
        await self._settle()
        if self._next is not None:
            self._owed = Answer(self._next, Deferred(reason=Code.CLOSING, pushed_back=False))
            self._next = None
            await self._settle()

    async def _get_ready(self) -> None:
        """Know what was used of the pace, and of its rules if it has any, as they are now."""
        if self._use is None:
            self._use = await self._durable_use()
        if self._late is not None:
            await self._store.left_late(*self._late)
            self._late = None
        if self.account_id not in self._sessions.account_ids():
            return
        pace, course = self._sessions.pace(self.account_id), self._place.course
        if pace.rules is None:
            self._place = replace(self._place, course=None)
        elif course is None or course.pace != pace:
            await self._begin_course(is_new=course is None)
        elif abs(self._offset() - self._tied_at) > _JUMPED:
            await self._follow_the_wall(course)
        elif self._judges_again:  # it could not be written down the last time
            await self._judge_again(course)

    async def _begin_course(self, *, is_new: bool) -> None:
        """Take up the course where the last process, or the last pace, left it."""
        pace, now = self._sessions.pace(self.account_id), self._clock.now()
        if pace.rules is None or self._use is None:
            return
        ledger = await self._store.ledger(self.account_id, now=now)
        if is_new:
            ago = None if self._use.last_at is None else self._steady_now() - self._use.last_at
            self._anchor = (from_steady_ms(ledger.steady_ms), self._clock.monotonic())
            # Its rules count from the claim, the account from the latest moment at which something may have left.
            lasts = [] if ago is None else [self._steady_now() - ago]
            if ledger.last_ms is not None:
                lasts.append(from_steady_ms(ledger.last_ms))
                self._use = replace(self._use, draw=ledger.draw)
            self._use = replace(self._use, last_at=max(lasts, default=None))
        steady = to_steady_ms(self._steady_now())
        course = begin(ledger, pace, pace.rules, self._hours, steady=steady, offset=self._offset())
        self._place = replace(self._place, course=course)
        self._tied_at = self._offset()
        if not is_new:
            await self._judge_again(course)

    async def _follow_the_wall(self, course: Course) -> None:
        """Hear that the wall clock was set: what waits for a moment of it is judged anew, and no limit has moved."""
        now = self._clock.now()
        self._tied_at, self._judges_again = self._offset(), True
        await self._store.keep_time(self.account_id, to_steady_ms(self._steady_now()), now=now)
        await self._judge_again(course)

    async def _judge_again(self, course: Course) -> None:
        """Put everything that was parked back in line: it is parked anew by what is known now."""
        self._judges_again, now = True, self._clock.now()
        while await self._store.judge_again(self.account_id, course, now=now, limit=_JUDGED_AT_ONCE) == _JUDGED_AT_ONCE:
            pass
        fork = (self._place.course or course).fork()
        fork.forget_plans()
        self._place = replace(self._place, course=fork)
        self._judges_again = False

    def _offset(self) -> int:
        """Answer by how many milliseconds the wall is ahead of this account's own time."""
        return to_steady_ms(self._clock.now()) - to_steady_ms(self._steady_now())

    def _now_turn(self) -> Turn:
        """Answer where the account stands this moment."""
        course = self._place.course
        if course is None:
            return replace(self._place, epoch=self.lease.epoch)
        course.offset = self._offset()
        return replace(self._place, epoch=self.lease.epoch, steady=to_steady_ms(self._steady_now()))

    def _waits(self) -> dict[Lane, timedelta]:
        """Answer how long each lane still keeps its gap; no lane at all while nothing may be claimed.

        With rules every lane opens after the shortest gap: a claim then says what each row has to wait for.
        """
        may_claim = not self._is_closing and self.lease.is_good()
        if not may_claim or self._use is None or not self._sessions.is_open(self.account_id):
            return {}
        pace, steady = self._sessions.pace(self.account_id), self._steady_now()
        has_rules = self._place.course is not None
        slots = {lane: next_slot(pace, self._use, Lane.SINGLE if has_rules else lane) for lane in Lane}
        return {lane: timedelta(0) if slot is None else slot - steady for lane, slot in slots.items()}

    async def _claim(self) -> bool:
        """Take the next message of the lanes whose slot has come; answers whether anything stood in line there."""
        lanes = self._open_lanes()
        if not lanes:
            return False
        secret, draw = self._rng.randbytes(32), self._rng.random()
        claimed = await self._store.claim(
            self.account_id, lanes, now=self._clock.now(), secret=secret, draw=draw, turn=self._now_turn()
        )
        self._take(claimed, draw)
        if claimed is not None and claimed.judges_again and self._place.course is not None:
            await self._judge_again(self._place.course)
        return claimed is not None and not claimed.is_empty

    def _open_lanes(self) -> list[Lane]:
        return [lane for lane, wait in self._waits().items() if wait <= timedelta(0)]

    def _take(self, claimed: Claimed | None, draw: float) -> None:
        self._wakes_at = None
        if claimed is None:
            return
        self._place = Turn(after=claimed.turn, course=claimed.course)
        if claimed.wakes_at is not None:
            self._wakes_at = from_steady_ms(claimed.wakes_at)
        if claimed.message is not None:
            self._next = Hand(claimed.message, claimed.attempt_id, claimed.secret)
            self._use = Use(self._steady_now(), draw)

    def _look_when_it_leaves(self, *hands: Hand) -> None:
        """Note that messages leave now, if that is long after their claim: what comes between is mostly the disk."""
        course, steady = self._place.course, to_steady_ms(self._steady_now())
        if hands and course is not None and course.last_at is not None and steady - course.last_at > _LATE:
            course.left_late(steady)
            self._late = ([hand.message.id for hand in hands], steady)

    async def _hand_over(self, transport: Transport, hand: Hand) -> None:
        """Send what was claimed and write down what came of it."""
        if self._use is not None:  # a claim may have waited for its turn: the gap counts from the send
            self._use = replace(self._use, last_at=self._steady_now())
        self._look_when_it_leaves(hand)
        self._next, self._owed = None, Answer(hand, Lost(Code.CUT_SHORT))
        outcome = await self._send(transport, hand)
        self._owed = Answer(hand, outcome)
        lanes = self._open_lanes() if self._late is None else []
        if isinstance(outcome, Accepted) and lanes:
            await to_the_end(self._settle_and_claim(hand, outcome, lanes))
        else:
            await to_the_end(self._settle())

    async def _settle_and_claim(self, hand: Hand, outcome: Accepted, lanes: list[Lane]) -> None:
        """Write an answer and take the next message in one change: at full speed a message costs one commit."""
        secret, draw = self._rng.randbytes(32), self._rng.random()
        try:
            claimed = await self._store.settle_and_claim(
                hand.message.id,
                hand.attempt_id,
                outcome,
                lanes,
                now=self._clock.now(),
                secret=secret,
                draw=draw,
                turn=self._now_turn(),
            )
        except GuvercinError:
            raise
        except Exception:  # noqa: BLE001 -- one of the two can't be written: the answer alone will tell which
            await self._settle()
        else:
            self._owed = None
            self._take(claimed, draw)

    async def _send(self, transport: Transport, hand: Hand) -> Outcome:
        """Hand one message over. Whatever goes wrong here, it may have left: Lost."""
        message = hand.message
        if message.expires_at <= self._clock.now():
            # A slow disk or a suspended machine came after the claim: back in line, where it expires.
            return Deferred(reason=Code.EXPIRED, pushed_back=False)
        if not self.lease.is_good():
            return Deferred(reason=Code.CLOSING, pushed_back=False)
        try:
            outgoing = Outgoing(
                message_id=message.id,
                secret=hand.secret,
                recipient=message.recipient,
                text=message.content.text,
                file=self._outgoing_file(message.content.file),
                category=message.category,
                name=message.recipient_name,
                heard_at=hand.heard_at,
                variables=message.variables,
                may_leave=self.lease.is_good,
            )
            return await within(self._clock, SEND_LIMIT, transport.send(outgoing))
        except Exception:  # noqa: BLE001 -- logged, and taken for what it must mean
            _log.exception("send_failed", extra={"account_id": self.account_id, "message_id": message.id})
            return Lost(Code.ANSWER_LOST)

    def _outgoing_file(self, file: File | None) -> OutgoingFile | None:
        if file is None:
            return None
        return OutgoingFile(
            path=self._spool_path(file.digest),
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            digest=file.digest,
        )

    async def _settle(self) -> None:
        """Write the answer that is owed. Until that has happened it is kept, and nothing else is sent."""
        if self._owed is None:
            return
        hand, outcome, now = self._owed.hand, self._owed.outcome, self._clock.now()
        again_at = self._retry_at(hand.message, outcome, now)
        try:
            await self._store.settle(hand.message.id, hand.attempt_id, outcome, now=now, retry_at=again_at)
        except GuvercinError:
            raise
        except Exception:
            # No weather: these words can't be written, and keeping them would stop the account for ever.
            self._owed = Answer(hand, Lost(Code.ANSWER_LOST))
            raise
        self._owed = None

    def _retry_at(self, message: Message, outcome: Outcome, now: datetime) -> datetime | None:
        """Answer when a deferred message is tried again; null for one whose tries are used up."""
        if not isinstance(outcome, Deferred):
            return None
        if not outcome.pushed_back:
            return now + (outcome.retry_after or _SNOOZE)
        attempt = message.attempts + 1
        if outcome.most_attempts is not None and attempt >= outcome.most_attempts:
            return None
        if attempt > len(SCHEDULE) or outcome.retry_after is None:
            return retry_at(attempt, now, self._rng)
        return now + outcome.retry_after

    async def _durable_use(self) -> Use:
        """Answer what was used before this process began, until the latest moment at which something may have left.

        A clock set back meanwhile costs one gap at the most.
        """
        use = await self._store.use(self.account_id)
        if use.last_at is None:
            return use
        return Use(min(use.last_at, self._anchor[0]), use.draw)

    def _steady_now(self) -> datetime:
        """Answer this process's own time line: it began with the wall clock and doesn't follow its jumps."""
        began, at = self._anchor
        return began + timedelta(seconds=self._clock.monotonic() - at)
