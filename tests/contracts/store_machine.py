"""Random histories of a store, held against the plain model beside this file after every step.

`History` knows what may happen and what must then be true. Who chooses is an argument: a seeded walk goes far, and
Hypothesis finds the shortest way to a fault.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Protocol, TypeVar

from tests.contracts.desk import AYSE, BORA, NOW, Desk, again, draft, in_hand, receipt, standing
from tests.contracts.store_model import Model, Row

from guvercin.core.errors import Code
from guvercin.core.message import Draft, IllegalOrder, Lane, Level, News, Order, Status, WaitsFor
from guvercin.core.outcome import Accepted, Deferred, Lost, NeverLeft, ReceiptKind, Refused
from guvercin.store.verbs.claiming import Claimed
from guvercin.store.verbs.upkeep import Doubt

T = TypeVar("T")

ACCOUNTS = (1, 1, 1, 2)
PEOPLE = (AYSE, AYSE, BORA)
RANKS = ((Lane.SINGLE, Level.NORMAL),) * 3 + ((Lane.SINGLE, Level.HIGH), (Lane.BULK, Level.NORMAL))
PLANS = (None, None, None, -5, 10, 60)
LIFETIMES = (30, 300, 3000, 3000)
REMOTE_IDS = tuple(f"R-{number}" for number in range(12))
TIMES = tuple(range(-30, 31))
ANSWERS = ("accepted",) * 3 + ("deferred",) * 3 + ("snoozed", "tired", "refused", "lost", "lost")

HOW_OFTEN = {
    "accept": 6,
    "accept_batch": 2,
    "claim": 8,
    "answer": 8,
    "hear": 4,
    "cancel": 2,
    "give_up": 1,
    "resend": 1,
    "tick": 6,
    "release_due": 1,
    "expire": 1,
    "look_into_doubts": 2,
    "conclude": 2,
    "crash": 1,
    "restore": 1,
    "release": 2,
}
STEPS = tuple(chain.from_iterable(repeat(name, weight) for name, weight in HOW_OFTEN.items()))

PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)


class Pick(Protocol):
    """Who chooses."""

    def __call__(self, options: Sequence[T], /) -> T: ...


def seconds(at: datetime | None) -> int | None:
    return None if at is None else (at - NOW) // timedelta(seconds=1)


def moment(at: int) -> datetime:
    return NOW + timedelta(seconds=at)


class History:
    """A desk and a model that are told the same things; every claim and every doubt that there ever was."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = desk.store
        self.model = Model()
        self.batches: list[int] = []
        self.claims: list[Claimed] = []
        self.ended: set[int] = set()
        self.doubts: list[Doubt] = []

    @property
    def now(self) -> int:
        return (self.desk.now - NOW) // timedelta(seconds=1)

    async def step(self, pick: Pick) -> None:
        """Let one thing happen, and hold both together."""
        happens: Callable[[Pick], Awaitable[None]] = getattr(self, pick(STEPS))
        await happens(pick)
        await self.check()

    def _row(self, asked: Draft, message_id: int, batch: int | None = None) -> Row:
        return Row(
            id=message_id,
            account=asked.account_id,
            to=asked.recipient,
            lane=asked.lane.value,
            priority=asked.priority,
            batch=batch,
            due=0,
            expires=(asked.expires_at - NOW) // timedelta(seconds=1),
        )

    def _any_row(self, pick: Pick) -> Row | None:
        return self.model.rows[pick(sorted(self.model.rows))] if self.model.rows else None

    # -- handing in

    async def accept(self, pick: Pick) -> None:
        lane, level = pick(RANKS)
        plan = pick(PLANS)
        due_at = None if plan is None else self.desk.now + timedelta(seconds=plan)
        asked = draft(
            pick(PEOPLE),
            account=pick(ACCOUNTS),
            lane=lane,
            level=level,
            now=self.desk.now,
            lifetime=timedelta(seconds=pick(LIFETIMES)),
            due_at=due_at,
        )
        stood = standing(await self.desk.take(asked))
        self.model.accept(self._row(asked, stood.id), self.now, due=seconds(due_at), reason=None)

    async def accept_batch(self, pick: Pick) -> None:
        plan = pick(PLANS)
        due_at = None if plan is None else self.desk.now + timedelta(seconds=plan)
        asked = [
            draft(pick(PEOPLE), lane=Lane.BULK, now=self.desk.now, due_at=due_at, reason=pick(reasons))
            for reasons in [(None, None, Code.INVALID_PHONE)] * pick((1, 2, 3, 4))
        ]
        batch_id = (await self.desk.accept_batch(asked)).batch_id
        assert batch_id is not None
        self.batches.append(batch_id)
        new = [row for row in await self.desk.rows() if row.batch_id == batch_id]
        for one, row in zip(asked, reversed(new), strict=True):
            self.model.accept(self._row(one, row.id, batch_id), self.now, due=seconds(due_at), reason=one.reason)

    # -- sending

    async def claim(self, pick: Pick) -> None:
        account = pick(ACCOUNTS)
        expected = self.model.claim(account, self.now)
        claimed = await self.desk.claim(account)
        assert (claimed and in_hand(claimed).id) == (expected and expected.id)
        if claimed is None or expected is None:
            return
        self.claims.append(claimed)
        # Said without any line: nobody of the same recipient and rank that was there before is left behind, but what a
        # copy was put back over: its owner lets it go when they like.
        overtaken = [
            row.id
            for row in self.model.rows.values()
            if (row.account, row.to, row.priority) == (account, expected.to, expected.priority)
            and row.id < expected.id
            and row.status is Status.QUEUED
            and not (row.was_held or expected.was_held)
            and not (row.is_planned or expected.is_planned)
        ]
        assert overtaken == []

    async def answer(self, pick: Pick) -> None:
        """Any attempt that ever was, answered once or more often."""
        if not self.claims:
            return
        claimed = pick(self.claims[-3:])
        row = self.model.rows[in_hand(claimed).id]
        is_first = claimed.attempt_id not in self.ended
        self.ended.add(claimed.attempt_id)
        match pick(ANSWERS):
            case "accepted":
                remote_id = pick(REMOTE_IDS)
                self.model.accepted(row, remote_id, self.now, self.now, counts=is_first)
                await self.desk.settle(claimed, Accepted(remote_id, self.desk.now))
            case "lost":
                if is_first:
                    self.model.lose(row, Code.ANSWER_LOST, self.now + 5)
                await self.desk.settle(claimed, Lost(Code.ANSWER_LOST))
            case "refused":
                if is_first:
                    row.attempts += row.move(News.REFUSED, reason=Code.NOT_ON_WHATSAPP)
                await self.desk.settle(claimed, Refused(reason=Code.NOT_ON_WHATSAPP))
            case "tired":
                if is_first:
                    row.attempts += row.move(News.REFUSED, reason=Code.RETRIES_EXHAUSTED)
                await self.desk.settle(claimed, PUSHED_BACK)
            case word:
                wait = pick((0, 5, 50))
                said = PUSHED_BACK if word == "deferred" else Deferred(reason=Code.LINE_DOWN, pushed_back=False)
                if is_first:
                    self.model.defer(row, said.reason, self.now + wait, counts=said.pushed_back)
                await self.desk.settle(claimed, said, retry_at=self.desk.now + timedelta(seconds=wait))

    async def hear(self, pick: Pick) -> None:
        account, remote_id, kind, at = pick(ACCOUNTS), pick(REMOTE_IDS), pick(list(ReceiptKind)), pick(TIMES)
        self.model.receive(account, remote_id, kind, at, self.now)
        await self.desk.hear(receipt(kind, moment(at), remote_id), account=account)

    # -- deciding

    async def cancel(self, pick: Pick) -> None:
        row = self._any_row(pick)
        if row is not None:
            asking = self.store.cancel(row.id, now=self.desk.now)
            await self._both(lambda: self.model.cancel(row, self.now), asking)

    async def give_up(self, pick: Pick) -> None:
        row = self._any_row(pick)
        if row is not None:
            asking = self.store.give_up(row.id, Code.GIVEN_UP, now=self.desk.now)
            await self._both(lambda: row.move(Order.GIVE_UP, reason=Code.GIVEN_UP), asking)

    async def _both(self, expected: Callable[[], object], asking: Awaitable[object]) -> None:
        """Do it to both: both say no, or neither."""
        says_no = False
        try:
            expected()
        except IllegalOrder:
            says_no = True
        try:
            await asking
        except IllegalOrder:
            assert says_no
        else:
            assert not says_no

    async def resend(self, pick: Pick) -> None:
        old = self._any_row(pick)
        if old is None:
            return
        asked = again(await self.desk.row(old.id), self.desk.now)
        may_leave = old.status in (Status.QUEUED, Status.SENDING)
        try:
            new = await self.store.resend(old.id, asked, token_id=1, now=self.desk.now, key=None, quota=None)
        except IllegalOrder:
            assert may_leave
            self.model.place(self.now)  # a place in the line that nobody took
            return
        assert not may_leave
        if old.status is Status.UNKNOWN:
            old.move(Order.GIVE_UP, reason=Code.RESENT)
        self.model.accept(self._row(asked, standing(new).id), self.now, due=None, reason=None)

    # -- what time does

    async def tick(self, pick: Pick) -> None:
        self.desk.now += timedelta(seconds=pick((1, 5, 10, 60, 300, -40)))

    async def release_due(self, _: Pick) -> None:
        assert await self.store.release_due(now=self.desk.now, limit=1_000) == self.model.release_due(self.now)

    async def expire(self, _: Pick) -> None:
        assert await self.store.expire(now=self.desk.now, limit=1_000) == self.model.expire(self.now)

    # -- doubts, crashes, copies

    async def look_into_doubts(self, _: Pick) -> None:
        found = await self.store.in_doubt(now=self.desk.now, limit=1_000)
        expected = {
            row.id
            for row in self.model.rows.values()
            if row.status is Status.UNKNOWN and row.waits_until is not None and row.waits_until <= self.now
        }
        assert {doubt.message_id for doubt in found} == expected
        self.doubts += found

    async def conclude(self, pick: Pick) -> None:
        """Evidence, however late: the doubt may be settled already."""
        if not self.doubts:
            return
        doubt = pick(self.doubts[-4:])
        row = self.model.rows[doubt.message_id]
        if pick((True, False)):
            remote_id = pick(REMOTE_IDS)
            self.model.accepted(row, remote_id, self.now, self.now, counts=False)
            await self.store.conclude(doubt, Accepted(remote_id, self.desk.now), now=self.desk.now)
        else:
            attempts = [each.attempt_id for each in self.claims if in_hand(each).id == doubt.message_id]
            if doubt.attempt_id == max(attempts):  # of a later attempt it says nothing
                row.move(News.NEVER_LEFT)
            await self.store.conclude(doubt, NeverLeft(), now=self.desk.now)

    async def crash(self, _: Pick) -> None:
        """Begin anew with what is stored."""
        self.model.restart()
        self._end_what_is_in_hand()
        await self.store.close()
        await self.store.open()
        assert await self.store.recover(now=self.desk.now, limit=1_000) == self.model.recover(self.now)

    def _end_what_is_in_hand(self) -> None:
        """Whoever had it is gone. An attempt whose message moved on without it stays open, and may be answered yet."""
        rows = self.model.rows
        self.ended |= {each.attempt_id for each in self.claims if rows[in_hand(each).id].status is Status.SENDING}

    async def restore(self, pick: Pick) -> None:
        if pick(range(5)):  # seldom: afterwards the line is empty
            return
        self._end_what_is_in_hand()
        assert await self.store.hold_unfinished(now=self.desk.now) == self.model.hold(self.now)

    async def release(self, pick: Pick) -> None:
        held = [row for row in self.model.rows.values() if row.waits_for is WaitsFor.RESTORED]
        if held:
            row = pick(held)
            self.model.release(row, self.now)
            await self.store.release(row.id, now=self.desk.now)

    # -- held together

    async def check(self) -> None:
        """Compare every row, and every batch with its rows."""
        stored_rows = await self.desk.rows()
        assert len(stored_rows) == len(self.model.rows)
        for stored in stored_rows:
            row = self.model.rows[stored.id]
            assert (stored.status, stored.reason, stored.attempts) == (row.status, row.reason, row.attempts), row
            assert (stored.waits_for, seconds(stored.waits_until)) == (row.waits_for, row.waits_until), row
            assert (stored.remote_id, seconds(stored.due_at)) == (row.remote_id, row.due), row
            times = (seconds(stored.sent_at), seconds(stored.delivered_at), seconds(stored.read_at))
            assert times == (row.sent_at, row.delivered_at, row.read_at), row
        for batch_id in self.batches[-2:]:
            await self._check_batch(batch_id)

    async def _check_batch(self, batch_id: int) -> None:
        found = await self.desk.batch(batch_id)
        counts = found.counts
        rows = [row for row in self.model.rows.values() if row.batch == batch_id]
        left = sum(row.status in (Status.QUEUED, Status.SENDING) for row in rows)
        assert counts.by_status == Counter(row.status for row in rows)
        assert found.batch.total == counts.total == counts.sent + counts.failed + counts.queued == len(rows)
        assert sum(found.left.values()) == left
        assert counts.is_finished == (await self.store.batch_rests(batch_id)).is_finished == (left == 0)
