"""The sandbox: a line to nobody that behaves as any other, for trying everything out before a phone is linked.

What happens to a message depends on its number alone: STORIES acts out every fate that a real line has, at times that
are counted from the arrival. It is a feature of the product, so it keeps the contract of the real lines to the letter.

Laws
1. An arrival is in the ledger before `send` answers; what isn't in the ledger never arrived.
2. A remote id follows from the attempt's secret, and a receipt's time from the arrival's: told again, a story is the
   same.
3. A story is over when its last receipt is stored. Until then every run tells on; after a restart it begins anew.
4. The receipts of one message come one after the other; those of different messages go out together.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import assert_never

from guvercin.core.account import Line, LineNews, LineState
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    Evidence,
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
from guvercin.transports import drawing
from guvercin.transports.base import Attempt, Clock, Emit, Features, Outgoing
from guvercin.transports.ledger import KEPT, Arrival, Ledger

PREFIX = "DENEME-"
"""How every message id of the sandbox begins, so that nobody takes one for real."""

DELIVERED_AFTER = timedelta(seconds=1)
READ_AFTER = timedelta(seconds=3)
REPLIED_AFTER = timedelta(seconds=4)
SLOW = timedelta(seconds=5)
RETRY_AFTER = timedelta(seconds=2)
BAN = timedelta(seconds=60)
FULL_DISK_WAIT = timedelta(seconds=5)
OPT_OUT = "DUR"
CAPTION = "Bundan var mı?"
_DRAWN = b"drawing"
"""The way to the one file that customers of the sandbox send."""

TICK = 1 / 16
"""Seconds to which what is told is rounded up: events of a crowd come together, and share the commits they cost."""

TOLD_AT_ONCE = 64
"""Receipts that are handed in together, so that one commit can store them all."""

_MB = 1024 * 1024
FEATURES = Features(
    max_text=4096,
    media=MappingProxyType(
        dict.fromkeys(("application/pdf", "image/jpeg", "image/png", "image/webp"), 16 * _MB),
    ),
    receipts=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One thing that is told of a message. It happened `after` the arrival; `told_after` is when the line hears of it.

    `kind` null: the customer answers, with a picture or with OPT_OUT.
    """

    kind: ReceiptKind | None
    after: timedelta
    told_after: timedelta
    is_picture: bool = False


class Stumble(Enum):
    """The trouble that the first try of a message meets; the second try goes through."""

    PUSHED_BACK = auto()
    DROP = auto()
    BAN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What becomes of a message.

    `acknowledged` is when the sandbox vouches for the arrival, null: never. If `is_lost`, the sender isn't told.
    """

    refusal: Refused | None = None
    stumble: Stumble | None = None
    is_lost: bool = False
    acknowledged: timedelta | None = timedelta(0)
    beats: tuple[Beat, ...] = ()


def _beat(kind: ReceiptKind | None, after: timedelta, told_after: timedelta | None = None) -> Beat:
    return Beat(kind=kind, after=after, told_after=after if told_after is None else told_after)


_DELIVERED = _beat(ReceiptKind.DELIVERED, DELIVERED_AFTER)
_READ = _beat(ReceiptKind.READ, READ_AFTER)
_SEEN_LATE = (
    _beat(ReceiptKind.DELIVERED, SLOW + DELIVERED_AFTER),
    _beat(ReceiptKind.READ, SLOW + READ_AFTER),
)
_DELIVERED_AGAIN = _beat(ReceiptKind.DELIVERED, DELIVERED_AFTER, READ_AFTER)
_PICTURE = Beat(kind=None, after=REPLIED_AFTER, told_after=REPLIED_AFTER, is_picture=True)

ORDINARY = Story(beats=(_DELIVERED, _READ))
STORIES = MappingProxyType(
    {
        "+905000000001": ORDINARY,
        "+905000000002": Story(refusal=Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT)),
        "+905000000003": Story(beats=(_DELIVERED,)),
        "+905000000004": Story(acknowledged=SLOW, beats=_SEEN_LATE),
        "+905000000005": Story(beats=(_DELIVERED, _READ, _beat(None, REPLIED_AFTER))),
        "+905000000006": Story(stumble=Stumble.PUSHED_BACK, beats=ORDINARY.beats),
        "+905000000007": Story(is_lost=True, acknowledged=SLOW, beats=(_beat(ReceiptKind.SERVER, SLOW), *_SEEN_LATE)),
        "+905000000008": Story(is_lost=True, acknowledged=None),
        "+905000000009": Story(
            refusal=Refused(reason=Code.NEW_CHATS_RESTRICTED, scope=Scope.ACCOUNT, detail="463"),
        ),
        "+905000000010": Story(stumble=Stumble.DROP, beats=ORDINARY.beats),
        "+905000000011": Story(stumble=Stumble.BAN, beats=ORDINARY.beats),
        "+905000000012": Story(beats=(_READ, _READ, _DELIVERED_AGAIN, _DELIVERED_AGAIN)),
        "+905000000013": Story(beats=(_DELIVERED, _READ, _PICTURE)),
    },
)
"""Which number acts out what. Every other number is ORDINARY."""

_LINE_DOWN = Deferred(reason=Code.LINE_DOWN, pushed_back=False)
_NOT_RECORDED = Deferred(reason=Code.STORE_UNAVAILABLE, pushed_back=False, retry_after=FULL_DISK_WAIT)
_TAKEN_AWAY = Deferred(reason=Code.CLOSING, pushed_back=False)
_PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=RETRY_AFTER)


@dataclass(slots=True, kw_only=True)
class _Telling:
    """How far the story of one arrival has been told. `began` is the arrival's moment on the monotonic clock."""

    arrival: Arrival
    beats: tuple[Beat, ...]
    began: float
    told: int = 0

    @property
    def is_over(self) -> bool:
        return self.told == len(self.beats)

    @property
    def due(self) -> float:
        return ceil((self.began + self.beats[self.told].told_after.total_seconds()) / TICK) * TICK

    @property
    def event(self) -> TransportEvent:
        """What comes next. It depends on the arrival alone, so that a repetition says the same."""
        beat, arrival = self.beats[self.told], self.arrival
        at = arrival.at + beat.after
        if beat.kind is not None:
            return Receipt(remote_id=arrival.remote_id, kind=beat.kind, at=at)
        answer_id = _remote_id(arrival.remote_id.encode())
        answer = Inbound(remote_id=answer_id, sender=arrival.number, text=OPT_OUT, at=at)
        if not beat.is_picture:
            return answer
        media = Media(type=drawing.MEDIA_TYPE, size=len(drawing.picture()))
        return replace(answer, text=CAPTION, kind=InboundKind.IMAGE, media=media, source=_DRAWN)


