"""Laws of the line: who leaves before whom, and what stands in line at all."""

from datetime import timedelta

import pytest
from tests.contracts.desk import AYSE, BORA, CEM, HOUR, MINUTE, NOW, SECOND, Desk, draft, in_hand

from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.message import Lane, Level, Status, WaitsFor
from guvercin.core.outcome import Accepted, Deferred, Lost, NeverLeft, Refused

PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)


class OrderLaws:
    async def test_equals_leave_in_the_order_of_their_ids(self, desk: Desk) -> None:
        """All within one millisecond."""
        ids = [await desk.accept(to) for to in (AYSE, BORA, AYSE, CEM, AYSE, BORA)]
        assert await desk.leave_in_order() == ids

    async def test_singles_overtake_bulk_and_urgent_overtakes_patient(self, desk: Desk) -> None:
        ids = {
            (lane, level): await desk.accept(lane=lane, level=level)
            for lane in (Lane.BULK, Lane.SINGLE)
            for level in Level
        }
        expected = [ids[lane, level] for lane in (Lane.SINGLE, Lane.BULK) for level in sorted(Level, reverse=True)]
        assert await desk.leave_in_order() == expected

    async def test_a_clock_set_back_lets_nobody_overtake(self, desk: Desk) -> None:
        ids = []
        for step in (0, -7200, 1, -1, 0, 3600, -3600):
            desk.now += step * SECOND
            ids.append(await desk.accept())
        assert await desk.leave_in_order() == ids

    async def test_a_batch_stands_behind_what_was_accepted_before_it(self, desk: Desk) -> None:
        first = await desk.accept(lane=Lane.BULK)
        desk.now -= HOUR
        batch_id = (await desk.accept_batch([draft(to, lane=Lane.BULK, now=desk.now) for to in (CEM, AYSE)])).batch_id
        desk.now -= HOUR
        last = await desk.accept(lane=Lane.BULK)
        rows = [row.id for row in reversed(await desk.rows()) if row.batch_id == batch_id]
        assert await desk.leave_in_order() == [first, *rows, last]

    # -- plans

    async def test_a_plan_takes_its_place_when_its_time_comes(self, desk: Desk) -> None:
        planned = await desk.accept(due_at=NOW + HOUR)
        before = await desk.accept()
        desk.now = NOW + HOUR - SECOND
        also_before = await desk.accept()
        desk.now = NOW + HOUR
        assert await desk.store.release_due(now=desk.now, limit=10) == 1
        row = await desk.row(planned)
        assert (row.status, row.waits_for, row.waits_until) == (Status.QUEUED, None, None)
        assert (await desk.kinds(planned))[-1] is EventKind.MESSAGE_RELEASED
        after = await desk.accept()
        assert await desk.leave_in_order() == [before, also_before, planned, after]

    @pytest.mark.parametrize("step", [SECOND, -HOUR])
    async def test_order_does_not_depend_on_when_upkeep_last_looked(self, desk: Desk, step: timedelta) -> None:
        """A plan that is due and a newcomer: nobody has put the first in line yet, and the clock may be set back."""
        planned = await desk.accept(due_at=NOW + MINUTE)
        desk.now = NOW + MINUTE
        if step == -HOUR:
            assert await desk.claim(2) is None  # any account's claim sees that its time has come
            desk.now -= HOUR
        newcomer = await desk.accept()
        assert await desk.leave_in_order() == [planned, newcomer]

    async def test_a_claim_beside_an_answer_sees_what_is_due_as_any_other(self, desk: Desk) -> None:
        planned = await desk.accept(due_at=NOW + MINUTE)
        await desk.accept(account=2)
        claimed = await desk.claim(2)
        assert claimed is not None
        desk.now = NOW + MINUTE
        answered = (in_hand(claimed).id, claimed.attempt_id, Accepted("D-1", NOW))
        assert await desk.store.settle_and_claim(*answered, list(Lane), now=desk.now, secret=b"", draw=0.0) is None
        desk.now -= HOUR
        newcomer = await desk.accept()
        assert await desk.leave_in_order() == [planned, newcomer]

    async def test_plans_leave_by_their_time(self, desk: Desk) -> None:
        late = await desk.accept(due_at=NOW + 2 * HOUR)
        soon = await desk.accept(due_at=NOW + HOUR)
        equal = await desk.accept(due_at=NOW + HOUR)
        desk.now = NOW + 3 * HOUR
        assert await desk.leave_in_order() == [soon, equal, late]

    async def test_any_number_may_fall_due_at_once(self, desk: Desk) -> None:
        ids = [await desk.accept(due_at=NOW + HOUR) for _ in range(150)]
        desk.now = NOW + HOUR
        newcomer = await desk.accept()
        assert await desk.leave_in_order() == [*ids, newcomer]

    # -- deferred rows

    async def test_a_deferred_row_holds_back_the_later_ones_of_its_recipient(self, desk: Desk) -> None:
        first = await desk.accept()
        assert await desk.defer(NOW + MINUTE) == first
        second, other, third = await desk.accept(), await desk.accept(BORA), await desk.accept()
        assert await desk.leave_in_order() == [other]
        for parked in (second, third):
            row = await desk.row(parked)
            assert (row.status, row.waits_for, row.waits_until) == (Status.QUEUED, WaitsFor.EARLIER, NOW + MINUTE)
        desk.now = NOW + MINUTE
        assert await desk.store.release_due(now=desk.now, limit=10) == 3
        assert await desk.leave_in_order() == [first, second, third]

    async def test_and_again_when_it_is_deferred_again(self, desk: Desk) -> None:
        ids = [await desk.accept() for _ in range(3)]
        for _ in range(4):
            await desk.defer(desk.now + MINUTE)
            assert await desk.claim() is None
            desk.now += MINUTE
        assert await desk.leave_in_order() == ids

    async def test_it_holds_back_only_later_equals(self, desk: Desk) -> None:
        """Other levels and lanes go on, and so does what was accepted before it."""
        first, deferred = await desk.accept(), await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        assert in_hand(claimed).id == first
        assert await desk.defer(NOW + HOUR) == deferred
        urgent = await desk.accept(level=Level.HIGH)
        bulk = await desk.accept(lane=Lane.BULK)
        elsewhere = await desk.accept(account=2)
        await desk.settle(claimed, PUSHED_BACK, retry_at=desk.now + SECOND)
        desk.now += SECOND
        assert await desk.leave_in_order() == [urgent, first, bulk]
        assert await desk.leave_in_order(2) == [elsewhere]

    @pytest.mark.parametrize("step", [timedelta(0), HOUR])
    async def test_newcomers_stand_behind_parked_rows(self, desk: Desk, step: timedelta) -> None:
        """The deferred row is gone, those that it held back are not in line yet: a newcomer must not overtake them."""
        first, second = await desk.accept(), await desk.accept()
        await desk.defer(NOW + HOUR)
        assert await desk.claim() is None  # parks the second
        await desk.store.cancel(first, now=desk.now)
        desk.now -= step  # a clock set back: those behind it are still not due
        third = await desk.accept()
        left = await desk.leave_in_order()
        desk.now += step
        assert left + await desk.leave_in_order() == [second, third]

    @pytest.mark.parametrize("end", ["cancelled", "expired"])
    async def test_a_deferred_row_that_ends_holds_nobody_back(self, desk: Desk, end: str) -> None:
        lifetime = MINUTE if end == "expired" else HOUR
        await desk.accept(lifetime=lifetime)
        second = await desk.accept()
        first = await desk.defer(NOW + 2 * HOUR)
        assert await desk.claim() is None
        if end == "cancelled":
            await desk.store.cancel(first, now=desk.now)
        else:
            desk.now += MINUTE
            assert await desk.store.expire(now=desk.now, limit=10) == 1
        assert await desk.leave_in_order() == [second]

    async def test_a_row_in_doubt_holds_nobody_back(self, desk: Desk) -> None:
        first, second = await desk.accept(), await desk.accept()
        await desk.attempt(Lost(Code.ANSWER_LOST))
        assert await desk.next_id() == second
        third, fourth = await desk.accept(), await desk.accept()
        await desk.store.conclude(await desk.doubt(first), NeverLeft(), now=desk.now)
        assert await desk.leave_in_order() == [first, third, fourth]

    async def test_a_refused_row_holds_nobody_back(self, desk: Desk) -> None:
        await desk.accept()
        second = await desk.accept()
        await desk.attempt(Refused(reason=Code.NOT_ON_WHATSAPP))
        assert await desk.leave_in_order() == [second]

    async def test_thousands_behind_one_deferred_row(self, desk: Desk) -> None:
        """More than one claim may tidy, and the line of the others goes on."""
        deferred = await desk.accept()
        await desk.defer(NOW + HOUR)
        behind = [draft(now=NOW, lane=Lane.SINGLE) for _ in range(300)]
        await desk.accept_batch(behind)
        other = await desk.accept(BORA)
        assert await desk.leave_in_order() == [other]
        desk.now = NOW + HOUR
        left = await desk.leave_in_order()
        assert left[0] == deferred
        assert left == sorted(left)
        assert len(left) == 301

    # -- lifetimes

    async def test_a_row_whose_lifetime_is_over_does_not_leave(self, desk: Desk) -> None:
        dead = await desk.accept(lifetime=MINUTE)
        alive = await desk.accept(lifetime=MINUTE + SECOND)
        desk.now = NOW + MINUTE
        assert await desk.next_id() == alive
        row = await desk.row(dead)
        assert (row.status, row.reason, row.attempts) == (Status.FAILED, Code.EXPIRED, 0)
        assert (await desk.last_event(dead)).detail == {"neden": "suresi_doldu"}

    async def test_a_crowd_of_dead_rows_does_not_keep_the_writer(self, desk: Desk) -> None:
        """One claim tidies a stated number, then lets others write: the caller claims again at once."""
        await desk.accept_batch([draft(lifetime=MINUTE) for _ in range(200)])
        alive = await desk.accept(BORA, lifetime=HOUR)
        desk.now = NOW + MINUTE
        answers = []
        while True:
            claimed = await desk.store.claim(1, list(Lane), now=desk.now, secret=bytes(32), draw=0.0)
            assert claimed is not None
            answers.append(claimed.message and claimed.message.id)
            if claimed.message is not None:
                break
        assert answers == [None] * 3 + [alive]

    async def test_what_left_is_answered_after_the_next_claim(self, desk: Desk) -> None:
        """A fast line claims before it has written the last answer down."""
        first, second = await desk.accept(), await desk.accept()
        one, two = await desk.claim(), await desk.claim()
        assert one is not None
        assert two is not None
        await desk.settle(two, Accepted("D-2", NOW))
        await desk.settle(one, Accepted("D-1", NOW))
        assert [(await desk.row(row)).remote_id for row in (first, second)] == ["D-1", "D-2"]
