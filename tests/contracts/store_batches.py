"""What an owner decides about a batch: pause, resume, cancel; whatever comes back in line meanwhile."""

from dataclasses import replace

from tests.contracts.desk import AYSE, BORA, BOTH, CEM, HOUR, MINUTE, SECOND, Desk, draft

from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.message import Draft, Lane, Status, WaitsFor
from guvercin.core.outcome import Deferred, Lost, NeverLeft, Restricted


async def claimed(desk: Desk, account: int = 1) -> int | None:
    taken = await desk.store.claim(account, BOTH, now=desk.now, secret=bytes(32), draw=0.5)
    return None if taken is None or taken.message is None else taken.message.id


async def waits(desk: Desk, *ids: int) -> list[WaitsFor | None]:
    return [(await desk.row(each)).waits_for for each in ids]


class BatchControlLaws:
    """Every store keeps these."""

    async def batch(self, desk: Desk, *drafts: Draft, account: int = 1) -> tuple[int, list[int]]:
        lines = drafts or tuple(draft(to, lane=Lane.BULK) for to in (AYSE, BORA, CEM))
        accepted = await desk.accept_batch(lines, account=account)
        assert accepted.batch_id is not None
        rows = [row.id for row in await desk.rows() if row.batch_id == accepted.batch_id]
        return accepted.batch_id, sorted(rows)

    async def test_a_restriction_stops_every_bulk_of_its_account_until_a_person_lets_it_go_on(self, desk: Desk) -> None:
        batch, rows = await self.batch(desk)
        other, others = await self.batch(desk, account=2)
        warned = Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True)
        await desk.store.hear(1, (warned,), now=desk.now)
        assert await waits(desk, *rows) == [None] * 3, "not every restriction concerns bulk"
        await desk.store.hear(1, (replace(warned, stops_bulk=True),), now=desk.now)
        assert await waits(desk, *rows) == [WaitsFor.PAUSED] * 3
        assert await waits(desk, *others) == [None] * 3
        single = await desk.accept(to=AYSE)
        assert await claimed(desk) == single
        await desk.store.resume_batch(batch, now=desk.now)
        assert await waits(desk, *rows) == [None] * 3
        assert (await desk.batch(other)).batch.paused_at is None

    async def test_a_paused_batch_gives_nothing_to_the_hand_and_singles_go_on(self, desk: Desk) -> None:
        batch, rows = await self.batch(desk)
        await desk.store.pause_batch(batch, now=desk.now)
        await desk.store.pause_batch(batch, now=desk.now)
        assert await waits(desk, *rows) == [WaitsFor.PAUSED] * 3
        assert await claimed(desk) is None
        single = await desk.accept(to=AYSE)
        assert await claimed(desk) == single
        kinds = [event.kind for event in await desk.store.events_after(0, limit=100) if event.batch_id == batch]
        assert kinds.count(EventKind.BATCH_PAUSED) == 1

    async def test_a_resumed_batch_goes_on_in_its_order(self, desk: Desk) -> None:
        batch, rows = await self.batch(desk)
        await desk.store.pause_batch(batch, now=desk.now)
        await desk.store.resume_batch(batch, now=desk.now)
        await desk.store.resume_batch(batch, now=desk.now)
        assert [await claimed(desk) for _ in rows] == rows

    async def test_what_is_planned_or_tried_again_keeps_its_moment(self, desk: Desk) -> None:
        planned = [draft(AYSE, lane=Lane.BULK, due_at=desk.now + HOUR), draft(BORA, lane=Lane.BULK)]
        batch, (later, deferred) = await self.batch(desk, *planned)
        taken = await desk.store.claim(1, BOTH, now=desk.now, secret=bytes(32), draw=0.5)
        assert taken is not None
        outcome = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
        await desk.store.settle(deferred, taken.attempt_id, outcome, now=desk.now, retry_at=desk.now + MINUTE)
        await desk.store.pause_batch(batch, now=desk.now)
        assert await waits(desk, later, deferred) == [WaitsFor.PAUSED] * 2
        await desk.store.resume_batch(batch, now=desk.now + SECOND)
        assert await waits(desk, later, deferred) == [WaitsFor.TIME, WaitsFor.RETRY]
        await desk.store.pause_batch(batch, now=desk.now)
        await desk.store.resume_batch(batch, now=desk.now + 2 * MINUTE)
        assert await waits(desk, later, deferred) == [WaitsFor.TIME, None]

    async def test_what_was_in_hand_and_comes_back_is_kept_out(self, desk: Desk) -> None:
        batch, (first, second, _) = await self.batch(desk)
        one = await desk.store.claim(1, BOTH, now=desk.now, secret=bytes(32), draw=0.5)
        two = await desk.store.claim(1, BOTH, now=desk.now, secret=bytes(32), draw=0.5)
        assert one is not None
        assert two is not None
        await desk.store.pause_batch(batch, now=desk.now)
        outcome = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
        await desk.store.settle(first, one.attempt_id, outcome, now=desk.now, retry_at=desk.now + SECOND)
        await desk.store.settle(second, two.attempt_id, Lost(Code.ANSWER_LOST), now=desk.now, retry_at=None)
        await desk.store.release_due(now=desk.now + MINUTE, limit=100)
        (doubt,) = await desk.store.in_doubt(now=desk.now + MINUTE, limit=10)
        standing = await desk.store.conclude(doubt, NeverLeft(), now=desk.now + MINUTE)
        assert (standing.status, standing.waits_for) == (Status.QUEUED, WaitsFor.PAUSED)
        assert await waits(desk, first, second) == [WaitsFor.PAUSED] * 2
        assert await claimed(desk) is None

    async def test_a_cancelled_batch_ends_bit_by_bit_and_lets_nothing_back(self, desk: Desk) -> None:
        batch, (first, second, third) = await self.batch(desk)
        one = await desk.store.claim(1, BOTH, now=desk.now, secret=bytes(32), draw=0.5)
        assert one is not None
        await desk.store.cancel_batch(batch, now=desk.now)
        assert await claimed(desk) is None, "out of line before the first row is withdrawn"
        await desk.store.resume_batch(batch, now=desk.now)
        assert await claimed(desk) is None, "what was cancelled stays so"
        assert await desk.store.cancel_rest(now=desk.now, limit=1)
        halfway = {(await desk.row(each)).status for each in (second, third)}
        assert halfway == {Status.CANCELLED, Status.QUEUED}
        while await desk.store.cancel_rest(now=desk.now, limit=1):
            pass
        assert [(await desk.row(each)).status for each in (second, third)] == [Status.CANCELLED] * 2
        outcome = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
        await desk.store.settle(first, one.attempt_id, outcome, now=desk.now, retry_at=desk.now + SECOND)
        await desk.store.release_due(now=desk.now + MINUTE, limit=100)
        assert (await desk.row(first)).status is Status.CANCELLED
        found = await desk.store.batch(batch)
        assert found is not None
        assert found.counts.is_finished
        assert found.batch.cancelled_at == desk.now

    async def test_batches_are_listed_newest_first_by_account(self, desk: Desk) -> None:
        first, _ = await self.batch(desk)
        second, _ = await self.batch(desk, draft(AYSE, account=2, lane=Lane.BULK), account=2)
        third, _ = await self.batch(desk, draft(BORA, lane=Lane.BULK))

        async def ids(accounts: frozenset[int] | None = None, **wanted: int | None) -> list[int]:
            asked = {"account_id": None, "limit": 10, "below": None} | wanted
            return [row.batch.id for row in await desk.store.batches(accounts, **asked)]  # type: ignore[arg-type]

        assert await ids() == [third, second, first]
        assert await ids(limit=1) == [third]
        assert await ids(below=third) == [second, first]
        assert await ids(account_id=2) == [second]
        assert await ids(frozenset({1})) == [third, first]
        assert await ids(frozenset({1}), account_id=2) == []

    async def test_the_rows_of_a_batch_are_read_bit_by_bit_in_its_order(self, desk: Desk) -> None:
        batch, rows = await self.batch(desk)
        await desk.accept(to=AYSE)
        await self.batch(desk)
        assert await claimed(desk) is not None

        async def ids(above: int) -> list[int]:
            return [row.id for row in await desk.store.batch_messages(batch, above=above, limit=2)]

        assert [await ids(0), await ids(rows[1]), await ids(rows[2])] == [rows[:2], rows[2:], []]