class Sandbox:
    """One sandbox account's line. `ledger` is shared by all of them; no message ever leaves the machine."""

    def __init__(self, *, account_id: int, ledger: Ledger, clock: Clock) -> None:
        self._account_id = account_id
        self._ledger = ledger
        self._clock = clock
        self._is_open = False
        self._farewell: LineEvent | None = None
        self._banned_until: datetime | None = None
        self._bell = asyncio.Event()
        self._heap: list[tuple[float, int, _Telling]] = []
        self._order = count()
        for arrival in ledger.unfinished(account_id):
            self._begin(arrival)

    @property
    def features(self) -> Features:
        """Say what this line can carry."""
        return FEATURES

    async def run(self, emit: Emit, line: Line) -> None:
        """Open at once, tell every story that is due, and end when a story drops or bans the line."""
        until = self._banned_until or (line.until if line.state is LineState.BANNED else None)
        if until is not None and self._clock.now() < until:
            await emit(_ban(until))
            return
        self._farewell = None
        self._is_open = True
        try:
            await emit(LineEvent(news=LineNews.OPENED))
            farewell = await self._tell_stories(emit)
        finally:
            self._is_open = False
        await emit(farewell)

    async def send(self, message: Outgoing) -> Outcome:
        """Let one message meet the fate of its number. Only the slow number takes time."""
        story = STORIES.get(message.recipient, ORDINARY)
        try:
            if (obstacle := self._obstacle(message, story)) is not None:
                return obstacle
            arrival = self._arrive(message)
        except OSError:
            return _NOT_RECORDED
        if arrival is None:
            return _TAKEN_AWAY
        began = self._begin(arrival)
        if story.is_lost or story.acknowledged is None:
            return Lost(Code.ANSWER_LOST)
        if story.acknowledged:
            await self._clock.sleep_until(began + story.acknowledged.total_seconds())
        return Accepted(arrival.remote_id, arrival.at + story.acknowledged)

    async def unlink(self) -> None:
        """Do nothing: there is no session anywhere."""

    async def fetch(self, source: bytes, into: Path, *, limit: int) -> None:
        """Draw the picture that a customer sent."""
        if not self._is_open:
            raise GuvercinError(Code.INBOUND_FILE_AWAY)
        if source != _DRAWN:
            raise GuvercinError(Code.INBOUND_FILE_GONE)
        content = drawing.picture()
        if len(content) > limit:
            raise GuvercinError(Code.INBOUND_FILE_LARGE)
        await asyncio.to_thread(into.write_bytes, content)

    async def find(self, attempt: Attempt) -> Evidence:
        """Look an attempt up in the ledger. It vouches for an arrival from the moment that the story says."""
        try:
            arrival = await asyncio.to_thread(self._ledger.find, attempt.secret)
        except (OSError, ValueError):
            return Unclear()
        now = self._clock.now()
        if arrival is None:
            # An older ledger may have been trimmed: what it doesn't hold is no proof any more.
            return NeverLeft() if now - attempt.started_at < KEPT else Unclear()
        if arrival.account_id != self._account_id:
            return NeverLeft()
        acknowledged = STORIES.get(arrival.number, ORDINARY).acknowledged
        if acknowledged is None or now < arrival.at + acknowledged:
            return Unclear()
        return Accepted(arrival.remote_id, arrival.at + acknowledged)

    def _obstacle(self, message: Outgoing, story: Story) -> Deferred | Refused | None:
        """Answer why the message can't arrive now. OSError: the ledger can't be written."""
        if not self._is_open:
            return _LINE_DOWN
        if story.refusal is not None:
            return story.refusal
        if message.file is not None and (obstacle := message.file.obstacle()) is not None:
            return obstacle
        if story.stumble is None or self._ledger.has_stumbled(self._account_id, message.message_id):
            return None
        return self._stumble(message, story.stumble)

    def _arrive(self, message: Outgoing) -> Arrival | None:
        """Write the arrival down; null: it may not leave any more. OSError: it did not happen."""
        arrival = Arrival(
            account_id=self._account_id,
            message_id=message.message_id,
            number=message.recipient,
            remote_id=_remote_id(message.secret),
            secret=message.secret,
            at=self._clock.now(),
        )
        return arrival if self._ledger.append(arrival, message.may_leave) else None

    def _stumble(self, message: Outgoing, stumble: Stumble) -> Deferred:
        """Meet the trouble of a first try. The ledger notes it first, so that a restart doesn't bring it again."""
        now = self._clock.now()
        self._ledger.stumble(self._account_id, message.message_id, now)
        match stumble:
            case Stumble.PUSHED_BACK:
                return _PUSHED_BACK
            case Stumble.DROP:
                self._lose_line(LineEvent(news=LineNews.DROPPED))
            case Stumble.BAN:
                self._banned_until = now + BAN
                self._lose_line(_ban(self._banned_until))
            case _:
                assert_never(stumble)
        return _LINE_DOWN

    def _lose_line(self, farewell: LineEvent) -> None:
        self._is_open = False
        self._farewell = farewell
        self._bell.set()

    def _begin(self, arrival: Arrival) -> float:
        """Start to tell the story of an arrival, where its age says. Answer the arrival's moment, monotonic."""
        age = max(self._clock.now() - arrival.at, timedelta(0))  # the wall clock may have been set back
        began = self._clock.monotonic() - age.total_seconds()
        beats = STORIES.get(arrival.number, ORDINARY).beats
        if beats:
            self._queue(_Telling(arrival=arrival, beats=beats, began=began))
        else:
            self._ledger.finish([arrival.remote_id])
        return began

    def _queue(self, telling: _Telling) -> None:
        due = telling.due
        if not self._heap or due < self._heap[0][0]:
            self._bell.set()
        heappush(self._heap, (due, next(self._order), telling))

    async def _tell_stories(self, emit: Emit) -> LineEvent:
        """Tell what is due, whenever it is due. Answer how the line was lost."""
        while True:
            self._bell.clear()
            if self._farewell is not None:
                return self._farewell
            due = self._take_due()
            if due:
                await self._tell(due, emit)
            else:
                await self._wait()

    def _take_due(self) -> list[_Telling]:
        now = self._clock.monotonic()
        due: list[_Telling] = []
        while self._heap and self._heap[0][0] <= now and len(due) < TOLD_AT_ONCE:
            due.append(heappop(self._heap)[2])
        return due

    async def _tell(self, tellings: list[_Telling], emit: Emit) -> None:
        """Hand in the next event of each. What could not be stored is told again; the first failure is raised."""

        async def tell(telling: _Telling) -> None:
            await emit(telling.event)
            telling.told += 1

        try:
            answers = await asyncio.gather(*map(tell, tellings), return_exceptions=True)
        finally:  # also when cancelled: what was stored by then counts
            for telling in tellings:
                if not telling.is_over:
                    self._queue(telling)
            if over := [telling.arrival.remote_id for telling in tellings if telling.is_over]:
                self._ledger.finish(over)
        for answer in answers:
            if answer is not None:
                raise answer

    async def _wait(self) -> None:
        """Wait for the bell, or until the next event is due."""
        if not self._heap:
            await self._bell.wait()
            return
        async with asyncio.TaskGroup() as group:
            alarm = group.create_task(self._clock.sleep_until(self._heap[0][0]))
            alarm.add_done_callback(lambda _: self._bell.set())
            await self._bell.wait()
            alarm.cancel()


def _remote_id(seed: bytes) -> str:
    return PREFIX + blake2b(seed, digest_size=8).hexdigest().upper()


def _ban(until: datetime) -> LineEvent:
    return LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=until)
